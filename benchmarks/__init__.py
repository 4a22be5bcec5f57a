"""Benchmarks: one file a claim, each against a named peer in one process on the same input."""
