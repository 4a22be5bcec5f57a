"""Functions of SQL that need settings, models or a packed gallery: known to one session, from when they are named."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from jobs.run.context import Context
from schemas.names import Names

if TYPE_CHECKING:
    from pyspark.sql.udtf import UserDefinedTableFunction

# What the functions need is imported where they are made: most statements name none of them.

GALLERY = "spark.rollcall.gallery"
"""Of several galleries the one that nearest_persons searches: SET spark.rollcall.gallery = NAME."""

DESCRIBED = {
    "same_person": "same_person(one ARRAY<FLOAT>, other ARRAY<FLOAT>) -> BOOLEAN: whether two embeddings are as similar"
    " as the threshold for pairs in force (the newest calibration's, else the settings')",
    "embed_face": "embed_face(content BINARY) -> ARRAY<FLOAT>: the embedding of the largest face in an image, by the"
    " settings' models; null without a face",
    "face_crop": "face_crop(content BINARY, box STRUCT<left, top, right, bottom>) -> BINARY: a face of an image as a"
    " JPEG; null if the image cannot be read",
    "nearest_persons": "nearest_persons(TABLE(...), k INT): a table with face_id and embedding -> face_id, person_id,"
    f" sample_id, similarity, rank of the k nearest persons; of several galleries say which: SET {GALLERY} = NAME",
}
"""What each function is, for a person."""


def names_of(context: Context) -> Names:
    """All names that statements may use in a session."""
    of_gallery = cache(partial(_nearest_persons, context))
    made: Mapping[str, Callable[[], None]] = {
        "same_person": cache(partial(_same_person, context)),
        "embed_face": cache(partial(_embed_face, context)),
        "face_crop": cache(partial(_face_crop, context.spark)),
        "nearest_persons": lambda: _register(context.spark, of_gallery(context.spark.conf.get(GALLERY, None))),
    }
    return Names(context.spark, context.tables, made)


def _register(spark: SparkSession, nearest_persons: "UserDefinedTableFunction") -> None:
    spark.udtf.register("nearest_persons", nearest_persons)


def _same_person(context: Context) -> None:
    from jobs.decisions.thresholds import for_verification
    from schemas.functions import FACE_SIMILARITY, Function
    from udfs.vision.contract import contract

    thresholds = for_verification(context, contract(context.settings.spec()))
    function = Function(
        name="same_person",
        parameters={"one": "ARRAY<FLOAT>", "other": "ARRAY<FLOAT>"},
        returns="BOOLEAN",
        comment=f"whether two embeddings are similar from {thresholds.match:.4f} on ({thresholds.threshold_id})",
        body=f"{FACE_SIMILARITY.body} >= {thresholds.match!r}D",
        example=FACE_SIMILARITY.example,
    )
    context.spark.sql(function.create("same_person", temporary=True))


def _embed_face(context: Context) -> None:
    from pyspark.sql.pandas.functions import arrow_udf

    from jobs.faces.contracts import verified_contract
    from udfs import sql_functions
    from udfs.arrow import spark_type
    from udfs.vision.contract import settings_id
    from udfs.vision.speed import settled

    spec = settled(context.settings.spec())
    agreed = verified_contract(spec)
    embed = sql_functions.embed_face(spec, agreed.contract_id, settings_id(spec))
    function = arrow_udf(embed, spark_type(sql_functions.EMBEDDING))  # type: ignore[call-overload]
    context.spark.udf.register("embed_face", function)


def _face_crop(spark: SparkSession) -> None:
    from pyspark.sql.pandas.functions import arrow_udf

    from udfs import sql_functions

    spark.udf.register("face_crop", arrow_udf(sql_functions.face_crop, "binary"))  # type: ignore[call-overload]


def _nearest_persons(context: Context, gallery_name: str | None) -> "UserDefinedTableFunction":
    from pyspark.sql.functions import arrow_udtf
    from pyspark.sql.udtf import UserDefinedTableFunction

    from jobs.matching import packing
    from jobs.registry.snapshot import GallerySnapshot
    from udfs import sql_functions
    from udfs.arrow import spark_schema
    from udfs.matching import CANDIDATE

    gallery = GallerySnapshot.open(context, gallery_name)
    packed, _ = packing.pack(context, gallery.samples, packing.digest_of_packed(gallery.samples))
    made = arrow_udtf(sql_functions.nearest_persons(packed), returnType=spark_schema(CANDIDATE))
    assert isinstance(made, UserDefinedTableFunction)
    return made
