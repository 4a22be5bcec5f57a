"""The faces that a search asks with: of photos, of the lake, or of a registered person."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from pyspark.sql import functions as F

from jobs.faces.contracts import verified_contract
from jobs.faces.lookup import faces_in
from jobs.inputs import person_ids
from jobs.investigations.numbered import number_faces
from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from udfs import lake
from udfs.errors import InputError
from udfs.matching import vectors_of

Array = np.ndarray

_NAMED = 12
"""Faces that a message describes at most."""


@dataclass(frozen=True)
class AskedFace:
    """One face that is asked with. name: of the question it belongs to; faces of one person are one question.

    uri, box: the picture it is in, and where, in pixels of the upright picture. face_id: where it is a face of the
    lake, which is not looked for; else empty.
    """

    name: str
    uri: str
    box: dict[str, float] | None = None
    face_id: str = ""


@dataclass(frozen=True)
class AskedFaces:
    """vectors: float32 (faces, d), unit length, of the contract. pictures: of those asked with, the digest of each."""

    contract_id: str
    faces: tuple[AskedFace, ...]
    vectors: Array
    pictures: dict[str, str]

    @property
    def left_out(self) -> list[tuple[int, str]]:
        """Faces of the lake are not found to be like themselves."""
        return [(at, face.face_id) for at, face in enumerate(self.faces) if face.face_id]


def _several(name: str, faces: Sequence[dict[str, Any]]) -> InputError:
    """That a photo shows several faces, and nobody has said which is meant."""
    said = ", ".join(_described(number, face) for number, face in enumerate(faces[:_NAMED], 1))
    more = f" and {len(faces) - _NAMED} more" if len(faces) > _NAMED else ""
    return InputError(
        f"{name} shows {len(faces)} faces; say which is meant with --number, or --number 0 for all of them:"
        f" {said}{more}; --numbered FILE.jpg draws them"
    )


def _described(number: int, face: dict[str, Any]) -> str:
    box = face["box"]
    return f"{number} ({box['right'] - box['left']:.0f} px wide, at {box['left']:.0f}, {box['top']:.0f})"


def of_photos(context: Context, place: str, number: int | None, numbered: Path | None) -> AskedFaces:
    """The faces of a photo, or of all photos below a folder.

    number: of the face that is meant, from 1, from top to bottom as in `faces`; 0 for all. Of a folder all are meant.
    numbered: where to draw the numbers of the faces of a photo.

    Raises:
        InputError: nothing can be asked with, or it must be said which face is meant.
    """
    uri = lake.uri_of(place)
    photos = sorted(file.uri for file in lake.list_below(uri))
    if not photos:
        raise InputError(f"{place}: there are no photos in this folder")
    agreed = verified_contract(context.settings.spec())
    seen = faces_in(context, photos, agreed).to_pylist()
    alone = photos == [uri]
    if numbered is not None:
        if not alone:
            raise InputError("--numbered is for one photo, and not for a folder")
        number_faces(context, seen[0], numbered)
    without = Counter(row["outcome"] for row in seen if row["outcome"] != "faces")
    if alone:
        chosen = {uri: _chosen(seen[0], number)}
    else:
        if number:
            raise InputError("--number is for one photo; of a folder all faces are asked with")
        chosen = {row["uri"]: list(enumerate(row["faces"] or [], 1)) for row in seen}
        if without:
            told = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(without.items()))
            context.log.warning(f"search: of {len(seen):,} photos some have no face to ask with: {told}")
    found = [(row, at, face) for row in seen for at, face in chosen[row["uri"]]]
    if not found:
        raise InputError(f"{place}: none of the {len(seen):,} photos shows a face")
    faces = tuple(AskedFace(_question(row, at, uri), row["uri"], face["box"]) for row, at, face in found)
    vectors = np.array([face["embedding"] for _, _, face in found], np.float32)
    digests = {row["uri"]: row["image_id"] for row, _, _ in found}
    return AskedFaces(agreed.contract_id, faces, vectors, digests)


def _question(row: dict[str, Any], number: int, place: str) -> str:
    """Photos below a folder may have one name in several."""
    below = row["uri"].removeprefix(f"{place.rstrip('/')}/")
    name = lake.file_name(row["uri"]) if below == row["uri"] else unquote(below)
    return f"{name} face {number}" if len(row["faces"]) > 1 else name


def _chosen(row: dict[str, Any], number: int | None) -> list[tuple[int, dict[str, Any]]]:
    name = lake.file_name(row["uri"])
    if row["outcome"] == "no_face":
        raise InputError(f"{name} shows no face that is large enough; vision.minimum_face of the settings can be lower")
    if row["outcome"] != "faces":
        detail = f": {row['detail']}" if row["detail"] else ""
        raise InputError(f"{name} cannot be asked with: {row['outcome'].removeprefix('rejected:')}{detail}")
    faces = sorted(row["faces"], key=lambda face: face["ordinal"])
    if number is None and len(faces) > 1:
        raise _several(name, faces)
    if number is not None and number > len(faces):
        raise InputError(f"{name} shows {len(faces)} faces; there is no number {number}")
    return [(number, faces[number - 1])] if number else list(enumerate(faces, 1))


def of_lake(context: Context, face_id: str) -> AskedFaces:
    """A face of the tables.

    Raises:
        InputError: there is none of this id.
    """
    row = context.tables.read("faces").where(F.col("face_id") == face_id).first()
    if row is None:
        raise InputError(f"there is no face {face_id!r}; take its id from faces, sightings or unknown_faces")
    image = context.tables.read("images").where(F.col("image_id") == row.image_id).select("uri").first()
    face = AskedFace(face_id, image.uri if image is not None else "", row.box.asDict(), face_id)
    return AskedFaces(row.contract_id, (face,), np.array([row.embedding], np.float32), {})


def of_person(context: Context, person: str, gallery_name: str | None) -> AskedFaces:
    """All samples of a registered person, as one question.

    Raises:
        InputError: no such gallery, or nobody of this id is in force in it.
    """
    gallery = GallerySnapshot.open(context, gallery_name)
    person_id = person_ids.normal("--person", person)
    rows = gallery.samples.where(F.col("person_id") == person_id).orderBy("sample_id").toArrow()
    if not rows.num_rows:
        raise InputError(
            f"nobody called {person_id!r} is in force in gallery {gallery.name!r}; gallery_now lists who is"
        )
    samples = rows.select(["uri", "box"]).to_pylist()
    faces = tuple(AskedFace(person_id, sample["uri"], sample["box"]) for sample in samples)
    return AskedFaces(gallery.contract_id, faces, vectors_of(rows["embedding"]), {})


def asked_faces(
    context: Context,
    photo: str | None,
    face_id: str | None,
    person: str | None,
    gallery_name: str | None,
    number: int | None,
    numbered: Path | None,
) -> AskedFaces:
    """What was asked with: exactly one of a photo or folder, a face, and a person.

    Raises:
        InputError: none or several, or as of the three.
    """
    if sum(each is not None for each in (photo, face_id, person)) != 1:
        raise InputError("say what to search for: --photo FILE or FOLDER, --face ID, or --person ID")
    if number is not None and photo is None:
        raise InputError("--number is for --photo")
    if numbered is not None and photo is None:
        raise InputError("--numbered is for --photo")
    if photo is not None:
        return of_photos(context, photo, number, numbered)
    if face_id is not None:
        return of_lake(context, face_id)
    assert person is not None
    return of_person(context, person, gallery_name)
