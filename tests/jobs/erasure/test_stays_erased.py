"""What was erased is not taken in again, unless somebody decides so."""

import os
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.erasure.carrying_out import Noted
from jobs.erasure.subject import Subject
from jobs.ingest import ingest
from jobs.inputs.manifest import People, Photo
from jobs.registry.erased_persons import without_erased
from jobs.run import erased, ledger
from jobs.run.context import Context
from tests.support import MakeContext
from udfs import lake
from udfs.errors import InputError


def note(context: Context, kind: str, *hashes: str, erasure: str = "e1") -> None:
    """As an erasure that has ended notes it."""
    context.tables.append("erased", context.spark.createDataFrame(
        pa.table({"erasure_id": [erasure] * len(hashes), "kind": [kind] * len(hashes), "hash": list(hashes)})
    ).selectExpr("*", "'r' AS run_id"))  # fmt: skip
    for event in ("begun", "finished"):
        Noted(erasure, Subject("image", "file:///x.jpg"), "who", "r").note(context, event)


def listed(context: Context) -> set[str]:
    return {lake.file_name(row.uri) for row in context.tables.read("images").collect()}


@pytest.mark.slow
def test_an_erased_image_stays_out_in_any_version(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context()
    source = tmp_path / "lake"
    source.mkdir()
    for name in ("a.jpg", "b c.jpg"):
        (source / name).write_bytes(b"x")
    keyed = erased.keyed_from_now_on(context.tables)
    note(context, "lake uri", keyed.text(lake.uri_of(str(source / "b c.jpg"))))
    assert ingest(context, source=str(source))["new"] == 1
    os.utime(source / "b c.jpg", (1e9, 1e9))
    counts = ingest(context, source=str(source))
    assert (counts["new"], counts["erased"]) == (0, 1)
    assert listed(context) == {"a.jpg"}
    assert "1 files were erased, and are left out; --allow-erased" in str(make_context.said)

    assert ingest(context, source=str(source), allow_erased=True)["new"] == 1
    assert listed(context) == {"a.jpg", "b c.jpg"}
    assert context.tables.read("erased").isEmpty()
    (allowed,) = context.tables.read("erasures").where("event = 'allowed'").collect()
    assert (allowed.erasure_id, allowed.counts) == ("e1", {"lake uri": 1})
    os.utime(source / "b c.jpg", (1e9 + 1, 1e9 + 1))
    assert ingest(context, source=str(source))["new"] == 1  # from now on it is a file like any other


def test_nothing_is_hashed_where_nothing_was_erased(
    make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    monkeypatch.setattr(erased, "keyed", lambda _: pytest.fail("there is nothing to compare with"))
    context = make_context()
    assert ingest(context, source=str(tmp_path / "a.jpg"))["new"] == 1
    assert erased.erased_persons(context, "g", {"anna"}) == {}


@pytest.mark.slow
def test_an_erased_person_is_left_out_until_allowed(make_context: MakeContext) -> None:
    context = make_context()
    keyed = erased.keyed_from_now_on(context.tables)
    note(context, "person", keyed.text("anna"))
    note(context, "person", keyed.of_gallery("staff", "bob"), erasure="e2")
    note(context, "lake uri", keyed.text("file:///3.jpg"), erasure="e3")
    people = People(
        [Photo(name, f"file:///{at}.jpg") for at, name in enumerate(["anna", "bob", "carl", "carl"])], [], 0
    )
    left, again = without_erased(context, people, "staff", ())
    assert [photo.uri for photo in left.photos] == ["file:///2.jpg"]
    assert (again.left_out, again.photos, again.hashes) == (2, 1, ())
    left, _ = without_erased(context, people, "others", ())
    assert [photo.person_id for photo in left.photos] == ["bob", "carl"]

    left, again = without_erased(context, people, "staff", (" anna",))
    assert [photo.person_id for photo in left.photos] == ["anna", "carl"]
    with ledger.run(context) as run:
        again.note(context, run)
    left, again = without_erased(context, people, "staff", ())
    assert [photo.person_id for photo in left.photos] == ["anna", "carl"]


def test_without_the_key_nothing_is_guessed(make_context: MakeContext) -> None:
    context = make_context()
    keyed = erased.keyed_from_now_on(context.tables)
    assert erased.keyed_from_now_on(context.tables) == keyed
    note(context, "person", keyed.text("anna"))
    place = lake.local_path(erased.key_place(context.tables))
    assert place is not None
    Path(os.fsdecode(place)).unlink()
    for ask in (lambda: erased.keyed_from_now_on(context.tables), lambda: erased.erased_persons(context, "g", {"a"})):
        with pytest.raises(InputError, match="the key of erasures is missing or damaged"):
            ask()
