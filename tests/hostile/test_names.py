"""Names of people, galleries, cameras and files that are programs: of SQL, HTML, spreadsheets, metrics, terminals.

What pages make of them in a browser is in tests/pages/test_contact_sheet.py.
"""

import csv
import io
import json
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pyspark.sql import SparkSession

from jobs.investigations.written import FOUND, write_rows
from jobs.queries import shown
from jobs.reports.health import Health, Registered
from jobs.reports.metrics import write_metrics
from jobs.run.context import Context
from pages import explanation
from pages.explanation import Explanation, Portrait
from schemas.store import Tables
from tests.jobs.command_line import said
from tests.rows import put
from tests.support import MakeContext
from udfs.errors import InputError

SQL = "x'; DROP TABLE gallery; -- `\" OR '1'='1"
HTML = '"><img src=x onerror=alert(1)><script>alert(1)</script>{{ 7 * 7 }}'
METRIC = 'g"} 1\nrollcall_healthy 1\n{x="\\'
ANSI = "\x1b[2J\x1b]0;title\x07\x9b31m\u202eeve"
NAMES = {"SQL": SQL, "HTML": HTML, "metric": METRIC, "terminal": ANSI, "formula": "=cmd|' /C calc'!A0"}


@pytest.mark.parametrize("name", [METRIC, ANSI], ids=["metric", "terminal"])
def test_an_id_that_steers_is_refused(make_context: MakeContext, name: str) -> None:
    with pytest.raises(InputError, match="which cannot be seen; take it out") as refused:
        shown.of_person(make_context(), name)
    assert str(refused.value).isprintable()


@pytest.mark.slow
@pytest.mark.parametrize("name", [SQL, HTML, "=cmd|' /C calc'!A0"], ids=["SQL", "HTML", "formula"])
def test_a_person_is_asked_for_by_any_name(make_context: MakeContext, name: str) -> None:
    context = make_context()
    same = {"gallery_name": name, "embedding": [1.0, 0.0]}
    for person in (name, "other"):
        put(context, "gallery", {"sample_id": f"s-{person}", "person_id": person, "name": person, **same})
    found = shown.of_person(context, name)
    cells = [cell for section in found.sections for row in section.rows for cell in row]
    assert name in cells
    assert "other" not in cells
    assert context.tables.read("gallery").count() == 2


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["a'b", 'a"b', "a;b", "a\\b", "a--b", "a b", "$(touch x)", "a\nb", "ü李", "{x}"])
def test_tables_in_any_folder(spark: SparkSession, tmp_path: Path, folder: str) -> None:
    tables = Tables(spark, str(tmp_path / folder))
    tables.create("reviews")
    assert (tables.exists("reviews"), tables.read("reviews").count()) == (True, 0)
    assert (tmp_path / folder / "reviews" / "_delta_log").is_dir()


@pytest.mark.parametrize("folder", ["a`b", "\udcff\udcfe"], ids=["backtick", "not UTF-8"])
def test_where_no_tables_can_be_is_said(spark: SparkSession, tmp_path: Path, folder: str) -> None:
    with pytest.raises(InputError, match="choose another --tables") as refused:
        Tables(spark, str(tmp_path / folder))
    assert str(refused.value).isprintable()


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_an_explanation_shows_names_as_text() -> None:
    portrait = Portrait(HTML, None, HTML, 0.5, [HTML])
    page = explanation.html(
        Explanation(
            title=HTML, decision="match", word=HTML, lead=HTML, face=portrait, carrying=portrait, bar=(0.5, 0.4, 0.3),
            notes=[HTML], other=HTML, without=HTML, samples=[portrait], others=[portrait], others_title=HTML,
            nobody_else=HTML, stranger=portrait, stranger_words=HTML, qualities=[(HTML, HTML, HTML)], maps=[], steps=[],
            steps_note=HTML, facts=[(HTML, HTML)],
        )
    )  # fmt: skip
    found = _Tags(page)
    assert not {"script", "img"} & set(found.tags)
    assert not [name for name in found.attributes if name.startswith("on")]
    assert found.text.count("{{ 7 * 7 }}") >= 10
    assert "default-src 'none'" in page


def test_metrics_have_labels_and_no_more(tmp_path: Path) -> None:
    found = Health(
        runs=[],
        listed=[],
        pending={},
        unidentified={},
        rejections=[],
        images_per_second=None,
        registered=[Registered(METRIC, "c", persons=1, samples=1)],
        activated=None,
    )
    write_metrics(tmp_path / "rollcall.prom", found, date(2026, 1, 31), healthy=False)
    families = {
        family.name: family for family in text_string_to_metric_families((tmp_path / "rollcall.prom").read_text())
    }
    assert [sample.value for sample in families["rollcall_healthy"].samples] == [0.0]
    (sample,) = families["rollcall_gallery_persons"].samples
    assert (sample.labels["gallery"], sample.value) == (METRIC, 1.0)


def row_of(text: str) -> dict[str, object]:
    values: dict[str, object] = dict.fromkeys(FOUND.names)
    names = ("asked", "person_id", "source", "case_id", "uri", "face_id")
    return values | dict.fromkeys(names, text) | {"similarity": -0.0365, "others": [text], "box": [1.0], "rank": 1}


@pytest.mark.parametrize("name", [*NAMES.values(), "+1", "-1", "@x", "\t=1", "\r=1"], ids=repr)
def test_what_was_found_is_written_as_text(make_context: MakeContext, tmp_path: Path, name: str) -> None:
    context: Context = make_context()
    for end in ("csv", "json"):
        write_rows(context, [row_of(name)], tmp_path / f"found.{end}")
    (line,) = (tmp_path / "found.json").read_text("utf-8").splitlines()
    assert json.loads(line)["asked"] == name
    assert line.isprintable()
    (row,) = csv.DictReader(io.StringIO((tmp_path / "found.csv").read_bytes().decode(), newline=""))
    assert row["asked"][0] not in "=+-@\t\r"
    assert row["asked"].removeprefix("'") == name
    assert row["similarity"] == "-0.0365"


def test_an_error_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from jobs.cli import rollcall

    code, text = said(capsys, rollcall, ANSI)
    assert (code, text.strip().isprintable()) == (2, True)
    code, text = said(capsys, rollcall, "embed", "--run-date", ANSI)
    assert (code, text.strip().isprintable()) == (2, True)
    code, text = said(capsys, rollcall, "doctor", "--set", f"vision.{ANSI}=1")
    assert (code, text.strip().isprintable()) == (2, True)
