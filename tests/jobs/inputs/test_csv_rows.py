"""Texts with separators, as programs write them."""

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.inputs import csv_rows
from jobs.inputs.columns import Columns

COLUMNS = Columns(("person_id", "uri"), ("labels",), "refused")

fields = st.one_of(
    st.sampled_from(["a;b", "a,b", 'say "a"', "a\nb", "a\r\nb", "  ", "", "José", "a|b", "a\tb", "'a'", "sep=;"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts") / "people.csv"


@given(
    rows=st.lists(st.tuples(fields, fields, fields), max_size=4),
    header=st.permutations(["person_id", "uri", "labels"]),
    capitals=st.booleans(),
    separator=st.sampled_from(",;\t|"),
    quotes=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.booleans(),
    says_separator=st.booleans(),
)
@settings(max_examples=300, derandomize=True)
def test_whatever_is_written_is_read_back(
    file: Path,
    rows: list[tuple[str, ...]],
    header: list[str],
    capitals: bool,
    separator: str,
    quotes: int,
    line_end: str,
    mark: bool,
    says_separator: bool,
) -> None:
    if quotes == csv.QUOTE_MINIMAL:  # Python's writer leaves ends of lines that are not its own without quotes
        rows = [tuple(re.sub(r"[\r\n]", " ", field) for field in row) for row in rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, quoting=quotes, lineterminator=line_end)  # type: ignore[arg-type]
    writer.writerow([f" {name.upper()} " if capitals else name for name in header])
    writer.writerows(rows)
    first = f"sep={separator}{line_end}" if says_separator else ""
    file.write_bytes((first + text.getvalue()).encode("utf-8-sig" if mark else "utf-8"))
    read, _ = csv_rows.read(f"file://{file}", COLUMNS)
    written = [dict(zip(header, row, strict=True)) for row in rows if any(field.strip() for field in row)]
    assert [{name: field.strip() for name, field in row.items()} for _, row in read] == [
        {name: field.strip() for name, field in row.items()} for row in written
    ]


def test_a_row_is_named_by_the_line_it_begins_in(file: Path) -> None:
    file.write_text('sep=,\n\nperson_id,uri\n"a\nb",c\n\n , \nd,e\n')
    read, _ = csv_rows.read(f"file://{file}", COLUMNS)
    assert [where.rpartition(": ")[2] for where, _ in read] == ["line 4", "line 8"]
