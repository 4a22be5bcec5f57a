"""What is learnt from labelled photos, on whom it is measured, and how it becomes a model of the settings."""
