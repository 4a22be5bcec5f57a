"""From similarity to decision, and how thresholds are measured."""
