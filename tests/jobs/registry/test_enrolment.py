"""Who gets into a gallery, who leaves it, and what stays as it is."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest
from PIL import Image
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.ingest import ingest
from jobs.registry import enrolment
from jobs.registry.seeing import PhotoLooker
from jobs.run.context import Context
from schemas.store import Tables
from tests.support import MakeContext, assert_same_tables, copied, root_of, rows_of
from udfs.errors import InputError


def people_in_force(context: Context) -> list[str]:
    rows = context.tables.read("gallery").where("withdrawn_at IS NULL").collect()
    return sorted(f"{row.person_id}/{row.uri.rpartition('/')[2]}" for row in rows)


@pytest.fixture
def people(demo_photos: tuple[Path, Path], tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    shutil.copytree(demo_photos[1], folder)
    return folder


def test_photos_that_will_not_do(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path], tmp_path: Path
) -> None:
    context = copied(make_context, enrolled, "tables")
    people, lake = tmp_path / "more", demo_photos[0] / RUN_DATE
    for person in ("joe_biden", "grace_hopper"):
        (people / person).mkdir(parents=True)
    for name in ("coffee.png", "group.jpg", "notes.jpg"):
        shutil.copy(lake / name, people / "joe_biden" / name)
    # A photo of another person in this person's folder: for a human to look at, not for the gallery.
    shutil.copy(lake / "speech.jpg", people / "grace_hopper" / "whose.jpg")
    os.mkfifo(people / "joe_biden" / "pipe.jpg")
    enroll(context, gallery=str(people), gallery_name="people")
    decided = {row.uri.rpartition("/")[2]: row for row in context.tables.read("enrollments").collect()}
    found = {name: (row.decision, row.reason) for name, row in decided.items() if row.decision != "accepted"}
    assert found == {
        "coffee.png": ("refused", "no_face"),
        "group.jpg": ("refused", "several_faces"),
        "notes.jpg": ("refused", "rejected:not_an_image"),
        "pipe.jpg": ("refused", "rejected:not_an_image"),
        "whose.jpg": ("review", "resembles_another_person"),
    }
    assert decided["whose.jpg"].other_person_id == "barack_obama"
    (said,) = [line for line in make_context.said if "whose.jpg" in line]
    assert said.endswith("grace_hopper/whose.jpg: resembles_another_person")  # whom, is not for a log
    assert people_in_force(context) == [
        "barack_obama/blue_room.jpg",
        "barack_obama/portrait.jpg",
        "grace_hopper/portrait.jpg",
        "joe_biden/portrait.jpg",
    ]


@pytest.mark.slow
def test_decisions_do_not_depend_on_order_or_interruption(
    make_context: MakeContext, demo_photos: tuple[Path, Path], people: Path
) -> None:
    shutil.copy(demo_photos[0] / RUN_DATE / "speech.jpg", people / "grace_hopper" / "whose.jpg")
    context = make_context()
    counts = enroll(context, gallery=str(people), gallery_name="people")
    assert counts["review"] >= 1  # one of two who resemble each other, and are said to be two

    # A run that was killed after it wrote the gallery, before it noted its decisions: the next one ends alike.
    before = rows_of(context.tables.read("enrollments")), rows_of(context.tables.read("gallery"))
    context.tables.delete_where("enrollments", F.lit(True))
    enroll(context, gallery=str(people), gallery_name="people")
    assert (rows_of(context.tables.read("enrollments")), rows_of(context.tables.read("gallery"))) == before

    # The same people in an order of names that is turned round: the same decisions.
    turned = people.parent / "turned"
    for at, folder in enumerate(sorted(people.iterdir(), reverse=True)):
        for photo in folder.iterdir():
            (turned / folder.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(photo, turned / folder.name / f"{at}-{photo.name}")
    other = make_context("turned")
    enroll(other, gallery=str(turned), gallery_name="people")
    kept = ("sample_id", "decision", "reason", "own_similarity", "other_similarity")
    assert rows_of(other.tables.read("enrollments").select(*kept)) == rows_of(
        context.tables.read("enrollments").select(*kept)
    )


def test_a_run_that_was_killed_between_its_tables_is_made_good(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when the gallery is written, and the decisions are not: the next run ends like one that was not killed."""
    context = make_context()
    update = Tables.update

    def killed(tables: Tables, name: str, rows: DataFrame) -> None:
        if name == "enrollments":
            raise KeyboardInterrupt
        update(tables, name, rows)

    monkeypatch.setattr(Tables, "update", killed)
    with pytest.raises(KeyboardInterrupt):
        enroll(context, gallery=str(demo_photos[1]), gallery_name="people")
    monkeypatch.undo()
    assert len(people_in_force(context)) == 4
    assert not context.tables.exists("enrollments")
    enroll(context, gallery=str(demo_photos[1]), gallery_name="people")
    assert_same_tables(context, enrolled, "gallery", "enrollments", "contracts")
    failed = context.tables.read("runs").where("event = 'failed'").collect()
    assert [row.error for row in failed] == ["KeyboardInterrupt"]


