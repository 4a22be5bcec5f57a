"""Inputs that mean harm, by kind; docs/hostile_input.md lists them all with what becomes of each."""
