"""Rows of tables, as short as a test wants to write them: what it does not name is something harmless."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.run.context import Context
from schemas.catalog import TABLES
from udfs.arrow import local_frame

Array = np.ndarray
Values = dict[str, object]

DAY, NEXT_DAY = date(2026, 1, 31), date(2026, 2, 1)
CONTRACT = "c"
NOW = datetime(2026, 2, 2, tzinfo=UTC)

_HARMLESS: dict[str, Values] = {
    "images": {"uri": "u", "size": 1, "modified_us": 0, "regular": True, "run_date": DAY},
    "image_outcomes": {
        "run_date": DAY,
        "contract_id": CONTRACT,
        "settings_id": "s",
        "outcome": "faces",
        "detail": "",
        "content_sha256": "",
        "width": 9,
        "height": 9,
        "captured_at": NOW,
        "captured_at_source": "path",
        "face_count": 1,
        "precision": "fp32",
        "detector_precision": "fp32",
        "attempts": 1,
    },
    "faces": {
        "run_date": DAY,
        "contract_id": CONTRACT,
        "settings_id": "s",
        "ordinal": 0,
        "box": (0.0, 0.0, 50.0, 50.0),
        "landmarks": [(0.0, 0.0)] * 5,
        "score": 1.0,
        "quality": (50.0, *(0.0,) * 6),
    },
    "gallery": {
        "gallery_name": "g",
        "labels": [],
        "uri": "u",
        "contract_id": CONTRACT,
        "quality": (50.0,) * 7,
        "enrolled_at": NOW,
    },
    "enrollments": {
        "gallery_name": "g",
        "person_id": "p",
        "uri": "u",
        "photo_id": "p",
        "contract_id": CONTRACT,
        "settings_id": "s",
        "decision": "accepted",
        "reason": "",
        "detail": "",
    },
    "contracts": {
        "contract_id": CONTRACT,
        "detector": "d",
        "embedder": "dlib-resnet-v1",
        "dimension": 8,
        "document": "{}",
    },
    "identifications": {
        "gallery_name": "g",
        "run_date": DAY,
        "contract_id": CONTRACT,
        "quality": (50.0,) * 7,
        "decision": "unknown",
        "threshold_id": "settings",
        "threshold": 0.6,
        "review_threshold": 0.5,
    },
    "reviews": {
        "gallery_name": "g",
        "person_id": "p",
        "image_id": "i",
        "run_date": DAY,
        "contract_id": CONTRACT,
        "reason": "",
    },
    "thresholds": {
        "protocol": "open-set",
        "contract_id": CONTRACT,
        "target": 0.01,
        "threshold": 0.6,
        "threshold_low": 0.5,
        "threshold_high": 0.7,
        "rate_low": 0.0,
        "rate_high": 0.1,
        "review_target": 0.1,
        "review_threshold": 0.5,
        "method": "counted",
        "data": "d",
        "half": "both",
        "seed": 0,
        "persons": 9,
        "searches": 9,
        "created_at": NOW,
    },
    "erasures": {"kind": "person", "who": "w", "tables": [], "counts": {}, "digest": "", "at": NOW},
    "runs": {"job": "embed", "arguments": {}, "versions": {}, "digests": {}, "counts": {}},
}


def unit(count: int, seed: int, dimension: int = 8) -> Array:
    """Vectors of unit length in random directions, float32 (count, dimension)."""
    return normalised(np.random.default_rng(seed).normal(size=(count, dimension)))


def normalised(vectors: Array) -> Array:
    """Vectors at unit length, as float32."""
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def frame(spark: SparkSession, table: str, rows: Sequence[Values]) -> DataFrame:
    """Rows of a table as a frame; columns that are not named are harmless, or null."""
    declared = TABLES[table]
    whole = [{**dict.fromkeys(declared.names), "run_id": "r", **_HARMLESS.get(table, {}), **row} for row in rows]
    known = [{name: row[name] for name in declared.names} for row in whole]
    made = local_frame(spark, known, T.StructType([T.StructField(f.name, f.dataType) for f in declared.schema]))
    return made.withColumn("embedding_digest", F.xxhash64("embedding")) if table == "gallery" else made


def put(context: Context, table: str, *rows: Values) -> None:
    """Append rows to a table."""
    context.tables.append(table, frame(context.spark, table, rows))


def put_contract(context: Context, contract_id: str = CONTRACT) -> None:
    put(context, "contracts", {"contract_id": contract_id})


def put_faces(
    context: Context,
    vectors: Array,
    day: date = DAY,
    limits: str = "s",
    sizes: Sequence[float] | None = None,
    first: int = 0,
    contract_id: str = CONTRACT,
) -> None:
    """Faces f00, f01, ... of a date, each in an image of its own."""
    put(
        context,
        "faces",
        *[
            {
                "face_id": f"f{at:02}-{day}{'' if limits == 's' else limits}",
                "image_id": f"i{at}",
                "run_date": day,
                "contract_id": contract_id,
                "settings_id": limits,
                "quality": (size, *(0.0,) * 6),
                "embedding": vector.tolist(),
            }
            for at, (vector, size) in enumerate(zip(vectors, sizes or [50.0] * len(vectors), strict=True), first)
        ],
    )


def sample_rows(vectors: Array, persons: Sequence[str], **values: object) -> list[Values]:
    """Samples s00-PERSON, s01-PERSON, ... of the gallery g."""
    return [
        {"sample_id": f"s{at:02}-{person}", "person_id": person, "embedding": vector.tolist(), **values}
        for at, (vector, person) in enumerate(zip(vectors, persons, strict=True))
    ]


def put_samples(context: Context, vectors: Array, persons: Sequence[str], **values: object) -> None:
    put(context, "gallery", *sample_rows(vectors, persons, **values))


def put_images(context: Context, outcomes: Sequence[str | None], day: date = DAY) -> None:
    """Images by what became of each; None is nothing yet."""
    put(context, "images", *[{"image_id": f"i{at}-{day}", "run_date": day} for at in range(len(outcomes))])
    put(
        context,
        "image_outcomes",
        *[
            {
                "image_id": f"i{at}-{day}",
                "run_date": day,
                "outcome": outcome,
                "face_count": int(outcome == "faces"),
            }
            for at, outcome in enumerate(outcomes)
            if outcome is not None
        ],
    )
