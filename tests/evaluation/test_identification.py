"""Against every gallery that can be drawn, one by one."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.identification import Trials
from udfs.errors import InputError

Array = np.ndarray

PERSONS = 5


@st.composite
def score_sets(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    """Whom probes show, which may be searched for in a gallery with them, and their similarities to all persons."""
    probes = draw(st.integers(2, 6))
    of = draw(st.lists(st.integers(0, PERSONS - 1), min_size=probes, max_size=probes))
    mated = draw(st.lists(st.booleans(), min_size=probes, max_size=probes))
    scores = draw(st.lists(st.integers(0, 4), min_size=probes * PERSONS, max_size=probes * PERSONS))
    return np.array(of), np.array([True, *mated[1:]]), np.array(scores, float).reshape(probes, PERSONS)


def trials(of: Array, mated: Array, scores: Array, floor: float = 1) -> Trials:
    probe, person = np.nonzero(scores >= floor)
    kept = (person != of[probe]) | mated[probe]
    probe, person = probe[kept], person[kept]
    order = np.lexsort((person, probe, -scores[probe, person]))
    probe, person = probe[order], person[order]
    return Trials(of, mated, PERSONS, probe, person, scores[probe, person])


def by_hand(
    of: Array, mated: Array, scores: Array, size: int, threshold: float, rank: int | None
) -> tuple[float, float]:
    """FPIR and FNIR of each probe over all galleries, and then over the probes. Similarities below 1 are not kept."""
    false_positives, misses = [], []
    for probe, person in enumerate(of):
        others = [other for other in range(PERSONS) if other != person]
        near = scores[probe]
        without = [any(near[o] >= max(threshold, 1) for o in drawn) for drawn in combinations(others, size)]
        false_positives.append(np.mean(without))
        if mated[probe]:
            found = []
            for drawn in combinations(others, size - 1):
                ahead = sum((near[o], -o) > (near[person], -person) for o in drawn)
                found.append(near[person] >= max(threshold, 1) and (rank is None or ahead < rank))
            misses.append(1 - np.mean(found))
    return float(np.mean(false_positives)), float(np.mean(misses))


@settings(max_examples=200)
@given(score_sets(), st.integers(1, PERSONS - 1), st.integers(1, 5), st.sampled_from([None, 1, 2]))
def test_rates_are_the_means_over_all_galleries(
    scored: tuple[Array, Array, Array], size: int, threshold: int, rank: int | None
) -> None:
    of = trials(*scored)
    fpir, fnir = by_hand(*scored, size, threshold, rank)
    assert of.fpir(size, threshold) == pytest.approx(fpir)
    assert of.fnir(size, threshold, rank) == pytest.approx(fnir)


@given(score_sets(), st.integers(1, PERSONS - 1), st.floats(0, 1))
def test_the_threshold_at_a_rate_is_the_lowest_that_holds_it(
    scored: tuple[Array, Array, Array], size: int, rate: float
) -> None:
    of = trials(*scored)
    threshold = of.threshold_at(size, rate)
    assert of.fpir(size, threshold) <= rate
    lower = [value for value in np.unique(scored[2]) if 1 <= value < threshold]
    foreign = {value for p, row in enumerate(scored[2]) for q, value in enumerate(row) if q != scored[0][p]}
    lower = [value for value in lower if value in foreign]
    assert not lower or of.fpir(size, lower[-1]) > rate


@given(score_sets(), st.integers(1, PERSONS - 1))
def test_more_ranks_find_more(scored: tuple[Array, Array, Array], size: int) -> None:
    curve = trials(*scored).cmc(size, 5)
    assert (np.diff(curve) >= -1e-12).all()
    found = scored[2][np.arange(len(scored[0])), scored[0]] >= 1
    assert curve[size - 1 :] == pytest.approx(found[scored[1]].mean())


def test_known_scores() -> None:
    """Two persons searched for in a gallery of all others and them, by hand."""
    of = trials(
        np.array([0, 1]),
        np.array([True, True]),
        np.array([[4.0, 3, 0, 0, 0], [4.0, 2, 0, 0, 0]]),
    )
    # In a gallery of all four others: the first is taken for 1 from 3 on, the second for 0 from 4 on.
    assert of.fpir(4, 3) == 1
    assert of.fpir(4, 4) == 0.5
    # In a gallery of four with the person, three of the four others: person 1 resembles 0 more, if 0 is there.
    assert of.fnir(4, 1, rank=1) == pytest.approx(0.5 * 3 / 4)
    assert of.fnir(4, 3) == 0.5
    assert of.fnir(4, 5) == 1


def test_weights_are_persons_drawn_again() -> None:
    """A person drawn twice is twice in every gallery's urn, and their probes count twice; one not drawn is absent."""
    scores = np.array([[4.0, 3, 2, 0, 0], [1.0, 4, 0, 3, 0], [0.0, 2, 4, 0, 3]])
    of = trials(np.array([0, 1, 2]), np.ones(3, bool), scores)
    absent = of.fpir(1, 2, np.array([1, 0, 1, 1, 1]))
    # Probe 0 resembles 2 of (2, 3, 4); probe 2 resembles 4 of (0, 3, 4).
    assert absent == pytest.approx((1 / 3 + 1 / 3) / 2)
    twice = of.fpir(1, 2, np.array([2, 0, 1, 1, 0]))
    # Probe 0, twice: 2 of (2, 3). Probe 2, once: nobody of (0, 0, 3).
    assert twice == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)


def test_scores_of_all_with_all() -> None:
    scores = np.array([[4.0, 3, 2, 2, 2], [4.0, 2, 2, 2, 2]])
    of = np.array([0, 1])
    every, kept = Trials.of_scores(scores, of), trials(of, np.ones(2, bool), scores)
    for name in ("probe", "person", "similarity"):
        np.testing.assert_array_equal(getattr(every, name), getattr(kept, name))


def test_a_gallery_larger_than_the_data_is_refused() -> None:
    of = trials(np.array([0, 1]), np.array([True, True]), np.ones((2, PERSONS)))
    with pytest.raises(InputError, match="a gallery of 5"):
        of.fpir(5, 1)


def test_nobody_to_be_found_is_refused() -> None:
    of = trials(np.array([0, 1]), np.array([False, False]), np.ones((2, PERSONS)))
    with pytest.raises(InputError, match="no person has a second image"):
        of.fnir(2, 1)
