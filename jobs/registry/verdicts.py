"""Samples are judged one after the other, by who is near whom: what `admission.judge` says, without the vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from pyspark.sql import DataFrame

from jobs.registry.admission import NO_ONE, Verdict
from jobs.run.context import Context

Array = np.ndarray


@dataclass(frozen=True)
class Resemblances:
    """Who is near n samples, by their numbers 0 to n - 1 in the order in which they are judged.

    own: float64 (n,), the highest similarity to an accepted sample of the same person; -inf if there is none.
    other_person: (n,), the nearest person but that one among the accepted, of those at least `review` similar, or None.
    other: float64 (n,), the similarity to that person, or -inf.
    later, earlier, similarity: int32, int32, float64 (pairs,): all pairs of one person; and all of two persons that are
    at least `review` similar, and not less similar than `other` of the later one.
    """

    own: Array
    other_person: Sequence[str | None]
    other: Array
    later: Array
    earlier: Array
    similarity: Array


class Search(Protocol):
    """Who is near samples that are too many for one process."""

    def __call__(
        self,
        context: Context,
        known: DataFrame,
        asked: DataFrame,
        persons: Sequence[str],
        dimension: int,
        review: float,
    ) -> Resemblances:
        """known: sample_id, person_id, embedding, embedding_digest of accepted samples. asked: at (their number) and
        the same of the samples that are to be judged. persons: whose they are, by number. dimension: of the embeddings.
        review: the least similarity to another person that counts."""


def numbered(persons: Sequence[str]) -> Array:
    """A number for each person, of each of their samples: int32 (n,)."""
    return np.unique(np.array(persons, object), return_inverse=True)[1].astype(np.int32)


def verdicts(persons: Sequence[str], near: Resemblances) -> list[Verdict]:
    """The verdict on each sample, each judged against what is accepted, and against those accepted before it.

    A sample is for review when another person is at least `review` similar, and more so than its own person.
    """
    order = np.argsort(near.later, kind="stable")
    earlier, similarity = near.earlier[order], near.similarity[order]
    bounds = np.searchsorted(near.later[order], np.arange(len(persons) + 1)).tolist()
    accepted = np.zeros(len(persons), bool)
    found = []
    for at, (first, last) in enumerate(pairwise(bounds)):
        own, other, other_person = float(near.own[at]), float(near.other[at]), near.other_person[at]
        for before, score in zip(earlier[first:last].tolist(), similarity[first:last].tolist(), strict=True):
            if not accepted[before]:
                continue
            if persons[before] == persons[at]:
                own = max(own, score)
            elif other_person is None or (-score, persons[before]) < (-other, other_person):
                other, other_person = score, persons[before]
        accepted[at] = other_person is None or other <= (NO_ONE if own == -np.inf else own)
        found.append(
            Verdict(
                bool(accepted[at]),
                None if own == -np.inf else own,
                other_person,
                None if other_person is None else other,
            )
        )
    return found
