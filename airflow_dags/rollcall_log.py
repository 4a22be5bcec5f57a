"""What a job says in its log, as its task needs it. Imports nothing of Airflow."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

WRONG_INPUT = 2
"""The exit code of a job that was given something wrong."""


class JobLog:
    """The lines a job writes with ROLLCALL_LOG=json, among those of Spark: their fields, never their text."""

    def __init__(self) -> None:
        self.error: str | None = None
        self.exit_code: int | None = None
        self.run_ids: list[str] = []
        self.pages: list[str] = []

    @property
    def input_was_wrong(self) -> bool:
        """Whether the job failed because of what it was given: it will fail again."""
        return self.exit_code == WRONG_INPUT

    def reading(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines, unchanged, while their fields are noted."""
        for line in lines:
            self._note(_fields(line))
            yield line

    def _note(self, fields: dict[str, Any]) -> None:
        if fields.get("level") == "ERROR":
            self.error, self.exit_code = fields.get("message"), fields.get("exit_code")
        for found, noted in ((fields.get("run_id"), self.run_ids), (fields.get("page"), self.pages)):
            if found and found not in noted:
                noted.append(found)


def _fields(line: str) -> dict[str, Any]:
    """The fields of a line; none, if a job did not write it. Spark may have put something before it."""
    start = line.find('{"at":')
    try:
        return json.loads(line[start:]) if start >= 0 else {}
    except ValueError:  # another program's line that looks like one
        return {}
