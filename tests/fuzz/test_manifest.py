"""The corpus of the fuzzer, and a short run over damaged copies of it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.manifest import check, corpus

CORPUS = corpus()
REFUSED = {"far.csv": "cannot be read", "utf16.csv": "save it as UTF-8", "times.parquet": "cannot be read"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("manifests")


@pytest.mark.parametrize("name", CORPUS)
def test_every_manifest_is_read_or_refused(name: str, folder: Path) -> None:
    became = check(CORPUS[name], folder)
    assert ("read" in became) == (name not in REFUSED)
    assert any(REFUSED.get(name, "read") in said for said in became)


fuzzed = settings(derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(
    name=st.sampled_from(sorted(CORPUS)),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    keep=st.floats(0, 1),
    tail=st.binary(max_size=20),
)
@settings(fuzzed, max_examples=400)
def test_damaged_manifests(name: str, changes: list[tuple[float, int]], keep: float, tail: bytes, folder: Path) -> None:
    content = bytearray(CORPUS[name])
    for at, value in changes:
        content[int(at * len(content))] = value
    check(bytes(content[: round(keep * len(content))]) + tail, folder)


WORDS = (
    "person_id",
    "uri",
    "name",
    "valid_from",
    "sep=;",
    ",",
    ";",
    "\t",
    "|",
    '"',
    "\n",
    "\r",
    " ",
    "é",
    "\0",
    "\u202e",
)


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)), max_size=40).map("".join))
@settings(fuzzed, max_examples=400)
def test_any_text(folder: Path, text: str) -> None:
    for before in ("", "person_id,uri\n", "person_id;uri;labels;valid_from;valid_to\n", "left,right,mated\n"):
        check((before + text).encode(errors="replace"), folder)
