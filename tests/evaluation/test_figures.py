import numpy as np
import pytest

from evaluation.figures import Figure, differential, in_order, of_pairs, of_searches, parts
from evaluation.identification import Trials
from evaluation.verification import Comparisons

Array = np.ndarray


def the(figures: list[Figure], metric: str, at: float | None = None) -> Figure:
    (found,) = [figure for figure in figures if figure.metric == metric and at in (None, figure.at)]
    return found


def people(persons: int, seed: int) -> Trials:
    random = np.random.default_rng(seed)
    of = np.repeat(np.arange(persons), 2)
    vectors = random.normal(size=(persons, 24))[of] + 0.6 * random.normal(size=(len(of), 24))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Trials.between(vectors, of, np.tile([True, False], persons), floor=0.2)


@pytest.mark.parametrize("size", [20, 120])
def test_intervals_of_searches_hold_their_figures(size: int) -> None:
    """Also where the gallery is nearly all persons: there, draws alone would lie below the figure."""
    for figure in of_searches(people(150, seed=0), size, 0.7, replicates=60):
        if figure.value is not None:
            assert figure.interval is not None
            assert figure.interval.low <= figure.value <= figure.interval.high, figure


@pytest.mark.slow
def test_an_interval_of_searches_covers_what_many_persons_show() -> None:
    truth = people(3_000, seed=99).fpir(100, 0.7)
    inside = []
    for seed in range(30):
        found = the(of_searches(people(150, seed), 100, 0.7, seed, 60, fpirs=()), "fpir").interval
        assert found is not None
        inside.append(found.low <= truth <= found.high)
    assert np.mean(inside) >= 0.85


def test_what_few_pairs_cannot_say_is_not_said() -> None:
    random = np.random.default_rng(0)
    mated = np.arange(200) < 100
    figures = of_pairs(Comparisons(random.normal(size=200) + 3 * mated, mated), 1.5, replicates=50)
    assert the(figures, "tar", 1e-1).value is not None
    for far in (1e-2, 1e-3, 1e-6):
        assert the(figures, "tar", far).value is None


def test_no_error_seen_is_not_no_error() -> None:
    mated = np.arange(200) < 100
    figures = of_pairs(Comparisons(1.0 * mated, mated), 0.5, replicates=50)
    fmr = the(figures, "fmr")
    assert fmr.value == 0
    assert fmr.interval is not None
    assert fmr.interval.high == pytest.approx(1 - 0.025 ** (1 / 200))


def test_columns_are_split() -> None:
    assert parts(["gate", "door", None]).tolist() == ["gate", "door", "none"]
    assert set(parts(list(range(300)))) == {"below 99.67", "99.67 to 199.3", "above 199.3"}
    assert parts([1, 2, 2]).tolist() == ["1", "2", "2"]
    assert parts(["gate", " ", ""]).tolist() == ["gate", "none", "none"], "'' is all data"


def test_a_column_of_numbers_is_one_though_some_are_missing() -> None:
    """A photo without a face has no sharpness; and a CSV has numbers as text."""
    numbers: list[object] = [float(at) for at in range(300)]
    for values in ([*numbers, None], [*map(str, numbers), ""]):
        groups = parts(values)
        assert set(groups) == {"below 99.67", "99.67 to 199.3", "above 199.3", "none"}
        assert in_order([None if value == "" else value for value in values], groups) == [
            "below 99.67", "99.67 to 199.3", "above 199.3", "none",
        ]  # fmt: skip


def test_the_worst_group_is_held_against_the_best() -> None:
    def of(rate: float | None) -> list[Figure]:
        return [Figure("fnmr", rate, None, 10)]

    assert differential({"a": of(0.1), "b": of(0.4), "c": of(0.0)}, "fnmr") == (4.0, "b", "a")
    assert differential({"a": of(0.1), "b": of(None)}, "fnmr") is None


def test_groups_of_numbers_come_in_their_order() -> None:
    values = [5.0, 101.0, 30.0, 7.0, 120.0, 31.0] * 5
    values = [value + at / 100 for at, value in enumerate(values)]
    first, _, last = in_order(values, parts(values))
    assert first.startswith("below")
    assert last.startswith("above")
    assert in_order(["b", "a", None], parts(["b", "a", None])) == ["a", "b", "none"]
    assert in_order([10, 9, 10], parts([10, 9, 10])) == ["9", "10"]
