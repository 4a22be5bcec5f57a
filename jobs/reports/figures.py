"""Figures of an evaluation, whatever it measures: as rows of `evaluations`, as JSON, and in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from evaluation.figures import Figure
from jobs.run.context import Context
from schemas.catalog import EVALUATIONS
from udfs.arrow import local_frame

ByGroup = Mapping[str, Sequence[Figure]]
"""Figures by the group that they are of; those of all under ""."""

_COUNTED = ("true_matches", "false_matches", "true_non_matches", "false_non_matches")


def append_figures(context: Context, found: ByGroup, grouped_by: str | None, **of_all: object) -> None:
    """Append figures to `evaluations`. grouped_by: what groups are. of_all: the columns that all rows share."""
    rows = [
        {
            **of_all,
            "metric": figure.metric,
            "at": None if figure.at is None else float(figure.at),
            "gallery_size": figure.gallery_size,
            "grouped_by": grouped_by if group else "",
            "group": group,
            "value": figure.value,
            **dict(zip(("low", "high"), figure.interval or (None, None), strict=True)),
            "count": figure.count,
        }
        for group, figures in found.items()
        for figure in figures
    ]
    context.tables.append("evaluations", local_frame(context.spark, rows, EVALUATIONS.schema))


def documents(found: ByGroup) -> list[dict[str, object]]:
    """Figures as JSON has them, which knows no number that is not finite."""
    return [
        {
            "group": group,
            **asdict(figure),
            "at": None if isinstance(figure.at, float) and not math.isfinite(figure.at) else figure.at,
            "interval": None if figure.interval is None else list(figure.interval),
        }
        for group, figures in found.items()
        for figure in figures
    ]


def value_of(figure: Figure) -> str:
    """The value in words."""
    if figure.value is None:
        return "not supported"
    return f"{figure.value:,.0f}" if figure.metric in _COUNTED else f"{figure.value:.4f}"


def range_of(figure: Figure) -> str:
    """The interval in words; "" without one."""
    return "" if figure.interval is None else f"{figure.interval.low:.4f} to {figure.interval.high:.4f}"


def line_of(name: str, figure: Figure) -> str:
    """A figure as a line. name: what it is called."""
    said = f"{name:34} {value_of(figure):>13}"
    return said if figure.interval is None else f"{said}   {range_of(figure)}"