@pytest.mark.slow
def test_leaving_and_coming_back(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path], tmp_path: Path
) -> None:
    """The people of the gallery as a manifest, from which lines are taken out: no photo is opened."""
    context = copied(make_context, enrolled, "tables")
    everyone = people_in_force(context)
    manifest = tmp_path / "people.csv"

    def list_all_but(away: str) -> None:
        rows = [f"{path.parent.name},{path}" for path in sorted(demo_photos[1].glob("*/*")) if away not in str(path)]
        manifest.write_text("\n".join(["person_id,uri", *rows]))

    list_all_but("joe_biden")
    enroll(context, gallery=str(manifest), gallery_name="people")
    assert people_in_force(context) == everyone  # only --sync withdraws
    with pytest.raises(InputError, match="would withdraw 1 of 4"):
        enroll(context, gallery=str(manifest), gallery_name="people", sync=True)
    assert people_in_force(context) == everyone
    enroll(context, gallery=str(manifest), gallery_name="people", sync=True, max_withdraw=0.5)
    assert people_in_force(context) == [name for name in everyone if "biden" not in name]

    list_all_but("nobody")
    enroll(context, gallery=str(manifest), gallery_name="people", sync=True)
    assert people_in_force(context) == everyone


@pytest.mark.slow
def test_nobody_is_withdrawn_whose_folder_cannot_be_listed(
    make_context: MakeContext, enrolled: Context, people: Path
) -> None:
    context = copied(make_context, enrolled, "tables")
    everyone = people_in_force(context)
    (people / "joe_biden" / "portrait.jpg").unlink()
    (people / "joe_biden" / "up").symlink_to("..")
    shutil.rmtree(people / "grace_hopper")
    (people / "grace_hopper").symlink_to("/a/disk/that/is/away")
    counts = enroll(context, gallery=str(people), gallery_name="people", sync=True, max_withdraw=0)
    assert people_in_force(context) == everyone
    assert (counts["listed"], counts["directories_not_listed"], counts["withdrawn"]) == (2, 2, 0)
    said = "\n".join(make_context.said)
    assert "grace_hopper: the link leads nowhere; mount what it leads to, or remove it" in said
    assert "joe_biden/up: a link leads back to its own parent; remove it" in said
    assert "0 withdrawn; 2 directories could not be listed: see the warnings" in said

    (people / "joe_biden" / "up").unlink()
    (people / "grace_hopper").unlink()
    enroll(context, gallery=str(people), gallery_name="people", sync=True, max_withdraw=1)
    assert people_in_force(context) == [name for name in everyone if "obama" in name]


@pytest.mark.slow
def test_ids_of_an_older_form_are_replaced(make_context: MakeContext, enrolled: Context, people: Path) -> None:
    """A gallery that was written before ids had one form goes on as it is, and --sync changes it over."""
    context = copied(make_context, enrolled, "tables")
    older = F.when(F.col("person_id") == "joe_biden", " Jose\u0301").otherwise(F.col("person_id")).alias("person_id")
    for name in ("gallery", "enrollments"):
        rows = context.tables.read(name)
        renamed = rows.select(*(older if column == "person_id" else F.col(column) for column in rows.columns))
        context.spark.createDataFrame(renamed.toArrow(), rows.schema).write.format("delta").mode("overwrite").save(
            str(root_of(context) / name)
        )
    (people / "joe_biden").rename(people / " Jose\u0301")
    before = people_in_force(context)
    assert enroll(context, gallery=str(people), gallery_name="people")["review"] == 1
    assert people_in_force(context) == before
    assert any("1 of them resemble" in said and "once with --sync" in said for said in make_context.said)
    counts = enroll(context, gallery=str(people), gallery_name="people", sync=True, max_withdraw=0.5)
    assert (counts["withdrawn"], counts["accepted"]) == (1, 1)
    assert {name.partition("/")[0] for name in people_in_force(context)} == {"José", "barack_obama", "grace_hopper"}
    again = enroll(context, gallery=str(people), gallery_name="people", sync=True)
    assert (again["withdrawn"], again.get("accepted", 0)) == (0, 0)


