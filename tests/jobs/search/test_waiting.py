"""identify says how many images wait for `embed`, and asks nothing where nothing is new."""

import os
from pathlib import Path

import pytest

from jobs.identify import identify
from jobs.run.context import Context
from jobs.search import identification
from tests.rows import DAY, NEXT_DAY, put_contract, put_faces, put_images, put_samples, unit
from tests.support import MakeContext, root_of


def waiting(said: list[str]) -> list[str]:
    found = [line.partition(", and")[0] for line in said if "for `embed` on" in line]
    said.clear()
    return found


def newest_is(context: Context, table: str) -> None:
    """Let a table be the one that was written last."""
    for name, at in (("images", 1), ("image_outcomes", 1), (table, 2)):
        for file in Path(root_of(context), name, "_delta_log").glob("*.json"):
            os.utime(file, (at, at))


def test_images_that_wait_are_said(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    context, said = make_context(), make_context.said
    put_contract(context)
    put_samples(context, unit(1, seed=1), ["a"])
    put_images(context, [None] * 3)
    put_images(context, ["faces", "rejected:truncated", None], NEXT_DAY)
    put_faces(context, unit(1, seed=1), NEXT_DAY)
    identify(context, run_date=DAY)
    assert waiting(said) == [f"identify: 3 images wait for `embed` on {DAY}"]
    identify(context, run_date=NEXT_DAY)
    assert waiting(said) == [f"identify: 1 image waits for `embed` on {NEXT_DAY}"]
    newest_is(context, "images")
    identify(context, run_date=NEXT_DAY)
    assert waiting(said) == [f"identify: 1 image waits for `embed` on {NEXT_DAY}"]
    newest_is(context, "image_outcomes")
    with monkeypatch.context() as patch:
        patch.setattr(identification, "tell_waiting", lambda *_: pytest.fail("the tables are asked"))
        identify(context, run_date=NEXT_DAY)
    identify(context, all_dates=True)
    assert waiting(said) == [f"identify: 4 images wait for `embed` on 2 dates from {DAY} to {NEXT_DAY}"]
