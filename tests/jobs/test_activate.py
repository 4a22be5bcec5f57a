from datetime import UTC, date, datetime

import numpy as np
import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.activate import activate, activate_standing, coverage
from jobs.gallery import Gallery, activated
from jobs.identify import identify
from jobs.options import Context
from jobs.register import Register
from schemas.catalog import CONTRACTS, FACES, GALLERY, IMAGE_OUTCOMES, IMAGES
from tests.support import MakeContext
from udfs.errors import InputError

DAY = date(2026, 1, 31)
NOW = datetime.now(UTC)


def put(context: Context, contract: str, samples: list[str], images: int = 2) -> None:
    """Outcomes and faces of images, and samples of persons, under one contract."""
    vector = np.eye(8)[0].tolist()
    create = context.spark.createDataFrame
    of_image = {"run_date": DAY, "contract_id": contract, "settings_id": "s", "run_id": "r"}
    outcomes = [
        {
            **{**of_image, "image_id": f"i{at}", "outcome": "faces", "detail": "", "content_sha256": "", "width": 9},
            **{"height": 9, "captured_at": NOW, "captured_at_source": "path", "face_count": 1},
            **{"precision": "fp32", "attempts": 1},
        }
        for at in range(images)
    ]
    faces = [
        {
            **{**of_image, "face_id": f"f{at}-{contract}", "image_id": f"i{at}", "ordinal": 0},
            **{"box": (0.0, 0.0, 50.0, 50.0), "landmarks": [(0.0, 0.0)] * 5, "score": 1.0, "quality": (50.0,) * 7},
            "embedding": vector,
        }
        for at in range(images)
    ]
    gallery = [
        {
            **dict.fromkeys(GALLERY.names),
            **{"sample_id": f"s-{person}-{contract}", "gallery_name": "g", "person_id": person, "labels": []},
            **{"uri": "u", "contract_id": contract, "quality": (50.0,) * 7, "embedding": vector, "enrolled_at": NOW},
            "run_id": "r",
        }
        for person in samples
    ]
    given = T.StructType([T.StructField(field.name, field.dataType) for field in GALLERY.schema])
    context.tables.append("contracts", create([(contract, "d", "dlib-resnet-v1", 8, "{}")], CONTRACTS.schema))
    context.tables.append("image_outcomes", create(outcomes, IMAGE_OUTCOMES.schema))
    context.tables.append("faces", create(faces, FACES.schema))
    rows = create(gallery, given).withColumn("embedding_digest", F.xxhash64("embedding"))
    context.tables.append("gallery", rows)


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    made = make_context()
    rows = [
        {**dict.fromkeys(IMAGES.names), "image_id": f"i{at}", "uri": "u", "size": 1, "modified_us": 1}
        | {"regular": True, "run_date": DAY, "run_id": "r"}
        for at in range(2)
    ]
    made.tables.append("images", made.spark.createDataFrame(rows, IMAGES.schema))
    put(made, "old", ["ada", "bob"])
    return made


def contracts_of(context: Context) -> set[str]:
    return {row.contract_id for row in context.tables.read("identifications").collect()}


@pytest.mark.slow
def test_a_choice_and_the_way_back(context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    identify(context, run_date=DAY)
    activate_standing(context, "g")
    assert activated(context) == "old"

    put(context, "new", ["ada", "bob"])
    identify(context, run_date=DAY)
    assert contracts_of(context) == {"old"}, "what is made beside it changes nothing"
    activate(context, contract="n")
    assert Gallery.open(context, None).contract_id == "new"
    identify(context, run_date=DAY)
    assert contracts_of(context) == {"new"}
    activate(context, contract="old")
    identify(context, run_date=DAY)
    assert contracts_of(context) == {"old"}

    activate(context)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["new", "d,"], ["*", "old"]]


def test_gaps_are_refused_and_named(context: Context) -> None:
    put(context, "new", ["ada"], images=1)
    (new, old) = coverage(context)
    assert (new.images, new.of_images, new.persons, new.of_persons) == (1, 2, 1, 2)
    assert not old.gaps
    with pytest.raises(InputError, match=r"1 of 2 images have no outcome; 1 of 2 registered persons have no sample"):
        activate(context, contract="new")
    assert activated(context) is None
    activate(context, contract="new", allow_gaps=True)
    assert activated(context) == "new"


def test_a_choice_must_be_made_and_must_be_clear(context: Context) -> None:
    put(context, "older", ["ada", "bob"])
    with pytest.raises(InputError, match="rollcall activate"):
        Gallery.open(context, None)
    with pytest.raises(InputError, match="2 contracts begin with 'ol'"):
        activate(context, contract="ol")
    with pytest.raises(InputError, match="0 contracts begin with 'x'"):
        activate(context, contract="x")


def test_a_second_contract_comes_into_a_gallery_only_when_that_is_meant(context: Context) -> None:
    with pytest.raises(InputError, match="--beside"):
        Register.open(context.tables, "g", "new")
    assert Register.open(context.tables, "g", "new", beside=True).active == 0
