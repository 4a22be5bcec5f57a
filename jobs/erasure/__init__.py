"""What was kept of a person or an image is erased, and that nothing is left is proven."""
