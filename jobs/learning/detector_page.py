"""What the training of a detector did, as a page."""

from evaluation.detection import DetectionChange
from jobs.learning.measured import Measured
from jobs.learning.page import course_of, facts_of, rates_of
from pages.report import Headline, Report

LOSS = (
    "focal loss of a heat map with a Gaussian at the middle of each face, L1 of sizes and offsets (Zhou et al. 2019,"
    " Objects as Points); landmarks are held where the parent sees them"
)


def detector_page(measured: Measured, found: DetectionChange, learnt: int) -> Report:
    """The page of a training. learnt: photos that it was learnt from."""
    trained = measured.trained
    return Report(
        title=f"{trained.name}, trained from {trained.parent}",
        lead=(
            f"Learnt from {learnt:,} photos; measured on {found.photos:,} others with {found.faces:,} faces of"
            f" {found.minimum:g} pixels or more. It {measured.verdict}."
        ),
        headline=[
            Headline("recall before", f"{1 - found.before:.4f}", f"score {measured.rates['score']:g}"),
            Headline("recall after", f"{1 - found.after:.4f}"),
            Headline(
                "difference in misses",
                f"{found.after - found.before:+.4f}",
                f"{found.difference.low:+.4f} to {found.difference.high:+.4f}",
            ),
            Headline(
                "difference in false boxes a photo",
                f"{found.false_after - found.false_before:+.3f}",
                f"{found.false_difference.low:+.3f} to {found.false_difference.high:+.3f}",
            ),
        ],
        plots=course_of(measured.course, "loss", "On photos it does not learn from; the best state is kept."),
        tables=[
            rates_of(
                measured,
                "What was measured",
                "A face is found by a box whose intersection over union with it is .5 or more. landmarks_apart: of"
                " faces that both find, in shares of the face's side.",
            )
        ],
        facts=facts_of(measured, LOSS),
        facts_title="How it was trained",
    )
