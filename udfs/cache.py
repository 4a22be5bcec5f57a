"""Where this machine keeps what Rollcall has fetched or copied."""

import os
from pathlib import Path


def cache() -> Path:
    """The folder of what is kept: $ROLLCALL_CACHE, else `rollcall` in the user's cache."""
    explicit = os.environ.get("ROLLCALL_CACHE")
    if explicit:
        return Path(explicit)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rollcall"
