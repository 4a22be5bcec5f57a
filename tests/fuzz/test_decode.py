"""The corpus of the fuzzer, and a short run over damaged copies of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.decode import check, corpus

CORPUS = corpus()


@pytest.mark.parametrize("name", CORPUS)
def test_every_format_is_decoded(name: str) -> None:
    assert check(CORPUS[name]) == "decoded"


@given(
    name=st.sampled_from(sorted(CORPUS)),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    keep=st.floats(0, 1),
    tail=st.binary(max_size=20),
)
@settings(max_examples=400, deadline=5000, derandomize=True)
def test_damaged_files(name: str, changes: list[tuple[float, int]], keep: float, tail: bytes) -> None:
    content = bytearray(CORPUS[name])
    for at, value in changes:
        content[int(at * len(content))] = value
    check(bytes(content[: round(keep * len(content))]) + tail)


@given(st.binary(max_size=200))
@settings(max_examples=100, derandomize=True)
def test_any_bytes(content: bytes) -> None:
    check(content)
