"""Ids listed in one text are found again."""

from hypothesis import given
from hypothesis import strategies as st

from udfs.listed_ids import ids_in, listed

NAMES = st.lists(st.text("ab, ", min_size=1).map(str.strip).filter(lambda name: name.strip(", ") == name), min_size=1)


def test_an_id_may_have_a_comma() -> None:
    assert ids_in("Doe, John", {"Doe, John"}) == ["Doe, John"]
    assert ids_in("Doe, John", set()) == ["Doe", "John"]
    assert ids_in("Ann, Doe, John, Eve", {"Doe, John"}) == ["Ann", "Doe, John", "Eve"]
    assert ids_in("Doe, John, Jr", {"Doe, John", "Doe, John, Jr"}) == ["Doe, John, Jr"]


@given(NAMES)
def test_one_id_alone_is_itself(names: list[str]) -> None:
    for name in filter(None, names):
        assert ids_in(name, set(names)) == [name]


@given(st.sets(st.text("ab").filter(bool)), st.text("ab,", min_size=1))
def test_ids_without_a_comma_and_a_blank_are_found_again(names: set[str], other: str) -> None:
    ids = names | {other}
    assert sorted(ids_in(listed(ids), set())) == sorted(ids)
