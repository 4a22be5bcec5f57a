"""The chain on real photos, and the invariants it must keep."""

from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import Context
from tests.support import DAYS, MakeContext, assert_same_tables, copied, rows_of
from udfs.errors import InputError

DAY, NEXT_DAY = map(date.fromisoformat, DAYS)
RESULTS = ("image_outcomes", "faces", "matches", "identifications")


def template(lake: Path) -> str:
    return f"{lake}/{{run_date}}/"


def run_chain(context: Context, lake: Path, people: Path, days: tuple[date, ...] = (DAY, NEXT_DAY), **how: int) -> None:
    enroll(context, gallery=str(people), gallery_name="people")
    for day in days:
        ingest(context, source=template(lake), run_date=day)
        embed(context, run_date=day, **how)
        identify(context, run_date=day)


@pytest.fixture(scope="module")
def done(made: MakeContext, enrolled: Context, lake: Path) -> Context:
    """The chain run once over both dates; tests read it, and none changes it."""
    context = copied(made, enrolled, "done")
    ingest(context, source=template(lake))
    embed(context, all_pending=True, partitions=1)
    identify(context, all_dates=True)
    return context


def decisions(context: Context) -> dict[str, list[tuple[str, str | None]]]:
    rows = (
        context.tables.read("image_outcomes")
        .join(context.tables.read("images"), ["image_id", "run_date"])
        .where(F.col("run_date") == F.lit(DAY))
        .join(context.tables.read("faces").select("face_id", "image_id", "ordinal"), "image_id", "left")
        .join(context.tables.read("identifications").select("face_id", "decision", "person_id"), "face_id", "left")
        .orderBy("uri", "ordinal")
        .collect()
    )
    found: dict[str, list[tuple[str, str | None]]] = {}
    for row in rows:
        name = row.uri.rpartition("/")[2]
        named = row.person_id if row.decision == "match" else None
        found.setdefault(name, []).append((row.decision or row.outcome, named))
    return found


def test_everyone_is_named_right(done: Context) -> None:
    obama, biden, unknown = ("match", "barack_obama"), ("match", "joe_biden"), ("unknown", None)
    found = decisions(done)
    assert sorted(found.pop("group.jpg"), key=str) == sorted([obama, unknown, biden], key=str)
    for half_a_face in ("edge_left.jpg", "edge_right.jpg"):  # an eye lies outside the picture
        ((_, named),) = found.pop(half_a_face)
        assert named in (None, "barack_obama")
    assert found == {
        "speech.jpg": [obama],
        "speech_32bit.png": [obama],
        "astronaut.png": [unknown],
        "lying_on_its_side.jpg": [("match", "grace_hopper")],
        "coffee.png": [("no_face", None)],
        "rocket.jpg": [("no_face", None)],
        "cut_off.jpg": [("rejected:truncated", None)],
        "notes.jpg": [("rejected:not_an_image", None)],
        ".empty": [("rejected:empty", None)],
    }


def test_every_listed_file_has_an_outcome(done: Context, lake: Path) -> None:
    listed = sum(path.is_file() for path in lake.rglob("*"))
    assert done.tables.read("images").count() == listed
    assert done.tables.read("image_outcomes").count() == listed


@pytest.mark.slow
def test_rows_do_not_depend_on_partitions_or_the_order_of_dates(
    done: Context, make_context: MakeContext, lake: Path, demo_photos: tuple[Path, Path]
) -> None:
    """The same bits from one partition and one slice, and from eight and slices of three, newest date first."""
    other = make_context()
    run_chain(other, lake, demo_photos[1], days=(NEXT_DAY, DAY), partitions=8, commit_every=3)
    assert_same_tables(done, other, "images", "gallery", "enrollments", *RESULTS)


def rows_with_runs(context: Context, name: str) -> list[str]:
    """Down to who wrote them when: nothing at all may have been written."""
    return sorted(repr(row) for row in context.tables.read(name).collect())


@pytest.mark.slow
def test_a_second_run_changes_nothing_and_opens_nothing(
    done: Context, make_context: MakeContext, lake: Path, demo_photos: tuple[Path, Path]
) -> None:
    context = copied(make_context, done, "tables")
    names = ("images", "gallery", "enrollments", *RESULTS)
    before = {name: rows_with_runs(context, name) for name in names}
    away = lake.rename(lake.with_name("away"))  # whoever opens an image now finds it gone
    try:
        assert embed(context, all_pending=True)["pending"] == 0
    finally:
        away.rename(lake)
    assert identify(context, run_date=DAY)["searched"] == 0
    assert enroll(context, gallery=str(demo_photos[1]), gallery_name="people").get("accepted", 0) == 0
    assert ingest(context, source=template(lake), run_date=DAY)["new"] == 0
    assert {name: rows_with_runs(context, name) for name in names} == before


def test_contracts_are_never_mixed(
    done: Context, enrolled: Context, make_context: MakeContext, demo_photos: tuple[Path, Path]
) -> None:
    """Faces of one contract, a gallery of another: refused, both named, nothing written."""
    other = copied(make_context, enrolled, "tables")
    other.tables.append("faces", done.tables.read("faces").withColumn("contract_id", F.lit("another")))
    contract = other.tables.read("contracts").first().contract_id
    with pytest.raises(InputError, match=f"another, gallery 'people' of {contract}"):
        identify(other, run_date=DAY)
    assert not other.tables.exists("identifications")

    gallery = other.tables.read("gallery").limit(1)
    other.tables.append("gallery", gallery.withColumns({"contract_id": F.lit("third"), "sample_id": F.lit("s")}))
    with pytest.raises(InputError, match="several contracts"):
        identify(other, run_date=DAY)
    with pytest.raises(InputError, match=f"third, the settings of {contract}"):
        enroll(other, gallery=str(demo_photos[1]), gallery_name="people")


def test_the_ledger_tells_of_every_run(done: Context, make_context: MakeContext, tmp_path: Path) -> None:
    rows = done.tables.read("runs").collect()
    assert sorted((row.job, row.event) for row in rows) == sorted(
        (job, event)
        for job, times in {"enroll": 1, "ingest": 1, "embed": 1, "identify": 1}.items()
        for event in ("started", "finished")
        for _ in range(times)
    )
    failing = make_context()
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="--allow-empty"):
        ingest(failing, source=str(tmp_path / "nothing"))
    failed = failing.tables.read("runs").where("event = 'failed'").first()
    assert "--allow-empty" in failed.error
    ingest(failing, source=str(tmp_path / "nothing"), allow_empty=True)


def test_rank_is_by_person_and_the_nearest_sample_carries(done: Context) -> None:
    matches = done.tables.read("matches")
    assert matches.groupBy("face_id", "person_id").count().where("count > 1").isEmpty()
    firsts = matches.where("rank = 1").join(done.tables.read("identifications"), "face_id")
    assert firsts.count() == done.tables.read("identifications").where("person_id IS NOT NULL").count()
    rows = rows_of(matches.select("face_id", "rank", "similarity"))
    assert len(rows) == len(set(rows))