def test_an_unmounted_folder_empties_no_gallery(make_context: MakeContext, enrolled: Context, tmp_path: Path) -> None:
    context = copied(make_context, enrolled, "tables")
    before = people_in_force(context)
    with pytest.raises(InputError, match="cannot be listed"):
        enroll(context, gallery=str(tmp_path / "away"), gallery_name="people", sync=True, max_withdraw=1.0)
    (tmp_path / "away").mkdir()
    with pytest.raises(InputError, match="lists no photos"):
        enroll(context, gallery=str(tmp_path / "away"), gallery_name="people", sync=True, max_withdraw=1.0)
    assert people_in_force(context) == before


def test_a_manifest_says_names_labels_and_validity(make_context: MakeContext, people: Path) -> None:
    context = make_context()
    manifest = people.parent / "people.csv"
    head = "person_id,name,uri,labels,valid_from,valid_to\n"
    manifest.write_text(f"{head}joe,Joe Biden,people/joe_biden/portrait.jpg,staff;vip,2026-01-01,2026-12-31\n")
    enroll(context, gallery=str(manifest), gallery_name="people")
    row = context.tables.read("gallery").first()
    assert (row.name, row.labels, row.valid_from, row.valid_to) == (
        "Joe Biden",
        ["staff", "vip"],
        date(2026, 1, 1),
        date(2026, 12, 31),
    )
    manifest.write_text(f"{head}joe,Joseph Biden,people/joe_biden/portrait.jpg,,,\n")
    counts = enroll(context, gallery=str(manifest), gallery_name="people")
    assert counts.get("accepted", 0) == 0
    changed = context.tables.read("gallery").first()
    assert (changed.name, changed.labels, changed.valid_from) == ("Joseph Biden", [], None)
    assert changed.enrolled_at == row.enrolled_at


@pytest.mark.slow
def test_decisions_stand_until_they_are_reconsidered(make_context: MakeContext, people: Path) -> None:
    make = make_context
    enroll(make(), gallery=str(people), gallery_name="people")
    stricter = make("tables", "enroll.minimum_size=100000")
    counts = enroll(stricter, gallery=str(people), gallery_name="people")
    assert counts.get("refused", 0) == 0
    assert len(people_in_force(stricter)) == 4
    counts = enroll(stricter, gallery=str(people), gallery_name="people", reconsider=True)
    assert counts["refused"] == 4
    assert people_in_force(stricter) == []


@pytest.mark.slow
def test_the_largest_face_on_request(make_context: MakeContext, demo_photos: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "people" / "someone").mkdir(parents=True)
    shutil.copy(demo_photos[0] / RUN_DATE / "group.jpg", tmp_path / "people" / "someone")
    context = make_context()
    counts = enroll(context, gallery=str(tmp_path / "people"), gallery_name="g", several_faces="largest")
    assert counts["accepted"] == 1


