"""The page that explains a decision on a face, or a finding of an investigation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from evaluation.saliency import Faithfulness, faithfulness, occlusion, perturbation
from jobs.faces import pictures
from jobs.faces.contracts import verified_contract
from jobs.faces.lookup import faces_in
from jobs.faces.pictures import FaceInLake, Pictures
from jobs.investigations import explanation_words as words
from jobs.investigations.explained import Explained, SampleScore, explained, other_contract
from jobs.investigations.explained_finding import explained_finding
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
from udfs.vision.embed import Embedder, embedder_of
from udfs.vision.models import embedder
from udfs.vision.rejection import RejectedError
from udfs.vision.speed import settled
from udfs.vision.thumbnails import SHOWN
from udfs.vision.upright import as_it_stood

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
        raise other_contract(face_id, found.face.contract_id, agreed)
    return _taken_apart(context, found, agreed, maps)


def explain_finding(
    context: Context, investigation: str, face_id: str, asked: str | None, gallery_name: str | None, *, maps: bool
) -> str:
    """The page on a finding. The arguments are those of `explained_finding`.

    Raises:
        InputError: as of `explained_finding`; an image that cannot be read any more.
    """
    agreed = verified_contract(context.settings.spec())
    found = explained_finding(context, investigation, face_id, asked, gallery_name, agreed)
    return _taken_apart(context, found, agreed, maps)


def _taken_apart(context: Context, found: Explained, agreed: Contract, maps: bool) -> str:
    spec = settled(context.settings.spec())
    made = embedder_of(embedder(spec.embedder, spec.models), spec, lambda name: weights.source_of(spec, name))
    mine = _face_of_lake(context, found)
    theirs = _compared_with(context, found, agreed)
    mine, again = _as_embedded(made, mine, found.face.embedding)
    theirs, _ = _as_embedded(made, theirs, found.carrying.row["embedding"])
    vectors = made.embed([made.crop(seen.picture.image, seen.face) for seen in (mine, theirs)])
    if again < _SAME:
        raise InputError(
            f"face {found.face.face_id}, embedded once more, is only {again:.3f} similar to itself: its image has"
            " changed"
        )
    of_maps = _maps(CoveredFace.of(made, mine.picture.image, mine.face, vectors[1])) if maps else []
    crops = [made.crop(seen.picture.image, seen.face) for seen in (mine, theirs)]
    walked, note = steps(spec, crops[0], crops[1], words.other(found))
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


def _as_embedded(made: Embedder, seen: _Seen, embedding: list[float]) -> tuple[_Seen, float]:
    """A face as it was embedded, lying in its picture or turned upright; and how similar it is to what was kept."""

    def compared(each: _Seen) -> float:
        vector = made.embed([made.crop(each.picture.image, each.face)])
        return float(similarity(vector, np.array([embedding], np.float32))[0])

    again = compared(seen)
    if again >= _SAME:
        return seen, again
    turned = as_it_stood(seen.picture.image, seen.face)
    upright = _Seen(replace(seen.picture, image=turned.image), turned.upright)
    stood = compared(upright)
    return (upright, stood) if stood > again else (seen, again)


def _face_of_lake(context: Context, found: Explained) -> _Seen:
    images = context.tables.read("images").where(F.col("image_id") == found.face.image_id)
    content = pictures.content_of(context, images)
    return _Seen.of(content, found.face.asDict(recursive=True), found.decided.uri)


def _compared_with(context: Context, found: Explained, agreed: Contract) -> _Seen:
    """The face it is compared with: of those in a registered photo, the one that was registered."""
    uri, face = found.carrying.row["uri"], found.carrying.face
    if face is not None:
        content = pictures.content_of(context, _image_of(context, found.carrying))
        return _Seen.of(content, face, uri)
    (seen,) = faces_in(context, [uri], agreed).to_pylist()
    if seen["outcome"] != "faces":
        raise InputError(f"{uri}: the registered photo cannot be looked at any more: {seen['outcome']}")
    vectors = np.array([face["embedding"] for face in seen["faces"]], np.float32)
    registered = np.array(found.carrying.row["embedding"], np.float32)
    near = similarity(vectors, np.broadcast_to(registered, vectors.shape))
    content = pictures.content_of(context, pictures.of_file(context, uri))
    return _Seen.of(content, seen["faces"][int(near.argmax())], uri)


def _image_of(context: Context, asked: SampleScore) -> DataFrame:
    """That of a face that was asked with: of the lake, or a photo."""
    if asked.image_id:
        return context.tables.read("images").where(F.col("image_id") == asked.image_id)
    return pictures.of_file(context, asked.row["uri"])


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
    cut = _portraits(context, found)
    taken = "not known" if decided.captured_at is None else f"{utc(decided.captured_at):%Y-%m-%d %H:%M}"
    photo = sample.picture.captured_at
    return Explanation(
        title=words.title(found),
        decision=decided.decision,
        word=words.decision(found),
        lead=words.lead(found),
        face=_portrait("this face", decided.face_id, cut, None, [f"taken {taken}", decided.source or ""]),
        carrying=_portrait(
            decided.name or decided.person_id, words.key(carrying), cut, carrying.similarity, [words.carrying(found)]
        ),
        bar=(decided.score, decided.threshold, decided.review_threshold),
        notes=words.notes(found),
        other=words.other(found),
        without=words.without(found),
        samples=[
            _portrait(
                lake.file_name(each.row["uri"]),
                words.key(each),
                cut,
                each.similarity,
                words.of_sample(each),
                strong=each is carrying,
            )
            for each in _shown(found)
        ]
        if found.of_person
        else [],
        others=[
            _portrait(row.name or row.person_id, f"sample {row.sample_id}", cut, row.similarity) for row in found.others
        ],
        others_title="Who else it might be" if found.of_person else "What else it was found for",
        nobody_else=words.nobody_else(found),
        stranger=None
        if found.stranger is None
        else _portrait("somebody else", found.stranger.face_id, cut, None, [lake.file_name(found.stranger.uri)]),
        stranger_words=words.stranger(found),
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
            ("sample" if found.of_person else "asked with", carrying.row["sample_id"]),
            ("contract", decided.contract_id),
            ("threshold", decided.threshold_id),
            ("decided by run" if found.found is None else "found by run", decided.run_id),
            ("tables", context.tables.place),
            ("written", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ],
    )


def _shown(found: Explained) -> list[SampleScore]:
    """Samples that are shown: the most similar, and the one that decided."""
    first = found.samples[:SAMPLES]
    return first if any(each is found.carrying for each in first) else [*first[:-1], found.carrying]


def _portraits(context: Context, found: Explained) -> Pictures:
    decided = found.decided
    faces = [FaceInLake(decided.face_id, decided.image_id, decided.run_date, decided.box.asDict())]
    if found.stranger is not None:
        box = dict(zip(SIDES, found.stranger.box, strict=True))
        faces.append(FaceInLake(found.stranger.face_id, found.stranger.image_id, found.stranger.run_date, box))
    photos = {}
    for sample in _shown(found):
        if sample.image_id and sample.face is not None:
            faces.append(FaceInLake(words.key(sample), sample.image_id, sample.face["run_date"], sample.row["box"]))
        else:
            photos[words.key(sample)] = (sample.row["uri"], sample.row["box"])
    for row in found.others:
        if row.uri is not None:
            photos[f"sample {row.sample_id}"] = (row.uri, None if row.box is None else row.box.asDict())
    return pictures.of_lake(context, faces) | pictures.of_photos(context, photos)


def _portrait(
    who: str, key: str, cut: Pictures, score: float | None, lines: Sequence[str] = (), *, strong: bool = False
) -> Portrait:
    picture = jpeg_uri(cut.jpeg[key]) if key in cut.jpeg else None
    return Portrait(who, picture, cut.why.get(key, "no picture"), score, [line for line in lines if line], strong)
