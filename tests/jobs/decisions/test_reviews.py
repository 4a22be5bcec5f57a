"""What people decide about faces."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.review import review
from jobs.run.context import Context
from schemas.names import Names
from tests.rows import DAY, put, unit
from tests.support import MakeContext, forget_names
from udfs.errors import InputError

TWO = "review.signatures=2"


@pytest.fixture
def make(spark: SparkSession, tmp_path: Path) -> Iterator[MakeContext]:
    yield MakeContext(spark, tmp_path)
    forget_names(spark)


def filled(make: MakeContext, *changes: str) -> Context:
    """Faces near persons of one gallery, of two, and near nobody."""
    context = make("tables", *changes)
    found = {"similarity": 0.7, "score": 0.7, "sample_id": "s", "image_id": "i"}
    near = [
        {"face_id": "a", "person_id": "ann", "decision": "match", **found},
        {"face_id": "b", "person_id": "ben", "decision": "review", **found},
        {"face_id": "b", "person_id": "bea", "gallery_name": "other", "decision": "match", **found},
        {"face_id": "c", "image_id": "i"},
    ]
    put(context, "identifications", *near)
    vector = unit(1, 0)[0].tolist()
    put(context, "faces", *({"face_id": name, "image_id": "i", "embedding": vector} for name in "abc"))
    put(context, "images", {"image_id": "i"})
    put(context, "image_outcomes", {"image_id": "i", "face_count": 3})
    return context


@pytest.fixture(scope="module")
def untouched(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Nothing is written here."""
    return filled(MakeContext(spark, tmp_path_factory.mktemp("untouched")))


def says(context: Context, by: str, decision: str, face: str = "a", person: str = "ann", **more: str) -> dict[str, int]:
    return review(context, face_id=face, person_id=person, decision=decision, reviewed_by=by, **more)


def asked(context: Context, query: str) -> list[tuple[object, ...]]:
    Names(context.spark, context.tables).register(query)
    return [tuple(row) for row in context.spark.sql(query).collect()]


def state(context: Context) -> str:
    ((found,),) = asked(context, "SELECT state FROM reviewed WHERE face_id = 'a'")
    return str(found)


def test_a_decision_has_its_row_and_its_run(make: MakeContext) -> None:
    context, began = filled(make), datetime.now()
    assert says(context, "eve", "confirm", reason="same scar") == {"confirm": 1, "repeated": 0}
    (row,) = context.tables.read("reviews").drop("review_id", "run_id").collect()
    values = row.asDict()
    assert began <= values.pop("reviewed_at") <= datetime.now()
    assert values == {
        "face_id": "a",
        "gallery_name": "g",
        "person_id": "ann",
        "image_id": "i",
        "run_date": DAY,
        "contract_id": "c",
        "similarity": 0.7,
        "decision": "confirm",
        "reviewed_by": "eve",
        "reason": "same scar",
        "signatures": 1,
    }
    assert asked(context, "SELECT job, state, counts['confirm'] FROM run_history") == [("review", "finished", 1)]


@pytest.mark.slow
def test_two_people_must_sign_where_the_settings_say_so(make: MakeContext) -> None:
    context = filled(make, TWO)
    says(context, "eve", "confirm")
    assert state(context) == "awaits_signature"
    with pytest.raises(InputError, match="eve has confirmed that already; a second signature must be another person's"):
        says(context, "eve", "confirm")
    says(context, "max", "confirm")
    assert state(context) == "confirmed"


@pytest.mark.slow
def test_views_follow_what_people_say(make: MakeContext) -> None:
    context = filled(make)
    sightings = "SELECT face_id, person_id, review_state FROM sightings WHERE gallery_name = 'g' ORDER BY face_id"
    queue = "SELECT id, reason FROM review_queue"
    unknown = "SELECT face_id FROM unknown_faces ORDER BY face_id"
    assert asked(context, sightings) == [("a", "ann", None)]
    assert asked(context, queue) == [("b", "between_thresholds")]
    assert asked(context, unknown) == [("c",)]
    says(context, "eve", "reject")
    says(context, "eve", "confirm", "b", "ben", gallery_name="g")
    assert asked(context, sightings) == [("b", "ben", "confirmed")]
    assert asked(context, queue) == []
    assert asked(context, unknown) == [("a",), ("c",)]


@pytest.mark.slow
def test_what_a_page_has_exported_can_be_read_twice(make: MakeContext, tmp_path: Path) -> None:
    context = filled(make)
    file = tmp_path / "decisions.csv"
    file.write_text("face_id,person_id,decision,gallery_name,reason\na,ann,Confirm,,\nb,ben,reject,g,another nose\n")
    assert review(context, file=str(file), reviewed_by="eve") == {"confirm": 1, "reject": 1, "repeated": 0}
    assert review(context, file=str(file), reviewed_by="eve") == {"repeated": 2}
    assert make.said[-2:] == ["review: nothing new", "review: 2 left out, as the same person has said so before"]
    assert context.tables.read("reviews").count() == 2
    assert review(context, file=str(file), reviewed_by="max") == {"confirm": 1, "reject": 1, "repeated": 0}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",ann,confirm,eve,", "line 2: face_id is empty; take it from the view review_queue or sightings"),
        ("a,,confirm,eve,", "line 2: person_id is empty"),
        ("a,ann,yes,eve,", "line 2: decision is 'yes'; use one of: confirm, reject, unsure"),
        ("a,ann,confirm,,", "line 2: nobody has signed; say who decides with --by NAME"),
        ("x,ann,confirm,eve,", "line 2: no face 'x' has been identified"),
        ("b,ben,confirm,eve,", "compared with several galleries; say which one is meant: g, other"),
        ("a,ann,confirm,eve,other", "was not compared with gallery 'other', but with g"),
        ("a,ben,confirm,eve,", "face a is nearest to ann in gallery 'g', and not to ben"),
        ("c,ben,confirm,eve,", "face c is near nobody in gallery 'g'"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(untouched: Context, tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "decisions.csv"
    file.write_text(f"face_id,person_id,decision,reviewed_by,gallery_name\n{line}\n")
    with pytest.raises(InputError, match=said):
        review(untouched, file=str(file))
    assert not untouched.tables.exists("reviews")
    assert not untouched.tables.exists("runs")


def test_one_decision_or_a_file(make: MakeContext) -> None:
    context = make()
    with pytest.raises(InputError, match="say what is decided"):
        review(context, face_id="a", reviewed_by="eve")
    with pytest.raises(InputError, match="say what is decided"):
        review(context, face_id="a", person_id="ann", decision="confirm", file="x.csv")
    with pytest.raises(InputError, match="run `rollcall identify` first"):
        says(context, "eve", "confirm")
