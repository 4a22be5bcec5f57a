"""Exact nearest persons over unit vectors. Knows arrays, never Spark."""
