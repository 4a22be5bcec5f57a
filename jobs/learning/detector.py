"""Trains a detector: CenterFace's network, on photos in which every face is marked by a box."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from evaluation.detection import DetectionChange, detection_change
from jobs.faces.contracts import verify
from jobs.faces.lookup import images_of, locate
from jobs.inputs.marked_faces import read_marked_photos
from jobs.learning import begun
from jobs.learning.detected import Detected, detected
from jobs.learning.detector_page import detector_page
from jobs.learning.finished import finish
from jobs.learning.measured import Course, LearntPhoto, Measured
from jobs.learning.photos_divided import DividedPhotos, divide_photos
from jobs.learning.trained import Place, Trained, with_model
from jobs.run import ledger
from jobs.run.context import Context
from training.plans import DetectorPlan
from udfs import private
from udfs.errors import InputError
from udfs.vision import own_detector_file, weights
from udfs.vision.centerface import CenterFace
from udfs.vision.contract import contract, settings_id
from udfs.vision.declaration import DetectorKind, DetectorModel, OwnDetector
from udfs.vision.detect import Detector, detector_class
from udfs.vision.marked import MarkedPhoto, checked, documents
from udfs.vision.models import TRAINABLE, detector
from udfs.vision.own import DetectorDeclaration
from udfs.vision.own_file import digest
from udfs.vision.spec import VisionSpec


@dataclass(frozen=True, kw_only=True)
class MeasuredOnPhotos(Measured):
    """A detector, on photos that it was not trained on."""

    found: DetectionChange
    divided: DividedPhotos

    @property
    def learnt(self) -> list[LearntPhoto]:
        return [LearntPhoto(photo.uri) for photo in self.divided.learnt]

    @property
    def persons(self) -> None:
        return None

    @property
    def held_out_persons(self) -> None:
        return None

    @property
    def said(self) -> str:
        found, trained = self.found, self.trained
        return (
            f"in {found.photos:,} other photos with {found.faces:,} faces of {found.minimum:g} pixels or more,"
            f" {trained.name} misses {found.after:.4f}, {trained.parent} {found.before:.4f}; difference"
            f" {found.difference.low:+.4f} to {found.difference.high:+.4f} (95%); boxes that are no face:"
            f" {found.false_after:.3f} a photo, {found.false_before:.3f}; difference"
            f" {found.false_difference.low:+.3f} to {found.false_difference.high:+.3f}"
        )

    @property
    def helps(self) -> str:
        return "more photos like those of the lake help most"


def train_detector(context: Context, images: str, boxes: str, place: Place, plan: DetectorPlan) -> DetectionChange:
    """Learn from half of the photos, measure on the other half, and write the weights down.

    Raises:
        InputError: malformed or too few data, a name that is taken, or a detector that cannot be trained.
    """
    spec = context.settings.spec()
    parent = detector(spec.detector, spec.models)
    network = _trainable(parent)
    place.refuse_taken()
    verify(spec, parent)
    plan = replace(plan, scale=CenterFace.scale_for(spec.minimum_face))
    photos = read_marked_photos(context, boxes, images)
    located = _located(context, photos, boxes, images)
    divided = divide_photos(photos, plan.seed)
    for photo in photos:
        checked(photo)
    _refuse_small(divided, spec.minimum_face, plan)
    work = place.folder.absolute() / f".{place.name}.training"
    with ledger.run(context) as run:
        run.digests.update(settings=settings_id(spec))
        private.make_folder(work, private=context.settings.files.private)
        course = _learnt(context, work, divided, located, plan, spec)
        trained = _declared(place, plan, spec, network, work, located)
        of_child = with_model(context, trained).spec()
        seen = detected(_made(spec, spec.detector), _made(of_child, place.name), divided.held_out, _exact(spec))
        found = detection_change(seen.before, seen.after, spec.minimum_face, plan.seed)
        measured = MeasuredOnPhotos(
            trained=trained,
            parent=contract(spec),
            data=boxes,
            seed=plan.seed,
            found=found,
            rates=_rates(found, seen, spec),
            course=course,
            divided=divided,
        )
        finish(context, place, measured, detector_page(measured, found, len(divided.learnt)), run)
        shutil.rmtree(work)
    return found


def _trainable(parent: DetectorKind) -> DetectorModel:
    """The packaged detector whose network it is."""
    packaged = parent.of if isinstance(parent, OwnDetector) else parent
    if not packaged.trainable:
        raise InputError(f"{parent.name} cannot be trained; use one of: --set vision.detector={', '.join(TRAINABLE)}")
    return packaged


def _located(context: Context, photos: Sequence[MarkedPhoto], boxes: str, images: str) -> pa.Table:
    """Photos with their ids.

    Raises:
        InputError: one is not there.
    """
    located = images_of(locate(context, {photo.uri for photo in photos}))
    there = set(located.filter(pc.greater(located["size"], 0))["uri"].to_pylist())
    missing = [photo.name for photo in photos if photo.uri not in there]
    if missing:
        raise InputError(
            f"{images}: {len(missing):,} of the {len(photos):,} images that {boxes} names are not there, or are empty,"
            f" such as {missing[0]}; correct --images, or the names"
        )
    return located


def _refuse_small(divided: DividedPhotos, minimum: float, plan: DetectorPlan) -> None:
    """Stop before anything is learnt, where nothing could be found out."""
    parts = (
        ("measure on", divided.held_out, minimum),
        ("learn from", divided.learnt, plan.smallest / plan.scale),
        ("decide when to stop by", divided.chosen, plan.smallest / plan.scale),
    )
    for part, photos, least in parts:
        if not any(((photo.boxes[:, 2:] - photo.boxes[:, :2]).min(1) >= least).any() for photo in photos):
            raise InputError(
                f"no face of {least:g} pixels or more is marked in the {len(photos)} photos to {part}; add photos with"
                " larger faces, or lower vision.minimum_face"
            )


def _learnt(
    context: Context, work: Path, divided: DividedPhotos, located: pa.Table, plan: DetectorPlan, spec: VisionSpec
) -> Course:
    """Train in a folder, from the beginning or where an earlier run was killed."""
    from training.detecting import fit_detector
    from training.folder import TrainingFolder

    folder = TrainingFolder(work)
    learnt, chosen = documents(divided.learnt), documents(divided.chosen)
    parent = detector(spec.detector, spec.models).digest
    ids = sorted(located["image_id"].to_pylist())
    of = {"plan": asdict(plan), "learnt": learnt, "chosen": chosen, "images": ids, "parent": parent}
    if not begun.goes_on(context, work, of):
        folder.write_plan(plan)
        folder.write_document("learnt", learnt)
        folder.write_document("chosen", chosen)
        folder.write("start.pt", weights.source_of(spec, spec.detector).read())
        begun.filled(work, of)
    context.log.info(
        f"{context.job}: {len(learnt):,} photos to learn from, {len(chosen):,} decide when to stop,"
        f" {len(divided.held_out):,} are held out"
    )
    fit_detector(folder, lambda said: context.log.info(f"{context.job}: {said}"))
    held = json.loads((work / "course.json").read_text("utf-8"))
    return Course(held["losses"], [(step, -judged) for step, judged in held["chosen"]])


def _declared(
    place: Place, plan: DetectorPlan, spec: VisionSpec, network: DetectorModel, work: Path, located: pa.Table
) -> Trained:
    from training.folder import TrainingFolder

    content = own_detector_file.content(TrainingFolder(work).read("trained.pt"))
    file = place.write(content, ".centerface.npz")
    return Trained(
        kind="detector",
        declared=DetectorDeclaration(place.name, network.name, str(file), digest(content)),
        parent=spec.detector,
        loss="focal",
        plan=asdict(plan),
        images=located,
    )


def _made(spec: VisionSpec, name: str) -> Detector:
    """A detector of a specification, in the most precise numbers: what is measured is the network."""
    exact = replace(_exact(spec), detector=name)
    return detector_class(detector(name, exact.models))(exact, weights.source_of(exact, name))


def _exact(spec: VisionSpec) -> VisionSpec:
    return replace(spec, precision="fp32", detector_precision=None)


def _score(spec: VisionSpec) -> float:
    """The lowest score of a face."""
    packaged = detector_class(detector(spec.detector, spec.models)).score
    return packaged if spec.detection_score is None else spec.detection_score


def _rates(found: DetectionChange, seen: Detected, spec: VisionSpec) -> dict[str, float]:
    landmarks = {} if seen.landmarks is None else {"landmarks_apart": seen.landmarks}
    return {
        "held_out_photos": float(found.photos),
        "held_out_faces": float(found.faces),
        "smallest_face": float(found.minimum),
        "score": _score(spec),
        "recall_before": 1 - found.before,
        "recall_after": 1 - found.after,
        "false_before": found.false_before,
        "false_after": found.false_after,
        "false_difference_low": found.false_difference.low,
        "false_difference_high": found.false_difference.high,
        **landmarks,
    }
