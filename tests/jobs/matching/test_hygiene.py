"""Samples that may show somebody else, persons who may be one, and samples that are set aside."""

import numpy as np
import pytest

from jobs.gallery import gallery
from jobs.identify import identify
from jobs.matching.hygiene import MAY_BE_ONE, NEARER_TO_ANOTHER, UNLIKE_OWN, doubts
from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from schemas.names import Names
from tests.rows import DAY, normalised, put_contract, put_faces, put_samples
from tests.support import MakeContext, forget_names
from udfs.errors import InputError

Array = np.ndarray
THRESHOLDS = ("thresholds.dlib-resnet-v1.match=0.9", "thresholds.dlib-resnet-v1.review=0.8")
LOW = "thresholds.dlib-resnet-v1.keep_floor=-1"


def near(direction: int, count: int, seed: int, noise: float = 0.15) -> Array:
    """Vectors around one of the eight axes."""
    generator = np.random.default_rng(seed)
    return normalised(np.eye(8)[[direction] * count] + noise * generator.normal(size=(count, 8)))


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    """ann has five photos of herself and one of ben; cleo is registered twice, as cleo and as kleo."""
    made = make_context("tables", LOW, *THRESHOLDS)
    put_contract(made)
    ann, ben, cleo = near(0, 5, 1), near(1, 3, 2), near(2, 4, 3, noise=0.05)
    vectors = np.concatenate([ann, near(1, 1, 4), ben, cleo])
    put_samples(made, vectors, [*["ann"] * 6, *["ben"] * 3, *["cleo"] * 2, *["kleo"] * 2])
    return made


def test_what_somebody_should_look_at(context: Context) -> None:
    found = doubts(context, GallerySnapshot.open(context, None))
    by_kind = {kind: [each for each in found if each.doubt == kind] for kind in {each.doubt for each in found}}
    assert [each.sample_id for each in by_kind[UNLIKE_OWN]] == ["s05-ann"]
    strangers = [each for each in by_kind[NEARER_TO_ANOTHER] if each.person_id == "ann"]
    assert [(each.sample_id, each.other_person_id) for each in strangers] == [("s05-ann", "ben")]
    pairs = [{each.person_id, each.other_person_id} for each in by_kind[MAY_BE_ONE]]
    assert {"cleo", "kleo"} in pairs
    assert len(pairs) == len({frozenset(map(str, pair)) for pair in pairs}), "each two persons once"


def test_a_tidy_gallery_raises_no_doubt(make_context: MakeContext, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_context("tables", LOW, *THRESHOLDS)
    put_contract(made)
    put_samples(made, np.concatenate([near(0, 6, 1, 0.05), near(1, 1, 2)]), [*["ann"] * 6, "ben"])
    assert gallery(made, check=True) == {"doubts": 0}


def samples(context: Context) -> tuple[int, int]:
    """Of ann: those that are searched, and those that gallery_now counts."""
    searched = GallerySnapshot.open(context, None).samples.where("person_id = 'ann'").count()
    query = "SELECT samples FROM gallery_now WHERE person_id = 'ann'"
    Names(context.spark, context.tables).register(query)
    ((counted,),) = context.spark.sql(query).collect()
    forget_names(context.spark)
    return searched, counted


@pytest.mark.slow
def test_what_is_set_aside_is_not_searched_until_it_is_restored(context: Context) -> None:
    assert samples(context) == (6, 6)
    assert gallery(context, aside=("s05-ann",), reason="shows ben", decided_by="eve")["set_aside"] == 1
    assert samples(context) == (5, 5)
    gallery(context, restored=("s05-ann",), decided_by="eve")
    assert samples(context) == (6, 6)
    assert context.tables.read("set_asides").count() == 2


@pytest.mark.slow
def test_identify_follows_what_is_set_aside(context: Context) -> None:
    put_faces(context, near(1, 1, 4))  # the photo of ben that is registered as ann's
    for person, change in (
        ("ann", {"aside": ("s05-ann",), "reason": "shows ben"}),
        ("ben", {"restored": ("s05-ann",)}),
    ):
        identify(context, run_date=DAY)
        assert [row.person_id for row in context.tables.read("identifications").collect()] == [person]
        gallery(context, decided_by="eve", **change)
    identify(context, run_date=DAY)
    assert [row.person_id for row in context.tables.read("identifications").collect()] == ["ann"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "say what to do: --check, or --set-aside SAMPLE and --restore SAMPLE"),
        ({"check": True, "aside": ("s00-ann",)}, "say what to do"),
        ({"aside": ("s00-ann",), "reason": "r"}, "say who decides: --by NAME"),
        ({"aside": ("s00-ann",), "decided_by": "eve"}, "say why the sample is set aside: --reason TEXT"),
        ({"aside": ("x",), "reason": "r", "decided_by": "eve"}, "sample 'x' is in force in no gallery"),
        ({"restored": ("s00-ann",), "decided_by": "eve"}, "sample s00-ann of ann is not set aside"),
        ({"aside": ("a",), "restored": ("a",), "reason": "r", "decided_by": "e"}, "both to be set aside and to be"),
    ],
)
def test_what_cannot_be_done_is_said(context: Context, asked: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        gallery(context, **asked)
    assert not context.tables.exists("set_asides")


def test_a_sample_is_set_aside_once(context: Context) -> None:
    given = {"aside": ("s00-ann",), "reason": "blurred", "decided_by": "eve"}
    gallery(context, **given)
    with pytest.raises(InputError, match="sample s00-ann of ann is set aside already"):
        gallery(context, **given)
