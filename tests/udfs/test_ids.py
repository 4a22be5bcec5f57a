from hypothesis import given
from hypothesis import strategies as st

from udfs.ids import document_id, face_id, image_id, stable_id

parts = st.lists(st.one_of(st.text(), st.integers()), min_size=1, max_size=5)


@given(parts, parts)
def test_ids_are_as_different_as_their_parts(left: list[str | int], right: list[str | int]) -> None:
    assert (stable_id(*left) == stable_id(*right)) == (left == right)


def test_ids_stay_what_they_are() -> None:
    """Tables hold these: a change here orphans every row ever written."""
    assert image_id("file:///lake/a.jpg", 12, 1_700_000_000_000_000) == "5b0e47f2f0d5e7a29bec07a1da6bc175"
    assert face_id("d", "c", "s", 0) == "2ce922cfb88c8f6d91a2ecc17d9d9f77"
    assert document_id({"b": 1, "a": [1.5, "x"]}) == (
        "27edd5497e48a293750749399a10333aae187927cecaf38c5ac50f54bbaa13b7"
    )
