"""From which average similarity on two groups of faces are taken for one person."""

import math
from dataclasses import dataclass

from jobs.decisions.strangers import stranger_rates
from jobs.run.context import Context
from udfs.errors import InputError

_STRANGERS_LINKED = 0.1
"""Strangers that a face may be linked to, to be expected: chosen on LFW, where groups of one person and of several are
then best told apart (docs/grouping.md)."""

_LAXEST = 1e-4
"""The false-link rate of few faces: that of a match, where one is held against one."""


@dataclass(frozen=True)
class LinkingThreshold:
    """similarity: two groups whose faces are as similar on average, or more, are one. false_link_rate: the share of
    pairs of strangers that are. source: what it was measured on."""

    similarity: float
    false_link_rate: float
    source: str


def linking_threshold(
    context: Context, contract_id: str, embedder: str, faces: int, false_link_rate: float | None
) -> LinkingThreshold:
    """The threshold for a number of faces: the more there are, the more strangers are similar.

    It is that of the next power of two, so that it does not move every night. false_link_rate: another than that by
    which a face is linked to _STRANGERS_LINKED strangers.

    Raises:
        InputError: no calibration of the contract has measured strangers, and its embedder has no thresholds.
    """
    rate = false_link_rate or linking_rate(faces)
    measured = stranger_rates(context, contract_id)
    if measured is not None:
        return LinkingThreshold(measured.similarity_at(rate), rate, "calibration")
    if embedder not in context.settings.thresholds:
        raise InputError(
            f"how similar strangers are is not known for {embedder}; run `rollcall calibrate` on photos of many persons"
        )
    packaged = context.settings.thresholds[embedder]
    context.log.warning(
        "cluster: no calibration of this contract has measured strangers: what was measured on other photos decides,"
        f" extended to a false-link rate of {rate:.1g}; run `rollcall calibrate`"
    )
    # Packaged thresholds stand at FMR 1e-4 (match) and 1e-3 (review); rates fall about exponentially with similarity.
    decade = packaged.match - packaged.review
    similarity = packaged.match + decade * math.log10(1e-4 / rate)
    return LinkingThreshold(min(similarity, 0.99), rate, packaged.source)


def linking_rate(faces: int) -> float:
    """The false-link rate that is taken for so many faces."""
    return min(_LAXEST, _STRANGERS_LINKED / (1 << math.ceil(math.log2(max(1, faces)))))
