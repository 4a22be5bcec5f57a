"""What users hand in: sources of images, manifests of people, labelled photos."""
