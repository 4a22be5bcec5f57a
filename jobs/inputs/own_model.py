"""A network that a user hands in as an ONNX file: inspected, tried, and declared."""

from collections import defaultdict
from collections.abc import Iterator
from logging import Logger
from pathlib import Path

from jobs.inputs import person_folders
from udfs import lake
from udfs.errors import InputError
from udfs.vision import onnx_inspection, onnx_trial, own_file, separation, weights
from udfs.vision.detect import detector_class
from udfs.vision.models import detector
from udfs.vision.own import NOT_STATED, OnnxDeclaration
from udfs.vision.preprocessing import Preprocessing
from udfs.vision.spec import VisionSpec

_PERSONS, _PHOTOS = 40, 3
"""That are looked at: with more, nothing more is found out (`udfs/vision/separation.py`)."""


def declare(
    file: str, name: str, sees: Preprocessing, licence: str, trained_on: str, images: str | None, log: Logger
) -> OnnxDeclaration:
    """The declaration of a network, once nothing was found wrong with it; what is doubtful is said in the log.

    file: path or URI. images: a folder PERSON/photo.jpg, on which it must tell persons apart.

    Raises:
        InputError: it is no usable embedder, or not one that sees what is said here.
    """
    content = onnx_inspection.read_new(file)
    side = sees.crop.side
    own = OnnxDeclaration(
        name=name,
        file=file if "://" in file else str(Path(file).absolute()),
        sha256=own_file.digest(content),
        crop=sees.crop.rule,
        side=side,
        margins=sees.crop.margins if sees.crop.rule == "margin" else (),
        colour=sees.colour,
        shift=sees.shift,
        scale=sees.scale,
        layout=onnx_inspection.layout_of(content, file, side),
        dimension=0,
        answer=(),
        licence=licence,
        trained_on=trained_on,
    )
    own = onnx_trial.tried(content, own, file)
    if images is None:
        log.warning(
            "models: not checked: whether it tells persons apart, and whether colours and range of pixels are right;"
            " give photos, in a folder with one subfolder a person: --images FOLDER"
        )
    else:
        _check_photos(content, own, images, file, log)
    if NOT_STATED in (licence, trained_on):
        log.warning("models: licence or training data are not stated; say them: --licence, --trained-on")
    return own


def _check_photos(content: bytes, own: OnnxDeclaration, images: str, file: str, log: Logger) -> None:
    spec = VisionSpec()
    finds = detector_class(detector(spec.detector))(spec, weights.source(spec.detector))
    photos = _few(images, log)
    faces = separation.known_faces(_that_can_be_read(photos), finds, spec)
    if len(faces) < len(photos):
        log.warning(f"models: {len(photos) - len(faces)} of {len(photos)} photos show no face, or cannot be read")
    found, doubts = separation.check(content, own, faces, file)
    for doubt in doubts:
        log.warning(f"models: {doubt}")
    log.info(
        f"models: {len(faces)} photos of {len({face.person for face in faces})} persons: mean similarity"
        f" {found.mated:.3f} of one person, {found.non_mated:.3f} of two"
    )


def _that_can_be_read(photos: list[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
    for person, uri in photos:
        try:
            content = lake.read_anything(uri)
        except InputError:  # how many cannot be read is said
            continue
        yield person, content


def _few(images: str, log: Logger) -> list[tuple[str, str]]:
    """Persons with their photos' URIs, first those persons who have several photos.

    Raises:
        InputError: not a folder with one folder a person.
    """
    of_person: dict[str, list[str]] = defaultdict(list)
    found = person_folders.read(lake.uri_of(images))
    for problem in found.problems:
        log.warning(f"models: {problem}")
    for person, photo in sorted(found.photos):
        of_person[person].append(photo)
    if not of_person:
        raise InputError(f"{images}: lists no photos; give a folder with one subfolder a person: PERSON/photo.jpg")
    chosen = sorted(of_person, key=lambda person: len(of_person[person]) < 2)[:_PERSONS]
    return [(person, uri) for person in chosen for uri in of_person[person][:_PHOTOS]]
