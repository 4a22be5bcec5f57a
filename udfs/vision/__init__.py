"""From image bytes to embeddings: decode, detect, align, embed, quality. Knows arrays and images, never Spark."""
