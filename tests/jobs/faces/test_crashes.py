"""A worker that dies costs one image."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.faces.crashes import by_halves
from jobs.ingest import ingest
from tests.support import MakeContext
from udfs import embedding

Batches = Iterator[pa.RecordBatch]


@pytest.mark.parametrize("culprits", [set(), {0}, {12}, {3, 4}, set(range(13))])
def test_the_culprits_are_found(culprits: set[int]) -> None:
    def work(rows: pa.Table) -> list[int]:
        numbers: list[int] = rows["number"].to_pylist()
        if culprits & set(numbers):
            raise RuntimeError("Job aborted: Python worker exited unexpectedly (crashed)")
        return numbers

    rows = pa.table({"number": list(range(13))})
    parts = list(by_halves(rows, work, lambda row: [-1 - row["number"][0].as_py()]))
    found = [number for part in parts for number in part]
    assert found == [-1 - number if number in culprits else number for number in range(13)]


def test_an_exception_is_no_crash() -> None:
    def work(rows: pa.Table) -> None:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        list(by_halves(pa.table({"number": [1, 2]}), work, work))


@pytest.mark.slow
def test_a_killed_worker_costs_one_image(
    make_context: MakeContext, demo_photos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker is killed whenever it is given one certain image, as a codec that runs wild would."""
    context = make_context()
    ingest(context, source=str(demo_photos[0] / RUN_DATE))
    listed = context.tables.read("images").where("uri LIKE '%/speech.jpg'").collect()
    (poison,) = (row.image_id for row in listed)
    original, kill, me = embedding.embed_images, os.kill, os.getpid

    def poisoned(*arguments: str) -> Callable[[Batches], Batches]:
        embed_them = original(*arguments)  # type: ignore[arg-type]

        def run(batches: Batches) -> Batches:
            def watched() -> Batches:
                for batch in batches:
                    if poison in batch["image_id"].to_pylist():
                        kill(me(), signal.SIGKILL)
                    yield batch

            yield from embed_them(watched())

        return run

    monkeypatch.setattr(embedding, "embed_images", poisoned)
    counts = embed(context, all_pending=True)
    outcomes = {row.image_id: row.outcome for row in context.tables.read("image_outcomes").collect()}
    assert len(outcomes) == context.tables.read("images").count()
    assert [image for image, outcome in outcomes.items() if outcome == "rejected:crashed"] == [poison]
    assert counts["rejected:crashed"] == 1
    assert embed(context, all_pending=True)["pending"] == 0
