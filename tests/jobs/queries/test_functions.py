"""Functions that need settings, models or a packed gallery, in statements as analysts write them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.queries import notebook
from jobs.queries.functions import DESCRIBED, names_of
from jobs.queries.permission import refuse_writes
from jobs.run.context import Context
from tests.rows import put
from tests.support import DAYS, EMBEDDER, MakeContext, copied, forget_names, root_of
from udfs.errors import InputError


@pytest.fixture(scope="module")
def asked(made: MakeContext, undisturbed: Context) -> Context:
    return copied(made, undisturbed, "functions")


@pytest.fixture(autouse=True)
def _forgotten(asked: Context) -> object:
    yield
    forget_names(asked.spark)


def rows(context: Context, statement: str) -> list[tuple[object, ...]]:
    refuse_writes(context.spark, statement)
    names_of(context).register(statement)
    return [tuple(row) for row in context.spark.sql(statement).collect()]


def test_same_person_follows_the_threshold_for_pairs_in_force(made: MakeContext, asked: Context) -> None:
    context = copied(made, asked, "same_person")
    pairs = "FROM faces a JOIN faces b ON a.face_id < b.face_id"
    counted = f"SELECT count_if(same_person(a.embedding, b.embedding)), count(*) {pairs}"
    ((same, total),) = rows(context, counted)
    match = context.settings.pair_threshold("dlib-resnet-v1").match
    ((above,),) = rows(context, f"SELECT count_if(face_similarity(a.embedding, b.embedding) >= {match}D) {pairs}")
    assert 0 < same == above < total
    contract = context.tables.read("contracts").first()
    assert contract is not None
    calibrated = {"threshold_id": "t", "protocol": "pairs", "contract_id": contract.contract_id, "threshold": 0.999999}
    put(context, "thresholds", {**calibrated, "intercept": 0.0, "slope": 1.0})
    ((stricter, _),) = rows(context, counted)
    assert stricter < same


def test_embed_face_gives_what_embed_wrote(asked: Context, lake: Path) -> None:
    folder = f"binaryFile.`{lake / DAYS[0]}`"
    found = rows(
        asked,
        f"SELECT substring_index(path, '/', -1) AS file, embed_face(content) AS embedding FROM {folder} ORDER BY file",
    )
    there = {str(file): embedding for file, embedding in found}
    assert there["rocket.jpg"] is there["cut_off.jpg"] is there["notes.jpg"] is None
    faces = asked.tables.read("faces").join(asked.tables.read("images"), "image_id")
    for row in faces.where("uri LIKE '%speech.jpg' OR uri LIKE '%astronaut.png'").collect():
        assert there[row.uri.rpartition("/")[2]] == row.embedding


def test_face_crop_cuts_the_face(asked: Context, lake: Path, tmp_path: Path) -> None:
    statement = (
        "SELECT face_crop(i.content, f.box), face_crop(NULL, f.box), face_crop(CAST('x' AS BINARY), f.box)"
        f" FROM binaryFile.`{lake / DAYS[0]}` i JOIN images m ON m.uri LIKE '%/speech.jpg'"
        " JOIN faces f ON f.image_id = m.image_id WHERE i.path LIKE '%/speech.jpg'"
    )
    ((jpeg, nothing, no_image),) = rows(asked, statement)
    assert nothing is no_image is None
    path = tmp_path / "face.jpg"
    path.write_bytes(jpeg)  # type: ignore[arg-type]
    pixels = np.asarray(Image.open(path))
    assert pixels.shape == (160, 160, 3)
    assert pixels.std() > 20


def test_nearest_persons_are_those_of_identify(asked: Context) -> None:
    found = rows(
        asked,
        "SELECT face_id, person_id, sample_id, similarity, rank"
        " FROM nearest_persons(TABLE(SELECT face_id, embedding FROM faces), 2) ORDER BY face_id, rank",
    )
    kept = asked.tables.read("matches").where("rank <= 2").orderBy("face_id", "rank")
    assert found == [
        tuple(row) for row in kept.select("face_id", "person_id", "sample_id", "similarity", "rank").collect()
    ]


def test_nearest_persons_leaves_nobody_out(asked: Context) -> None:
    """However unlike they are: a face asked with the opposite of an embedding is near nobody."""
    statement = (
        "SELECT face_id, count(*), min(similarity) FROM nearest_persons(TABLE("
        "SELECT face_id, transform(embedding, x -> CAST(-x AS FLOAT)) AS embedding FROM faces), 9) GROUP BY face_id"
    )
    persons = asked.tables.read("gallery").select("person_id").distinct().count()
    found = rows(asked, statement)
    assert {count for _, count, _ in found} == {persons}
    assert all(least < 0 for *_, least in found)  # type: ignore[operator]


def test_the_gallery_that_is_named_last_is_searched(asked: Context) -> None:
    names, statement = names_of(asked), "SELECT * FROM nearest_persons(TABLE(SELECT face_id, embedding FROM faces), 1)"
    names.register(statement)
    asked.spark.conf.set("spark.rollcall.gallery", "nosuch")
    try:
        with pytest.raises(InputError, match="no gallery 'nosuch'"):
            names.register(statement)
    finally:
        asked.spark.conf.unset("spark.rollcall.gallery")


def test_one_line_in_a_notebook(asked: Context) -> None:
    found = notebook.register(asked.spark, str(root_of(asked)), changes=(f"vision.embedder={EMBEDDER}",))
    assert {"faces", "sightings", "face_similarity", *DESCRIBED} <= set(found)
    assert asked.spark.sql("SELECT same_person(array(1F), array(1F))").collect()[0][0]


def test_what_is_missing_is_said_where_it_is_asked_for(make_context: MakeContext, asked: Context) -> None:
    statement = "SELECT * FROM nearest_persons(TABLE(SELECT face_id, embedding FROM faces), 2)"
    with pytest.raises(InputError, match="run `rollcall enroll` first"):
        rows(make_context("young"), statement)
