"""Agreement of groups and persons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.cluster import pair_confusion_matrix

from evaluation.grouping import bcubed, pairwise

labels = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30)


def test_an_example_by_hand() -> None:
    """Bagga and Baldwin's (1998): one group of two persons."""
    persons = np.array(list("aaaaabb" + "ccccc"))
    groups = np.array([0] * 5 + [1] * 7)
    found = bcubed(groups, persons)
    assert found.precision == pytest.approx((5 * 1 + 2 * 2 / 7 + 5 * 5 / 7) / 12)
    assert found.recall == 1.0


@given(labels)
def test_what_is_defined_face_by_face_and_pair_by_pair(drawn: list[tuple[int, int]]) -> None:
    groups, persons = np.array(drawn).T
    same_group, same_person = groups[:, None] == groups, persons[:, None] == persons
    both = (same_group & same_person).sum(axis=1)
    found = bcubed(groups, persons)
    assert found.precision == pytest.approx((both / same_group.sum(axis=1)).mean())
    assert found.recall == pytest.approx((both / same_person.sum(axis=1)).mean())
    (_, one_group), (one_person, agreed) = pair_confusion_matrix(persons, groups)
    pairs = pairwise(groups, persons)
    assert pairs.precision == (pytest.approx(agreed / (agreed + one_group)) if agreed + one_group else 1.0)
    assert pairs.recall == (pytest.approx(agreed / (agreed + one_person)) if agreed + one_person else 1.0)


@given(labels)
def test_what_agrees_fully(drawn: list[tuple[int, int]]) -> None:
    persons = np.array(drawn)[:, 1]
    for measure in (bcubed, pairwise):
        assert measure(persons + 10, persons).f == 1.0
