"""Faces that may be of one person, grouped: a function of the set of faces, and of nothing else."""
