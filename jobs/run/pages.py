"""Pages that jobs write."""

from pathlib import Path

from jobs.run.context import Context


def written(context: Context, html: str, output: Path) -> Path:
    """Write a page, and say where it is."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(html, "utf-8")
    page = output.resolve().as_uri()
    context.log.info(f"{context.job}: {page}", extra={"page": page})
    return output
