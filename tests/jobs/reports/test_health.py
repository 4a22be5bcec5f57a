"""status: what someone should look at, and what Prometheus reads."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jobs.identify import identify
from jobs.reports.health import FacesOf, Health, LastRun, Registered, Rejection, health
from jobs.run import ledger
from jobs.run.context import Context
from jobs.status import status
from tests.rows import CONTRACT, DAY, put, put_contract, put_faces, put_images, put_samples, unit
from tests.support import MakeContext

NOW = datetime(2026, 2, 3, 12, tzinfo=UTC)
TODAY = NOW.date()
RUN = LastRun("embed", "r", "finished", datetime(2026, 2, 3, tzinfo=UTC), 60.0, None, datetime(2026, 2, 3, tzinfo=UTC))


def well(**changes: object) -> Health:
    values: dict[str, object] = {
        **{"runs": [RUN], "listed": [], "pending": {}, "unidentified": {}, "rejections": [], "images_per_second": 40.0},
        **{"registered": [Registered("staff", "c", 3, 4)], "activated": None},
    }
    return Health(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.slow
def test_what_is_late_refused_and_failed_is_said(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context("tables", "thresholds.dlib-resnet-v1.keep_floor=0.1")
    put_contract(context)
    with ledger.run(replace(context, job="embed")) as run:
        run.digests["contract"] = CONTRACT
        run.counts["images"] = 44
    with ledger.run(replace(context, job="ingest"), run_date=datetime.now(UTC).date()):
        pass
    with pytest.raises(OSError, match="no disk"), ledger.run(replace(context, job="ingest")):
        raise OSError("no disk")
    before = DAY - timedelta(days=1)
    put_images(context, ["faces"] * 40, before)
    put_images(context, ["faces"], date(2107, 1, 1))  # of a wrong clock
    put_images(context, ["faces"] * 25 + ["rejected:truncated"] * 15 + [None] * 4, DAY)
    put_faces(context, unit(2, seed=1))
    put_samples(context, unit(3, seed=2), ["a", "a", "b"])

    found = health(context)
    assert {run.job: run.state for run in found.runs} == {"embed": "finished", "ingest": "failed"}
    assert found.listed == [datetime.now(UTC).date()]
    assert found.pending == {DAY: 4}
    assert found.unidentified == {"g": [DAY]}
    assert found.rejections == [Rejection("rejected:truncated", 15, 15 / 40, 0.0)]
    assert found.registered == [Registered("g", CONTRACT, 2, 3)]
    metrics = tmp_path / "rollcall.prom"
    complaints = status(context, metrics=metrics)
    assert len(complaints) == 4
    assert "the last ingest failed: no disk" in complaints[0]
    assert "4 images of 2026-01-31 have no final outcome" in complaints[1]
    assert "rollcall identify --run-date 2026-01-31 --gallery-name g" in complaints[2]
    assert "15 images of the newest date are rejected:truncated: 37.5%, usually 0.0%" in complaints[3]
    assert "rollcall_healthy 0.0\n" in metrics.read_text()
    assert 'rollcall_last_run_failed{job="ingest"} 1.0\n' in metrics.read_text()

    identify(context, run_date=DAY)
    assert health(context).unidentified == {}
    put_faces(context, unit(1, seed=3), first=2)  # of an image that came late
    assert health(context).unidentified == {"g": [DAY]}


def begun(context: Context, event: str, hours_ago: float) -> None:
    """A run of `embed` that began, and ended if it did, so long ago."""
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    for name in dict.fromkeys(("started", event)):
        put(context, "runs", {"run_id": f"r{hours_ago}", "event": name, "at": at, "seconds": float(name != "started")})


def test_a_job_that_is_killed_every_night_is_noticed(make_context: MakeContext) -> None:
    context = make_context()
    for hours_ago in (100, 76):
        begun(context, "finished", hours_ago)
    for hours_ago in (52, 28, 4):
        begun(context, "started", hours_ago)
    (run,) = health(context).runs
    assert run.state == "started"
    assert run.waiting is not None
    assert 51 < (datetime.now(UTC) - run.waiting) / timedelta(hours=1) < 53
    begun(context, "finished", 1)
    assert health(context).runs[0].waiting is None


@pytest.mark.parametrize(
    ("changes", "complaints"),
    [
        ({}, 0),
        ({"runs": [replace(RUN, state="started", waiting=NOW - timedelta(hours=1))]}, 0),  # under way
        ({"runs": [replace(RUN, state="started", waiting=NOW - timedelta(hours=49))]}, 1),
        ({"listed": [date(2026, 2, 2)]}, 0),
        ({"listed": [date(2026, 2, 1)]}, 1),
        ({"listed": [date(2025, 1, 1), *(date(2026, 1, 4) + timedelta(days=day) for day in range(30))]}, 0),
        ({"pending": {TODAY: 5}}, 0),  # not late yet
        ({"pending": {TODAY - timedelta(days=1): 5}}, 1),
        ({"unidentified": {"g": [TODAY], "h": [date(2026, 1, 1), date(2026, 1, 2)]}}, 1),
        ({"rejections": [Rejection("rejected:crashed", 9, 0.9, 0.0)]}, 0),  # a handful
        ({"rejections": [Rejection("rejected:crashed", 90, 0.3, 0.2)]}, 0),  # as usual
        ({"rejections": [Rejection("rejected:crashed", 400, 1.0, 1.0)]}, 1),  # as usual, and too many
        ({"rejections": [Rejection(f"rejected:{name}", 26, 0.26, 0.26) for name in ("gone", "crashed")]}, 1),
        ({"rejections": [Rejection(f"rejected:{name}", 25, 0.25, 0.25) for name in ("gone", "crashed")]}, 0),
        ({"rejections": [Rejection("rejected:crashed", 9, 1.0, 1.0)]}, 0),  # a handful
        ({"pending": {date(2100, 1, 1): 5}}, 1),  # of a wrong clock: not to be waited for
        ({"pending": {TODAY + timedelta(days=1): 5}}, 0),  # somewhere it has begun
        ({"withdrawn": [FacesOf("g", TODAY, 2), FacesOf("g", date(2026, 1, 1), 3), FacesOf("h", TODAY, 1)]}, 2),
    ],
)
def test_complaints(changes: dict[str, object], complaints: int) -> None:
    assert len(well(**changes).complaints(NOW, late_after=1)) == complaints


def test_too_many_rejections_are_said_with_the_bound() -> None:
    (said,) = well(rejections=[Rejection("rejected:truncated", 400, 1.0, 1.0)]).complaints(NOW, late_after=1)
    assert "400 images of the newest date were rejected, which is 100.0% of them: more than 50% are too many" in said


def test_matches_with_the_withdrawn_are_said_with_the_command() -> None:
    (said,) = well(withdrawn=[FacesOf("g", TODAY, 2), FacesOf("g", date(2026, 1, 1), 3)]).complaints(NOW, late_after=1)
    assert "5 faces of 2 dates from 2026-01-01 to 2026-02-03 match persons by samples that have been withdrawn" in said
    assert said.endswith("run `rollcall identify --all-dates --gallery-name g`")


def test_images_of_the_future_are_counted_and_said(
    make_context: MakeContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    context = make_context()
    begun(context, "finished", 1)
    put_images(context, ["faces", None], date(2100, 1, 1))
    put_images(context, [None], datetime.now(UTC).date() + timedelta(days=1))
    complaints = status(context, metrics=tmp_path / "rollcall.prom")
    said = capsys.readouterr().out
    assert "dated in the future: 2 images of 2100-01-01; check the clocks" in said
    assert any("images of 2100-01-01 have no final outcome" in line for line in complaints)
    assert "rollcall_future_images 2.0\n" in (tmp_path / "rollcall.prom").read_text()


def test_dates_that_were_not_listed_are_named() -> None:
    listed = [date(2026, 1, 30), date(2026, 2, 1)]
    (said,) = well(listed=listed).complaints(NOW, late_after=1)
    assert "of the last 30 dates 2 were not listed, the newest of them 2026-02-02: run `rollcall ingest" in said
    assert well(listed=listed).unlisted(date(2026, 1, 29)) == []
