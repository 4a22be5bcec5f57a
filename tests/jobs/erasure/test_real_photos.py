"""Real photos, through all jobs: a person and an image are erased, and then the jobs run again."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F

from jobs.cluster import cluster
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.erase import erase
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.report import report
from jobs.review import review
from jobs.run.context import Context
from jobs.search import search
from jobs.verify import verify
from tests.jobs.erasure.scanner import found_below
from tests.support import DAYS, MakeContext, copied, root_of, rows_of
from udfs import lake as files

DAY = date.fromisoformat(DAYS[0])
PERSON = "joe_biden"


@pytest.fixture(scope="module")
def everything(made: MakeContext, undisturbed: Context, lake: Path) -> Context:
    """A night, and what people have asked and said since. Nobody changes it."""
    context = copied(made, undisturbed, "everything")
    night = lake / DAYS[0]
    search(context, person=PERSON, investigation="where else", k=5)
    search(context, photo=str(night / "speech.jpg"), investigation="who is it", k=5)
    verify(context, images=(str(night / "speech.jpg"), str(night / "astronaut.png")))
    face = context.tables.read("identifications").where(f"decision = 'match' AND person_id = '{PERSON}'").first()
    assert face is not None
    review(context, face_id=face.face_id, person_id=PERSON, decision="confirm", reviewed_by="ann")
    cluster(context, false_link_rate=1e-3)
    report(context, run_date=DAY, output=root_of(context) / "night.html")
    return context


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_is_left_and_nothing_comes_back(
    made: MakeContext, everything: Context, lake: Path, demo_photos: tuple[Path, Path]
) -> None:
    context = copied(made, everything, "erased_everywhere")
    samples = context.tables.read("gallery").where(F.col("person_id") == PERSON).collect()
    uri = files.uri_of(str(lake / DAYS[0] / "speech.jpg"))
    (image,) = context.tables.read("images").where(F.col("uri") == uri).collect()
    faces = context.tables.read("faces").where(F.col("image_id") == image.image_id).collect()
    texts = [PERSON, *[row.sample_id for row in samples], *[row.uri for row in samples]]
    texts += [uri, str(lake / DAYS[0] / "speech.jpg"), image.image_id, *[row.face_id for row in faces]]
    vectors = np.array([row.embedding for row in (*samples, *faces)], np.float32)
    before = found_below(root_of(context), texts, vectors)
    assert all(any(each.startswith(text) for each in before) for text in texts)
    assert any("codes, among those that are searched" in each for each in before)
    untouched = {
        name: rows_of(context.tables.read(name).where(F.col("image_id") != image.image_id))
        for name in ("images", "image_outcomes", "faces")
    }

    for asked in ({"person": PERSON}, {"image": uri}):
        (proof,) = erase(context, yes=True, **asked)
        assert proof.places == 0
    assert found_below(root_of(context), texts, vectors) == []
    assert {name: rows_of(context.tables.read(name)) for name in untouched} == untouched
    assert context.tables.read("investigations").isEmpty()

    ingest(context, source=f"{lake}/{{run_date}}/", run_date=DAY)
    embed(context, run_date=DAY)
    counts = enroll(context, gallery=str(demo_photos[1]), gallery_name="people")
    assert counts["erased"] == 1
    identify(context, run_date=DAY)
    cluster(context, false_link_rate=1e-3)
    assert found_below(root_of(context), texts, vectors) == []
    assert {row.places for row in erase(context, verify=True)} == {0}
    decided = context.tables.read("identifications").where("decision = 'match'").select("person_id").distinct()
    assert {row.person_id for row in decided.collect()} == {"barack_obama", "grace_hopper"}

    again = enroll(context, gallery=str(demo_photos[1]), gallery_name="people", allowed=(PERSON,))
    assert again["accepted"] == len(samples)
