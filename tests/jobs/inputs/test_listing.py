"""What an inventory lists, counts and refuses; no image is opened."""

from datetime import date
from pathlib import Path

import pytest

from jobs.ingest import ingest
from tests.support import MakeContext, put_out_of_reach
from udfs.errors import InputError

DAY = date(2026, 1, 31)


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_what_does_not_fit_the_template_is_counted_and_said(make_context: MakeContext, tmp_path: Path) -> None:
    lake = tmp_path / "my lake"
    put(lake, "2026-01-31/a.jpg", "2026-02-01/b.jpg", "lost+found/c.jpg", "31 January/d.jpg", "beside.jpg")
    context = make_context()
    for source in (f"{lake}/{{run_date}}/", f"file://{lake}/{{run_date}}/".replace(" ", "%20")):
        counts = ingest(context, source=source, run_date=DAY)
        assert (counts["listed"], counts["outside_template"], counts["directories_outside_template"]) == (1, 1, 2)
    assert counts["new"] == 0  # both ways of writing the source name one place
    assert "; 1 more and 2 directories ignored, which do not fit file://" in make_context.said[-1]


def test_nothing_but_directories_that_do_not_fit(make_context: MakeContext, tmp_path: Path) -> None:
    put(tmp_path / "lake", "monday/a.jpg")
    with pytest.raises(InputError, match="no files; 1 directory ignored, which do not fit"):
        ingest(make_context(), source=f"{tmp_path}/lake/{{run_date}}/")


def test_the_ledger_has_every_argument(make_context: MakeContext, tmp_path: Path) -> None:
    put(tmp_path / "lake", "a.jpg")
    context = make_context()
    ingest(context, source=f"{tmp_path}/lake", source_name="camera", case_id="17", allow_empty=True)
    asked = context.tables.read("runs").first().arguments
    assert {name: asked.get(name) for name in ("source_name", "case_id", "allow_empty")} == {
        "source_name": "camera",
        "case_id": "17",
        "allow_empty": "True",
    }


@pytest.mark.slow
def test_what_cannot_be_listed_is_said_and_the_rest_is_noted(make_context: MakeContext, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    put(lake, "a.jpg", "good/b.jpg", "linked/c.jpg", "deep/d.jpg")
    (lake / "loop").symlink_to(lake)
    (lake / "linked" / "up").symlink_to("..")
    put_out_of_reach(lake / "deep")
    context = make_context()
    for suffixes in ((), (".jpg",)):
        counts = ingest(context, source=str(lake), suffixes=suffixes)
        assert (counts["listed"], counts["directories_not_listed"], counts["outside_template"]) == (4, 3, 0)
    *warnings, _, last = make_context.said[-5:]
    assert [said.partition(": ")[0] for said in warnings] == ["ingest"] * 3
    assert sum("remove it" in said for said in warnings) == 2
    assert sum("check the name" in said for said in warnings) == 1
    assert last.endswith("4 files, 0 new or changed; 3 directories could not be listed: see the warnings")


def test_a_source_of_which_nothing_can_be_listed(make_context: MakeContext, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "loop").symlink_to(tmp_path)
    with pytest.raises(InputError, match="no files; 1 directory could not be listed"):
        ingest(make_context(), source=str(tmp_path / "lake"))
