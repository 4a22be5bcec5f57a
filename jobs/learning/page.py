"""What a training did, as a page: how the loss fell, and how far apart it has put one person's photos and others'."""

import numpy as np

from jobs.learning.compared import Seen
from jobs.learning.divided import Photos
from jobs.learning.measured import Course, Measured, MeasuredOnPersons
from pages import plots
from pages.plots import Line, Plot
from pages.report import Headline, Report, ReportTable
from training.plans import LOSSES

Array = np.ndarray

_MOST = 1000
"""Photos whose similarities are drawn."""


def page_of(measured: MeasuredOnPersons) -> Report:
    """The page of a training."""
    trained, found, divided = measured.trained, measured.found, measured.divided
    return Report(
        title=f"{trained.name}, trained from {trained.parent}",
        lead=(
            f"Learnt from {len(divided.learnt.photos):,} photos of {len(divided.learnt.persons):,} persons; measured on"
            f" {len(divided.held_out.photos):,} photos of {len(divided.held_out.persons):,} others, of whom it has seen"
            f" none. It {measured.verdict}."
        ),
        headline=[
            Headline("FNIR before", f"{found.before:.4f}", f"FPIR {found.fpir:g}, {found.gallery_size:,} persons"),
            Headline("FNIR after", f"{found.after:.4f}"),
            Headline(
                "difference",
                f"{found.after - found.before:+.4f}",
                f"{found.difference.low:+.4f} to {found.difference.high:+.4f}",
            ),
            Headline("misses won back", f"{found.gain:.1%}"),
        ],
        plots=[
            *course_of(measured.course, "TAR", "On persons it does not learn from; the best state is kept."),
            _similarities("Before", measured.before, divided.held_out),
            _similarities("After", measured.after, divided.held_out),
        ],
        tables=[
            rates_of(
                measured,
                "What else was measured",
                "TAR: mated pairs accepted, at the share of non-mated pairs that is accepted (FAR).",
            )
        ],
        facts=facts_of(measured, f"{trained.loss}: {LOSSES[trained.loss].paper}"),
        facts_title="How it was trained",
    )


def rates_of(measured: Measured, title: str, note: str) -> ReportTable:
    """All that was measured, by name."""
    rows = [(name, f"{value:.4f}") for name, value in sorted(measured.rates.items())]
    return ReportTable(title, ("figure", "value"), rows, numbers=(1,), note=note)


def facts_of(measured: Measured, loss: str) -> list[tuple[str, str]]:
    """How a model was trained. loss: in words."""
    trained = measured.trained
    return [
        ("loss", loss),
        *[(name, str(value)) for name, value in trained.plan.items() if name != "loss"],
        ("file", str(trained.file)),
        ("SHA-256", trained.sha256),
    ]


def course_of(course: Course, chosen: str, by: str) -> list[Plot]:
    """How the loss fell; and how good it was on what decides when to stop, which is called `chosen`. by: on what."""
    steps = np.arange(1, len(course.losses) + 1)
    fallen = plots.course(
        "Loss", [Line("loss", steps, np.array(course.losses))], "step", "loss", "On the photos it learns from."
    )
    if not course.chosen:
        return [fallen]
    at, value = np.array(course.chosen, np.float64).T
    told = plots.course(
        "When to stop",
        [Line(chosen, at, value)],
        "step",
        chosen,
        by,
    )
    return [fallen, told]


def _similarities(title: str, seen: Seen, photos: Photos) -> Plot:
    few = np.linspace(0, len(photos.photos) - 1, min(_MOST, len(photos.photos))).astype(np.intp)
    similarity = seen.searched[few] @ seen.enrolled[few].T
    mated = photos.labels[few][:, None] == photos.labels[few]
    pairs = ~np.eye(len(few), dtype=bool)
    plot = plots.histogram(similarity[mated & pairs], similarity[~mated], None, "similarity of two photos")
    return Plot(f"{title}: {plot.title.lower()}", plot.svg, plot.caption)
