"""How many faces have which decision: by score, by hour, by source."""

from collections import Counter
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pages.report import Headline, ReportTable
from schemas.catalog import DECISIONS

BINS = 50
"""Of scores, from 0 to 1."""


@dataclass(frozen=True)
class FacesCounted:
    """Faces by decision; by decision and bin of the score; by hour and decision; by source and decision. thresholds:
    match and review, by which they were decided.
    """

    decisions: Counter[str]
    scores: Counter[tuple[str, int]]
    hours: Counter[tuple[str, str]]
    sources: Counter[tuple[str, str]]
    thresholds: set[tuple[float, float]]

    @classmethod
    def of(cls, decided: DataFrame) -> "FacesCounted":
        """decided: rows of the view face_decisions."""
        bin_of = F.floor(F.least(F.greatest(F.col("score"), F.lit(0.0)), F.lit(0.999999)) * BINS).cast("int")
        named = [F.col(name) for name in ("decision", "source", "threshold", "review_threshold")]
        keys = [*named, bin_of.alias("bin"), F.date_format("captured_at", "HH").alias("hour")]
        found = cls(Counter(), Counter(), Counter(), Counter(), set())
        for row in decided.groupBy(*keys).count().collect():
            found.decisions[row.decision] += row["count"]
            if row.bin is not None:
                found.scores[row.decision, row.bin] += row["count"]
            if row.hour is not None:
                found.hours[f"{row.hour}:00", row.decision] += row["count"]
            found.sources[row.source or "", row.decision] += row["count"]
            found.thresholds.add((row.threshold, row.review_threshold))
        return found

    @property
    def faces(self) -> int:
        """All of them."""
        return sum(self.decisions.values())

    def headline(self) -> list[Headline]:
        """How many have which decision."""
        return [Headline(in_words(name), f"{self.decisions[name]:,}") for name in DECISIONS if self.decisions[name]]

    def tables(self) -> list[ReportTable]:
        """By hour and by source, where there are several."""
        named = [("By hour (UTC)", "hour", self.hours), ("By source", "source", self.sources)]
        return [_crossed(title, first, counts) for title, first, counts in named if len({key for key, _ in counts}) > 1]

    def marks(self) -> list[tuple[str, float]]:
        """The thresholds by name, if all were decided by the same."""
        if len(self.thresholds) != 1:
            return []
        ((match, review),) = self.thresholds
        return [(f"match from {match:.3f}", match), (f"review from {review:.3f}", review)]


def in_words(decision: str) -> str:
    """A decision as people read it."""
    return decision.replace("_", " ")


def _crossed(title: str, first: str, counts: Counter[tuple[str, str]]) -> ReportTable:
    kinds = [name for name in DECISIONS if any(kind == name for _, kind in counts)]
    keys = sorted({key for key, _ in counts})
    rows = [(key or "not named", *[f"{counts[key, kind]:,}" for kind in kinds]) for key in keys]
    return ReportTable(title, (first, *map(in_words, kinds)), rows, tuple(range(1, len(kinds) + 1)))
