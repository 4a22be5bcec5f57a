"""A gallery of which nobody is in force is a state: its faces are unknown. One that never was is a mistake."""

import pytest
from pyspark.sql import functions as F

from jobs.calibrate import calibrate
from jobs.identify import identify
from jobs.registry.snapshot import GallerySnapshot
from jobs.reports.health import health
from jobs.run.context import Context
from jobs.status import status
from schemas.catalog import GALLERY
from tests.rows import DAY, NEXT_DAY, NOW, put, put_contract, put_faces, put_samples, unit
from tests.support import MakeContext
from udfs.errors import InputError


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    made = make_context()
    put_contract(made)
    put_faces(made, unit(2, seed=1))
    return made


def withdraw(context: Context, condition: str) -> None:
    rows = context.tables.read("gallery").where(condition).withColumn("withdrawn_at", F.current_timestamp())
    context.tables.update("gallery", rows.select(*GALLERY.names))


def decided(context: Context) -> list[tuple[str, str | None]]:
    rows = context.tables.read("identifications").orderBy("face_id").collect()
    return [(row.decision, row.person_id) for row in rows]


@pytest.mark.slow
def test_after_the_last_person_has_gone_nobody_is_found(context: Context, make_context: MakeContext) -> None:
    put_samples(context, unit(2, seed=1), ["a", "b"])
    identify(context, run_date=DAY)
    assert decided(context) == [("match", "a"), ("match", "b")]
    withdraw(context, "true")
    identify(context, run_date=DAY)
    assert decided(context) == [("unknown", None)] * 2
    assert context.tables.read("matches").isEmpty()
    assert "identify: nobody is in force in gallery 'g', so no face matches" in make_context.said


@pytest.mark.slow
def test_a_gallery_of_nobody_is_known_by_its_name(context: Context) -> None:
    put_samples(context, unit(2, seed=1), ["a", "b"], withdrawn_at=NOW)
    assert GallerySnapshot.open(context, None).count == 0
    with pytest.raises(InputError, match="there is no gallery 'gg'; there are: g"):
        identify(context, run_date=DAY, gallery_name="gg")
    with pytest.raises(InputError, match=r"nobody is in force in gallery 'g', .* --gallery-size N"):
        calibrate(context, images="labelled")
    put(context, "runs", {"event": "finished", "at": NOW, "job": "enroll", "seconds": 1.0})
    assert [(each.gallery, each.persons) for each in health(context).registered] == [("g", 0)]


@pytest.mark.slow
def test_who_comes_after_the_last_has_gone_is_found(context: Context, make_context: MakeContext) -> None:
    put_samples(context, unit(2, seed=1), ["a", "b"])
    identify(context, run_date=DAY)
    withdraw(context, "true")
    assert any("2 faces of 2026-01-31 match persons" in line for line in status(context))
    for _ in range(2):
        make_context.said.clear()
        identify(context, run_date=DAY, gallery_name="g")
        assert decided(context) == [("unknown", None)] * 2
        assert context.tables.read("matches").isEmpty()
        assert "identify: nobody is in force in gallery 'g', so no face matches" in make_context.said
    assert not any("match persons" in line for line in status(context))
    put_samples(context, unit(1, seed=1), ["c"], sample_id="c")
    identify(context, all_dates=True)
    assert decided(context) == [("match", "c"), ("unknown", None)]


@pytest.mark.slow
def test_on_a_date_on_which_nobody_is_valid_nobody_is_found(context: Context, make_context: MakeContext) -> None:
    put_faces(context, unit(2, seed=1), NEXT_DAY)
    put_samples(context, unit(2, seed=1), ["a", "b"], valid_from=NEXT_DAY)
    identify(context, all_dates=True)
    rows = context.tables.read("identifications").where("decision = 'match'").select("run_date").distinct().collect()
    assert [row.run_date for row in rows] == [NEXT_DAY]
    assert f"identify: nobody in gallery 'g' is valid on {DAY}, so no face matches" in make_context.said


@pytest.mark.slow
def test_a_gallery_of_which_every_photo_was_refused(context: Context) -> None:
    put(context, "enrollments", {"sample_id": "s", "decision": "refused", "reason": "no_face"})
    identify(context, run_date=DAY)
    assert decided(context) == [("unknown", None)] * 2


@pytest.fixture
def taken_out(context: Context) -> Context:
    """Somebody who was taken out under the contract in force, and is registered under the older one."""
    put_contract(context, "new")
    put_samples(context, unit(2, seed=1), ["a", "b"])
    put_samples(context, unit(1, seed=1), ["a"], contract_id="new", sample_id="new", withdrawn_at=NOW)
    put(context, "activations", {"contract_id": "new", "activated_at": NOW})
    return context


def test_who_was_taken_out_is_not_in_the_gallery_of_another_contract(taken_out: Context) -> None:
    opened = GallerySnapshot.open(taken_out, None)
    assert (opened.contract_id, opened.count) == ("new", 0)


@pytest.mark.slow
def test_who_was_taken_out_is_not_found_under_another_contract(taken_out: Context) -> None:
    put_faces(taken_out, unit(1, seed=1), first=5, contract_id="new")
    identify(taken_out, run_date=DAY)
    assert decided(taken_out) == [("unknown", None)]


def test_a_label_that_nobody_has_is_refused(context: Context) -> None:
    faces = unit(2, seed=1)
    put_samples(context, faces[:1], ["a"], labels=["wanted"])
    put_samples(context, faces[1:], ["b"], labels=["staff", "vip"], sample_id="b")
    opened = GallerySnapshot.open(context, None)
    opened.refuse_unknown_labels(context, ["wanted", "staff"])
    with pytest.raises(InputError, match="no sample of gallery 'g' has the label 'wnated'; there are: staff, vip, wan"):
        opened.refuse_unknown_labels(context, ["wnated", "staff"])
    withdraw(context, "person_id = 'a'")  # the label was somebody's
    GallerySnapshot.open(context, None).refuse_unknown_labels(context, ["wanted"])


@pytest.mark.slow
def test_who_is_found_by_a_label(context: Context) -> None:
    faces = unit(2, seed=1)
    put_samples(context, faces[:1], ["a"], labels=["wanted"])
    put_samples(context, faces[1:], ["b"], labels=["staff", "vip"], sample_id="b")
    with pytest.raises(InputError, match="no sample of gallery 'g' has the label 'wnated'"):
        identify(context, run_date=DAY, labels=("wnated", "staff"))
    assert not context.tables.exists("identifications")
    identify(context, run_date=DAY, labels=("wanted",))
    assert decided(context) == [("match", "a"), ("unknown", None)]
    identify(context, run_date=DAY, labels=(" wanted ",))  # spaces around it do not count
    assert decided(context) == [("match", "a"), ("unknown", None)]
    withdraw(context, "person_id = 'a'")  # they are found no more
    identify(context, run_date=DAY, labels=("wanted",))
    assert decided(context) == [("unknown", None)] * 2
