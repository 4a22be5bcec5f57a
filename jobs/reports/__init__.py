"""What people and monitors read."""
