"""Trains an embedder: the network itself, on the crops it sees, made like those of the lake it is for."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from evaluation.improvement import Improvement
from jobs.faces.contracts import verified_contract
from jobs.faces.lookup import MeantFaces
from jobs.learning import begun
from jobs.learning.compared import Seen, compare, rates, refuse_too_few_to_measure
from jobs.learning.crops import CropFiles, with_faces
from jobs.learning.divided import Divided, MeasuredAt, divide, with_a_face
from jobs.learning.finished import finish_on_persons
from jobs.learning.measured import Course, MeasuredOnPersons
from jobs.learning.processes import train_in
from jobs.learning.trained import Place, Trained, with_model
from jobs.run import ledger
from jobs.run.context import Context
from training.plans import SIAMESE, EmbedderPlan, Imitation
from udfs import private
from udfs.errors import InputError
from udfs.vision import onnx_trial, weights
from udfs.vision.contract import settings_id
from udfs.vision.embed import Embedder, embedder_of
from udfs.vision.models import NETWORKS, embedder
from udfs.vision.own import OnnxDeclaration
from udfs.vision.own_file import digest
from udfs.vision.spec import VisionSpec
from udfs.vision.speed import settled

Array = np.ndarray

CHOOSING = 0.12
"""The share of the persons to learn from by whom is decided when to stop."""
_WORSE_SEED = 7
_EMBEDDED = 256


@dataclass(frozen=True)
class How:
    """processes: that train together. keep_crops: whether the crops, pictures of faces, stay on disk afterwards."""

    processes: int
    keep_crops: bool


def train_embedder(
    context: Context, images: str, place: Place, plan: EmbedderPlan, at: MeasuredAt, how: How
) -> Improvement:
    """Learn from the first half of the persons, measure on the second, and write the network down.

    Raises:
        InputError: malformed or too few data, a name that is taken, or a network that cannot be trained.
    """
    from training.fitting import refuse_too_few
    from training.networks import seen_by

    spec = context.settings.spec()
    sees = seen_by(plan.network)
    embedder(spec.embedder, spec.models)
    if plan.network == SIAMESE and (spec.embedder not in NETWORKS or NETWORKS[spec.embedder].crop != sees.crop):
        raise InputError(
            f"{SIAMESE} sees the crops of mobilefacenet, with which it is compared: --set vision.embedder=mobilefacenet"
        )
    place.refuse_taken()
    divided = divide(context, images, plan.seed, CHOOSING)
    refuse_too_few(divided.learnt.labels, plan)
    refuse_too_few_to_measure(len(divided.held_out.persons), at.gallery_size)
    agreed = verified_contract(spec)
    work = place.folder.absolute() / f".{place.name}.training"
    with ledger.run(context) as run:
        run.digests.update(settings=settings_id(spec))
        private.make_folder(work, private=context.settings.files.private)
        files = CropFiles(work / "crops").cut(context, divided.all_uris, agreed, at.meant)
        found = files.by_uri()
        divided = with_a_face(context, divided, found["uri"].to_pylist(), found["outcome"].to_pylist())
        refuse_too_few(divided.learnt.labels, plan)
        refuse_too_few_to_measure(len(divided.held_out.persons), at.gallery_size)
        made = _made(spec, spec.embedder)
        _prepare(context, work, files, divided, plan, made)
        train_in(context, work, how.processes)

        trained = _declared(place, plan, spec, work, with_faces(found), sees.shift, sees.scale)
        child = _made(with_model(context, trained).spec(), place.name)
        held_out = _crops_of(files, divided.held_out.uris, work / "held_out.npy")
        before, after = (_seen(each, held_out, plan.imitation, plan.seed) for each in (made, child))
        others = rates(divided.held_out, [("before", before.good), ("after", after.good)])
        if plan.imitation.anything:
            others |= rates(divided.held_out, [("before_worse", before), ("after_worse", after)])
        measured = MeasuredOnPersons(
            trained=trained,
            parent=agreed,
            data=images,
            seed=plan.seed,
            found=compare(divided.held_out, before, after, at.gallery_size, at.fpir, plan.seed),
            rates=others,
            course=_course(work),
            divided=divided,
            before=before,
            after=after,
        )
        finish_on_persons(context, place, measured, MeantFaces(_table_of(divided), after.enrolled), run)
        if not how.keep_crops:
            shutil.rmtree(work)
    return measured.found


def _prepare(
    context: Context, work: Path, files: CropFiles, divided: Divided, plan: EmbedderPlan, made: Embedder
) -> None:
    """Fill the folder that is trained in, unless an earlier run of the same training was killed in it: then it goes on
    from there."""
    from training.folder import TrainingFolder
    from training.networks import untrained

    folder = TrainingFolder(work)
    of = {
        "plan": asdict(plan),
        "crops": files.identity,
        "learnt": [divided.learnt.uris, divided.learnt.labels.tolist()],
        "chosen": [divided.chosen.uris, divided.chosen.labels.tolist()],
    }
    if begun.goes_on(context, work, of):
        return
    for name, photos in (("learnt", divided.learnt), ("chosen", divided.chosen)):
        if photos.photos:
            _crops_of(files, photos.uris, work / f"{name}.npy")
            folder.write_array(f"{name}_labels", photos.labels)
    if plan.network == SIAMESE:
        import torch

        torch.manual_seed(plan.seed)
        folder.write("start.pt", untrained(SIAMESE).state_dict())
    else:
        folder.write("start.pt", weights.load(plan.network, weights.named_in(context.settings.spec(), plan.network)))
        folder.write_array("parent", _embedded(made, folder.array("learnt")))
    folder.write_plan(plan)
    begun.filled(work, of)
    context.log.info(
        f"{context.job}: {len(divided.learnt.photos):,} photos of {len(divided.learnt.persons):,} persons to learn"
        f" from, {len(divided.chosen.persons):,} decide when to stop, {len(divided.held_out.persons):,} are held out"
    )


def _declared(
    place: Place, plan: EmbedderPlan, spec: VisionSpec, work: Path, images: pa.Table, shift: float, scale: float
) -> Trained:
    """The trained network as an ONNX file, tried and declared as any other."""
    from training.beside import finished
    from training.exported import onnx
    from training.folder import TrainingFolder
    from training.networks import seen_by

    crop = seen_by(plan.network).crop
    content = onnx(finished(TrainingFolder(work)), crop.side)
    file = place.write(content, ".onnx")
    known = NETWORKS.get(plan.network)
    own = OnnxDeclaration(
        name=place.name,
        file=str(file),
        sha256=digest(content),
        crop=crop.rule,
        side=crop.side,
        margins=crop.margins if crop.rule == "margin" else (),
        colour="rgb",
        shift=shift,
        scale=scale,
        layout="nchw",
        dimension=0,
        answer=(),
        licence="one's own" if known is None else f"that of {known.name}: {known.licence}",
        trained_on="photos of one's own" if known is None else f"{known.trained_on}; then photos of one's own",
    )
    own = onnx_trial.tried(content, own, str(file))
    return Trained(
        kind="embedder",
        declared=own,
        parent=spec.embedder,
        loss=plan.loss,
        plan=asdict(plan),
        images=images,
    )


def _made(spec: VisionSpec, name: str) -> Embedder:
    """An embedder of a specification, in the most precise numbers: what is measured is the network."""
    exact = settled(replace(spec, embedder=name, precision="fp32"))
    return embedder_of(embedder(name, exact.models), exact, lambda of: weights.source_of(exact, of))


def _crops_of(files: CropFiles, uris: list[str], target: Path) -> Array:
    files.write(uris, target)
    return np.load(target, mmap_mode="r", allow_pickle=False)


def _seen(made: Embedder, crops: Array, imitation: Imitation, seed: int) -> Seen:
    as_they_are = _embedded(made, crops)
    if not imitation.anything:
        return Seen(as_they_are, as_they_are)
    return Seen(as_they_are, np.concatenate([_embedded(made, part) for part in _worse(crops, imitation, seed)]))


def _worse(crops: Array, imitation: Imitation, seed: int) -> Iterator[Array]:
    from training.imitation import all_worse

    for start in range(0, len(crops), _EMBEDDED):
        yield all_worse(crops[start : start + _EMBEDDED], imitation, seed, _WORSE_SEED, first=start)


def _embedded(made: Embedder, crops: Array) -> Array:
    """Unit vectors of crops."""
    parts = [
        made.embed([(np.asarray(crop),) for crop in crops[start : start + _EMBEDDED]])
        for start in range(0, len(crops), _EMBEDDED)
    ]
    return np.concatenate(parts)


def _table_of(divided: Divided) -> pa.Table:
    uris = divided.held_out.uris
    return pa.table({"uri": uris, "outcome": ["faces"] * len(uris)})


def _course(work: Path) -> Course:
    held = json.loads((work / "course.json").read_text("utf-8"))
    return Course(held["losses"], [(step, told) for step, told in held["chosen"]])
