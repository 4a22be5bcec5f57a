"""A person, or an image, is erased from a lake on which everything has run: nothing is left, and all else stays."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable

from jobs.erase import erase
from jobs.erasure.carrying_out import refuse_what_cannot_begin
from jobs.erasure.subject import Subject
from jobs.identify import identify
from jobs.run.context import Context
from schemas.catalog import TABLES
from tests.jobs.erasure import made_lake
from tests.jobs.erasure.made_lake import (
    NAME,
    OPTIONS,
    OTHER,
    PERSON,
    THIRD,
    K,
    Rows,
    image_id,
    image_uri,
    needles_of_image,
    needles_of_person,
    rows_by_table,
    sample_id,
)
from tests.jobs.erasure.scanner import found_below
from tests.rows import DAY, NEXT_DAY, put_contract
from tests.support import MakeContext, assert_same_tables, copied, root_of
from udfs.errors import InputError

pytestmark = pytest.mark.slow

Array = np.ndarray


@pytest.fixture(scope="module")
def lake(made: MakeContext) -> Context:
    """Nobody changes it."""
    context = made("erasure", *OPTIONS)
    made_lake.put_everything(context)
    (root_of(context) / "page.html").write_text(f"<td>{PERSON}</td><td>{image_uri(DAY, 3)}</td>")
    (root_of(context) / "other.html").write_text(f"<td>{OTHER}</td>")
    return context


@pytest.fixture(scope="module")
def without_person(made: MakeContext, lake: Context, tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, Path]:
    """And the proof's page."""
    context = copied(made, lake, "without_person")
    page = tmp_path_factory.mktemp("proof") / "proof.html"
    (proof,) = erase(context, person=PERSON, yes=True, output=page)
    assert proof.places == 0
    return context, page


def of_person() -> Array:
    return np.stack([vector for (person, _), vector in made_lake.samples().items() if person == PERSON])


def gone_and_changed(before: Context, after: Context) -> tuple[dict[str, set[str]], dict[str, dict[str, str]]]:
    """By table the keys of the rows that are gone, and the rows that are others; nothing has come."""
    gone, changed = {}, {}
    was, stands = rows_by_table(before), rows_by_table(after)
    for name, rows in was.items():
        if name != "searched_samples":
            assert stands[name].keys() <= rows.keys(), name
        if missing := rows.keys() - stands[name].keys():
            gone[name] = missing
        if others := {key: row for key, row in stands[name].items() if key in rows and rows[key] != row}:
            changed[name] = others
    return gone, changed


def keys(table: str, *values: Sequence[object]) -> set[str]:
    assert all(len(each) == len(TABLES[table].key) for each in values)
    return {repr(tuple(each)) for each in values}


def test_the_scanner_finds_what_is_there(lake: Context) -> None:
    found = found_below(root_of(lake), needles_of_person(), of_person())
    for text in (*needles_of_person(), "vector 0", "vector 1"):
        assert any(each.startswith(text) for each in found), text


def test_nothing_is_left_of_a_person(without_person: tuple[Context, Path]) -> None:
    context, page = without_person
    root = root_of(context)
    assert found_below(root, needles_of_person(), of_person()) == []
    assert not (root / "page.html").exists()
    assert (root / "other.html").exists()
    html = page.read_text()
    assert "Nothing of what was erased was found" in html
    assert not any(needle in html for needle in needles_of_person())


