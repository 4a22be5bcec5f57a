"""What derives from a person of one gallery, and from an image that several tables know by its URI."""

from hashlib import sha256

import pytest

from jobs.erasure.closure import closure_of
from jobs.erasure.needles import Needles
from jobs.erasure.plan import Plan
from jobs.erasure.rows import ORDER, models_trained_on, rows_of
from jobs.erasure.subject import Subject
from jobs.run.context import Context
from tests.rows import CONTRACT, DAY, NOW, Values, put, put_contract, put_samples, sample_rows, unit
from tests.support import MakeContext
from udfs.errors import InputError

URI = "file:///lake/1.jpg"


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    """Anna is in two galleries, by the same photo, which is an image of the lake as well."""
    context = make_context()
    put_contract(context)
    (one, two) = sample_rows(unit(2, seed=1), ["anna", "bob"])
    rows = [{**one, "gallery_name": name, "sample_id": f"anna in {name}", "uri": URI} for name in "gh"]
    put(context, "gallery", *rows, {**two, "uri": "file:///people/bob.jpg"})
    put(context, "images", {"image_id": "image", "uri": URI})
    put(context, "faces", {"face_id": "face", "image_id": "image", "embedding": one["embedding"]})
    of_face = {"face_id": "face", "image_id": "image", "run_date": DAY, "contract_id": CONTRACT, "person_id": "anna"}
    matches = [{"gallery_name": name, "sample_id": f"anna in {name}"} for name in "gh"]
    put(context, "matches", *[{**of_face, **match, "rank": 1, "similarity": 1.0} for match in matches])
    return context


def counted(context: Context, subject: Subject) -> dict[str, int]:
    return Plan.of(context, closure_of(context, subject)).counts


@pytest.mark.slow
def test_a_person_of_one_gallery_stays_in_the_other(context: Context) -> None:
    subject = Subject("person", "anna", "g")
    closure = closure_of(context, subject)
    plan = Plan.of(context, closure)
    assert plan.counts == {"matches": 1, "gallery": 1}
    assert closure.samples == {"anna in g"}
    assert not closure.everywhere
    needles = Needles.of(context, closure, plan)
    assert needles.texts["person"] == needles.texts["uri"] == frozenset()
    assert needles.shared == {"uri": 1, "embedding": 1, "person": 1}

    everywhere = closure_of(context, Subject("person", "anna"))
    assert everywhere.everywhere
    assert everywhere.samples == {"anna in g", "anna in h"}
    assert counted(context, Subject("person", "anna")) == {"matches": 2, "gallery": 2}


@pytest.mark.slow
def test_the_samples_of_an_image_go_with_it(context: Context) -> None:
    found = closure_of(context, Subject("image", URI))
    assert found.samples == {"anna in g", "anna in h"}
    assert found.faces == {"face"}
    assert not found.is_empty
    assert counted(context, Subject("image", URI)) == {"matches": 2, "gallery": 2, "faces": 1, "images": 1}


def test_an_image_that_nobody_knows_is_nothing_to_erase(context: Context) -> None:
    assert closure_of(context, Subject("image", "file:///lake/2.jpg")).is_empty
    assert closure_of(context, Subject("person", "carl")).is_empty
    assert closure_of(context, Subject("source", "gate")).is_empty


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "say what is to be erased"),
        ({"person": "a", "image": "b"}, "say what is to be erased"),
        ({"image": "b", "gallery_name": "g"}, "are for --person"),
        ({"source": "s", "with_images": True}, "are for --person"),
        ({"person": " "}, "the id is empty"),
        ({"source": ""}, "the name is empty"),
    ],
)
def test_what_is_asked_must_be_clear(given: dict[str, object], said: str) -> None:
    nothing = {"person": None, "image": None, "source": None, "before": None}
    with pytest.raises(InputError, match=said):
        Subject.asked(**{**nothing, **given})  # type: ignore[arg-type]


def test_what_leads_to_the_rest_goes_last() -> None:
    before = [("identifications", "matches"), ("investigations", "findings"), ("thresholds", "cohorts")]
    before += [("clusters", "cluster_members"), ("cluster_changes", "cluster_members"), ("gallery", "enrollments")]
    before += [(table, "gallery") for table in ("matches", "runs", "set_asides", "reviews")]
    before += [(table, "images") for table in ORDER if table != "images"]
    assert all(ORDER.index(one) < ORDER.index(other) for one, other in before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("person", "said"),
    [("John", {"of both": "Ann"}), ("Doe, John", {"of one": None, "of three": "Ann, Zoe"}), ("Doe", {})],
)
def test_an_id_with_a_comma_goes_whole_from_what_lists_several(
    make_context: MakeContext, person: str, said: dict[str, str | None]
) -> None:
    context = make_context()
    put_contract(context)
    people = ["Ann", "Doe", "John", "Doe, John", "Zoe"]
    put_samples(context, unit(len(people), seed=1), people)
    listed = {"of one": "Doe, John", "of both": "Ann, John", "of three": "Ann, Doe, John, Zoe"}
    found = {
        "investigation": "gate",
        "asked": "photo.jpg",
        "rank": 1,
        "similarity": 0.5,
        "run_date": DAY,
        "contract_id": CONTRACT,
    }
    put(
        context, "findings", *[{**found, "face_id": of, "image_id": of, "person_id": ids} for of, ids in listed.items()]
    )
    closure = closure_of(context, Subject("person", person))
    changed = rows_of(context, closure, "findings").changed
    assert ({} if changed is None else {row.face_id: row.person_id for row in changed.collect()}) == said


@pytest.mark.slow
def test_models_that_were_trained_on_somebody_are_named(context: Context) -> None:
    def photo(model: str, person: str, uri: str, image: str) -> Values:
        digests = {
            "person_digest": sha256(person.encode()).hexdigest(),
            "photo_digest": sha256(uri.encode()).hexdigest(),
        }
        return {"model_id": model, "image_id": image, **digests}

    model: Values = dict.fromkeys(("kind", "parent", "parent_contract_id", "contract_id", "file", "sha256"), "")
    model |= dict.fromkeys(("declaration", "loss", "plan", "data", "data_digest"), "")
    model |= dict.fromkeys(("seed", "persons", "photos", "held_out_persons"), 1)
    model |= {"missed": 0.1, "missed_before": 0.2, "difference_low": -0.2, "difference_high": -0.1, "better": True}
    model |= {"kind": "adapter", "measured": {}, "trained_at": NOW}
    put(context, "models", *[{**model, "model_id": each, "name": f"model {each}"} for each in "abc"])
    put(
        context,
        "model_photos",
        photo("a", "anna", "file:///elsewhere/9.jpg", "other"),
        photo("b", "carl", URI, "another version"),
        photo("c", "carl", "file:///elsewhere/8.jpg", "yet another"),
    )
    plan = Plan.of(context, closure_of(context, Subject("person", "anna")))
    assert plan.counts["model_photos"] == 2
    assert models_trained_on(context, plan.of_table("model_photos").gone) == ["model a", "model b"]
    plan = Plan.of(context, closure_of(context, Subject("image", URI)))
    assert models_trained_on(context, plan.of_table("model_photos").gone) == ["model b"]
    of_one = Plan.of(context, closure_of(context, Subject("person", "anna", "g")))
    assert models_trained_on(context, of_one.of_table("model_photos").gone) == ["model b"]
