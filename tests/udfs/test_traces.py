"""What was erased is found wherever it may still stand: in values, pages, logs, packed arrays."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from udfs import lake
from udfs.keyed import Keyed
from udfs.parquet_pages import pages
from udfs.search.packed import Part
from udfs.search.quantisation import Quantised
from udfs.search.samples import SampleMatrix
from udfs.traces import UNREADABLE, Sought

Array = np.ndarray

KEYED = Keyed(b"k" * 32)
PERSON, URI = "anna-belle o'hara", "file:///people/anna/1.jpg"


def vectors(count: int = 5) -> Array:
    made = np.random.default_rng(3).normal(size=(count, 20))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def sought(in_clear: bool = False) -> Sought:
    """The person, a URI and the second vector; in clear, or by hashes alone."""
    vector = vectors()[1]
    codes = Quantised.of(vector[None]).codes
    if in_clear:
        return Sought(KEYED, {}, "e", (("person", PERSON), ("uri", URI)), (vector[None],), (codes,))
    hashes = {KEYED.text(PERSON): "person", KEYED.text(URI): "uri"}
    hashes |= {KEYED.vector(vector): "embedding", KEYED.codes(codes[0]): "embedding"}
    return Sought(KEYED, {each: ("e", kind) for each, kind in hashes.items()})


def found_in(path: Path, in_clear: bool = False) -> Counter[str]:
    found, size = sought(in_clear).in_file(lake.uri_of(str(path)))
    assert size == path.stat().st_size
    return Counter({kind: count for (erasure, kind), count in found.items() if erasure == "e"})


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "brotli", "lz4", "none"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_every_page_of_parquet_is_decompressed(tmp_path: Path, codec: str, version: str) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"name": [f"name {at % 7}" for at in range(900)], "at": list(range(900))})
    pq.write_table(table, path, compression=codec, data_page_version=version, data_page_size=256, row_group_size=400)
    with pa.OSFile(str(path)) as file:
        found = list(pages(file, pq.read_metadata(path)))
    assert len(found) > 6
    assert all(any(f"name {at}".encode() in page for page in found) for at in range(7))
    assert any(np.int64(899).tobytes() in page for page in found)


@pytest.mark.parametrize("dictionary", [True, False])
def test_values_are_found_in_parquet_however_they_are_nested(tmp_path: Path, dictionary: bool) -> None:
    path = tmp_path / "x.parquet"
    face = pa.struct([("id", pa.string()), ("embedding", pa.list_(pa.float32()))])
    table = pa.table(
        {
            "person_id": ["bob", PERSON],
            "said": pa.array([[("error", f"{URI}: gone")], []], pa.map_(pa.string(), pa.string())),
            "faces": pa.array([[], [{"id": "f", "embedding": each.tolist()} for each in vectors()]], pa.list_(face)),
        }
    )
    pq.write_table(table, path, use_dictionary=dictionary)
    assert found_in(path) == {"person": 1, "uri": 1, "embedding": 1}
    in_clear = found_in(path, in_clear=True)
    assert in_clear["person"] >= 1
    assert in_clear["uri"] >= 1
    assert in_clear["embedding"] >= (0 if dictionary else 1)


def test_what_no_row_uses_is_found_in_its_page(tmp_path: Path) -> None:
    """As of a dictionary that has more than its column."""
    path = tmp_path / "x.parquet"
    of = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int32()), pa.array(["bob", PERSON]))
    pq.write_table(pa.table({"person_id": of}), path)
    assert found_in(path, in_clear=True)["person"] >= 1


def test_a_file_that_is_cut_off_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"person_id": ["bob"] * 99}), path)
    path.write_bytes(path.read_bytes()[:-20])
    found, _ = sought().in_file(lake.uri_of(str(path)))
    assert found == {("", UNREADABLE): 1}
    path.write_bytes(b"")
    assert sought().in_file(lake.uri_of(str(path)))[0] == {("", UNREADABLE): 1}


def test_packed_samples_are_found(tmp_path: Path) -> None:
    persons = ["bob", PERSON, "carl", "dora", "emil"]
    matrix = SampleMatrix.of(vectors(), persons, persons)
    Part.save("x", matrix, pa.array(range(5), pa.int64()), tmp_path / "part")
    kinds = {path.name: found_in(path) for path in (tmp_path / "part").iterdir()}
    assert kinds["names.arrow"] == {"person": 2}
    assert kinds["vectors.npy"] == {"embedding": 1}
    assert kinds["panels.npy"] == {"embedding": 1}
    assert not kinds["scales.npy"]


def test_text_is_found_in_logs_and_pages(tmp_path: Path) -> None:
    for name, text in {
        "00000000000000000001.json": f'{{"add":{{"stats":"{{\\"minValues\\":{{\\"uri\\":\\"{URI}\\"}}}}"}}}}',
        "page.html": f"<td>{URI}</td>",
        ".x.crc": f"crc {URI}",
    }.items():
        (tmp_path / name).write_text(text)
        assert found_in(tmp_path / name, in_clear=True)["uri"] == 1, name
    (tmp_path / "page.html").write_text(f"<td>{URI}</td>")
    assert found_in(tmp_path / "page.html") == {"uri": 1}
    (tmp_path / "other.html").write_text(f"<td>{URI}.bak and {PERSON}son</td>")
    assert not found_in(tmp_path / "other.html", in_clear=True)


def test_names_are_found_as_pages_and_json_write_them(tmp_path: Path) -> None:
    name = "José O'Brien"
    sought = Sought(KEYED, {KEYED.text(name): ("e", "name")}, "e", (("name", name),))
    for file, text in {
        "page.html": "<td>Jos\u00e9 O&#39;Brien</td>",
        "data.html": """<script>{"who": "Jos\\u00e9 O'Brien"}</script>""",
    }.items():
        (tmp_path / file).write_text(text)
        assert sought.in_file(lake.uri_of(str(tmp_path / file)))[0]["e", "name"] >= 1, file


@pytest.mark.parametrize("around", ["“{}”", "«{}»", "‘{}’, said", "{}…", "is it {}?"])
def test_marks_end_a_word(tmp_path: Path, around: str) -> None:
    (tmp_path / "log.txt").write_text(around.format(URI))
    assert found_in(tmp_path / "log.txt") == {"uri": 1}
    assert found_in(tmp_path / "log.txt", in_clear=True)["uri"] == 1


@pytest.mark.parametrize("length", [37, 50, 70, 95, 110, 200])
def test_in_a_page_any_length_may_follow(tmp_path: Path, length: int) -> None:
    """The next value's length stands behind a value, and may look like a letter."""
    pq.write_table(pa.table({"uri": [URI, "x" * length]}), tmp_path / "x.parquet", use_dictionary=True)
    in_pages = Sought(KEYED, {}, "e", (("uri", URI),)).in_file(lake.uri_of(str(tmp_path / "x.parquet")))[0]
    assert in_pages["e", "uri"] >= 1


def test_the_key_is_needed() -> None:
    assert KEYED.text(PERSON) != Keyed(b"l" * 32).text(PERSON)
    assert KEYED.text(PERSON) != KEYED.asked(PERSON)
    assert KEYED.of_gallery("g", PERSON) != KEYED.of_gallery("h", PERSON)
