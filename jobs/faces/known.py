"""What the tables say of images: under the models and limits of the settings, or, where these have an adapter, of the
embedder behind it."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.run.context import Context
from udfs import records
from udfs.adapted import adapt_faces
from udfs.vision.adapter import Adapter
from udfs.vision.contract import Contract, contract, settings_id
from udfs.vision.declaration import AdaptedModel
from udfs.vision.embed import adapter_of
from udfs.vision.models import embedder
from udfs.vision.spec import VisionSpec


def known_outcomes(context: Context, asked: DataFrame, agreed: Contract) -> DataFrame:
    """What the tables say of images, given by image_id, under the models and limits of the settings.

    Of an image some of whose faces have been removed, as their time was over (`rollcall retain`), they say nothing.

    Columns: image_id, outcome, detail, content_sha256, width, height, faces, as records.OUTCOME has them.
    """
    return _outcomes(context, asked, agreed).select(
        "image_id", "outcome", "detail", "content_sha256", "width", "height", "faces"
    )


@dataclass(frozen=True)
class Behind:
    """An adapter, and the contract of the embedder behind it."""

    contract_id: str
    adapter: Adapter

    @classmethod
    def of(cls, spec: VisionSpec) -> "Behind | None":
        """Of a specification; None without an adapter."""
        model = embedder(spec.embedder, spec.models)
        if not isinstance(model, AdaptedModel):
            return None
        return cls(contract(model.spec(spec)).contract_id, adapter_of(model, spec))

    def outcomes(self, context: Context, asked: DataFrame) -> DataFrame:
        """What the tables say of images under the contract behind the adapter; faces that were removed stay away.

        Columns: records.OUTCOME, and `precision` and `detector_precision`, in which the faces were computed.
        """
        return _kept(context, asked, self.contract_id, whole=False)

    def adapted(self, context: Context, outcomes: DataFrame, agreed: Contract) -> DataFrame:
        """Such outcomes as they are under the adapter's own contract."""
        settings = settings_id(context.settings.spec())
        return outcomes.mapInArrow(adapt_faces(self.adapter, agreed.contract_id, settings), outcomes.schema)


def _outcomes(context: Context, asked: DataFrame, agreed: Contract) -> DataFrame:
    kept = _kept(context, asked, agreed.contract_id, whole=True)
    behind = Behind.of(context.settings.spec())
    if behind is None:
        return kept
    rest = _kept(context, asked.join(kept, "image_id", "left_anti"), behind.contract_id, whole=True)
    return kept.unionByName(behind.adapted(context, rest, agreed))


def _kept(context: Context, asked: DataFrame, contract_id: str, *, whole: bool) -> DataFrame:
    """Of the tables, under a contract and the limits of the settings. whole: only where all faces are there that were
    found."""
    names = [field.name for field in records.FACE]
    mine = (F.col("contract_id") == contract_id) & (F.col("settings_id") == settings_id(context.settings.spec()))
    outcomes = context.tables.read_or_empty("image_outcomes").where(mine & (F.col("outcome") != "rejected:unreadable"))
    of_images = context.tables.read_or_empty("faces").where(mine).join(asked, "image_id", "left_semi")
    gathered = of_images.groupBy("image_id").agg(F.collect_list(F.struct(*names, "liveness")).alias("found"))
    gathered = gathered.select(
        "image_id",
        F.transform("found", lambda face: F.struct(*[face[name].alias(name) for name in names])).alias("faces"),
        F.transform("found", lambda face: face["liveness"]).alias("liveness"),
    )
    found = outcomes.join(asked, "image_id", "left_semi").join(gathered, "image_id", "left")
    if whole:
        found = found.where((F.col("outcome") != "faces") | (F.size("faces") == F.col("face_count")))
    return found.select(
        "image_id",
        "outcome",
        "detail",
        "content_sha256",
        "width",
        "height",
        F.when(F.col("captured_at_source") == "exif", F.col("captured_at")).alias("exif_captured_at"),
        "faces",
        "liveness",
        "precision",
        F.coalesce("detector_precision", "precision").alias("detector_precision"),
    )
