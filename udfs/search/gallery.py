"""A gallery as it is searched: its samples in the order of their names, and rounded to 8 bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from udfs.search.rounding import Rounded

Array = np.ndarray


@dataclass(frozen=True)
class Gallery:
    """Samples to search: row i of `vectors` (float32 (n, d), unit length) is sample `samples[i]` of person
    `persons[i]`. Rows stand in the order of person, then sample, so that row numbers break ties as names do.

    person_of: int32 (n,), which person each row belongs to, counted in the order of their names.
    """

    vectors: Array
    persons: Array
    samples: Array
    person_of: Array

    @classmethod
    def of(cls, vectors: Array, persons: Sequence[str], samples: Sequence[str]) -> "Gallery":
        """Arrange samples that come in any order."""
        by_name = np.lexsort((np.asarray(samples, object), np.asarray(persons, object)))
        ordered = np.asarray(persons, object)[by_name]
        person_of = np.concatenate(([0], np.cumsum(ordered[1:] != ordered[:-1]))).astype(np.int32)[: len(ordered)]
        return cls(
            np.ascontiguousarray(vectors[by_name], np.float32), ordered, np.asarray(samples, object)[by_name], person_of
        )

    @cached_property
    def rounded(self) -> Rounded:
        """The samples in 8 bits."""
        return Rounded.of(self.vectors)

    @cached_property
    def loss(self) -> float:
        """The most that is lost of a sample, in units of its scale."""
        return float((self.rounded.lost / self.rounded.scales).max(initial=0.0))

    @cached_property
    def kept(self) -> float:
        """The longest of the rounded samples."""
        return float(self.rounded.kept.max(initial=0.0))