def test_all_else_is_as_it_was(lake: Context, without_person: tuple[Context, Path]) -> None:
    context, _ = without_person
    gone, changed = gone_and_changed(lake, context)
    searched = lake.tables.read("matches").where(f"person_id = '{PERSON.replace(chr(39), chr(92) + chr(39))}'")
    affected = {row.face_id for row in searched.collect()}
    assert 0 < len(affected) < 16
    matches = lake.tables.read("matches").collect()
    assert gone.pop("matches") == keys(
        "matches", *[(row.face_id, "g", row.person_id) for row in matches if row.face_id in affected]
    )
    assert gone.pop("identifications") == keys("identifications", *[(face, "g") for face in affected])
    assert gone.pop("gallery") == keys("gallery", *[(sample_id(PERSON, at),) for at in range(2)])
    assert len(gone.pop("searched_samples")) == 10  # under another digest
    photos = [(PERSON, 0), (PERSON, 1), (THIRD, 1)]
    assert gone.pop("enrollments") == keys(
        "enrollments", *[(sample_id(*photo), made_lake.photo_id(*photo)) for photo in photos]
    )
    assert gone.pop("cohorts") == keys("cohorts", ("with them", PERSON), ("with them", OTHER))
    assert gone.pop("thresholds") == keys("thresholds", ("by with them",))
    assert gone.pop("reviews") == keys("reviews", ("r1",))
    assert gone.pop("cluster_decisions") == keys("cluster_decisions", ("d3",))
    assert gone.pop("verifications") == keys("verifications", ("pair of them",))
    assert gone.pop("investigations") == keys("investigations", ("for them",))
    assert len(gone.pop("findings")) == 3
    assert len(gone.pop("seen_photos")) == len(gone.pop("set_asides")) == 1
    assert gone == {}

    (review,) = changed.pop("reviews").values()
    assert "reason='looks like [erased]. But is not.'" in review
    (aside,) = changed.pop("set_asides").values()
    assert "reason='not [erased], as I thought'" in aside
    (enrolled,) = changed.pop("enrollments").values()
    assert "other_person_id=None" in enrolled
    (finding,) = changed.pop("findings").values()
    assert "person_id=None" in finding
    assert "decision=None" in finding
    assert sorted("findings=2" in row for row in changed.pop("investigations").values()) == [True, True]
    assert ["/photos/[erased]/pairs.txt" in row for row in changed.pop("evaluations").values()] == [True]
    assert ["persons=4" in row for row in changed.pop("searches").values()] == [True, True]
    assert changed == {}


def test_runs_stay_and_name_nobody(without_person: tuple[Context, Path]) -> None:
    context, _ = without_person
    runs = {(row.run_id, row.event): row for row in context.tables.read("runs").where("job != 'identify'").collect()}
    assert runs["run 0", "started"].arguments == {"person": "[erased]", "k": "5"}
    assert runs["run 3", "failed"].error.startswith("nobody called ")
    assert PERSON not in runs["run 3", "failed"].error
    assert runs["run 1", "failed"].arguments == {"name": f"/lake/{DAY}/gate 3.jpg"}
    assert not any({"person", "image"} & row.arguments.keys() for row in runs.values() if row.job == "erase")


def test_no_version_but_the_present_one_is_left(without_person: tuple[Context, Path]) -> None:
    context, _ = without_person
    for name in ("gallery", "matches", "seen_photos", "runs"):
        log = root_of(context) / name / "_delta_log"
        versions = sorted(int(path.name[:20]) for path in log.glob("*.json"))
        checkpoints = [int(path.name[:20]) for path in log.glob("*.checkpoint.parquet")]
        assert checkpoints == [versions[0]]
        properties = json.loads((log / f"{versions[0]:020}.json").read_text().splitlines()[0])
        assert properties["commitInfo"]["operation"] == "SET TBLPROPERTIES"
    with pytest.raises(Exception, match=r"version|VERSION"):
        context.spark.read.format("delta").option("versionAsOf", 0).load(str(root_of(context) / "gallery")).collect()


def test_others_read_the_tables(without_person: tuple[Context, Path]) -> None:
    context, _ = without_person
    for name in ("gallery", "matches", "searches", "runs"):
        rows = DeltaTable(str(root_of(context) / name)).to_pyarrow_table().num_rows
        assert rows == context.tables.read(name).count()


def test_it_is_noted_by_keyed_hashes(without_person: tuple[Context, Path]) -> None:
    context, _ = without_person
    noted = context.tables.read("erasures").orderBy("at").collect()
    assert [row.event for row in noted] == ["begun", "planned", "finished", "verified"]
    assert len({row.erasure_id for row in noted}) == len({row.who for row in noted}) == 1
    assert noted[-1].found == 0
    assert noted[-1].counts["sought: person"] == 1
    assert noted[2].digest == noted[3].digest != ""
    key = root_of(context) / "erasures" / "_key"
    assert len(key.read_bytes()) == 32
    assert key.stat().st_mode & 0o777 == 0o600


def test_without_yes_nothing_changes(made: MakeContext, lake: Context, capsys: pytest.CaptureFixture[str]) -> None:
    assert erase(lake, image=image_uri(DAY, 3)) == []
    said = capsys.readouterr().out
    assert "investigations changed" in said
    assert "pages" in said
    assert not lake.tables.exists("erasures")
    with pytest.raises(InputError, match="nothing is known of this person"):
        refuse_what_cannot_begin(lake, Subject("person", "nobody"), ())
    assert not lake.tables.exists("erasures")


