"""A folder with one subfolder a person: `PERSON/photo.jpg`."""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from jobs.inputs import person_ids
from udfs import lake
from udfs.errors import InputError


@dataclass(frozen=True)
class PersonFolders:
    """photos: id of the person and URI of each. beside: how many files are beside the folders of persons.

    problems: why folders could not be listed, a line for each. unlisted: ids of the persons whose folders these are, or
    are in: of them there may be more photos.
    """

    photos: list[tuple[str, str]]
    beside: int
    problems: list[str]
    unlisted: list[str]


def read(uri: str) -> PersonFolders:
    """The photos below a folder, by persons.

    Raises:
        InputError: it is a file, cannot be listed itself, or has files and no folder of a person; or a folder's name is
            not the id of a person, or the same id as that of another folder.
    """
    listing = lake.list_directory(uri)
    if [file.uri for file in listing.files] == [uri]:
        raise InputError(
            f"{uri}: is a file of another kind than .csv, .tsv, .txt or .parquet; save a spreadsheet as `CSV UTF-8`, or"
            " give a folder"
        )
    # A link to a folder on a disk that is away: nobody can say whether it is one.
    lost = {file.uri for file in listing.files if lake.leads_nowhere(file.uri)}
    if listing.files and not listing.directories and not lost:
        raise InputError(
            f"{uri}: has files and no folder of a person; put each person's photos into a folder of their own:"
            f" {uri.rstrip('/')}/PERSON/photo.jpg"
        )
    photos: list[tuple[str, str]] = []
    problems: list[str] = []
    unlisted: list[str] = []
    for person, directory in _persons([*listing.directories, *sorted(lost)]).items():
        before = len(problems)
        if directory in lost:
            problems.append(f"{directory}: the link leads nowhere; mount what it leads to, or remove it")
        else:
            found = lake.list_below(directory, pass_over=lambda error: problems.append(str(error)))
            photos += [(person, file.uri) for file in found]
        if len(problems) > before:
            unlisted.append(person)
    return PersonFolders(photos, len(listing.files) - len(lost), problems, unlisted)


def _persons(directories: list[str]) -> dict[str, str]:
    """The folder of each person, by the person's id in its normal form."""
    persons: dict[str, str] = {}
    for directory in directories:
        person = person_ids.normal(directory, _decoded(directory.rstrip("/").rpartition("/")[2]))
        if not person:
            raise InputError(
                f"{directory}: a folder's name must be the person's id, and this one is only spaces; rename it"
            )
        if persons.setdefault(person, directory) != directory:
            raise InputError(
                f"{persons[person]} and {directory} are both of the person {person!r}, as spaces around an id and the"
                " form of its accents do not count; put the photos into one of them"
            )
    return persons


def _decoded(encoded: str) -> str:
    """A folder's name; one that is not UTF-8 keeps its percent-encoded form."""
    try:
        return unquote_to_bytes(encoded).decode("utf-8")
    except UnicodeDecodeError:
        return encoded
