"""Another question to a gallery, beside what the nights have decided."""

from datetime import date
from pathlib import Path

import pytest

from jobs.identify import identify
from jobs.report import report
from jobs.run.context import Context
from tests.support import DAYS, MakeContext, assert_same_tables, copied
from udfs.errors import InputError

DAY = date.fromisoformat(DAYS[0])
OF_NIGHTS = ("faces", "matches", "identifications", "searches", "searched_samples", "images", "image_outcomes")


@pytest.mark.slow
def test_the_rows_of_nights_stay_as_they_are(made: MakeContext, undisturbed: Context, tmp_path: Path) -> None:
    context = copied(made, undisturbed, "asked_again")
    counts = identify(
        context, run_date=DAY, k=1, minimum_size=100.0, investigation="large", purpose="p", asked_by="eve"
    )
    assert_same_tables(context, undisturbed, *OF_NIGHTS)
    findings = context.tables.read("findings").collect()
    best = {
        row.face_id: (row.person_id, row.sample_id, row.similarity)
        for row in undisturbed.tables.read("matches").where("rank = 1").collect()
    }
    sizes = {row.face_id: row.quality.size for row in undisturbed.tables.read("faces").collect()}
    assert {row.face_id for row in findings} == {face for face, size in sizes.items() if size >= 100}
    for row in findings:
        assert (row.person_id, row.sample_id, row.similarity) == best[row.face_id]
        assert (row.asked, row.rank, row.strangers) == (row.person_id, 1, None)
    (noted,) = context.tables.read("investigations").collect()
    assert (noted.kind, noted.asked_by, noted.findings) == ("identify", "eve", len(findings))
    assert noted.question == {"run_date": str(DAY), "k": "1", "minimum_size": "100.0"}
    assert counts["found"] == len(findings)
    page = tmp_path / "page.html"
    report(context, investigation="large", output=page)
    assert page.read_text("utf-8").count('type="text/plain"') == len(findings) + len(
        {row.sample_id for row in findings}
    )
    with pytest.raises(InputError, match="there is an investigation 'large'"):
        identify(context, run_date=DAY, investigation="large")


def test_what_cannot_be_asked_is_said(undisturbed: Context) -> None:
    with pytest.raises(InputError, match="an investigation is of one date"):
        identify(undisturbed, all_dates=True, investigation="all")
    with pytest.raises(InputError, match="are noted with an investigation; name one: --investigation"):
        identify(undisturbed, run_date=DAY, purpose="p")
    assert not undisturbed.tables.exists("investigations")
