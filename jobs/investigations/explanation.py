"""The page that explains a decision on a face."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import numpy as np
from pyspark.sql import functions as F

from evaluation.saliency import Faithfulness, faithfulness, occlusion, perturbation
from jobs.faces import pictures
from jobs.faces.contracts import verified_contract
from jobs.faces.lookup import faces_in
from jobs.faces.pictures import FaceInLake, Pictures
from jobs.investigations.explained import Explained, explained
from jobs.investigations.steps import steps
from jobs.run.context import Context
from jobs.run.ledger import utc
from pages import explanation, plots
from pages.explanation import Explanation, ImportanceMap, Portrait, Step, overlaid, png_uri
from pages.report import jpeg_uri
from udfs import lake
from udfs.errors import InputError
from udfs.records import SIDES, edges
from udfs.search.similarity import similarity
from udfs.vision import weights
from udfs.vision.contract import Contract
from udfs.vision.covering import CELLS, CoveredFace
from udfs.vision.decode import Picture, decode
from udfs.vision.detect import Detection
from udfs.vision.embed import embedder_of
from udfs.vision.models import embedder
from udfs.vision.rejection import RejectedError
from udfs.vision.speed import settled
from udfs.vision.thumbnails import SHOWN

Array = np.ndarray

_QUALITIES = {
    "size": "face, shorter side in pixels",
    "sharpness": "sharpness",
    "brightness": "brightness, 0 to 255",
    "yaw": "turned to the side (0: not at all)",
    "pitch": "turned up or down (0: not at all)",
    "roll": "tilted, degrees",
}
SAMPLES = 24
"""Samples of the person that are shown: the most similar."""
_SAME = 0.99
"""The least similarity of a face to itself, embedded once more: less means that image or models have changed."""


def explain_face(context: Context, face_id: str, gallery_name: str | None, *, maps: bool) -> str:
    """The page on the decision on a face. maps: whether parts of it are covered to see what the network looks at.

    Raises:
        InputError: as of `explained`; other models than the settings', or an image that cannot be read any more.
    """
    found = explained(context, face_id, gallery_name)
    agreed = verified_contract(context.settings.spec())
    if agreed.contract_id != found.face.contract_id:
        raise InputError(
            f"face {face_id} is of contract {found.face.contract_id[:12]}, the settings are {agreed.contract_id[:12]};"
            " explain it with the settings that it was embedded with"
        )
    spec = settled(context.settings.spec())
    made = embedder_of(embedder(spec.embedder, spec.models), spec, lambda name: weights.source_of(spec, name))
    mine = _face_of_lake(context, found)
    theirs = _face_of_sample(context, found, agreed)
    vectors = made.embed([made.crop(seen.picture.image, seen.face) for seen in (mine, theirs)])
    again = float(similarity(vectors[:1], np.array([found.face.embedding], np.float32))[0])
    if again < _SAME:
        raise InputError(
            f"face {face_id}, embedded once more, is only {again:.3f} similar to itself: its image has changed"
        )
    of_maps = _maps(CoveredFace.of(made, mine.picture.image, mine.face, vectors[1])) if maps else []
    walked, note = steps(spec, *(made.crop(seen.picture.image, seen.face) for seen in (mine, theirs)))
    return explanation.html(_page(context, found, theirs, of_maps, walked, note))


@dataclass(frozen=True)
class _Seen:
    """A decoded picture, and the face in it, in pixels of `picture.image`."""

    picture: Picture
    face: Detection

    @classmethod
    def of(cls, content: bytes, face: dict[str, Any], where: str) -> "_Seen":
        """face: box and landmarks in pixels of the upright original."""
        try:
            picture = decode(content, SHOWN)
        except RejectedError as error:
            raise InputError(f"{where}: cannot be read any more: {error.reason}") from error
        box = np.array(edges(face["box"]))
        landmarks = np.array([[point["x"], point["y"]] for point in face["landmarks"]])
        share = picture.image.width / picture.width
        return cls(picture, Detection(box, landmarks, 1.0).scaled(share, share))


def _face_of_lake(context: Context, found: Explained) -> _Seen:
    images = context.tables.read("images").where(F.col("image_id") == found.face.image_id)
    content = pictures.content_of(context, images)
    return _Seen.of(content, found.face.asDict(recursive=True), found.decided.uri)


def _face_of_sample(context: Context, found: Explained, agreed: Contract) -> _Seen:
    """The face of the registered photo: of those in it, the one that was registered."""
    uri = found.carrying.row["uri"]
    (seen,) = faces_in(context, [uri], agreed).to_pylist()
    if seen["outcome"] != "faces":
        raise InputError(f"{uri}: the registered photo cannot be looked at any more: {seen['outcome']}")
    vectors = np.array([face["embedding"] for face in seen["faces"]], np.float32)
    registered = np.array(found.carrying.row["embedding"], np.float32)
    near = similarity(vectors, np.broadcast_to(registered, vectors.shape))
    content = pictures.content_of(context, pictures.of_file(context, uri))
    return _Seen.of(content, seen["faces"][int(near.argmax())], uri)


def _maps(covered: CoveredFace) -> list[ImportanceMap]:
    drawn = (
        (
            "Occlusion",
            "A small square is moved over the face; where it is, the picture is out of focus.",
            occlusion(covered, CELLS),
        ),
        (
            "Perturbation",
            "Many random halves of the face are put out of focus; bright is what was seen when they were alike.",
            perturbation(covered, CELLS),
        ),
    )
    picture = covered.picture.astype(np.uint8)
    found = []
    for title, how, importance in drawn:
        measured = faithfulness(importance, covered)
        curves = (
            ("covered, the brightest first", measured.deletion),
            ("uncovered, the brightest first", measured.insertion),
        )
        found.append(
            ImportanceMap(
                title,
                how,
                png_uri(overlaid(picture, importance), 224),
                _verdict(measured),
                measured.explains,
                [plots.against_chance(name, of.share, of.score, of.random, "share of the face") for name, of in curves],
            )
        )
    return found


def _verdict(of: Faithfulness) -> str:
    areas = f"{of.deletion.area:.3f} against {of.deletion.random_area:.3f} in random order"
    if of.explains:
        return f"The similarity falls sooner than by chance ({areas}): the map shows what it comes from."
    return f"The similarity falls no sooner than by chance ({areas}): this map explains nothing. Do not rely on it."


def _page(
    context: Context,
    found: Explained,
    sample: _Seen,
    maps: Sequence[ImportanceMap],
    walked: Sequence[Step],
    note: str,
) -> Explanation:
    decided, carrying = found.decided, found.carrying
    name = decided.name or decided.person_id
    cut = _portraits(context, found)
    taken = "not known" if decided.captured_at is None else f"{utc(decided.captured_at):%Y-%m-%d %H:%M}"
    photo = sample.picture.captured_at
    return Explanation(
        title=f"Why {decided.decision.replace('_', ' ')}: {name}",
        decision=decided.decision,
        word=decided.decision.replace("_", " "),
        lead=f"Face {decided.face_id} in {unquote(decided.uri)}, compared with gallery {decided.gallery_name}.",
        face=_portrait("this face", decided.face_id, cut, None, [f"taken {taken}", decided.source or ""]),
        carrying=_portrait(
            name,
            f"sample {carrying.row['sample_id']}",
            cut,
            carrying.similarity,
            ["the photo that decided"],
        ),
        bar=(decided.score, decided.threshold, decided.review_threshold),
        without=_without(found),
        samples=[
            _portrait(
                lake.file_name(sample.row["uri"]),
                f"sample {sample.row['sample_id']}",
                cut,
                sample.similarity,
                [f"registered {utc(sample.row['enrolled_at']):%Y-%m-%d}"],
                strong=at == 0,
            )
            for at, sample in enumerate(found.samples[:SAMPLES])
        ],
        others=[
            _portrait(row.name or row.person_id, f"sample {row.sample_id}", cut, row.similarity) for row in found.others
        ],
        stranger=None
        if found.stranger is None
        else _portrait("somebody else", found.stranger.face_id, cut, None, [lake.file_name(found.stranger.uri)]),
        stranger_words=_stranger_words(found),
        qualities=[
            (said, f"{decided.quality[key]:.2f}", f"{carrying.row['quality'][key]:.2f}")
            for key, said in _QUALITIES.items()
        ]
        + [("taken", taken, "not known" if photo is None else f"{photo:%Y-%m-%d %H:%M}")],
        maps=maps,
        steps=walked,
        steps_note=note,
        facts=[
            ("face", decided.face_id),
            ("sample", carrying.row["sample_id"]),
            ("contract", decided.contract_id),
            ("threshold", decided.threshold_id),
            ("decided by run", decided.run_id),
            ("tables", context.tables.place),
            ("written", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ],
    )


def _without(found: Explained) -> str:
    decision, person, score = found.without_carrying()
    word = decision.replace("_", " ")
    if person is None:
        return "Nobody would be near this face: the decision would be unknown. It rests on this one photo."
    same = person == found.decided.person_id
    who = "the same person, by another photo" if same else person
    told = f"The nearest would be {who}, with score {score:.4f}, and the decision would be {word}."
    if decision == found.decided.decision and same:
        return f"{told} It does not rest on this photo alone."
    return f"{told} It rests on this one photo: look at it well."


def _stranger_words(found: Explained) -> str:
    if found.stranger is None:
        return "No other face of the lake was taken for anybody but this person."
    near, mine = found.stranger.similarity, found.carrying.similarity
    compared = "less" if near < mine else "no less"
    return (
        f"Of all faces ever seen that were not taken for this person, this one is most like their photos: {near:.4f}."
        f" That is {compared} than the face that is explained ({mine:.4f})."
    )


def _portraits(context: Context, found: Explained) -> Pictures:
    decided = found.decided
    faces = [FaceInLake(decided.face_id, decided.image_id, decided.run_date, decided.box.asDict())]
    if found.stranger is not None:
        box = dict(zip(SIDES, found.stranger.box, strict=True))
        faces.append(FaceInLake(found.stranger.face_id, found.stranger.image_id, found.stranger.run_date, box))
    photos = {f"sample {of.row['sample_id']}": (of.row["uri"], of.row["box"]) for of in found.samples[:SAMPLES]}
    for row in found.others:
        if row.uri is not None:
            photos[f"sample {row.sample_id}"] = (row.uri, None if row.box is None else row.box.asDict())
    return pictures.of_lake(context, faces) | pictures.of_photos(context, photos)


def _portrait(
    who: str, key: str, cut: Pictures, score: float | None, lines: Sequence[str] = (), *, strong: bool = False
) -> Portrait:
    picture = jpeg_uri(cut.jpeg[key]) if key in cut.jpeg else None
    return Portrait(who, picture, cut.why.get(key, "no picture"), score, [line for line in lines if line], strong)
