"""Which samples are admitted: whether each shows who it is said to show, as far as the others can tell. As plainly as
it can be written: what `verdicts` finds without holding a gallery, bit by bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from udfs.search.pairs import pairs_at_least
from udfs.search.similarity import similarity

Array = np.ndarray

NO_ONE = -1.0
"""The similarity to a person who has no sample yet."""


@dataclass(frozen=True)
class Verdict:
    """own: to the nearest accepted sample of the same person (None: there was none). other_*: the nearest
    other person, looked for among those at or above the review threshold only.
    """

    accepted: bool
    own: float | None
    other_person_id: str | None
    other: float | None


def judge(
    vectors: Array, persons: Sequence[str], known: Array, known_persons: Sequence[str], review: float
) -> list[Verdict]:
    """Judge samples one after the other, each against the known ones and those accepted before it.

    A sample is for review when another person is at least `review` similar, and more so than its own
    person. The caller gives the samples in the order of `sample_id`: the order of files is not to matter.

    vectors: float32 (n, d). known: float32 (m, d), samples accepted earlier. Unit length.
    """
    count = len(known)
    everything = np.concatenate([known, vectors]) if count else vectors
    everyone = [*known_persons, *persons]
    near = _by_sample(len(vectors), *pairs_at_least(vectors, everything, review))
    of_person: dict[str, list[int]] = {}
    for row, person in enumerate(known_persons):
        of_person.setdefault(person, []).append(row)
    accepted = np.concatenate([np.ones(count, bool), np.zeros(len(vectors), bool)])
    verdicts = []
    for at, person in enumerate(persons):
        own_rows = of_person.get(person, [])
        own = max(similarity(np.repeat(vectors[at : at + 1], len(own_rows), 0), everything[own_rows]), default=None)
        others = [(-score, everyone[row]) for row, score in near[at] if accepted[row] and everyone[row] != person]
        other, other_person = min(others, default=(None, None))
        worse = other is not None and -other > (NO_ONE if own is None else own)
        if not worse:
            accepted[count + at] = True
            of_person.setdefault(person, []).append(count + at)
        verdicts.append(
            Verdict(
                not worse,
                None if own is None else float(own),
                other_person,
                None if other is None else -other,
            )
        )
    return verdicts


def _by_sample(count: int, left: Array, right: Array, scores: Array) -> list[list[tuple[int, float]]]:
    near: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for i, j, score in zip(left.tolist(), right.tolist(), scores.tolist(), strict=True):
        near[i].append((j, score))
    return near
