"""Faces that were seen, as files: packed by date, so that a date which did not change is not packed again.

A folder with a description, `packed.json`, which is written last, and the parts that it names. A date with many faces
has parts of its own; dates with few are packed together, as each part that is read costs as much as some thousands of
faces.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date

from udfs.ids import stable_id
from udfs.search.packed import Part, described

_REVISION = 2
"""Raised when the files change: those of another revision are packed again."""

FEW = 8_192
"""Faces below which what is packed may be packed together with others."""
SMALL_PACKS = 16
"""So many packs of few faces may stand beside each other before they are packed together."""


@dataclass(frozen=True)
class DateOfFaces:
    """The faces of one date that were found under the same limits. digest: of their ids and embeddings."""

    run_date: date
    settings_id: str
    faces: int
    digest: str


@dataclass(frozen=True)
class Pack:
    """Dates whose faces were packed together.

    parts: by the number of a face's piece; None where a piece has no face.
    """

    dates: tuple[DateOfFaces, ...]
    parts: tuple[Part | None, ...] = ()

    @property
    def faces(self) -> int:
        """How many there are."""
        return sum(of.faces for of in self.dates)


@dataclass(frozen=True)
class PartInScope:
    """A part that is to be searched. days: of the dates that are in it, those whose faces count."""

    part: Part
    days: tuple[date, ...]

    @property
    def key(self) -> str:
        """What names its faces: no other part in scope has it."""
        return stable_id("part", self.part.name, *[day.isoformat() for day in self.days])


@dataclass(frozen=True)
class PackedFaces:
    """All packs, and of each date a digest of the files of the table that its faces were read from.

    root: the URI of the folder in which all that is packed is. name: its own folder there.
    """

    root: str
    name: str
    packs: tuple[Pack, ...] = ()
    files: tuple[tuple[date, str], ...] = ()

    @property
    def dates(self) -> list[DateOfFaces]:
        """Those of all packs, in their order."""
        return sorted((of for pack in self.packs for of in pack.dates), key=_place)

    def parts(self) -> Iterator[Part]:
        """Those that there are."""
        return (part for pack in self.packs for part in pack.parts if part is not None)

    def without(self, damaged: Collection[str]) -> "PackedFaces":
        """The packs none of whose parts is among these, by name."""
        bad = [pack for pack in self.packs if any(part and part.name in damaged for part in pack.parts)]
        gone = {of.run_date for pack in bad for of in pack.dates}
        files = tuple((day, digest) for day, digest in self.files if day not in gone)
        return replace(self, packs=tuple(pack for pack in self.packs if pack not in bad), files=files)

    def to_json(self) -> bytes:
        """The description."""
        packs = [
            {
                "dates": [{**asdict(of), "run_date": of.run_date.isoformat()} for of in pack.dates],
                "parts": [part and asdict(part) for part in pack.parts],
            }
            for pack in self.packs
        ]
        files = {day.isoformat(): digest for day, digest in self.files}
        return json.dumps({"revision": _REVISION, "packs": packs, "files": files}).encode()

    @classmethod
    def from_json(cls, root: str, name: str, content: bytes | None) -> "PackedFaces":
        """What is described; nothing where the description has another revision, is not complete JSON, or is None."""
        found = described(content, _REVISION)
        if found is None:
            return cls(root, name)
        packs = tuple(
            Pack(
                tuple(DateOfFaces(**{**of, "run_date": date.fromisoformat(of["run_date"])}) for of in pack["dates"]),
                tuple(part and Part(**{**part, "gone": tuple(part["gone"])}) for part in pack["parts"]),
            )
            for pack in found["packs"]
        )
        return cls(
            root, name, packs, tuple((date.fromisoformat(day), digest) for day, digest in found["files"].items())
        )


@dataclass(frozen=True)
class FacesInScope:
    """The faces of some dates, each found once: of a date whose faces were found under several limits those of the
    configured ones, if there are any."""

    dates: tuple[DateOfFaces, ...]
    parts: tuple[PartInScope | None, ...]
    """By their numbers, which go through the packs in their order; None where no face counts."""

    @classmethod
    def of(cls, packed: PackedFaces, first: date | None, last: date | None, configured: str) -> "FacesInScope":
        """first, last: run_date. configured: settings_id."""
        limits = {(of.run_date, of.settings_id) for of in packed.dates}

        def counts(of: DateOfFaces) -> bool:
            once = of.settings_id == configured or (of.run_date, configured) not in limits
            return once and (first or date.min) <= of.run_date <= (last or date.max)

        parts: list[PartInScope | None] = []
        for pack in packed.packs:
            days = tuple(of.run_date for of in pack.dates if counts(of))
            parts += [PartInScope(part, days) if part and days else None for part in pack.parts]
        return cls(tuple(of for of in packed.dates if counts(of)), tuple(parts))

    @property
    def faces(self) -> int:
        """How many there are."""
        return sum(of.faces for of in self.dates)

    @property
    def digest(self) -> str:
        """Of all of them."""
        return stable_id("seen", *[part for of in self.dates for part in (str(of.run_date), of.settings_id, of.digest)])


def arranged(
    kept: Iterable[Pack], fresh: Iterable[DateOfFaces], faces_a_part: int
) -> tuple[list[Pack], list[tuple[DateOfFaces, ...]]]:
    """Which packs stay as they are, and which dates are to be packed together.

    fresh: dates that are in no pack. While there are more than SMALL_PACKS of few faces, these are packed together, up
    to `faces_a_part` faces, in the order of their dates; so a face is packed again once or twice in all its life.
    """
    kept, single = list(kept), [Pack((of,)) for of in sorted(fresh, key=_place)]
    small = [pack for pack in (*kept, *single) if pack.faces < FEW]
    if len(small) <= SMALL_PACKS:
        return kept, [pack.dates for pack in single]
    stay = [pack for pack in kept if pack.faces >= FEW]
    return stay, [*(pack.dates for pack in single if pack.faces >= FEW), *_together(small, faces_a_part)]


def _together(packs: list[Pack], faces_a_part: int) -> Iterator[tuple[DateOfFaces, ...]]:
    """Dates of one pack were found under the same limits."""
    together: list[DateOfFaces] = []
    for pack in sorted(packs, key=lambda pack: (pack.dates[0].settings_id, pack.dates[0].run_date)):
        count = sum(of.faces for of in together)
        if together and (together[0].settings_id != pack.dates[0].settings_id or count + pack.faces > faces_a_part):
            yield tuple(together)
            together = []
        together += pack.dates
    yield tuple(together)


def _place(of: DateOfFaces) -> tuple[date, str]:
    return of.run_date, of.settings_id
