"""Why an image is not searched for faces."""


class RejectedError(Exception):
    """An image in which no faces can be looked for; its outcome is `rejected:<reason>`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def in_one_line(error: Exception) -> str:
    """What an exception says."""
    return " ".join(str(error).split())[:300] or type(error).__name__
