"""What is removed because its time is over."""
