"""What is pending is fixed when a run begins, and is given out page by page."""

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.embed import embed
from jobs.faces import pending, slices
from jobs.faces.pending import Page, PendingImages, pages
from jobs.run.context import Context
from jobs.run.ledger import Run
from tests.rows import DAY, NEXT_DAY, put
from tests.support import MakeContext, assert_same_tables, copied
from udfs.arrow import spark_schema
from udfs.ids import stable_id
from udfs.records import OUTCOME


def image(number: int, day: date = DAY) -> dict[str, object]:
    return {"image_id": stable_id("image", number), "run_date": day}


def outcome(number: int, day: date = DAY, **values: object) -> dict[str, object]:
    return {**image(number, day), "outcome": "no_face", "face_count": 0, **values}


def ids(*tables: pa.Table) -> list[str]:
    return [name for table in tables for name in table["image_id"].to_pylist()]


def of_all(context: Context) -> PendingImages:
    return PendingImages.of(context, F.lit(True), F.lit(True), Run("r"))


def held(page: Page, day: date, image_id: str) -> bool:
    return page.first <= day <= page.last and (page.from_id or "") <= image_id < (page.below_id or "g")


@pytest.mark.parametrize("most", [1, 7, 50, 10_000])
def test_pages_hold_each_image_once_and_in_order(most: int) -> None:
    counts = {DAY + timedelta(days=at): count for at, count in enumerate((3, 200, 1, 1, 49, 2))}
    images = sorted((day, stable_id(str(day), number)) for day, count in counts.items() for number in range(count))
    cut = list(pages(counts, most))
    of_page = [[at for at, (day, name) in enumerate(images) if held(page, day, name)] for page in cut]
    assert [at for page in of_page for at in page] == list(range(len(images)))
    assert all(len(page) <= most for page, its in zip(of_page, cut, strict=True) if its.from_id is its.below_id is None)
    assert max(map(len, of_page)) <= most + 5 * most**0.5  # ranges of ids hold about as many


def test_no_images_no_page() -> None:
    assert list(pages({}, 5)) == []


def test_the_columns_of_a_page_are_what_the_range_says(make_context: MakeContext) -> None:
    context = make_context()
    put(context, "images", *[image(number, DAY if number % 2 else NEXT_DAY) for number in range(40)])
    rows = [(row.run_date, row.image_id) for row in context.tables.read("images").collect()]
    for page in (*pages({DAY: 20, NEXT_DAY: 20}, 6), *pages({DAY: 20, NEXT_DAY: 20}, 99)):
        found = context.tables.read("images").where(page.holds()).collect()
        assert sorted(row.image_id for row in found) == sorted(name for day, name in rows if held(page, day, name))


@pytest.mark.slow
def test_what_is_pending_stays_as_it_was_at_the_start(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its slices are taken another run does all of them, and more images are listed."""
    monkeypatch.setattr(pending, "IMAGES_A_PAGE", 4)
    context = make_context()
    put(context, "images", *[image(number, DAY if number < 9 else NEXT_DAY) for number in range(12)])
    unread = {"outcome": "rejected:unreadable", "attempts": 2}
    put(context, "image_outcomes", outcome(0), outcome(1, **unread))
    found = of_all(context)
    taken = found.slices(3)
    first = next(taken)
    put(context, "image_outcomes", *[outcome(number, DAY if number < 9 else NEXT_DAY) for number in range(2, 12)])
    put(context, "images", *[image(number) for number in range(12, 20)])
    rest = list(taken)
    assert (found.total, sorted(ids(first, *rest))) == (11, sorted(stable_id("image", at) for at in range(1, 12)))
    assert max(table.num_rows for table in (first, *rest)) == 3
    attempts = dict(zip(ids(first, *rest), [n for t in (first, *rest) for n in t["attempts"].to_pylist()], strict=True))
    assert [attempts[stable_id("image", at)] for at in (1, 2)] == [2, 0]
    assert of_all(context).total == 9  # the eight new ones, and the unreadable one


@pytest.mark.slow
def test_many_pages_and_slices_give_the_same_rows_as_one(
    made: MakeContext, ingested: Context, undisturbed: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "IMAGES_A_PAGE", 5)
    other = copied(made, ingested, "many-pages")
    assert embed(other, all_pending=True, commit_every=4)["images"] == ingested.tables.read("images").count()
    assert_same_tables(other, undisturbed, "faces", "image_outcomes")


def no_faces(context: Context, rows: pa.Table, *_: object) -> DataFrame:
    """An outcome for each image, without models and files."""
    known = {"outcome": F.lit("no_face"), "detail": F.lit(""), "width": F.lit(9), "height": F.lit(9)}
    known["faces"] = F.array()
    of_image = {field.name: field.dataType for field in spark_schema(OUTCOME) if field.name != "image_id"}
    columns = [known.get(name, F.lit(None)).cast(kind).alias(name) for name, kind in of_image.items()]
    return context.spark.createDataFrame(rows.select(["image_id"])).select("image_id", *columns)


@pytest.fixture
def dies_in_a_slice(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function by which a run dies when a slice of so many has been staged, and is not yet committed."""
    monkeypatch.setattr(slices, "faces_of", no_faces)
    commit = slices.Slices.commit
    left = [0]

    def dying(work: slices.Slices, slice_id: str, run: Run) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        commit(work, slice_id, run)

    monkeypatch.setattr(slices.Slices, "commit", dying)
    return lambda number: left.__setitem__(0, number)


@pytest.mark.slow
def test_a_killed_run_is_gone_on_with(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, dies_in_a_slice: Callable[[int], None]
) -> None:
    monkeypatch.setattr(pending, "IMAGES_A_PAGE", 4)
    context = make_context()
    put(context, "images", *[image(number, DAY if number < 9 else NEXT_DAY) for number in range(12)])
    dies_in_a_slice(3)
    with pytest.raises(KeyboardInterrupt):
        embed(context, all_pending=True, commit_every=2)
    done, staged = (context.tables.read(table).count() for table in ("image_outcomes", "staged"))
    assert 0 < done < done + staged < 12
    dies_in_a_slice(-1)
    counts = embed(context, all_pending=True, commit_every=2)
    left = 12 - done - staged
    assert (counts["recovered_slices"], counts["pending"], counts["images"]) == (1, left, left)
    found = context.tables.read("image_outcomes").collect()
    assert sorted(row.image_id for row in found) == sorted(stable_id("image", at) for at in range(12))
    assert context.tables.read("staged").isEmpty()
