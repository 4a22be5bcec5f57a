import pytest

from evaluation.lfw_pairs import Pair, read_pairs
from udfs.errors import InputError


def test_view_1_counts_the_pairs_of_each_kind() -> None:
    assert read_pairs("1\nA_B\t1\t12\nA_B\t1\tC\t3\n", "pairs.txt") == [
        Pair("A_B/A_B_0001.jpg", "A_B/A_B_0012.jpg", "A_B", "A_B", 0),
        Pair("A_B/A_B_0001.jpg", "C/C_0003.jpg", "A_B", "C", 0),
    ]


def test_view_2_has_folds() -> None:
    pairs = read_pairs("2\t1\nA\t1\t2\nA\t1\tB\t3\nC\t1\t2\nC\t1\tD\t3\n", "pairs.txt")
    assert [(pair.left_person, pair.right_person, pair.fold, pair.mated) for pair in pairs] == [
        ("A", "A", 0, True),
        ("A", "B", 0, False),
        ("C", "C", 1, True),
        ("C", "D", 1, False),
    ]


def test_empty_lines_at_the_end_are_none() -> None:
    assert len(read_pairs("1\r\nA\t1\t2\r\nA\t1\tB\t2\r\n\r\n", "pairs.txt")) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1"),
        ("many\nA\t1\t2\n", "line 1"),
        ("1\nA\t1\nA\t1\tB\t2\n", "line 2"),
        ("1\nA\t1\t2\nA\t1\tB\tx\n", "line 3"),
        ("1\nA\t1\tB\t2\nA\t1\t2\n", "line 2 must be `NAME A B`"),
        ("2\nA\t1\t2\nA\t1\tB\t2\n", "line 1 promises 4 pairs, and 2 lines follow"),
        ("1\nA\t1\t²\nA\t1\tB\t2\n", "line 2"),
        ("1\nA\t1\t" + 5000 * "9" + "\nA\t1\tB\t2\n", "line 2"),
        ("1\n\t1\t2\nA\t1\tB\t2\n", "line 2"),
        ("1\nA\t1\t2\nA\t1\tA\t2\n", "line 3 must be `NAME A OTHER B`"),
    ],
)
def test_a_malformed_line_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_pairs(text, "pairs.txt")
