"""What a person sees: pages and plots from plain records. Never Spark."""
