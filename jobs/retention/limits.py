"""For how long the settings have something kept: by what it is, and by the source of its image."""

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.run.context import Context
from jobs.run.settings import KEEP, Retention

MATCHES, IN_REVIEW, UNKNOWN = FACES = ("matches", "faces_in_review", "unknown_faces")
"""The kinds of faces, the surest first."""
WITHOUT_FACES, REJECTED = "images_without_faces", "rejected_images"
KINDS = (*FACES, WITHOUT_FACES, REJECTED)
"""What the settings give a number of days for."""

_FOREVER = 1_000_000
"""Days: more than any date is ago."""


@dataclass(frozen=True)
class Limits:
    """The settings on a day. on: the day on which it is asked what is over."""

    retention: Retention
    on: date

    def days(self, kind: str, source: str | None = None) -> int | None:
        """For how many days after its run_date something is kept; None: without limit."""
        own = self.retention.sources.get(source) if source is not None else None
        said = None if own is None else getattr(own, kind)
        said = getattr(self.retention, kind) if said is None else said
        return None if said in (None, KEEP) else said

    @property
    def numbers(self) -> dict[tuple[str, str | None], int]:
        """All limits there are, by kind and source; without a source, of all that have none of their own."""
        sources = [None, *sorted(self.retention.sources)]
        every = {(kind, source): self.days(kind, source) for kind in KINDS for source in sources}
        return {of: days for of, days in every.items() if days is not None}

    @property
    def unlimited(self) -> list[str]:
        """The kinds that are kept without limit in images of some source, or of most."""
        sources = [None, *sorted(self.retention.sources)]
        return [
            f"{kind} of {source}" if source is not None else kind
            for kind in KINDS
            for source in sources
            if self.days(kind, source) is None and (source is None or self.days(kind) is not None)
        ]

    def unknown_sources(self, context: Context) -> list[str]:
        """The sources that the settings name and that no image is of."""
        named = set(self.retention.sources)
        if not named:
            return []
        return sorted(
            named - {row.source for row in context.tables.read("images").select("source").distinct().collect()}
        )

    def in_words(self) -> str:
        """All of them in one line."""
        return ", ".join(
            f"{kind}{'' if source is None else f' of {source}'} {days:,}"
            for (kind, source), days in self.numbers.items()
            if source is None or days != self.days(kind)
        )

    @property
    def horizon(self) -> date:
        """The first date of which nothing can be over. Only where there are limits."""
        return self.on - timedelta(days=min(self.numbers.values()))

    def is_over(self, *kinds: str) -> Column:
        """Of a row with `source` and `run_date`: whether the shortest of some limits is over."""
        return F.datediff(F.lit(self.on), "run_date") > self._shortest(kinds)

    def is_over_for(self, kind: Column) -> Column:
        """The same for the kind that each row has; false where it has none."""
        over = F.lit(False)
        for each in KINDS:
            over = F.when(kind == each, self.is_over(each)).otherwise(over)
        return over

    def _shortest(self, kinds: tuple[str, ...]) -> Column:
        def of(source: str | None) -> int:
            return min(days if (days := self.days(kind, source)) is not None else _FOREVER for kind in kinds)

        days = F.lit(of(None))
        for source in sorted(self.retention.sources):
            days = F.when(F.col("source") == source, of(source)).otherwise(days)
        return days
