"""Trains an adapter: a small map on the vectors of an embedder that is in use, learnt in seconds."""

from dataclasses import asdict, replace

import numpy as np
import pyarrow.compute as pc

from evaluation.identification import Trials
from evaluation.improvement import Improvement, floor
from jobs.faces.contracts import verified_contract
from jobs.faces.lookup import MeantFaces
from jobs.learning.compared import Seen, compare, first_of_each, rates
from jobs.learning.divided import MeasuredAt, Photos, divide, with_a_face
from jobs.learning.finished import finish_on_persons
from jobs.learning.measured import Course, MeasuredOnPersons
from jobs.learning.trained import Place, Trained
from jobs.run import ledger
from jobs.run.context import Context
from training.plans import AdapterPlan
from udfs.errors import InputError
from udfs.vision.adapter import Adapter
from udfs.vision.contract import settings_id
from udfs.vision.declaration import AdaptedModel
from udfs.vision.models import embedder
from udfs.vision.own import AdaptedDeclaration
from udfs.vision.own_file import digest

Array = np.ndarray

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The least first: of two that are as good, less is changed."""
_FOLDS = 3
_LEAST = 20
"""Persons in a fold, at least: with fewer the best share cannot be measured."""
_DRAWN = 0.8
"""Of the persons in a fold, in the gallery that is searched; all of them could not be drawn in more than one way."""


def train_adapter(context: Context, images: str, place: Place, plan: AdapterPlan, at: MeasuredAt) -> Improvement:
    """Learn an adapter from the first half of the persons, measure it on the second, and write it down.

    Raises:
        InputError: malformed or too few data, a name that is taken, or an embedder that has an adapter already.
    """
    spec = context.settings.spec()
    parent = embedder(spec.embedder, spec.models)
    if isinstance(parent, AdaptedModel):
        raise InputError(
            f"{parent.name} has an adapter already; train one for the embedder behind it: --set"
            f" vision.embedder={parent.of.name}"
        )
    place.refuse_taken()
    divided = divide(context, images, plan.seed)
    agreed = verified_contract(spec)
    with ledger.run(context) as run:
        run.digests.update(settings=settings_id(spec))
        faces = MeantFaces.of(context, divided.all_uris, agreed, at.meant)
        divided = with_a_face(context, divided, *_outcomes(faces))
        vectors = faces.vectors[faces.places(divided.learnt.uris)]
        context.log.info(
            f"{context.job}: {len(vectors):,} photos of {len(divided.learnt.persons):,} persons to learn from,"
            f" {len(divided.held_out.photos):,} of {len(divided.held_out.persons):,} others to measure on"
        )
        adapter, strength, course = learnt_adapter(divided.learnt, vectors, plan, at.fpir)
        context.log.info(f"{context.job}: {_in_words(strength)}")
        moved = _moved(faces, adapter)
        before, after = (_seen(of, divided.held_out) for of in (faces, moved))
        content = adapter.content()
        file = place.write(content, ".adapter.npz")
        declared = AdaptedDeclaration(place.name, spec.embedder, str(file), digest(content))
        trained = Trained(
            kind="adapter",
            declared=declared,
            parent=spec.embedder,
            loss=plan.loss,
            plan={**asdict(plan), "strength": 1.0 if strength is None else strength},
            images=faces.table.filter(pc.equal(faces.table["outcome"], "faces")),
        )
        measured = MeasuredOnPersons(
            trained=trained,
            parent=agreed,
            data=images,
            seed=plan.seed,
            found=compare(divided.held_out, before, after, at.gallery_size, at.fpir, plan.seed),
            rates=rates(divided.held_out, [("before", before), ("after", after)]),
            course=Course(course),
            divided=divided,
            before=before,
            after=after,
        )
        finish_on_persons(context, place, measured, moved, run)
    return measured.found


def learnt_adapter(
    photos: Photos, vectors: Array, plan: AdapterPlan, fpir: float
) -> tuple[Adapter, float | None, list[float]]:
    """An adapter learnt from the vectors of photos, which moves vectors a share of the way; that share; and the loss of
    each step.

    The share is the one at which fewest are missed of persons who are left out in turn, a third at a time, while an
    adapter is learnt from the others. So where the embedder needs no adapter, that is found out, and vectors hardly
    move. With few persons it cannot be measured, so there is none, and what was learnt is taken as it is.
    """
    from training.adapter import fitted

    fold = np.random.default_rng(plan.seed).permutation(len(photos.persons))[photos.labels] % _FOLDS
    missed = np.zeros(len(STRENGTHS))
    for number in range(_FOLDS):
        out = fold == number
        left = photos.which(out)
        if len(left.persons) < _LEAST or np.bincount(left.labels).max() < 2:
            adapter, course = fitted(vectors, photos.labels, plan)
            return adapter, None, course
        adapter, _ = fitted(vectors[~out], photos.which(~out).labels, plan)
        missed += [_missed(adapter.scaled(strength)(vectors[out]), left, fpir) for strength in STRENGTHS]
    strength = STRENGTHS[int(np.argmin(missed))]
    adapter, course = fitted(vectors, photos.labels, plan)
    return adapter.scaled(strength), strength, course


def _in_words(strength: float | None) -> str:
    if strength is None:
        return "too few persons to leave some out in turn and find the best share: what was learnt is used as a whole"
    return f"vectors move {strength:.0%} of the way: so fewest of the persons who were left out in turn are missed"


def _missed(vectors: Array, photos: Photos, fpir: float) -> float:
    """At the rate that is asked for, and at three times it: one rate of few persons alone is much by chance."""
    trials = Trials.between(vectors, photos.labels, first_of_each(photos), floor(vectors, photos.labels))
    size = int(_DRAWN * len(photos.persons))
    rates = (fpir, min(3 * fpir, 0.5))
    return float(np.mean([trials.fnir(size, trials.threshold_at(size, rate)) for rate in rates]))


def _outcomes(faces: MeantFaces) -> tuple[list[str], list[str]]:
    return faces.table["uri"].to_pylist(), faces.table["outcome"].to_pylist()


def _moved(faces: MeantFaces, adapter: Adapter) -> MeantFaces:
    vectors = np.zeros_like(faces.vectors)
    vectors[faces.there] = adapter(faces.vectors[faces.there])
    return replace(faces, vectors=vectors)


def _seen(faces: MeantFaces, photos: Photos) -> Seen:
    vectors = faces.vectors[faces.places(photos.uris)]
    return Seen(vectors, vectors)
