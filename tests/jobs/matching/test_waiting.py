"""identify says how many images wait for `embed`, and asks nothing where nothing is new."""

import os
from pathlib import Path

import pytest

from jobs.identify import identify
from jobs.matching import identification
from jobs.matching.waiting import some_may_wait, tell_waiting
from jobs.run.context import Context
from tests.rows import CONTRACT, DAY, NEXT_DAY, put_contract, put_faces, put_images, put_samples, unit
from tests.support import MakeContext, root_of


def waiting(said: list[str]) -> list[str]:
    found = [line.partition(", and")[0] for line in said if "for `embed` on" in line]
    said.clear()
    return found


def newest_is(context: Context, table: str) -> None:
    """Let a table be the one that was written last."""
    for name, at in (("images", 1), ("image_outcomes", 1), (table, 2)):
        written(context, name, at)


def written(context: Context, table: str, at: float) -> None:
    for file in Path(root_of(context), table, "_delta_log").glob("*.json"):
        os.utime(file, (at, at))


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    made = make_context()
    put_images(made, [None] * 3)
    put_images(made, ["faces", "rejected:truncated", None], NEXT_DAY)
    return made


def test_images_that_wait_are_said(context: Context, make_context: MakeContext) -> None:
    said = make_context.said
    tell_waiting(context, CONTRACT, [DAY])
    assert waiting(said) == [f"identify: 3 images wait for `embed` on {DAY}"]
    tell_waiting(context, CONTRACT, [NEXT_DAY])
    assert waiting(said) == [f"identify: 1 image waits for `embed` on {NEXT_DAY}"]
    for of_contract in (CONTRACT, None):
        tell_waiting(context, of_contract)
        assert waiting(said) == [f"identify: 4 images wait for `embed` on 2 dates from {DAY} to {NEXT_DAY}"]
    tell_waiting(context, "another", [NEXT_DAY])
    assert waiting(said) == [f"identify: 3 images wait for `embed` on {NEXT_DAY}"]


def test_the_tables_are_asked_where_something_is_new(context: Context) -> None:
    nothing_new = {"faces": 1, "fresh": 0, "dropped": 0}
    context.tables.create("searches")
    newest_is(context, "images")
    assert some_may_wait(context.tables, nothing_new)
    newest_is(context, "image_outcomes")
    assert not some_may_wait(context.tables, nothing_new)
    written(context, "searches", 0)
    assert some_may_wait(context.tables, nothing_new), "another date may have been embedded since"
    written(context, "searches", 2)
    for counts in ({"faces": 0}, {"fresh": 1}, {"dropped": 1}):
        assert some_may_wait(context.tables, nothing_new | counts)


@pytest.mark.slow
def test_identify_says_so_and_asks_nothing_where_nothing_is_new(
    context: Context, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = make_context.said
    put_contract(context)
    put_samples(context, unit(1, seed=1), ["a"])
    put_faces(context, unit(1, seed=1), NEXT_DAY)
    identify(context, run_date=DAY)
    assert waiting(said) == [f"identify: 3 images wait for `embed` on {DAY}"]
    for _ in range(2):
        identify(context, run_date=NEXT_DAY)
        assert waiting(said) == [f"identify: 1 image waits for `embed` on {NEXT_DAY}"]
        newest_is(context, "images")
    newest_is(context, "image_outcomes")
    with monkeypatch.context() as patch:
        patch.setattr(identification, "tell_waiting", lambda *_: pytest.fail("the tables are asked"))
        identify(context, run_date=NEXT_DAY)
    identify(context, all_dates=True)
    assert waiting(said) == [f"identify: 4 images wait for `embed` on 2 dates from {DAY} to {NEXT_DAY}"]
