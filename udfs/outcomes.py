"""What can become of an image: the fixed set that every image ends in."""

REASONS = (
    "not_an_image",
    "truncated",
    "too_large",
    "unsupported_format",
    "unsupported_mode",
    "raw",
    "too_small",
    "empty",
    "gone",
    "forbidden",
    "unreadable",
    "changed",
    "crashed",
)
OUTCOMES = ("faces", "no_face", *(f"rejected:{reason}" for reason in REASONS))
