"""What a gallery's owner says: who is registered, with which photos."""

from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import unquote_to_bytes

from jobs.inputs import records
from jobs.inputs.records import Record
from jobs.run.context import Context
from udfs import lake
from udfs.errors import InputError

_REQUIRED = {"person_id", "uri"}
_OPTIONAL = {"name", "labels", "valid_from", "valid_to"}


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of one person. Labels are sorted; an open end of the validity is None."""

    person_id: str
    uri: str
    name: str | None = None
    labels: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None


def read(context: Context, gallery: str) -> list[Photo]:
    """The photos of a folder `PERSON/*`, or of a CSV, Parquet or Delta manifest, by person and URI.

    A manifest has `person_id` and `uri`, and may have `name`, `labels` (in CSV separated by `;`),
    `valid_from`, `valid_to`. A relative `uri` is relative to the folder the manifest is in. A Parquet
    manifest may be a folder of files, as Spark writes it; its name ends in `.parquet`.

    Raises:
        InputError: it cannot be read, or a row is wrong; the row is named.
    """
    uri = lake.uri_of(gallery)
    if not records.is_rows(uri):
        photos, beside = from_folder(uri)
        if beside:
            context.log.info(f"enroll: {beside} files beside the persons' folders are ignored")
        return _sorted(photos)
    return _sorted([_photo(uri, row) for row in records.read(context, uri, _REQUIRED, _OPTIONAL)])


def _sorted(photos: list[Photo]) -> list[Photo]:
    unique = {(photo.person_id, photo.uri): photo for photo in photos}
    for photo in photos:
        if unique[photo.person_id, photo.uri] != photo:
            raise InputError(f"{photo.uri} of {photo.person_id!r} has two rows that differ; keep one of them")
    return sorted(unique.values(), key=lambda photo: (photo.person_id, photo.uri))


def from_folder(uri: str) -> tuple[list[Photo], int]:
    """The photos of a folder `PERSON/*`, and how many files are beside the folders of persons.

    Raises:
        InputError: it cannot be listed, or has files and no folder of a person.
    """
    listing = lake.list_directory(uri)
    if listing.files and not listing.directories:
        raise InputError(f"{uri}: each person needs a folder: {uri.rstrip('/')}/PERSON/photo.jpg")
    photos = [
        Photo(person, file.uri, name=person)
        for directory in listing.directories
        for person in [_decoded(directory.rstrip("/").rpartition("/")[2])]
        for file in lake.list_below(directory)
    ]
    return photos, len(listing.files)


def _decoded(encoded: str) -> str:
    """A folder's name; one that is not UTF-8 keeps its percent-encoded form."""
    try:
        return unquote_to_bytes(encoded).decode("utf-8")
    except UnicodeDecodeError:
        return encoded


def _photo(manifest: str, row: Record) -> Photo:
    person, uri = row.text("person_id"), row.text("uri")
    if not person or not uri:
        raise InputError(f"{row.where}: person_id and uri must not be empty")
    photo = Photo(
        person,
        records.absolute(manifest, uri),
        str(row.values.get("name") or person),
        _labels(row),
        _date(row, "valid_from"),
        _date(row, "valid_to"),
    )
    if photo.valid_from and photo.valid_to and photo.valid_from > photo.valid_to:
        raise InputError(f"{row.where}: valid_from is after valid_to")
    return photo


def _labels(row: Record) -> tuple[str, ...]:
    labels = row.values.get("labels") or []
    if isinstance(labels, str):
        labels = [label.strip() for label in labels.split(";")]
    if not isinstance(labels, list):
        raise InputError(f"{row.where}: labels must be an array of strings, or text with `;` between them")
    return tuple(sorted({str(label) for label in labels if label}))


def _date(row: Record, name: str) -> date | None:
    value = row.values.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, datetime):  # which is a date to Python, and has a time of day that a validity has not
        if value.replace(tzinfo=None) != datetime(value.year, value.month, value.day):
            raise InputError(f"{row.where}: {name} {value} has a time of day; write a date, such as 2026-01-31")
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise InputError(f"{row.where}: {name} {value!r} is not a date; write it as 2026-01-31") from error
