"""identify on made-up vectors, held against its definition."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import pytest

from jobs import identify as identify_job
from jobs.identify import identify
from jobs.options import Context
from schemas.catalog import CONTRACTS, FACES, GALLERY
from tests.support import MakeContext, rows_of
from udfs.errors import InputError
from udfs.search.similarity import similarity
from udfs.vision.contract import settings_id

DAY, NEXT_DAY = date(2026, 1, 31), date(2026, 2, 1)
CONTRACT = "c"
K = 3


def unit(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def put_faces(
    context: Context, vectors: np.ndarray, day: date = DAY, limits: str = "s", sizes: Sequence[float] | None = None
) -> None:
    rows = [
        {
            **{
                "face_id": f"f{at:02}-{day}{'' if limits == 's' else limits}",
                "image_id": f"i{at}",
                "run_date": day,
                "contract_id": CONTRACT,
            },
            **{"settings_id": limits, "ordinal": 0, "box": (0.0, 0.0, 50.0, 50.0), "landmarks": [(0.0, 0.0)] * 5},
            **{"score": 1.0, "quality": (size, *(0.0,) * 6), "embedding": vector.tolist(), "run_id": "r"},
        }
        for at, (vector, size) in enumerate(zip(vectors, sizes or [50.0] * len(vectors), strict=True))
    ]
    context.tables.append("faces", context.spark.createDataFrame(rows, FACES.schema))


def put_samples(context: Context, vectors: np.ndarray, persons: list[str], **values: object) -> None:
    rows = [
        {
            **dict.fromkeys(GALLERY.names),
            **{"sample_id": f"s{at:02}-{person}", "gallery_name": "g", "person_id": person, "labels": []},
            **{"uri": "u", "contract_id": CONTRACT, "quality": (50.0,) * 7, "embedding": vector.tolist()},
            **{"enrolled_at": datetime.now(UTC), "run_id": "r", **values},
        }
        for at, (vector, person) in enumerate(zip(vectors, persons, strict=True))
    ]
    context.tables.append("gallery", context.spark.createDataFrame(rows, GALLERY.schema))


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    made = make_context("tables", "thresholds.dlib-resnet-v1.keep_floor=0.1", "thresholds.dlib-resnet-v1.review=0.5")
    contract = made.spark.createDataFrame([(CONTRACT, "d", "dlib-resnet-v1", 8, "{}")], CONTRACTS.schema)
    made.tables.append("contracts", contract)
    return made


def matches_of(context: Context) -> list[tuple[str, int, str, str, float]]:
    rows = context.tables.read("matches").orderBy("face_id", "rank").collect()
    return [(row.face_id, row.rank, row.person_id, row.sample_id, row.similarity) for row in rows]


def test_blocks_give_what_the_definition_says(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of two faces and three samples; persons whose samples lie in several blocks; equal samples."""
    monkeypatch.setattr(identify_job, "FACES_A_BLOCK", 2)
    monkeypatch.setattr(identify_job, "SAMPLES_A_BLOCK", 3)
    faces, samples = unit(7, seed=1), unit(20, seed=2)
    samples[5:8] = samples[0]  # ties, between persons and within one
    persons = [f"p{at % 6}" for at in range(20)]
    put_faces(context, faces)
    put_samples(context, samples, persons)
    identify(context, run_date=DAY, k=K)

    wanted = []
    for at, face in enumerate(faces):
        scores = similarity(np.repeat(face[None], 20, 0), samples).tolist()
        best: dict[str, tuple[float, str]] = {}
        for number, (score, person) in enumerate(zip(scores, persons, strict=True)):
            best[person] = min(best.get(person, (2.0, "")), (-score, f"s{number:02}-{person}"))
        ranked = sorted((score, person, sample) for person, (score, sample) in best.items() if -score >= 0.1)
        wanted += [
            (f"f{at:02}-{DAY}", rank, person, sample, -score)
            for rank, (score, person, sample) in enumerate(ranked[:K], start=1)
        ]
    assert matches_of(context) == wanted

    for row in context.tables.read("identifications").collect():
        near = [match for match in wanted if match[0] == row.face_id]
        similar = near[0][4] if near else None
        assert (row.person_id, row.similarity) == (near[0][2] if near else None, similar)
        assert row.margin == (near[0][4] - near[1][4] if len(near) > 1 else None)
        decision = "unknown" if similar is None or similar < 0.5 else "match" if similar >= 0.941 else "review"
        assert row.decision == decision


