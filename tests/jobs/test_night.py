"""A night: the jobs of a date in one go, with what each would do by itself."""

from datetime import date
from functools import partial
from pathlib import Path

import pytest

import jobs.night
from jobs.embed import embed
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.night import night
from jobs.run.context import Context
from jobs.summary import summary
from tests.support import DAYS, MakeContext, assert_same_tables, copied
from udfs.errors import InputError

DAY, NEXT_DAY = map(date.fromisoformat, DAYS)
RESULTS = ("images", "image_outcomes", "faces", "matches", "identifications")


def noted(context: Context) -> list[tuple[str, str, dict[str, str]]]:
    """What `runs` says of the jobs of a date, in their order."""
    runs = context.tables.read("runs").where("job != 'enroll'").orderBy("at").collect()
    return [(row.job, row.event, row.arguments) for row in runs]


@pytest.mark.parametrize("failing", [None, "ingest", "embed", "identify"])
def test_the_first_job_that_fails_ends_a_night(
    failing: str | None, make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the place of the jobs: what they are asked."""
    asked: list[tuple[str, dict[str, object]]] = []

    def recorded(name: str, _: Context, **arguments: object) -> None:
        asked.append((name, arguments))
        if name == failing:
            raise InputError(name)

    names = ["ingest", "embed", "identify", "summary"]
    for name in names:
        monkeypatch.setattr(jobs.night, name, partial(recorded, name))
    night_of = partial(night, make_context(), run_date=DAY, source="s", gallery_name="g", output=tmp_path)
    if failing is None:
        night_of()
    else:
        with pytest.raises(InputError, match=failing):
            night_of()
    assert [name for name, _ in asked] == names[: len(names) if failing is None else names.index(failing) + 1]
    assert all(arguments["run_date"] == DAY for _, arguments in asked)


@pytest.mark.slow
def test_a_night_is_its_jobs_in_a_row(made: MakeContext, enrolled: Context, lake: Path, tmp_path: Path) -> None:
    source, page = f"{lake}/{{run_date}}/", tmp_path / "page.html"
    at_once, one_by_one = copied(made, enrolled, "night"), copied(made, enrolled, "one_by_one")
    night(at_once, run_date=NEXT_DAY, source=source, gallery_name="people", output=page)
    assert "Rollcall" in page.read_text(encoding="utf-8")
    page.unlink()
    ingest(one_by_one, source=source, run_date=NEXT_DAY)
    embed(one_by_one, run_date=NEXT_DAY)
    identify(one_by_one, run_date=NEXT_DAY, gallery_name="people")
    summary(one_by_one, run_date=NEXT_DAY, output=page)
    assert noted(at_once) == noted(one_by_one)
    for name in RESULTS:
        assert_same_tables(at_once, one_by_one, name)


@pytest.mark.slow
def test_a_night_goes_on_where_it_stopped(made: MakeContext, enrolled: Context, lake: Path) -> None:
    context = copied(made, enrolled, "stopped")
    asked = {"run_date": NEXT_DAY, "source": f"{lake}/{{run_date}}/"}
    with pytest.raises(InputError, match="no_such_gallery"):
        night(context, **asked, gallery_name="no_such_gallery")
    assert context.tables.read("image_outcomes").count() == context.tables.read("images").count() == 4
    night(context, **asked, gallery_name="people")
    ran = [(job, event) for job, event, _ in noted(context) if job in ("embed", "identify")]
    assert ran.count(("embed", "finished")) == 2
    assert context.tables.read("identifications").count() == context.tables.read("faces").count()
