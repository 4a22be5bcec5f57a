"""Which photos are in which batch: a function of the seed and the number of the step, so that a run that was killed
goes on as if it had not been."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from udfs.errors import InputError

Array = np.ndarray

PHOTOS = 4
"""Of each person in a batch of which every person has several (Hermans et al. 2017 take four)."""


@dataclass(frozen=True)
class Batches:
    """labels: int (n,), whom each photo shows. size: photos a batch. several: whether each person in a batch must have
    several photos there; those with a single one are left out then."""

    labels: Array
    size: int
    several: bool
    seed: int

    def __post_init__(self) -> None:
        if self.several and len(self._persons) < 2:
            raise InputError(
                "this loss compares several photos of a person, and fewer than two persons have several to train on;"
                " add photos, or use a loss of classes such as cosface"
            )

    @property
    def a_pass(self) -> int:
        """Batches until each photo has been taken about once."""
        return max(1, len(self.labels) // self.size)

    def at(self, step: int) -> Array:
        """The photos of a step, the first of which is 0: int (up to `size`,)."""
        return self._of_persons(step) if self.several else self._of_all(step)

    def _of_all(self, step: int) -> Array:
        number, place = divmod(step, self.a_pass)
        order = np.random.default_rng([self.seed, number]).permutation(len(self.labels))
        return order[place * self.size : (place + 1) * self.size]

    def _of_persons(self, step: int) -> Array:
        random = np.random.default_rng([self.seed, step])
        count = min(max(2, self.size // PHOTOS), len(self._persons))
        chosen = random.choice(len(self._persons), count, replace=False)
        return np.concatenate([_drawn(self._persons[at], random) for at in chosen])

    @cached_property
    def _persons(self) -> list[Array]:
        """The photos of each person who has several."""
        order = np.argsort(self.labels, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(self.labels[order])) + 1)
        return [part for part in parts if len(part) > 1]


def _drawn(photos: Array, random: np.random.Generator) -> Array:
    return random.choice(photos, min(PHOTOS, len(photos)), replace=False)
