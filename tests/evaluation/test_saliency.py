"""Maps are put to the test: those that say where a score comes from pass, others do not."""

import numpy as np
import pytest

from evaluation.saliency import STEPS, faithfulness, occlusion, perturbation

Array = np.ndarray
CELLS = 10
TRUE = np.zeros((CELLS, CELLS))
TRUE[3:6, 4:7] = 1


def score(seen: Array) -> Array:
    """Depends on a small part alone."""
    found: Array = (seen * TRUE).sum(axis=(1, 2)) / TRUE.sum()
    return found


def test_the_true_map_explains_and_its_opposite_does_not() -> None:
    true, opposite = faithfulness(TRUE, score), faithfulness(-TRUE, score)
    assert true.explains
    assert not opposite.explains
    assert true.gain > 0 > opposite.gain
    assert true.deletion.score[2] == 0, "a fifth of the cells are more than there are in the part"
    assert true.insertion.score[2] == 1
    assert len(true.deletion.share) == STEPS


def test_a_map_of_noise_explains_nothing() -> None:
    explained = [
        faithfulness(np.random.default_rng(seed).normal(size=(CELLS, CELLS)), score).explains for seed in range(40)
    ]
    assert sum(explained) <= 8, "one in twenty is expected by chance"


@pytest.mark.parametrize("draw", [occlusion, perturbation])
def test_maps_find_what_a_score_depends_on(draw: object) -> None:
    found = draw(score, CELLS)  # type: ignore[operator]
    assert found.shape == TRUE.shape
    assert found[TRUE == 1].min() > np.quantile(found[TRUE == 0], 0.8)
    assert faithfulness(found, score).explains


def test_a_score_that_depends_on_nothing_is_not_explained() -> None:
    flat = faithfulness(TRUE, lambda seen: np.full(len(seen), 0.5))
    assert flat.gain == 0
    assert not flat.explains
