"""Images to faces: computed, or looked up in the tables."""
