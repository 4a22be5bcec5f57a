"""What is kept: the tables, their keys and constraints, and how they are opened and written."""
