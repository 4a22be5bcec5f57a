import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score, roc_auc_score, roc_curve

from evaluation.verification import Comparisons, Curve, Folds
from udfs.errors import InputError

scored = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40).filter(
    lambda pairs: len({mated for _, mated in pairs}) == 2
)


def comparisons(pairs: list[tuple[float, bool]]) -> Comparisons:
    return Comparisons(np.array([score for score, _ in pairs], float), np.array([mated for _, mated in pairs]))


@given(scored)
def test_the_curve_is_scikit_learns(pairs: list[tuple[int, bool]]) -> None:
    of = comparisons(pairs)
    curve = Curve.of(of)
    fmr, tar, thresholds = roc_curve(of.mated, of.similarity, drop_intermediate=False)
    np.testing.assert_allclose(curve.fmr, fmr)
    np.testing.assert_allclose(1 - curve.fnmr, tar)
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    assert curve.auc == pytest.approx(roc_auc_score(of.mated, of.similarity))


@given(scored, st.integers(-4, 4))
def test_errors_at_a_threshold_are_scikit_learns(pairs: list[tuple[int, bool]], threshold: int) -> None:
    of = comparisons(pairs)
    accepted = of.similarity >= threshold
    confusion = Curve.of(of).confusion(threshold)
    (tn, fp), (fn, tp) = confusion_matrix(of.mated, accepted)
    assert np.allclose(
        [confusion.true_non_matches, confusion.false_matches, confusion.false_non_matches, confusion.true_matches],
        [tn, fp, fn, tp],
    )
    assert confusion.precision == pytest.approx(precision_score(of.mated, accepted, zero_division=1))
    assert confusion.recall == pytest.approx(recall_score(of.mated, accepted))
    assert confusion.f1 == pytest.approx(f1_score(of.mated, accepted))
    assert confusion.accuracy == pytest.approx((accepted == of.mated).mean())


@given(scored)
def test_the_best_threshold_is_the_best_of_all(pairs: list[tuple[int, bool]]) -> None:
    of = comparisons(pairs)
    best = max(((of.similarity >= t) == of.mated).mean() for t in [*set(of.similarity), np.inf])
    assert ((of.similarity >= Curve.of(of).best_threshold) == of.mated).mean() == pytest.approx(best)


@given(scored, st.floats(0, 1))
def test_the_threshold_at_a_rate_is_the_lowest_that_holds_it(pairs: list[tuple[int, bool]], rate: float) -> None:
    of = comparisons(pairs)
    curve = Curve.of(of)
    threshold = curve.threshold_at(rate)
    assert (of.similarity[~of.mated] >= threshold).mean() <= rate
    lower = of.similarity[of.similarity < threshold]
    assert not len(lower) or (of.similarity[~of.mated] >= lower.max()).mean() > rate
    assert curve.tar_at(rate) == pytest.approx((of.similarity[of.mated] >= threshold).mean())


@given(scored, st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_a_weight_counts_a_pair_so_often(pairs: list[tuple[int, bool]], weights: list[int]) -> None:
    weight = np.array(weights[: len(pairs)])
    repeated = [pair for pair, times in zip(pairs, weight, strict=True) for _ in range(times)]
    assume(len({mated for _, mated in repeated}) == 2)
    weighted, plain = Curve.of(comparisons(pairs), weight), Curve.of(comparisons(repeated))
    assert weighted.auc == pytest.approx(plain.auc)
    assert weighted.eer == pytest.approx(plain.eer)
    for threshold in range(-4, 5):
        assert weighted.at(threshold) == pytest.approx(plain.at(threshold))


def test_the_equal_error_rate_of_known_scores() -> None:
    # At 3: one of four others is accepted, one of four mated is not.
    of = comparisons([(5, True), (4, True), (3, True), (1, True), (3, False), (2, False), (1, False), (0, False)])
    assert Curve.of(of).eer == pytest.approx(0.25)
    assert Curve.of(comparisons([(1, True), (0, False)])).eer == 0
    assert Curve.of(comparisons([(0, True), (1, False)])).eer == 1


def test_a_pair_without_a_face_is_accepted_at_no_threshold() -> None:
    of = comparisons([(0.9, True), (-np.inf, True), (0.1, False), (-np.inf, False)])
    curve = Curve.of(of)
    assert curve.at(-1.0) == (0.5, 0.5)
    assert curve.auc == pytest.approx(roc_auc_score(of.mated, np.maximum(of.similarity, -2)))
    assert curve.eer == pytest.approx(0.5)


def test_error_rates_need_both_kinds() -> None:
    for kind, said in ((True, "only mated"), (False, "only non-mated")):
        with pytest.raises(InputError, match=said):
            Curve.of(comparisons([(1, kind), (2, kind)]))
    with pytest.raises(ValueError, match="is not a number"):
        comparisons([(np.nan, True)])


def test_folds_take_their_threshold_from_the_others() -> None:
    """View 2 by hand: the first fold's scores are shifted, so that the others' threshold is wrong for it."""
    shifted = [(0.4, True), (0.35, True), (0.3, False), (0.2, False)]
    others = [(0.9, True), (0.8, True), (0.5, False), (0.4, False)]
    of = comparisons([*shifted, *others, *others, *others])
    folds = Folds.of(of, np.repeat([0, 1, 2, 3], 4))
    # Of the others, 0.65 is the best; nothing of the first fold reaches it.
    np.testing.assert_allclose(folds.accuracies, [0.5, 1.0, 1.0, 1.0])
    assert folds.thresholds[0] == pytest.approx(0.65)
    assert folds.mean == pytest.approx(3.5 / 4)
    assert folds.standard_error == pytest.approx(np.std([0.5, 1, 1, 1], ddof=1) / 2)


def test_rates_are_supported_by_enough_pairs() -> None:
    curve = Curve.of(comparisons([(1, True)] + [(0, False)] * 300))
    assert curve.supports(1e-2)
    assert not curve.supports(1e-3)


def test_persons_are_drawn_not_pairs() -> None:
    of = Comparisons(np.zeros(3), np.array([True, False, False]), left=np.array([0, 0, 1]), right=np.array([0, 1, 2]))
    weights = of.weights(seed=1)
    for _ in range(20):
        weight = next(weights)
        drawn_0 = weight[0]  # the mated pair counts as often as its person
        assert weight[1] == 0 or drawn_0 > 0
