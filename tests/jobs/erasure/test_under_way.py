"""No run begins during an erasure, and no erasure during a run; whoever has waited looks at the tables again."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from jobs.erase import erase
from jobs.erasure import carrying_out
from jobs.erasure.carrying_out import Noted
from jobs.erasure.subject import Subject
from jobs.run import ledger, under_way
from jobs.run.context import Context
from jobs.run.options import job
from tests.rows import NOW, put, put_contract, put_samples, unit
from tests.support import MakeContext
from udfs.errors import InputError

ERASURE = Noted("e1", Subject("image", "file:///x.jpg"), "who", "a run")


@pytest.fixture
def context(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(under_way, "PAUSE", 0.05)
    made = make_context()
    put_contract(made)
    return made


def events(context: Context, name: str = "probe") -> list[str]:
    rows = context.tables.read_or_empty("runs").where(f"job = '{name}'").orderBy("at").collect()
    return [row.event for row in rows]


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
def test_a_run_that_begins_during_an_erasure_waits_and_looks_again(context: Context, make_context: MakeContext) -> None:
    ERASURE.note(context, "begun")
    looked: list[float] = []

    @job("probe")
    def probe(context: Context) -> str:
        looked.append(time.monotonic())
        with ledger.run(context):
            return "done"

    done: list[str] = []
    thread = threading.Thread(target=lambda: done.append(probe(context)))
    thread.start()
    wait_until(lambda: events(context) == ["started", "failed"])
    wait_until(lambda: any("waits for its end, 60 minutes at most" in said for said in make_context.said))
    assert not done
    ended = time.monotonic()
    ERASURE.note(context, "finished")
    thread.join()
    assert done == ["done"]
    assert events(context) == ["started", "failed", "started", "finished"]
    assert [at > ended for at in looked] == [False, True]


def test_an_erasure_since_a_job_has_looked_makes_it_look_again(context: Context) -> None:
    looked: list[int] = []

    @job("probe")
    def probe(context: Context) -> None:
        looked.append(1)
        if len(looked) == 1:  # it is over before the run is noted
            ERASURE.note(context, "begun")
            ERASURE.note(context, "finished")
        with ledger.run(context):
            pass

    probe(context)
    assert len(looked) == 2
    assert events(context) == ["started", "failed", "started", "finished"]


def test_a_run_does_not_wait_for_ever(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_way, "LONGEST_WAIT", 0.1)
    ERASURE.note(context, "begun")
    with (
        pytest.raises(InputError, match=r"erasure e1 \(image\) has been under way .* run the same `rollcall erase`"),
        ledger.run(replace(context, job="probe")),
    ):
        pytest.fail("it has begun")
    assert events(context) == ["started", "failed"]
    with pytest.raises(InputError, match=r"e1 .* has begun and not ended"):
        erase(context, person="anna", yes=True)


def test_no_erasure_begins_during_a_run(context: Context) -> None:
    put_samples(context, unit(1, seed=1), ["anna"])
    with (
        ledger.run(replace(context, job="embed")) as run,
        pytest.raises(InputError, match=rf"run {run.run_id} \(embed, .*--killed {run.run_id}"),
    ):
        erase(context, person="anna", yes=True)
    assert not context.tables.exists("erasures")


@pytest.mark.slow
def test_a_run_that_was_faster_wins(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has begun after the erasure has looked first, and before the erasure was noted."""
    put_samples(context, unit(1, seed=1), ["anna"])
    put(context, "runs", {"run_id": "dead", "event": "started", "at": NOW, "job": "embed", "seconds": 0.0})
    monkeypatch.setattr(carrying_out, "_refuse_under_way", _second_time(carrying_out._refuse_under_way))
    with ledger.run(replace(context, job="embed")), pytest.raises(InputError, match="is under way"):
        erase(context, person="anna", yes=True)
    assert [row.event for row in context.tables.read("erasures").orderBy("at").collect()] == ["begun", "withdrawn"]
    assert under_way.erasures(context.tables) == []
    assert not context.tables.read("gallery").isEmpty()


def _second_time(refuse: Callable[[list[object]], None]) -> Callable[[list[object]], None]:
    called: list[int] = []

    def refused(running: list[object]) -> None:
        called.append(1)
        if len(called) > 1:
            refuse(running)

    return refused
