"""Nights, removals, erasures, registrations and decisions in any order, with runs in between: as one run over what is
there."""

import numpy as np
import pytest
from pyspark.sql import functions as F

from jobs.cluster import cluster
from jobs.erase import erase
from jobs.matching import seen
from jobs.people import neighbours
from jobs.run.context import Context
from tests.jobs.people.test_grouping import RATES, clusters, group, partition, photographed
from tests.rows import DAY, put, put_contract, put_faces
from tests.support import MakeContext

COPIED = ("faces", "identifications", "cluster_decisions")
KINDS = ["night", "removed", "erased", "registered", "merged", "split", "run"]
MATCHED = {"decision": "match", "person_id": "p", "sample_id": "s", "similarity": 0.9, "score": 0.9}


def opened(make_context: MakeContext, name: str) -> Context:
    context = make_context(name, "cluster.minimum_sharpness=0")
    put_contract(context)
    put(context, "thresholds", {"threshold_id": "t", "run_id": "r", "stranger_rates": RATES})
    return context


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_any_order(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(seen, "FACES_A_PART", 9)
    monkeypatch.setattr(neighbours, "K", 4)
    random = np.random.default_rng(seed)
    context = opened(make_context, "story")
    first = 0
    for step in range(8):
        what = "night" if step < 2 else "erased" if step == 4 else random.choice(KINDS)
        there = [row.face_id for row in context.tables.read("faces").select("face_id").collect()] if step else []
        known = sorted(clusters(context).items(), key=lambda item: -len(item[0])) if step > 1 else []
        if what == "night":
            put_faces(context, photographed(100 * seed + step, faces=14), DAY, first=first)
            images = [f"i{at}" for at in range(first, first + 14)]
            put(context, "images", *({"image_id": image, "uri": f"file:///lake/{image}.jpg"} for image in images))
            first += 14
        elif what == "removed":
            context.tables.delete_where("faces", F.col("face_id").isin(random.choice(sorted(there), 5).tolist()))
        elif what == "erased":
            faces = context.tables.read("faces").where(F.col("face_id") == random.choice(sorted(there)))
            (image,) = [row.image_id for row in faces.collect()]
            (proof,) = erase(context, image=f"file:///lake/{image}.jpg", yes=True)
            assert proof.places == 0
        elif what == "registered":
            some = random.choice(sorted(there), 4, replace=False).tolist()
            put(context, "identifications", *({"face_id": face, "image_id": "i", **MATCHED} for face in some))
        elif what == "merged" and len(known) > 3:
            cluster(context, merged=(known[0][1], known[2][1]), decided_by="ann")
        elif what == "split" and known and len(known[0][0]) > 2:
            faces, cluster_id = known[0]
            cluster(context, split=cluster_id, faces=(min(faces),), decided_by="ann")
        if (step and random.random() < 0.7) or step == 1:
            group(context)
    group(context)

    fresh = opened(make_context, "fresh")
    for table in COPIED:
        if context.tables.exists(table):
            fresh.tables.append(table, context.tables.read(table))
    group(fresh)
    assert partition(context) == partition(fresh)
    before = clusters(context)
    group(context)
    assert clusters(context) == before
    told = context.tables.read("cluster_changes").groupBy("cluster_id").agg(
        F.max_by("faces_after", F.struct("changed_at", "change_id")).alias("faces")
    )  # fmt: skip
    lineage = {row.cluster_id: row.faces for row in told.collect()}
    assert {name: len(faces) for faces, name in before.items()} == {k: v for k, v in lineage.items() if v}
