"""A later run over the same tables: what is there already, what has changed, and what comes from a table."""

import shutil
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import Context
from tests.jobs.test_chain import DAY, RESULTS, rows_with_runs, template
from tests.rows import put
from tests.support import MakeContext, copied


@pytest.mark.slow
def test_a_second_run_changes_nothing_and_opens_only_what_is_new(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path], tmp_path: Path
) -> None:
    context = copied(make_context, enrolled, "tables")
    moved = tmp_path / "lake"
    (moved / RUN_DATE).mkdir(parents=True)
    for name in ("speech.jpg", "coffee.png", "cut_off.jpg"):
        shutil.copy2(demo_photos[0] / RUN_DATE / name, moved / RUN_DATE / name)
    ingest(context, source=template(moved), run_date=DAY)
    embed(context, run_date=DAY)
    identify(context, run_date=DAY)
    names = ("images", "gallery", "enrollments", *RESULTS)
    before = {name: rows_with_runs(context, name) for name in names}
    shutil.rmtree(moved)  # whoever opens an image now finds it gone
    assert embed(context, run_date=DAY)["pending"] == 0
    assert embed(context, all_pending=True)["pending"] == 0
    assert identify(context, run_date=DAY)["searched"] == 0
    assert enroll(context, gallery=str(demo_photos[1]), gallery_name="people").get("accepted", 0) == 0
    assert {name: rows_with_runs(context, name) for name in names} == before

    shutil.copytree(demo_photos[0] / RUN_DATE, moved / RUN_DATE)  # nine more, of which some have faces
    counts = ingest(context, source=template(moved), run_date=DAY)
    assert (counts["listed"], counts["new"]) == (12, 9)
    assert embed(context, run_date=DAY)["images"] == 9
    searched = identify(context, run_date=DAY)
    assert 0 < searched["searched"] < searched["faces"]


def test_a_changed_file_is_a_new_image_and_the_old_one_is_no_longer_there(
    make_context: MakeContext, demo_photos: tuple[Path, Path], tmp_path: Path
) -> None:
    context = make_context()
    folder = tmp_path / "lake" / RUN_DATE
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes((demo_photos[0] / RUN_DATE / "coffee.png").read_bytes())
    (folder / "b.jpg").write_bytes(b"x")
    source = template(tmp_path / "lake")
    ingest(context, source=source)
    (folder / "a.jpg").write_bytes((demo_photos[0] / RUN_DATE / "speech.jpg").read_bytes())
    (folder / "b.jpg").unlink()
    assert ingest(context, source=source)["new"] == 1
    counts = embed(context, all_pending=True)
    assert {name: counts.get(name) for name in ("faces", "rejected:changed", "rejected:gone")} == {
        "faces": 1,
        "rejected:changed": 1,
        "rejected:gone": 1,
    }


@pytest.mark.slow
def test_images_of_a_table(make_context: MakeContext, demo_photos: tuple[Path, Path], tmp_path: Path) -> None:
    context = make_context()
    columns = "path string, modificationTime timestamp, length bigint, content binary"
    when = F.to_timestamp(F.lit("2026-01-31 12:00:00"))
    contents = [(demo_photos[0] / RUN_DATE / name).read_bytes() for name in ("speech.jpg", "coffee.png")]
    rows = [(f"store:{at}", None, len(content), content) for at, content in enumerate([*contents, b""])]
    frame = context.spark.createDataFrame(rows, columns).withColumn("modificationTime", when)
    frame.write.format("delta").save(str(tmp_path / "photos"))
    table = f"delta.`{tmp_path}/photos`"
    ingest(context, source_table=table, source_name="archive")
    counts = embed(context, run_date=DAY)
    assert (counts["faces"], counts["no_face"], counts["rejected:empty"]) == (1, 1, 1)
    assert {row.source for row in context.tables.read("images").collect()} == {"archive"}


@pytest.mark.slow
def test_unreadable_images_are_tried_again_three_times(make_context: MakeContext) -> None:
    """A store that nobody can reach, with one image in it."""
    context = make_context()
    put(context, "images", {"image_id": "i", "uri": "nosuch://store/a.jpg", "size": 3})
    pending = [embed(context, run_date=DAY)["pending"] for _ in range(6)]
    assert pending == [1, 1, 1, 1, 0, 0]
    (outcome,) = context.tables.read("image_outcomes").collect()
    assert (outcome.outcome, outcome.attempts) == ("rejected:unreadable", 4)
