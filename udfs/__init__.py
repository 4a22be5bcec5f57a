"""What runs on an executor: reading the lake, vision, search, and their Arrow forms for Spark."""
