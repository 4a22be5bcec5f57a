"""How often identify tries: another run or a lost executor costs an attempt, anything else ends the run."""

import logging
from dataclasses import replace
from typing import cast

import pytest

from jobs.matching.claims import OvertakenError
from jobs.matching.identification import ATTEMPTS, Identification, until_written
from jobs.run.context import Context
from jobs.run.ledger import Run

CONTEXT = replace(Context(None, None, None), log=logging.getLogger("attempts"))  # type: ignore[arg-type]
LOST = "[CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND] Checkpoint block rdd_19_0 not found! SQLSTATE: 56000"


class Attempts:
    """Attempts that fail in turn, as long as there is something to fail of."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.afresh: list[bool] = []

    def bring_up_to_date(self, run: Run, afresh: bool) -> None:
        self.afresh.append(afresh)
        run.count("searched", 1)
        if self._failures:
            raise self._failures.pop(0)


def attempted(*failures: Exception) -> tuple[Attempts, Run]:
    attempts, run = Attempts(*failures), Run("r")
    work = cast(Identification, attempts)
    until_written(CONTEXT, work, lambda: work, run, "2026-01-31")
    return attempts, run


@pytest.mark.parametrize("failure", [RuntimeError(LOST), OvertakenError("another run has identified 2026-01-31")])
def test_what_passes_costs_an_attempt(failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    attempts, run = attempted(failure)
    assert attempts.afresh == [False, True], "no note is trusted the second time"
    assert run.counts == {"searched": 1}, "of the attempt that counts"
    assert "all faces of 2026-01-31 are searched for again" in caplog.text


def test_the_last_attempt_is_the_last() -> None:
    with pytest.raises(RuntimeError, match="not found"):
        attempted(*[RuntimeError(LOST)] * ATTEMPTS)
    attempts, _ = attempted(*[RuntimeError(LOST)] * (ATTEMPTS - 1))
    assert len(attempts.afresh) == ATTEMPTS


def test_a_mistake_ends_the_run_at_once() -> None:
    with pytest.raises(ValueError, match="a mistake"):
        attempted(ValueError("a mistake"), RuntimeError(LOST))
