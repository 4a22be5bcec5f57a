"""Real faces with known names through the real jobs, with the FaceNet weights."""

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F

from evaluation.pairs import best_accuracy, read_pairs
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.options import Context
from tests.support import MakeContext
from udfs.search.similarity import similarity

pytestmark = pytest.mark.slow


@pytest.fixture
def facenet(make_context: MakeContext, facenet_weights: Path) -> Context:
    return make_context("tables", "vision.embedder=facenet-vggface2", f"weights.facenet-vggface2={facenet_weights}")


def test_lfw_pairs(facenet: Context, shared: Path, tmp_path: Path) -> None:
    """LFW's development pairs at the best threshold; of several faces the one nearest the middle counts."""
    pairs = read_pairs(shared / "lfw-dev" / "pairsDevTest.txt")
    assert len(pairs) == 1000
    for image in {image for pair in pairs for image in (pair.left, pair.right)}:
        (tmp_path / "lfw" / image).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lfw" / image).symlink_to(shared / "lfw-dev" / "images" / image)
    ingest(facenet, source=str(tmp_path / "lfw"))
    counts = embed(facenet, all_pending=True)

    middle = F.abs(F.col("box.left") + F.col("box.right") - 250) + F.abs(F.col("box.top") + F.col("box.bottom") - 250)
    faces = (
        facenet.tables.read("faces")
        .join(facenet.tables.read("images"), "image_id")
        .groupBy("uri")
        .agg(F.min_by("embedding", middle).alias("embedding"))
    )
    vectors = {row.uri.rpartition("/lfw/")[2]: np.array(row.embedding, np.float32) for row in faces.collect()}
    found = [pair.left in vectors and pair.right in vectors for pair in pairs]
    # A pair in which no face was found has the lowest score there is: it counts, as a failure if it is mated.
    scores = np.full(len(pairs), -1.0)
    known = [pair for pair, both in zip(pairs, found, strict=True) if both]
    left = np.stack([vectors[pair.left] for pair in known])
    right = np.stack([vectors[pair.right] for pair in known])
    scores[np.array(found)] = similarity(left, right)
    accuracy, threshold = best_accuracy(scores, np.array([pair.mated for pair in pairs]))
    print(
        f"\nlfw: accuracy={accuracy:.4f} threshold={threshold:.4f} pairs={len(pairs)} without_a_face="
        f"{found.count(False)} images={counts['images']} faces={counts['faces_found']}"
    )
    assert accuracy >= 0.985


def test_known_faces_are_named_and_the_stranger_is_not(facenet: Context, shared: Path) -> None:
    photos = shared / "photos"
    enroll(facenet, gallery=str(photos / "gallery"), gallery_name="people")
    ingest(facenet, source=str(photos / "probes"))
    embed(facenet, all_pending=True)
    for row in facenet.tables.read("faces").select("run_date").distinct().collect():
        identify(facenet, run_date=row.run_date)
    rows = (
        facenet.tables.read("identifications")
        .join(facenet.tables.read("images").select("image_id", "uri"), "image_id")
        .selectExpr(
            "substring_index(uri, '/', -1) AS image", "decision", "IF(decision = 'match', person_id, NULL) AS person"
        )
        .collect()
    )
    found: dict[str, list[str | None]] = {}
    for row in rows:
        found.setdefault(row.image, []).append(row.person if row.decision == "match" else row.decision)
    assert {image: sorted(names, key=str) for image, names in found.items()} == {
        "alex_lacamoire1.jpg": ["alex_lacamoire"],
        "johnsnow_test1.jpg": ["kit_harington"],
        "kit_with_rose.jpg": ["kit_harington", "rose_leslie"],
        "obama1.jpg": ["obama"],
        "obama_and_biden.jpg": ["biden", "obama", "unknown"],
    }
