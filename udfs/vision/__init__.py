"""From image bytes to embeddings: decode, detect, align, embed, quality. Never Spark."""
