"""Faces against packed vectors, and what follows for the tables."""
