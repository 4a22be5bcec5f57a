"""The record of an investigation, where two runs give one name, or one is killed while it writes."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobs.investigations.record import Investigation
from jobs.retention.holds import held_faces
from jobs.run.context import Context
from schemas.names import Names
from tests.rows import DAY, frame, put, put_faces, unit
from tests.support import MakeContext
from udfs.errors import InputError

FACES = [f"f00-{DAY}", f"f01-{DAY}"]


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    context = make_context()
    put_faces(context, unit(2, 0))
    put(context, "images", {"image_id": "i0"}, {"image_id": "i1"})
    of = {"outcome": "faces", "face_count": 1}
    put(context, "image_outcomes", {"image_id": "i0", **of}, {"image_id": "i1", **of})
    return context


def write(context: Context, run_id: str, at: int) -> None:
    run: Any = SimpleNamespace(run_id=run_id, digests={})
    face = {"face_id": FACES[at], "image_id": f"i{at}", "run_date": DAY}
    found = frame(context.spark, "findings", [{**face, "asked": "photo.jpg", "rank": 1, "similarity": 0.5}])
    Investigation("gate 3", "eve", "", None).write(
        context, run, kind="search", question={}, contract_id="c", searched=2, count=1,
        findings=found.drop("investigation", "contract_id", "run_id"),
    )  # fmt: skip


def shown(context: Context) -> list[str]:
    rows = Names(context.spark, context.tables).rows("investigation_findings")
    return [row.face_id for row in rows.where("investigation = 'gate 3'").collect()]


def test_of_two_runs_with_one_name_the_second_is_told(context: Context) -> None:
    write(context, "first", 0)
    with pytest.raises(InputError, match="another run has made an investigation 'gate 3' meanwhile; give"):
        write(context, "second", 1)
    assert shown(context) == FACES[:1]
    held = {row.face_id for row in held_faces(context, DAY).collect()}
    assert held & set(FACES) == {FACES[0]}


def test_what_a_killed_run_has_found_is_found_once(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(context.tables), "append_new", killed)
        with pytest.raises(KeyboardInterrupt):
            write(context, "killed", 0)
    assert shown(context) == []
    write(context, "again", 0)
    assert shown(context) == FACES[:1]