def test_the_next_identify_finds_what_it_would_have_without_them(
    made: MakeContext, without_person: tuple[Context, Path]
) -> None:
    copied(made, without_person[0], "identified_again")
    context, never = made("identified_again", *OPTIONS), made("never", *OPTIONS)
    put_contract(never)
    rows = Rows()
    made_lake.put_lake(rows)
    made_lake.put_people(rows, tuple(person for person in made_lake.PEOPLE if person != PERSON))
    rows.write(never)
    searched = 0
    for day in (DAY, NEXT_DAY):
        searched += identify(context, run_date=day, k=K)["searched"]
        identify(never, run_date=day, k=K)
    assert 0 < searched < 16  # those alone whose rows are gone
    assert_same_tables(context, never, "matches", "identifications", "searches", "searched_samples")


def test_nothing_is_left_of_an_image(made: MakeContext, lake: Context) -> None:
    context = copied(made, lake, "without_image")
    (proof,) = erase(context, image=image_uri(DAY, 3), yes=True)
    assert proof.places == 0
    vectors = made_lake.faces()[DAY, 3][None]
    assert found_below(root_of(context), needles_of_image(), vectors) == []

    gone, changed = gone_and_changed(lake, context)
    assert gone.pop("images") == keys("images", (image_id(DAY, 3),))
    assert gone.pop("clusters") == keys("clusters", ("unknown", "c0"))
    assert gone.pop("cluster_changes") == keys("cluster_changes", ("of c0",))
    assert gone.pop("cluster_decisions") == keys("cluster_decisions", ("d1",))
    assert gone.pop("verifications") == keys("verifications", ("pair3",))
    assert gone.pop("reviews") == keys("reviews", ("r3",))
    assert gone.pop("investigations") == keys("investigations", ("with the image",))
    assert {name: len(rows) for name, rows in gone.items()} == {
        "image_outcomes": 1,
        "faces": 1,
        "staged": 1,
        "matches": 2,
        "identifications": 1,
        "findings": 3,
        "cluster_members": 1,
    }
    assert {name: len(rows) for name, rows in changed.items()} == {
        "cluster_decisions": 1,
        "cluster_changes": 1,
        "investigations": 2,
    }
    runs = {(row.run_id, row.event): row for row in context.tables.read("runs").where("job != 'identify'").collect()}
    assert runs["run 1", "failed"].arguments == {"name": "[erased]"}
    assert runs["run 1", "failed"].error == "there is no image [erased]: look again"
    assert runs["run 0", "started"].arguments == {"person": PERSON, "k": "5"}

    # What was kept of the erasure proves it again, without the names.
    (again,) = erase(context, verify=True)
    assert (again.places, again.sought) == (0, proof.sought)
    leak = root_of(context) / "leak.csv"
    leak.write_text(f"uri\n{image_uri(DAY, 3)}\n")
    (found,) = erase(context, verify=True)
    assert found.places == 1
    assert NAME not in str(made.said)


@pytest.fixture(scope="module")
def nights(made: MakeContext) -> Context:
    """A smaller lake, of two nights. Nobody changes it."""
    context = made("nights", *OPTIONS)
    made_lake.put_nights(context)
    return context


def vectors_of(*days: date, numbers: Sequence[int] = range(made_lake.IMAGES)) -> Array:
    return np.stack([of for (day, at), of in made_lake.faces().items() if day in days and at in numbers])


def test_the_images_of_a_person_go_as_well_where_that_is_said(made: MakeContext, nights: Context) -> None:
    context = copied(made, nights, "without_images")
    erase(context, person=PERSON, with_images=True, yes=True)
    shown = nights.tables.read("identifications").where("decision = 'match'").collect()
    of_them = {row.image_id for row in shown if row.person_id == PERSON}
    assert len(of_them) == 4
    assert {row.image_id for row in context.tables.read("images").collect()}.isdisjoint(of_them)
    assert context.tables.read("faces").count() == context.tables.read("images").count() == 12
    uris = [image_uri(day, at) for day in (DAY, NEXT_DAY) for at in range(2)]
    vectors = np.concatenate([vectors_of(DAY, NEXT_DAY, numbers=range(2)), of_person()])
    assert found_below(root_of(context), [*needles_of_person(), *uris], vectors) == []


def test_a_source_and_earlier_dates_are_erased(made: MakeContext, nights: Context) -> None:
    context = copied(made, nights, "without_dates")
    erase(context, before=NEXT_DAY, yes=True)
    uris = [image_uri(DAY, at) for at in range(made_lake.IMAGES)]
    assert found_below(root_of(context), uris, vectors_of(DAY)) == []
    assert {row.run_date for row in context.tables.read("images").collect()} == {NEXT_DAY}
    erase(context, source="gate", yes=True)
    assert all(context.tables.read(name).isEmpty() for name in ("images", "faces", "matches", "identifications"))
    assert context.tables.read("gallery").count() == 10
