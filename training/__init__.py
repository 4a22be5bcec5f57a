"""How a network learns: losses, adapters, augmentation, and the loop. No Spark, no table."""
