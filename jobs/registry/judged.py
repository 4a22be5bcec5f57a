"""The third step of an enrolment: samples on which no decision stands are judged, in the order of their ids."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.registry.admission import Verdict
from jobs.registry.leaving import without
from jobs.registry.seeing import SeenPhotos
from jobs.registry.verdicts import Resemblances, Search, numbered, verdicts
from jobs.run.context import Context
from schemas.catalog import GALLERY
from udfs import judging
from udfs.arrow import local_frame, spark_schema
from udfs.matching import vectors_of
from udfs.search.judging import Nearness, pairs_before
from udfs.vision.contract import Contract

Array = np.ndarray

VERDICT = pa.schema(
    [
        ("decision", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("own_similarity", pa.float64()),
        ("other_person_id", pa.string()),
        ("other_similarity", pa.float64()),
    ]
)
"""What is decided of a sample, and why."""
_KNOWN = ("sample_id", "person_id", "embedding", "embedding_digest")


def undecided(photos: pa.Table, decided: pa.ChunkedArray, reopened: pa.Array, reconsider: bool) -> pa.Table:
    """Of the photos of each sample the first, if no decision on it stands; in the order of sample_id.

    photos: those that were seen (`SeenPhotos.photos`). decided: the samples with a decision. reopened: those of them
    whose decision stands no longer.
    """
    if not reconsider:
        stands = pc.and_not(
            pc.is_in(photos["sample_id"], value_set=decided.combine_chunks()),
            pc.is_in(photos["sample_id"], value_set=reopened),
        )
        photos = photos.filter(pc.invert(stands))
    ids = photos["sample_id"].combine_chunks()
    return photos.take(pc.index_in(pc.unique(ids), value_set=ids)).sort_by("sample_id")


def judge_samples(
    context: Context,
    in_force: DataFrame | None,
    seen: SeenPhotos,
    samples: pa.Table,
    agreed: Contract,
    review: float,
    search: Search,
) -> pa.Table:
    """The samples, as of `undecided`, with their verdicts; only those with a usable face are judged.

    in_force: the samples that they are judged against, less those that leave; None if there are none.

    Samples on which no decision is noted may still be in the gallery: they are reconsidered, or the run that
    accepted them was killed. They are not judged against themselves.
    """
    usable = samples.filter(pc.equal(samples["reason"], ""))
    persons = usable["person_id"].to_pylist()
    if not persons:
        near = None
    elif seen.few:
        near = _near_here(in_force, seen.faces.here(usable), samples, review)
    else:
        near = search(
            context,
            _known(context, in_force, samples),
            _asked(seen, usable),
            persons,
            agreed.dimension,
            review,
        )
    judged = iter(verdicts(persons, near) if near is not None else [])
    rows = [
        _decision(next(judged)) if not reason else _refusal(reason, detail)
        for reason, detail in zip(samples["reason"].to_pylist(), samples["detail"].to_pylist(), strict=True)
    ]
    decided = pa.Table.from_pylist(rows, VERDICT)
    kept = samples.drop_columns(["reason", "detail"])
    for name in VERDICT.names:
        kept = kept.append_column(name, decided[name])
    return kept


def _decision(verdict: Verdict) -> dict[str, object]:
    resembles = f"{verdict.other:.3f} to {verdict.other_person_id!r}" if not verdict.accepted else ""
    return {
        "decision": "accepted" if verdict.accepted else "review",
        "reason": "" if verdict.accepted else "resembles_another_person",
        "detail": resembles,
        "own_similarity": verdict.own,
        "other_person_id": verdict.other_person_id,
        "other_similarity": verdict.other,
    }


def _refusal(reason: str, detail: str) -> dict[str, object]:
    return {"decision": "refused", "reason": reason, "detail": detail}


def _near_here(in_force: DataFrame | None, usable: pa.Table, samples: pa.Table, review: float) -> Resemblances:
    """Who is near samples that are few: executors compare the gallery with them, and this process themselves."""
    vectors, persons = vectors_of(usable["embedding"]), usable["person_id"].to_pylist()
    near = Nearness(vectors, persons, review)
    if in_force is not None:
        compare = judging.near_others(vectors, persons, review, samples["sample_id"].combine_chunks())
        known = in_force.select("sample_id", "person_id", "embedding")
        for row in known.mapInArrow(compare, spark_schema(judging.NEAR)).toArrow().to_pylist():
            near.own[row["at"]] = max(near.own[row["at"]], row["own"])
            if row["other_person_id"] is not None:
                near.meet_other(row["at"], row["other"], row["other_person_id"])
    floors = np.maximum(near.other, review)
    found = list(pairs_before([vectors], numbered(persons), floors, 0, len(vectors)))
    later, earlier, similarity = (np.concatenate(column) for column in zip(*found, strict=True))
    return Resemblances(near.own, near.other_person, near.other, later, earlier, similarity)


def _known(context: Context, in_force: DataFrame | None, samples: pa.Table) -> DataFrame:
    """The samples in force, but for those that are judged."""
    known = without(in_force, samples["sample_id"].combine_chunks())
    return (local_frame(context.spark, [], GALLERY.schema) if known is None else known).select(*_KNOWN)


def _asked(seen: SeenPhotos, usable: pa.Table) -> DataFrame:
    """The samples that are judged with their numbers and embeddings."""
    numbers = pa.array(np.arange(usable.num_rows, dtype=np.int32))
    numbered = usable.select(["sample_id", "person_id", "photo_id"]).add_column(0, "at", numbers)
    return seen.faces.beside(numbered).select(
        "at", "sample_id", "person_id", "embedding", F.xxhash64("embedding").alias("embedding_digest")
    )
