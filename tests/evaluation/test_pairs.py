from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.pairs import Pair, best_accuracy, read_pairs
from udfs.errors import InputError

scored = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30).filter(
    lambda pairs: len({mated for _, mated in pairs}) == 2
)


@given(scored)
def test_the_best_accuracy_is_the_best_of_all_thresholds(pairs: list[tuple[int, bool]]) -> None:
    scores, mated = np.array([float(score) for score, _ in pairs]), np.array([mated for _, mated in pairs])
    accuracy, threshold = best_accuracy(scores, mated)
    assert accuracy == max(((scores >= t) == mated).mean() for t in set(scores))
    assert ((scores >= threshold) == mated).mean() == accuracy


def test_one_kind_of_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="mated and non-mated"):
        best_accuracy(np.ones(3), np.ones(3, bool))


def test_lines_of_both_kinds(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("1\nA_B\t1\t12\nA_B\t1\tC\t3\n")
    assert read_pairs(path) == [
        Pair("A_B/A_B_0001.jpg", "A_B/A_B_0012.jpg", mated=True),
        Pair("A_B/A_B_0001.jpg", "C/C_0003.jpg", mated=False),
    ]
    path.write_text("1\nA_B\t1\n")
    with pytest.raises(InputError, match="line 2"):
        read_pairs(path)
