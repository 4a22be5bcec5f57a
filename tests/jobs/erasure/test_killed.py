"""An erasure that is killed again and again, each time a little later, ends as one that was left alone."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.erase import erase
from jobs.run import ledger
from jobs.run.context import Context
from schemas.store import Tables
from tests.jobs.erasure import made_lake
from tests.jobs.erasure.made_lake import OPTIONS, PERSON, Rows, needles_of_person, rows_by_table
from tests.jobs.erasure.scanner import found_below
from tests.jobs.erasure.test_erase import of_person
from tests.rows import DAY
from tests.support import MakeContext, copied, root_of
from udfs import artifacts

POINTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
"""After how many writes each of them is killed: notes, deletions, removals, and tables that forget."""
WRITES = (
    (Tables, "append"),
    (Tables, "append_new"),
    (Tables, "change"),
    (Tables, "delete_rows"),
    (Tables, "overwrite"),
    (Tables, "forget_history"),
    (artifacts, "remove"),
)


class Killed(BaseException):
    """Nothing is written any more."""


def killed_after(monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    left = writes

    def counting(write: Callable[..., Any]) -> Callable[..., Any]:
        def one(*given: object, **named: object) -> Any:
            nonlocal left
            if left <= 0:
                raise Killed
            left -= 1
            return write(*given, **named)

        return one

    for owner, name in WRITES:
        monkeypatch.setattr(owner, name, counting(getattr(owner, name)))
    monkeypatch.setattr(ledger, "_note_failure", lambda *_: None)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_twelve_points_it_ends_alike(made: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = made("to_be_killed", *OPTIONS)
    of_runs = Rows()
    made_lake.put_unfinished(of_runs)
    made_lake.put_runs(of_runs)
    made_lake.put_nights(lake, of_runs, (DAY,))
    undisturbed, disturbed = copied(made, lake, "undisturbed_erasure"), copied(made, lake, "disturbed_erasure")
    erase(undisturbed, person=PERSON, yes=True)
    for writes in POINTS:
        with monkeypatch.context() as patched:
            killed_after(patched, writes)
            with pytest.raises(Killed):
                erase(disturbed, person=PERSON, yes=True, killed=begun(disturbed))
    (proof,) = erase(disturbed, person=PERSON, yes=True, killed=begun(disturbed))
    assert proof.places == 0
    assert found_below(root_of(disturbed), needles_of_person(), of_person()) == []
    assert rows_by_table(disturbed) == rows_by_table(undisturbed)
    noted = disturbed.tables.read("erasures").collect()
    assert len({row.erasure_id for row in noted}) == 1
    assert sorted({row.event for row in noted}) == ["begun", "finished", "planned", "verified"]
    kinds = [sorted(row.kind for row in each.tables.read("erased").collect()) for each in (disturbed, undisturbed)]
    assert kinds[0] == kinds[1]


def begun(context: Context) -> tuple[str, ...]:
    """The runs that were killed: of the first, which had not noted that the erasure begins, nothing else tells that."""
    runs = context.tables.read_or_empty("runs").where("job = 'erase'").collect()
    return tuple(row.run_id for row in runs)
