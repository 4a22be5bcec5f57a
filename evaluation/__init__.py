"""How good it is: error rates from scores. Knows arrays, never Spark."""