@pytest.mark.slow
def test_validity_is_held_against_the_run_date_and_withdrawal_is_not(context: Context) -> None:
    (face,) = unit(1, seed=3)
    put_faces(context, face[None])
    put_faces(context, face[None], NEXT_DAY)
    put_samples(context, np.stack([face, face]), ["until", "since"], valid_to=DAY)
    context.tables.update(
        "gallery",
        context.tables.read("gallery")
        .where("person_id = 'since'")
        .selectExpr(
            *[name for name in GALLERY.names if name not in ("valid_from", "valid_to")],
            f"DATE'{NEXT_DAY}' AS valid_from",
            "CAST(NULL AS date) AS valid_to",
        ),
    )
    identify(context, run_date=DAY)
    identify(context, run_date=NEXT_DAY)
    found = {row.run_date: row.person_id for row in context.tables.read("identifications").collect()}
    assert found == {DAY: "until", NEXT_DAY: "since"}

    # A person who is registered today is found in yesterday's image, and one withdrawn today is not.
    put_samples(context, np.stack([face]), ["added"], sample_id="added")
    context.tables.update(
        "gallery",
        context.tables.read("gallery")
        .where("person_id = 'until'")
        .selectExpr(*[name for name in GALLERY.names if name != "withdrawn_at"], "current_timestamp() AS withdrawn_at"),
    )
    identify(context, run_date=DAY)
    assert [match[2] for match in matches_of(context) if match[0].endswith(str(DAY))] == ["added"]


@pytest.mark.slow
def test_what_was_decided_is_not_decided_again_until_something_changes(context: Context) -> None:
    faces = unit(3, seed=4)
    put_faces(context, faces)
    put_samples(context, faces[:2], ["a", "b"])
    assert identify(context, run_date=DAY)["searched"] == 3
    before = rows_of(context.tables.read("identifications"))
    assert identify(context, run_date=DAY)["searched"] == 0
    assert identify(context, run_date=DAY, k=1)["searched"] == 3  # another question
    put_samples(context, faces[2:], ["c"], sample_id="c")
    assert identify(context, run_date=DAY)["searched"] == 3
    assert rows_of(context.tables.read("identifications")) != before


@pytest.mark.slow
def test_several_galleries_do_not_disturb_each_other(context: Context) -> None:
    faces = unit(2, seed=5)
    put_faces(context, faces)
    put_samples(context, faces[:1], ["a"])
    put_samples(context, faces[1:], ["b"], gallery_name="h", sample_id="b")
    with pytest.raises(InputError, match="several galleries; say --gallery-name g or h"):
        identify(context, run_date=DAY)
    with pytest.raises(InputError, match="'x' has no samples; there are: g, h"):
        identify(context, run_date=DAY, gallery_name="x")
    for name in ("g", "h", "g"):
        identify(context, run_date=DAY, gallery_name=name)
    rows = context.tables.read("identifications").where("decision = 'match'").collect()
    assert {(row.gallery_name, row.person_id) for row in rows} == {("g", "a"), ("h", "b")}
    assert context.tables.read("identifications").count() == 4


@pytest.mark.slow
def test_faces_found_under_other_limits_are_not_counted_twice(context: Context) -> None:
    """Of an image that was searched under several limits, those of the settings count."""
    (face,) = unit(1, seed=6)
    put_samples(context, face[None], ["a"])
    put_faces(context, face[None])
    assert identify(context, run_date=DAY)["searched"] == 1
    put_faces(context, face[None], limits="other")
    with pytest.raises(InputError, match="several limits"):
        identify(context, run_date=DAY)
    put_faces(context, face[None], limits=settings_id(context.settings.spec()))
    counts = identify(context, run_date=DAY)
    assert (counts["searched"], counts["dropped"]) == (1, 1)
    assert context.tables.read("identifications").count() == context.tables.read("matches").count() == 1


@pytest.mark.slow
def test_another_vector_of_the_same_sample_is_another_gallery(context: Context) -> None:
    faces = unit(2, seed=7)
    put_faces(context, faces[:1])
    put_samples(context, faces[1:], ["a"])
    identify(context, run_date=DAY)
    gallery = context.tables.read("gallery")
    columns = [name for name in GALLERY.names if name != "embedding"]
    vector = ", ".join(f"CAST({value!r} AS float)" for value in faces[0].tolist())
    context.tables.update("gallery", gallery.selectExpr(*columns, f"array({vector}) AS embedding"))
    assert identify(context, run_date=DAY)["searched"] == 1


@pytest.mark.slow
def test_faces_under_the_identifiable_size_are_recorded_and_not_searched_for(context: Context) -> None:
    faces = unit(2, seed=8)
    put_samples(context, faces, ["a", "b"])
    put_faces(context, faces, sizes=[39.9, 40.0])
    counts = identify(context, run_date=DAY)
    assert (counts["searched"], counts["match"], counts["too_small"]) == (1, 1, 1)
    rows = context.tables.read("identifications").orderBy("quality.size").collect()
    assert [(row.decision, row.person_id, row.quality.size) for row in rows] == [
        ("too_small", None, 39.9),
        ("match", "b", 40.0),
    ]
    assert [match[2] for match in matches_of(context)] == ["b"]
    assert identify(context, run_date=DAY)["searched"] == 0
    assert identify(context, run_date=DAY, minimum_size=39)["match"] == 2
    assert identify(context, run_date=DAY, minimum_size=60)["too_small"] == 2
    assert matches_of(context) == []
