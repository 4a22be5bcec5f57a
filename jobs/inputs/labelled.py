"""Images of which it is known who they show: pairs, and persons with their photos."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from evaluation.lfw_pairs import is_number, read_pairs
from jobs.inputs import manifest, person_ids, records, text_file
from jobs.run.context import Context
from udfs import lake
from udfs.errors import InputError

Half = Literal["both", "first", "second"]

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


def in_half(person: str, half: Half, seed: int) -> bool:
    """Whether a person is in this half of all persons; the seed draws the halves."""
    first = hashlib.sha256(f"{seed}:{person}".encode()).digest()[0] % 2 == 0
    return half == "both" or first == (half == "first")


@dataclass(frozen=True)
class LabelledPair:
    """Two images by URI, whether they show one person, and what else is said of them."""

    left: str
    right: str
    mated: bool
    left_person: str | None
    right_person: str | None
    fold: int
    more: dict[str, Any]


def read_labelled_pairs(context: Context, file: str, images: str | None) -> list[LabelledPair]:
    """Pairs of a `.txt` in LFW's format, whose names are below the folder `images`; or of a CSV, Parquet or Delta
    table with columns left, right and mated, perhaps left_person, right_person and fold, and any others.

    Raises:
        InputError: a malformed file, whose line is named; or no pairs.
    """
    pairs = _labelled_pairs(context, lake.uri_of(file), images)
    if not pairs:
        raise InputError(f"{file}: lists no pairs")
    return pairs


def _labelled_pairs(context: Context, uri: str, images: str | None) -> list[LabelledPair]:
    if uri.lower().endswith(".txt"):
        if images is None:
            raise InputError(f"{uri}: its names are relative to a folder; say --images FOLDER")
        root = lake.uri_of(images).rstrip("/")
        text = text_file.read(uri)
        return [
            LabelledPair(
                f"{root}/{lake.quoted(pair.left)}",
                f"{root}/{lake.quoted(pair.right)}",
                pair.mated,
                person_ids.normal(uri, pair.left_person),
                person_ids.normal(uri, pair.right_person),
                pair.fold,
                {},
            )
            for pair in read_pairs(text, uri)
        ]
    read = records.read(context, uri, ("left", "right", "mated"), ("left_person", "right_person", "fold"), "kept")
    return [_labelled_pair(uri if images is None else lake.uri_of(images).rstrip("/") + "/_", row) for row in read]


def _labelled_pair(beside: str, row: records.Record) -> LabelledPair:
    left, right, mated = row.uri("left", beside), row.uri("right", beside), row.text("mated").lower()
    if not left or not right:
        raise InputError(f"{row.where}: left and right must not be empty")
    if mated not in _TRUE + _FALSE:
        raise InputError(f"{row.where}: mated is {mated!r}; write true or false")
    if left == right:
        raise InputError(f"{row.where}: left and right are the same image; compare two different ones")
    persons = [row.person(name) or None for name in ("left_person", "right_person")]
    if None not in persons and (persons[0] == persons[1]) != (mated in _TRUE):
        raise InputError(
            f"{row.where}: mated is {mated}, but the persons are {persons[0]!r} and {persons[1]!r}; correct one of them"
        )
    fold = row.text("fold") or "0"
    if not is_number(fold):
        raise InputError(f"{row.where}: fold is {fold!r}; write a whole number from 0 on")
    known = {"left", "right", "mated", "left_person", "right_person", "fold"}
    more = {name: value for name, value in row.values.items() if name not in known}
    return LabelledPair(
        left,
        right,
        mated in _TRUE,
        persons[0],
        persons[1],
        int(fold),
        more,
    )


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo of one person, and what else is said of it."""

    person: str
    uri: str
    more: dict[str, Any]


def read_labelled_photos(context: Context, images: str, half: Half, seed: int) -> list[LabelledPhoto]:
    """The photos of a folder PERSON/photo.jpg, or of a CSV, Parquet or Delta table with columns person_id and uri and
    any others; of the persons of one half.

    Raises:
        InputError: a malformed file, or no photos.
    """
    uri = lake.uri_of(images)
    if records.is_rows(uri):
        photos = []
        first: dict[str, str] = {}
        for row in records.read(context, uri, ("person_id", "uri"), others="kept"):
            person, photo_uri = row.person("person_id"), row.uri("uri", uri)
            if not person or not photo_uri:
                raise InputError(f"{row.where}: person_id and uri must not be empty")
            if first.setdefault(photo_uri, row.where) != row.where:
                raise InputError(f"{row.where}: lists the image of {first[photo_uri]} again; keep one of the rows")
            more = {name: value for name, value in row.values.items() if name not in ("person_id", "uri")}
            photos.append(LabelledPhoto(person, photo_uri, more))
    else:
        photos = [LabelledPhoto(photo.person_id, photo.uri, {}) for photo in manifest.read(context, images)]
    chosen = [photo for photo in photos if in_half(photo.person, half, seed)]
    if not chosen:
        raise InputError(f"{uri}: lists no photos" + ("" if half == "both" else f" of persons of the {half} half"))
    return sorted(chosen, key=lambda photo: (photo.person, photo.uri))
