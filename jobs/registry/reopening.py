"""Which decisions stand no longer: of photos that were set aside as they resembled a person who may not be that person
any more."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.registry.register import Register
from jobs.run.context import Context

Leaves = Callable[[pa.Table], pa.Array]
"""Samples in force (person_id, sample_id, uri) -> whether each leaves in this run, or may."""


def reopened(context: Context, register: Register, decided: pa.Table, leaves: Leaves) -> pa.Array:
    """Of each decision, whether it is one to set a photo aside, and the person whom the photo resembled has no sample
    any more, loses one now, or has lost one since: that one may have been what it resembled.

    Since then also in runs whose list did not have the photo. So a decision holds as long as it would be made again, as
    far as that can be told without the photo.

    decided: resembles, the person whom a photo that was set aside resembles, else null; run_id, the run that decided.
    """
    persons = pc.unique(decided["resembles"].drop_null())
    if not len(persons) or register.samples is None:
        return pc.is_valid(decided["resembles"]).combine_chunks()
    asked = context.spark.createDataFrame(pa.table({"person_id": persons}))
    samples = register.samples.join(asked, "person_id", "left_semi")
    found = samples.select("person_id", "sample_id", "uri", "withdrawn_at", "run_id").toArrow()
    stand = found.filter(pc.is_null(found["withdrawn_at"]))
    stay = set(stand["person_id"].to_pylist()) - set(stand["person_id"].filter(leaves(stand)).to_pylist())
    lost: dict[str, list[tuple[object, str]]] = {}
    for row in found.filter(pc.is_valid(found["withdrawn_at"])).to_pylist():
        lost.setdefault(row["person_id"], []).append((row["withdrawn_at"], row["run_id"]))
    began = _began(context, decided.filter(pc.is_valid(decided["resembles"]))["run_id"]) if lost else {}

    def stands(person: str, run_id: str) -> bool:
        then = began.get(run_id)
        since = then is not None and any(at > then and by != run_id for at, by in lost.get(person, ()))  # type: ignore[operator]
        return person in stay and not since

    both = zip(decided["resembles"].to_pylist(), decided["run_id"].to_pylist(), strict=True)
    return pa.array([person is not None and not stands(person, run_id) for person, run_id in both], pa.bool_())


def _began(context: Context, run_ids: pa.ChunkedArray) -> dict[str, object]:
    """When runs began."""
    started = context.tables.read("runs").where("event = 'started'")
    asked = context.spark.createDataFrame(pa.table({"run_id": pc.unique(run_ids)}))
    rows = started.join(asked, "run_id", "left_semi").select("run_id", F.col("at")).toArrow().to_pylist()
    return {row["run_id"]: row["at"] for row in rows}
