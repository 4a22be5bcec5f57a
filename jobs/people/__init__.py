"""Who are the unknown: faces grouped into persons-to-be."""
