"""Packaged configuration: `rollcall.toml` (what the models and thresholds are) and Spark properties."""
