"""How well groups agree with persons."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

Array = np.ndarray


@dataclass(frozen=True)
class Agreement:
    """precision: how much of a group is of one person. recall: how much of a person is in one group."""

    precision: float
    recall: float

    @property
    def f(self) -> float:
        """Their harmonic mean; 0 where both are."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def bcubed(groups: Array, persons: Array) -> Agreement:
    """B-cubed (Bagga and Baldwin 1998): of each face, the share of its group that is of its person, and the share of
    its person that is in its group; the mean over all faces, so that a face counts the same in a large group.

    groups, persons: of each face, any labels (n,), n > 0.
    """
    shared, of_group, of_person = _table(groups, persons)
    together = shared.data.astype(np.float64) ** 2
    faces = len(groups)
    return Agreement(
        float((together / of_group[shared.row]).sum() / faces), float((together / of_person[shared.col]).sum() / faces)
    )


def pairwise(groups: Array, persons: Array) -> Agreement:
    """Of the pairs of faces in one group the share that is of one person, and the reverse; large groups weigh most.

    1 where there is no such pair.
    """
    shared, of_group, of_person = _table(groups, persons)
    both = float(_pairs(shared.data).sum())
    linked, mated = float(_pairs(of_group).sum()), float(_pairs(of_person).sum())
    return Agreement(both / linked if linked else 1.0, both / mated if mated else 1.0)


def _table(groups: Array, persons: Array) -> tuple[coo_array, Array, Array]:
    """How many faces each group and person share, and how many each has."""
    _, group = np.unique(groups, return_inverse=True)
    _, person = np.unique(persons, return_inverse=True)
    shared = coo_array((np.ones(len(group), np.int64), (group, person)))
    shared.sum_duplicates()
    return shared, np.bincount(group), np.bincount(person)


def _pairs(count: Array) -> Array:
    return count * (count - 1) // 2
