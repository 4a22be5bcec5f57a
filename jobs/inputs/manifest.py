"""What a gallery's owner says: who is registered, with which photos."""

from dataclasses import dataclass
from datetime import date, datetime

from jobs.inputs import person_folders, person_ids, records, unlisted
from jobs.inputs.columns import Others
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


@dataclass(frozen=True, slots=True)
class People:
    """The photos of a list of people, by person and URI. unlisted: ids of the persons whose folders could not be
    listed, so that there may be more photos of them. directories_not_listed: how many folders that are.
    """

    photos: list[Photo]
    unlisted: list[str]
    directories_not_listed: int


def read(context: Context, gallery: str) -> list[Photo]:
    """The photos alone of a list of people; see `people`."""
    return people(context, gallery).photos


def people(context: Context, gallery: str, allow_other_columns: bool = False) -> People:
    """The people of a folder `PERSON/*`, or of a CSV, Parquet or Delta manifest.

    A manifest has `person_id` and `uri`, and may have `name`, `labels` (in CSV separated by `;`),
    `valid_from`, `valid_to`. A relative `uri` is relative to the folder the manifest is in. A Parquet
    manifest may be a folder of files, as Spark writes it; its name ends in `.parquet`.

    allow_other_columns: whether columns of other names are left out; else they are refused.

    Raises:
        InputError: it cannot be read, or a row is wrong; the row is named.
    """
    uri = lake.uri_of(gallery)
    if not records.is_rows(uri):
        return _of_folder(context, uri)
    others: Others = "left out" if allow_other_columns else "refused"
    return People(
        _sorted([_photo(uri, row) for row in records.read(context, uri, _REQUIRED, _OPTIONAL, others)]), [], 0
    )


def _of_folder(context: Context, uri: str) -> People:
    found = person_folders.read(uri)
    if found.beside:
        context.log.info(f"{context.job}: {found.beside} files beside the persons' folders are ignored")
    unlisted.say(context, found.problems, len(found.problems))
    photos = [Photo(person, photo, name=person) for person, photo in found.photos]
    return People(_sorted(photos), found.unlisted, len(found.problems))


def _sorted(photos: list[Photo]) -> list[Photo]:
    unique = {(photo.person_id, photo.uri): photo for photo in photos}
    for photo in photos:
        if unique[photo.person_id, photo.uri] != photo:
            raise InputError(f"{photo.uri} of {photo.person_id!r} has two rows that differ; keep one of them")
    return sorted(unique.values(), key=lambda photo: (photo.person_id, photo.uri))


def _photo(manifest: str, row: Record) -> Photo:
    person, uri = row.person("person_id"), row.uri("uri", manifest)
    if not person or not uri:
        raise InputError(f"{row.where}: person_id and uri must not be empty")
    photo = Photo(
        person,
        uri,
        row.text("name") or person,
        tuple(sorted({person_ids.trimmed(label) for label in row.texts("labels")})),
        _date(row, "valid_from"),
        _date(row, "valid_to"),
    )
    if photo.valid_from and photo.valid_to and photo.valid_from > photo.valid_to:
        raise InputError(f"{row.where}: valid_from is after valid_to")
    return photo


def _date(row: Record, name: str) -> date | None:
    value = row.values.get(name)
    if not row.text(name):
        return None
    if isinstance(value, datetime):  # which is a date to Python, and has a time of day that a validity has not
        if value.replace(tzinfo=None) != datetime(value.year, value.month, value.day):
            raise InputError(f"{row.where}: {name} {value} has a time of day; write a date, such as 2026-01-31")
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(row.text(name))
    except ValueError as error:
        raise InputError(f"{row.where}: {name} {value!r} is not a date; write it as 2026-01-31") from error
