"""Faces that were seen, as files: packed date by date, so that a date which did not change is not packed again.

A folder with a description, `packed.json`, which is written last, and the parts that it names.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date

from udfs.ids import stable_id
from udfs.search.packed import Part

_REVISION = 1
"""Raised when the files change: those of another revision are packed again."""


@dataclass(frozen=True)
class PackedDate:
    """The faces of one date that were found under the same limits.

    digest: of their ids and embeddings. parts: by the number of a face's piece; None where a piece has no face.
    """

    run_date: date
    settings_id: str
    faces: int
    digest: str
    parts: tuple[Part | None, ...] = ()

    @property
    def key(self) -> tuple[date, str, str]:
        """What decides whether it need not be packed again."""
        return self.run_date, self.settings_id, self.digest


@dataclass(frozen=True)
class PackedDates:
    """The faces of dates, and of each date a digest of the files of the table that they were read from.

    root: the URI of the folder in which all that is packed is. name: its own folder there.
    """

    root: str
    name: str
    dates: tuple[PackedDate, ...] = ()
    files: tuple[tuple[date, str], ...] = ()

    @property
    def faces(self) -> int:
        """How many there are."""
        return sum(of.faces for of in self.dates)

    @property
    def digest(self) -> str:
        """Of all of them."""
        return stable_id("seen", *[part for of in self.dates for part in (str(of.run_date), of.settings_id, of.digest)])

    def parts(self) -> Iterator[Part]:
        """Those that there are, in the order of their numbers."""
        return (part for of in self.dates for part in of.parts if part is not None)

    def between(self, first: date | None, last: date | None) -> "PackedDates":
        """Those of some dates."""
        return self._of(of for of in self.dates if (first or date.min) <= of.run_date <= (last or date.max))

    def found_once(self, configured: str) -> "PackedDates":
        """Of dates whose faces were found under several limits those of the configured ones, if there are any."""
        limits = {(of.run_date, of.settings_id) for of in self.dates}
        return self._of(
            of for of in self.dates if of.settings_id == configured or (of.run_date, configured) not in limits
        )

    def without(self, damaged: Collection[str]) -> "PackedDates":
        """Those of dates none of whose parts is among these, by name."""
        gone = {of.run_date for of in self.dates if any(part and part.name in damaged for part in of.parts)}
        files = tuple((day, digest) for day, digest in self.files if day not in gone)
        return replace(self._of(of for of in self.dates if of.run_date not in gone), files=files)

    def _of(self, dates: Iterator[PackedDate]) -> "PackedDates":
        return replace(self, dates=tuple(dates))

    def to_json(self) -> bytes:
        """The description."""
        dates = [{**asdict(of), "run_date": of.run_date.isoformat()} for of in self.dates]
        files = {day.isoformat(): digest for day, digest in self.files}
        return json.dumps({"revision": _REVISION, "dates": dates, "files": files}).encode()

    @classmethod
    def from_json(cls, root: str, name: str, content: bytes | None) -> "PackedDates":
        """What is described; nothing where the description has another revision, is not complete JSON, or is None."""
        try:
            described = json.loads(content or b"{}")
        except ValueError:
            described = {}
        if described.get("revision") != _REVISION:
            return cls(root, name)
        dates = [
            PackedDate(
                **{
                    **of,
                    "run_date": date.fromisoformat(of["run_date"]),
                    "parts": tuple(part and Part(**{**part, "gone": tuple(part["gone"])}) for part in of["parts"]),
                }
            )
            for of in described["dates"]
        ]
        files = tuple((date.fromisoformat(day), digest) for day, digest in described["files"].items())
        return cls(root, name, tuple(dates), files)
