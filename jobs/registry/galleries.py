"""Which galleries there are: a gallery stays one when nobody in it is in force any more."""

from pyspark.sql import functions as F

from schemas.store import Tables


def known_galleries(tables: Tables) -> dict[str, set[str]]:
    """The contracts under which somebody was ever enrolled in each gallery, or refused; by the gallery's name."""
    found: dict[str, set[str]] = {}
    for table in ("gallery", "enrollments"):
        rows = tables.read_or_empty(table).select("gallery_name", "contract_id").distinct().collect()
        for row in rows:
            found.setdefault(row.gallery_name, set()).add(row.contract_id)
    return found


def label_was_known(tables: Tables, gallery_name: str, label: str) -> bool:
    """Whether a sample of the gallery has or had a label, or its faces were once searched for by it."""
    here = (F.col("gallery_name") == gallery_name) & F.array_contains("labels", label)
    return any(not tables.read_or_empty(table).where(here).isEmpty() for table in ("gallery", "searches"))
