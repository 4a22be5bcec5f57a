"""A source with named parts, such as `s3://lake/{run_date}/{source}/`, and what they say of each file."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from urllib.parse import unquote

from udfs.errors import InputError

_FORMS = {
    "run_date": r"\d{4}-\d{2}-\d{2}",
    "captured_at": r"\d{4}-?\d{2}-?\d{2}[T_-]?\d{2}[-_]?\d{2}[-_]?\d{2}",
    "source": r"[^/]+",
    "case_id": r"[^/]+",
}


@dataclass(frozen=True)
class Template:
    """The beginning of the URIs of a source's files, with named parts; anything may follow it.

    Parts: `{run_date}` (2026-01-31), `{captured_at}` (20260131T235959, UTC), `{source}` and `{case_id}` (one
    folder, or a piece of a name). With `run_date` set, only files of that date fit.

    Raises:
        InputError: a part that is not one of these, or is there twice.
    """

    text: str
    run_date: date | None = None

    def __post_init__(self) -> None:
        names = re.findall(r"\{(.*?)\}", self.text)
        for name in names:
            if name not in _FORMS:
                known = ", ".join("{" + form + "}" for form in _FORMS)
                raise InputError(f"{self.text}: no part is called {{{name}}}; write one of {known}")
            if names.count(name) > 1:
                raise InputError(f"{self.text}: {{{name}}} is there twice; write it once")

    def names(self, part: str) -> bool:
        """Whether the template has this part."""
        return "{" + part + "}" in self.text

    @property
    def root(self) -> str:
        """The directory above the first part: where listing starts."""
        if "{" not in self.text:
            return self.text
        return self.text[: self.text.index("{")].rpartition("/")[0] + "/"

    def admits(self, directory: str) -> bool:
        """Whether a directory that stands directly below `root` can hold files that fit.

        Both are as `udfs.lake.uri_of` writes them.
        """
        below = self.text[len(self.root) :].lstrip("/")
        if not below:
            return True
        segment, slash, _ = below.partition("/")
        name = directory.rstrip("/").rpartition("/")[2]
        pattern = re.compile(self._expression(segment))
        return bool(pattern.fullmatch(name) if slash else pattern.match(name))

    def parse(self, uri: str) -> dict[str, str] | None:
        """The named parts of a file's URI, percent-decoded; None when the URI does not fit."""
        match = self._pattern.match(uri)
        if match is None:
            return None
        parts = {name: unquote(value, errors="replace") for name, value in match.groupdict().items()}
        try:
            if "run_date" in parts:
                date.fromisoformat(parts["run_date"])
            if "captured_at" in parts:
                parts["captured_at"] = _timestamp(parts["captured_at"]).isoformat()
        except ValueError:  # 2026-13-45 has the form of a date but is not a date
            return None
        return parts

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self._expression(self.text))

    def _expression(self, text: str) -> str:
        pieces = re.split(r"\{(.*?)\}", text)
        return "".join(
            re.escape(piece) if at % 2 == 0 else f"(?P<{piece}>{self._form(piece)})" for at, piece in enumerate(pieces)
        )

    def _form(self, part: str) -> str:
        if part == "run_date" and self.run_date is not None:
            return self.run_date.isoformat()
        return _FORMS[part]


def _timestamp(text: str) -> datetime:
    return datetime.strptime(re.sub(r"\D", "", text), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
