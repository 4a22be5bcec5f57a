"""Values in statements of SQL."""


def quoted(text: str) -> str:
    """Text as a literal of Spark's SQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
