"""What is asked of the tables: statements, which of them only read, their answers, and the shell."""
