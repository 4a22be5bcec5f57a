"""Both plans of a search give what the definition says: in blocks of two faces, and parts of three samples."""

import pytest

from jobs.matching import nearest, packing
from jobs.run.context import Context
from tests.rows import frame, put_samples, sample_rows, unit
from tests.support import MakeContext
from udfs.search.definition import nearest_persons

K, FLOOR = 3, 0.1


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    return make_context()


def test_both_plans_give_what_the_definition_says(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "FACES_A_BLOCK", 2)
    monkeypatch.setattr(nearest, "FACES_WORTH_A_TASK", 2)
    monkeypatch.setattr(packing, "SAMPLES_A_PART", 3)
    vectors, samples = unit(7, seed=1), unit(20, seed=2)
    samples[5:8] = samples[0]  # ties, between persons and within one
    persons = [f"p{at % 6}" for at in range(20)]
    rows = sample_rows(samples, persons)
    put_samples(context, samples, persons)  # packed galleries lie beside the table
    gallery = frame(context.spark, "gallery", rows)
    packed, _ = packing.pack(context, gallery, packing.digest_of_packed(gallery))
    assert len(packed.parts) > 1
    left_out = [(0, "s05-p5"), (3, "s00-p0")]
    of_face = {query: [name for number, name in left_out if number == query] for query in range(7)}
    faces = context.spark.createDataFrame(
        [(f"f{at}", vector.tolist(), of_face[at] or None) for at, vector in enumerate(vectors)],
        "face_id string, embedding array<float>, left_out array<string>",
    )
    names = [str(row["sample_id"]) for row in rows]
    wanted = [
        (f"f{query}", person, sample, similarity)
        for query, person, sample, similarity in nearest_persons(
            vectors, samples, persons, names, K, FLOOR, left_out
        ).rows()
    ]
    for plan in ("gallery", "parts"):
        found = nearest.nearest(faces, len(vectors), packed, 8, K, FLOOR, plan)  # type: ignore[arg-type]
        ordered = found.orderBy("face_id", "rank").select("face_id", "person_id", "sample_id", "similarity", "rank")
        ranks = [tuple(row) for row in ordered.collect()]
        assert [row[:4] for row in ranks] == wanted, plan
        assert [row[4] for row in ranks if row[0] == "f0"] == list(range(1, 1 + sum(row[0] == "f0" for row in wanted)))


def test_the_plan_is_chosen_by_the_size_of_the_gallery() -> None:
    from udfs.search.packed import Packed, Part

    packed = Packed("file:///g", "p", (Part("p/1", "a", 10, 1000, 0.0, 1.0, {}),))
    assert nearest.execution_plan_for(packed, 1000) == "gallery"
    assert nearest.execution_plan_for(packed, 999) == "parts"
