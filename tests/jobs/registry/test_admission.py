import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.registry.admission import Verdict, judge
from udfs.search.similarity import similarity

REVIEW = 0.5


def plainly(vectors, persons, known, known_persons) -> list[tuple[bool, str | None]]:
    """The rule word for word: own best counts as -1 for a first sample."""
    gallery = list(zip(known, known_persons, strict=True))
    verdicts = []
    for vector, person in zip(vectors, persons, strict=True):
        near = [(float(similarity(vector[None], other[None])[0]), who) for other, who in gallery]
        own = max((score for score, who in near if who == person), default=-1.0)
        others = sorted((-score, who) for score, who in near if who != person and score >= REVIEW)
        review = bool(others) and -others[0][0] > own
        verdicts.append((not review, others[0][1] if others else None))
        if not review:
            gallery.append((vector, person))
    return verdicts


@st.composite
def batches(draw: st.DrawFn):
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, earlier, dimension = draw(st.integers(1, 12)), draw(st.integers(0, 8)), draw(st.sampled_from([2, 3, 8]))
    vectors = random.normal(size=(count + earlier, dimension))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    persons = [f"p{n}" for n in random.integers(0, 4, count + earlier)]
    return vectors[earlier:], persons[earlier:], vectors[:earlier], persons[:earlier]


@settings(max_examples=200)
@given(batches())
def test_judging_is_its_rule(batch) -> None:
    found = judge(*batch, REVIEW)
    assert [(verdict.accepted, verdict.other_person_id) for verdict in found] == plainly(*batch)


def test_the_first_sample_of_a_person_may_resemble_no_one() -> None:
    one = np.array([[1, 0]], np.float32)
    (verdict,) = judge(one, ["new"], one, ["old"], REVIEW)
    assert verdict == Verdict(accepted=False, own=None, other_person_id="old", other=1.0)


def test_one_who_resembles_themselves_more_is_accepted() -> None:
    known = np.array([[1, 0], [0.8, 0.6]], np.float32)
    (verdict,) = judge(np.array([[1, 0]], np.float32), ["a"], known, ["a", "b"], REVIEW)
    assert verdict.accepted
    assert verdict.other_person_id == "b"
