"""What statements may name: tables, views, functions."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from schemas.catalog import TABLES
from schemas.functions import FUNCTIONS
from schemas.names import NAMES, Names
from schemas.store import Tables
from schemas.views import VIEWS
from tests.rows import DAY, NEXT_DAY, NOW, Values, frame, unit
from tests.support import forget_names
from udfs.search.similarity import similarity

Rows = dict[str, list[Values]]

EARLIER = NOW - timedelta(days=1)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def face(face_id: str, image: str, day: date, **decided: object) -> Rows:
    """A face of an image, and what was decided."""
    key: Values = {"face_id": face_id, "image_id": image, "run_date": day}
    vector = unit(1, 0)[0].tolist()
    return {"faces": [{**key, "embedding": vector}], "identifications": [{**key, **decided}]}


def match(person: str, similarity: float) -> Values:
    return {"decision": "match", "person_id": person, "similarity": similarity, "score": similarity, "sample_id": "s"}


def image(image_id: str, day: date, **outcome: object) -> Rows:
    known: Values = {"image_id": image_id, "run_date": day}
    return {
        "images": [{**known, "uri": f"file:///{image_id}", "source": f"camera of {image_id}"}],
        "image_outcomes": [{**known, "captured_at": NOON, **outcome}],
    }


def sample(sample_id: str, person: str, **more: object) -> Rows:
    return {"gallery": [{"sample_id": sample_id, "person_id": person, "embedding": unit(1, 1)[0].tolist(), **more}]}


def run(run_id: str, *events: str, **more: object) -> Rows:
    return {
        "runs": [
            {"run_id": run_id, "event": event, "at": NOW + timedelta(minutes=at), "seconds": 60.0 * at, **more}
            for at, event in enumerate(events)
        ]
    }


def reviews(face_id: str, *said: tuple[str, str], signatures: int = 1) -> Rows:
    """Decisions about a face, one a minute."""
    return {
        "reviews": [
            {
                "review_id": f"{face_id} {at}",
                "face_id": face_id,
                "reviewed_by": who,
                "decision": decision,
                "reviewed_at": NOW + timedelta(minutes=at),
                "signatures": signatures,
            }
            for at, (who, decision) in enumerate(said)
        ]
    }


ROWS = [
    image("two", DAY, face_count=3),
    face("a", "two", DAY, **match("ann", 0.9)),
    face("b", "two", DAY, **match("ben", 0.8)),
    face("c", "two", DAY, person_id="ann", similarity=0.3, score=0.3),
    image("one", NEXT_DAY, face_count=2),
    face("d", "one", NEXT_DAY, **match("ann", 0.7)),
    face("e", "one", NEXT_DAY, decision="review", person_id="ben", similarity=0.55, score=0.55, sample_id="s"),
    image("bad", DAY, outcome="rejected:truncated", detail="cut off", face_count=0),
    sample("s1", "ann", name="Ann Smith", enrolled_at=EARLIER, labels=["vip"], valid_from=DAY),
    sample("s2", "ann", name="Ann Jones", enrolled_at=NOW, labels=["staff"]),
    sample("s3", "ben", withdrawn_at=NOW),
    sample("s4", "ben", valid_from=DAY, valid_to=NEXT_DAY),
    {
        "enrollments": [
            {
                "sample_id": "s5",
                "photo_id": "p5",
                "person_id": "ben",
                "uri": "file:///p5",
                "decision": "review",
                "reason": "resembles_another_person",
                "other_person_id": "ann",
                "other_similarity": 0.75,
            },
            {"sample_id": "s4", "photo_id": "p4"},
        ]
    },
    reviews("confirmed", ("eve", "confirm")),
    reviews("disputed", ("eve", "confirm"), ("max", "reject")),
    reviews("one of two", ("eve", "confirm"), signatures=2),
    reviews("two of two", ("eve", "confirm"), ("max", "confirm"), signatures=2),
    reviews("rejected", ("eve", "reject"), ("max", "unsure")),
    reviews("unsure now", ("eve", "confirm"), ("eve", "unsure")),
    run("r1", "started", "finished", job="embed"),
    run("r2", "started", "failed", job="identify", error="no disk"),
    run("r3", "started", job="night"),
]


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    made = Tables(spark, str(tmp_path_factory.mktemp("named")))
    for name in TABLES:
        rows = [row for part in ROWS for row in part.get(name, [])]
        if rows:
            made.append(name, frame(spark, name, rows))
    return made


def answer(spark: SparkSession, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in spark.sql(query).collect()]


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("SELECT * FROM Gallery", ["gallery"]),
        ("SELECT 'runs', f.* FROM `faces` f JOIN images m USING (image_id)", ["images", "faces", "runs"]),
        ("SELECT 1 FROM galleryx", []),
        ("SELECT count(*) FROM sightings", ["sightings"]),
    ],
)
def test_only_what_a_statement_names_is_opened(
    spark: SparkSession, tables: Tables, statement: str, names: list[str]
) -> None:
    assert Names(spark, tables).register(statement) == names
    spark.sql(statement.replace("galleryx", "range(1)")).collect()
    forget_names(spark)


def test_names_that_are_not_written_out_are_known(spark: SparkSession, tables: Tables) -> None:
    names = Names(spark, tables)
    for statement in ("SHOW VIEWS", "SELECT * FROM identifier('ima' || 'ges')"):
        assert {"images", "sightings", "face_similarity"} < set(names.register(statement))
        spark.sql(statement).collect()
    forget_names(spark)


def test_a_table_that_is_created_meanwhile_is_seen(spark: SparkSession, tmp_path: Path) -> None:
    tables = Tables(spark, str(tmp_path))
    names = Names(spark, tables)
    for rows in (0, 1):
        names.register("run_history")
        assert spark.table("run_history").count() == rows
        tables.append("runs", frame(spark, "runs", run("r", "started")["runs"]))
    forget_names(spark)


@pytest.mark.parametrize("name", VIEWS)
def test_views_have_their_columns_and_comments_before_there_are_tables(
    spark: SparkSession, tmp_path: Path, name: str
) -> None:
    names = Names(spark, Tables(spark, str(tmp_path)))
    assert names.register(f"SELECT * FROM {name}") == [name]
    described = {row.col_name: row.comment for row in spark.sql(f"DESCRIBE {name}").collect()}
    assert described == VIEWS[name].columns
    assert spark.table(name).count() == 0
    forget_names(spark)


@pytest.mark.slow
def test_every_example_runs(spark: SparkSession, tmp_path: Path) -> None:
    for table in TABLES.values():
        spark.createDataFrame([], table.schema).createOrReplaceTempView(table.name)
    names = Names(spark, Tables(spark, str(tmp_path)))
    names.register()
    examples = [query for declared in [*TABLES.values(), *VIEWS.values()] for _, query in declared.examples]
    for query in [*examples, *(function.example[1] for function in FUNCTIONS.values())]:
        spark.sql(query).collect()
    forget_names(spark)


def test_a_schema_has_them_for_every_client(spark: SparkSession, tmp_path: Path) -> None:
    spark.sql(f"CREATE SCHEMA people LOCATION '{tmp_path}/managed'")
    try:
        tables = Tables(spark, None, "people")
        for name in ("images", "image_outcomes", "runs"):
            rows = [row for part in ROWS for row in part.get(name, [])]
            tables.append(name, frame(spark, name, rows))
        published = Names(spark, tables).publish()
        assert published == ["reviewed", "rejected_images", "run_history", "face_similarity"]
        assert Names(spark, tables).publish() == published  # again
        assert answer(spark, "SELECT reason FROM people.rejected_images") == [("truncated",)]
        described = {row.col_name: row.comment for row in spark.sql("DESCRIBE people.run_history").collect()}
        assert described == VIEWS["run_history"].columns
        assert answer(spark, "SELECT people.face_similarity(array(1.0F), array(0.5F))") == [(0.5,)]
    finally:
        spark.sql("DROP SCHEMA people CASCADE")


def test_names_are_of_one_thing_each() -> None:
    assert len(NAMES) == len(set(NAMES))
    for view in VIEWS.values():
        assert set(re.findall(r"\{(\w+)\}", view.query)) == set(view.reads)


@pytest.fixture(scope="module")
def known(spark: SparkSession, tables: Tables) -> Iterator[SparkSession]:
    """A session that knows all names."""
    Names(spark, tables).register()
    yield spark
    forget_names(spark)


def test_sightings(known: SparkSession) -> None:
    assert answer(
        known, "SELECT person_id, name, run_date, captured_at, source, uri, similarity FROM sightings ORDER BY face_id"
    ) == [
        ("ann", "Ann Jones", DAY, local(NOON), "camera of two", "file:///two", 0.9),
        ("ben", None, DAY, local(NOON), "camera of two", "file:///two", 0.8),
        ("ann", "Ann Jones", NEXT_DAY, local(NOON), "camera of one", "file:///one", 0.7),
    ]


def local(moment: datetime) -> datetime:
    """As Spark gives points in time to Python."""
    return moment.astimezone().replace(tzinfo=None)


def test_unknown_faces(known: SparkSession) -> None:
    query = "SELECT face_id, nearest_person_id, similarity, uri FROM unknown_faces"
    assert answer(known, query) == [("c", "ann", 0.3, "file:///two")]


def test_review_queue(known: SparkSession) -> None:
    query = (
        "SELECT kind, id, person_id, other_person_id, similarity, reason, run_date, uri FROM review_queue ORDER BY 1"
    )
    assert answer(known, query) == [
        ("face", "e", "ben", None, 0.55, "between_thresholds", NEXT_DAY, "file:///one"),
        ("photo", "p5", "ben", "ann", 0.75, "resembles_another_person", None, "file:///p5"),
    ]


def test_person_timeline(known: SparkSession) -> None:
    query = "SELECT person_id, run_date, images, faces, best_similarity, sources FROM person_timeline ORDER BY 1, 2"
    assert answer(known, query) == [
        ("ann", DAY, 1, 1, 0.9, ["camera of two"]),
        ("ann", NEXT_DAY, 1, 1, 0.7, ["camera of one"]),
        ("ben", DAY, 1, 1, 0.8, ["camera of two"]),
    ]


def test_co_appearances(known: SparkSession) -> None:
    assert answer(known, "SELECT * FROM co_appearances") == [("g", "ann", "ben", 1, DAY, DAY)]


def test_rejected_images(known: SparkSession) -> None:
    query = "SELECT reason, detail, uri FROM rejected_images"
    assert answer(known, query) == [("truncated", "cut off", "file:///bad")]


def test_run_history(known: SparkSession) -> None:
    query = "SELECT job, state, seconds, ended_at IS NULL, error FROM run_history ORDER BY run_id"
    assert answer(known, query) == [
        ("embed", "finished", 60.0, False, None),
        ("identify", "failed", 60.0, False, "no disk"),
        ("night", "open", None, True, None),
    ]


def test_gallery_now(known: SparkSession) -> None:
    query = "SELECT person_id, name, labels, samples, valid_from, valid_to FROM gallery_now ORDER BY 1"
    assert answer(known, query) == [
        ("ann", "Ann Jones", ["staff", "vip"], 2, None, None),
        ("ben", None, [], 1, DAY, NEXT_DAY),
    ]


def test_similarity_is_that_of_the_search_to_the_bit(known: SparkSession) -> None:
    one, other = unit(50, 2, 96), unit(50, 3, 96)
    pairs = known.createDataFrame(
        [(at, a.tolist(), b.tolist()) for at, (a, b) in enumerate(zip(one, other, strict=True))],
        "at int, one array<float>, other array<float>",
    )
    pairs.createOrReplaceTempView("pairs")
    found = answer(known, "SELECT face_similarity(one, other) FROM pairs ORDER BY at")
    np.testing.assert_array_equal(np.array(found)[:, 0], similarity(one, other))
    lengths = "SELECT face_similarity(array(1.0F, 0.0F), array(1.0F))"
    assert answer(known, lengths) == [(None,)]


def test_reviewed(known: SparkSession) -> None:
    query = "SELECT face_id, state, confirmed_by, rejected_by, unsure_by, decisions FROM reviewed ORDER BY face_id"
    assert answer(known, query) == [
        ("confirmed", "confirmed", ["eve"], [], [], 1),
        ("disputed", "disputed", ["eve"], ["max"], [], 2),
        ("one of two", "awaits_signature", ["eve"], [], [], 1),
        ("rejected", "rejected", [], ["eve"], ["max"], 2),
        ("two of two", "confirmed", ["eve", "max"], [], [], 2),
        ("unsure now", "unsure", [], [], ["eve"], 2),
    ]
