"""Presentations to a camera of which it is known what they are: a live person, or an attack of some species."""

from dataclasses import dataclass
from math import isfinite

from jobs.inputs import records
from jobs.inputs.records import Record
from jobs.run.context import Context
from udfs import lake
from udfs.errors import InputError

BONA_FIDE, ATTACK = "bona_fide", "attack"


@dataclass(frozen=True)
class Presentation:
    """species: of an attack; "" for a live person. score: higher is more likely a live person; None: no response."""

    species: str
    score: float | None


def read_presentations(context: Context, file: str) -> list[Presentation]:
    """The rows of a CSV, Parquet or Delta table with the columns presentation, species and score; others are left out.

    Raises:
        InputError: it cannot be read, or a row is malformed, which is named.
    """
    uri = lake.uri_of(file)
    return [
        _presentation(row) for row in records.read(context, uri, ("presentation", "species", "score"), (), "left out")
    ]


def _presentation(row: Record) -> Presentation:
    kind, species = row.text("presentation").lower(), row.text("species")
    if kind not in (BONA_FIDE, ATTACK):
        raise InputError(f"{row.where}: presentation is {kind!r}; write {BONA_FIDE} or {ATTACK}")
    if kind == ATTACK and not species:
        raise InputError(f"{row.where}: an attack needs its species, such as print, replay or mask")
    if kind == BONA_FIDE and species:
        raise InputError(f"{row.where}: a bona fide presentation has no species, and this has {species!r}")
    return Presentation(species, _score(row))


def _score(row: Record) -> float | None:
    said = row.text("score")
    if not said:
        return None
    try:
        score = float(row.values["score"])
    except (TypeError, ValueError):
        score = float("nan")
    if not isfinite(score):
        raise InputError(f"{row.where}: score is {said!r}; write a number, or nothing where there was no response")
    return score