@pytest.mark.slow
def test_a_face_in_the_background_does_no_harm(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "people" / "barack_obama").mkdir(parents=True)
    with Image.open(demo_photos[1] / "barack_obama" / "portrait.jpg") as found:
        portrait = found.convert("RGB")
    picture = Image.new("RGB", (2 * portrait.width, 2 * portrait.height), "grey")
    picture.paste(portrait, (portrait.width // 2, portrait.height // 2))
    picture.paste(portrait.resize((portrait.width // 2, portrait.height // 2)), (0, 0))
    picture.save(tmp_path / "people" / "barack_obama" / "two.png")
    context = make_context()
    people = str(tmp_path / "people")
    assert enroll(context, gallery=people, gallery_name="g", several_faces="reject")["refused"] == 1
    assert enroll(context, gallery=people, gallery_name="g", reconsider=True)["accepted"] == 1
    (taken,) = context.tables.read("gallery").collect()
    (alone,) = enrolled.tables.read("gallery").where("uri LIKE '%barack_obama/portrait.jpg'").collect()
    assert taken.quality.size == pytest.approx(alone.quality.size, rel=0.1)


def nothing_is_left_over(context: Context) -> bool:
    """Of what was seen in photos before they were judged."""
    packed = root_of(context) / "seen_photos" / "_packed"
    return context.tables.read("seen_photos").isEmpty() and not (packed.exists() and any(packed.iterdir()))


@pytest.mark.slow
def test_in_slices_the_rows_are_the_same(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path]
) -> None:
    """Seen in slices, judged by packed galleries, and changed as a whole; first all, then one more person."""
    context = make_context()
    counts = enroll(context, gallery=str(demo_photos[1]), gallery_name="people", commit_every=3)
    assert_same_tables(context, enrolled, "gallery", "enrollments", "contracts")
    assert (counts["images"], counts["accepted"]) == (4, 4)
    assert nothing_is_left_over(context)
    assert enroll(context, gallery=str(demo_photos[1]), gallery_name="people", commit_every=3).get("images", 0) == 0
    # Judged again, all at once, the samples are not compared with themselves.
    enroll(context, gallery=str(demo_photos[1]), gallery_name="people", commit_every=1, reconsider=True)
    assert_same_tables(context, enrolled, "gallery", "enrollments")
    assert nothing_is_left_over(context)


@pytest.mark.slow
def test_more_in_slices_are_judged_against_the_gallery(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path], people: Path
) -> None:
    shutil.copy(demo_photos[0] / RUN_DATE / "speech.jpg", people / "grace_hopper" / "whose.jpg")
    shutil.copy(demo_photos[0] / RUN_DATE / "edge_left.jpg", people / "barack_obama" / "left.jpg")
    shutil.copy(demo_photos[0] / RUN_DATE / "coffee.png", people / "barack_obama" / "coffee.png")
    at_once, in_slices = (copied(make_context, enrolled, name) for name in ("at_once", "in_slices"))
    enroll(at_once, gallery=str(people), gallery_name="people")
    enroll(in_slices, gallery=str(people), gallery_name="people", commit_every=1)
    assert_same_tables(at_once, in_slices, "gallery", "enrollments")
    decided = {row.uri.rpartition("/")[2]: row for row in in_slices.tables.read("enrollments").collect()}
    assert decided["whose.jpg"].other_person_id == "barack_obama"
    assert decided["left.jpg"].own_similarity is not None
    assert nothing_is_left_over(in_slices)


@pytest.mark.slow
def test_photos_that_are_known_are_not_opened(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path]
) -> None:
    """The photos are images of the lake as well, and `embed` has found their faces."""
    whole, sliced = make_context("whole"), make_context("sliced")
    ingest(whole, source=str(demo_photos[1]))
    embed(whole, all_pending=True)
    shutil.copytree(root_of(whole), root_of(sliced))
    for context, commit_every in ((whole, 100), (sliced, 3)):
        counts = enroll(context, gallery=str(demo_photos[1]), gallery_name="people", commit_every=commit_every)
        assert (counts["looked_up"], counts.get("images", 0)) == (4, 0)
        assert_same_tables(context, enrolled, "gallery", "enrollments")


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after two slices, then while it judges, then before it forgets what it saw."""
    context, people = make_context(), str(demo_photos[1])
    append = Tables.append

    def killed(tables: Tables, name: str, rows: DataFrame) -> None:
        append(tables, name, rows)
        if name == "seen_photos" and tables.read(name).count() == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Tables, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        enroll(context, gallery=people, gallery_name="people", commit_every=1)
    monkeypatch.undo()
    assert not context.tables.exists("gallery")
    for step in ("judge_samples", "forget"):
        monkeypatch.setattr(enrolment, step, _interrupted)
        with pytest.raises(KeyboardInterrupt):
            enroll(context, gallery=people, gallery_name="people", commit_every=1)
        monkeypatch.undo()
    assert context.tables.read("seen_photos").count() == 4
    enroll(context, gallery=people, gallery_name="people", commit_every=1)
    assert_same_tables(context, enrolled, "gallery", "enrollments", "contracts")
    assert nothing_is_left_over(context)
    runs = context.tables.read("runs").where("event != 'started'").orderBy("at").collect()
    assert [row.counts.get("images", 0) for row in runs] == [2, 2, 0, 0]


def _interrupted(*arguments: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_photos_that_were_seen_under_other_rules_are_looked_at_again(
    make_context: MakeContext, demo_photos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, people = make_context(), str(demo_photos[1])
    monkeypatch.setattr(enrolment, "judge_samples", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        enroll(context, gallery=people, gallery_name="people", commit_every=2)
    monkeypatch.undo()
    stricter = make_context("tables", "enroll.minimum_size=100000")
    assert enroll(stricter, gallery=people, gallery_name="people", commit_every=2)["refused"] == 4
    assert nothing_is_left_over(context)


def test_too_much_to_withdraw_is_refused_before_a_photo_is_opened(
    make_context: MakeContext, enrolled: Context, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = copied(make_context, enrolled, "tables")
    for gone in ("joe_biden", "grace_hopper"):
        shutil.rmtree(people / gone)
    shutil.copy(people / "barack_obama" / "portrait.jpg", people / "barack_obama" / "again.jpg")
    monkeypatch.setattr(PhotoLooker, "see", _interrupted)
    with pytest.raises(InputError, match="would withdraw at least 2 of 4 samples"):
        enroll(context, gallery=str(people), gallery_name="people", sync=True, max_withdraw=0.4)
    with pytest.raises(KeyboardInterrupt):
        enroll(context, gallery=str(people), gallery_name="people", sync=True, max_withdraw=0.5)
