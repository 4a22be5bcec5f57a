"""Who is near new samples, found by packed galleries on executors: the verdicts are those of the rule."""

import numpy as np
import pytest
from pyspark.sql import functions as F

from jobs.matching import packing
from jobs.matching.resemblance import resemblances
from jobs.registry.admission import judge
from jobs.registry.verdicts import verdicts
from tests.rows import frame, sample_rows, unit
from tests.support import MakeContext, root_of

REVIEW = 0.75


@pytest.mark.parametrize("largest_whole", [1 << 30, 0])
def test_many_samples_are_judged_as_the_rule_says(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, largest_whole: int
) -> None:
    """With the gallery whole, and in parts; half of the new samples are of persons who are registered."""
    monkeypatch.setattr(packing, "SAMPLES_A_PART", 50)
    context = make_context("tables", f"identify.largest_whole={largest_whole}")
    vectors, random = unit(230, seed=1), np.random.default_rng(2)
    vectors[random.integers(0, 230, 20)] = vectors[random.integers(0, 230, 20)]  # some are the same
    persons = [f"p{number:02}" for number in random.integers(0, 60, 230)]
    new = slice(150, 230)
    known = frame(context.spark, "gallery", sample_rows(vectors[:150], persons[:150]))
    rows = [{**row, "at": at} for at, row in enumerate(sample_rows(vectors[new], persons[new]))]
    numbers = context.spark.createDataFrame([(row["sample_id"], row["at"]) for row in rows], "sample_id string, at int")
    asked = frame(context.spark, "gallery", sample_rows(vectors[new], persons[new])).join(
        F.broadcast(numbers), "sample_id"
    )

    near = resemblances(context, known, asked, persons[new], 8, REVIEW)

    found = verdicts(persons[new], near)
    assert found == judge(vectors[new], persons[new], vectors[:150], persons[:150], REVIEW)
    assert {verdict.accepted for verdict in found} == {True, False}
    assert not any((root_of(context) / "seen_photos" / "_packed").iterdir())


def test_the_first_samples_of_a_gallery_are_compared_with_each_other(make_context: MakeContext) -> None:
    context = make_context()
    vectors = unit(40, seed=3)
    persons = [f"p{at // 2:02}" for at in range(40)]
    samples = frame(context.spark, "gallery", sample_rows(vectors, persons))
    asked = samples.withColumn("at", F.substring("sample_id", 2, 2).cast("int"))
    near = resemblances(context, samples.limit(0), asked, persons, 8, REVIEW)
    assert verdicts(persons, near) == judge(vectors, persons, vectors[:0], [], REVIEW)
