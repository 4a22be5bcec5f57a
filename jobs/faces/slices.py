"""Pending images are embedded slice by slice: computed, staged, committed."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.faces.compute import crashed_outcome, faces_of
from jobs.faces.contracts import note_contract, verified_contract
from jobs.faces.crashes import by_halves
from jobs.faces.known import Behind
from jobs.faces.pending import PendingImages
from jobs.run import ledger
from jobs.run.context import Context
from udfs import records
from udfs.arrow import local_frame, spark_schema
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.vision.contract import Contract, settings_id
from udfs.vision.spec import VisionSpec
from udfs.vision.speed import settled

_BEGINNING = 8
"""Characters of an id: millions of images have few that begin alike."""


def embed_pending(
    context: Context, *, run_date: date | None, all_pending: bool, commit_every: int, partitions: int | None
) -> dict[str, int]:
    """Embed what is pending; returns what was counted. The arguments are those of `rollcall embed`.

    Raises:
        InputError: no choice of dates or two, no inventory yet, unknown models, weights missing or wrong.
    """
    if (run_date is None) != all_pending:
        raise InputError("say which images: --run-date YYYY-MM-DD, or --all-pending")
    spec = context.settings.spec()
    if context.settings.liveness is not None:  # embed alone keeps it
        spec = replace(spec, liveness=context.settings.liveness.declaration())
    agreed = verified_contract(spec)
    work = Slices(context, settled(spec), agreed, partitions)
    chosen = F.lit(True) if run_date is None else F.col("run_date") == F.lit(run_date)
    context.tables.read("images")  # without an inventory: said before a run is noted

    with ledger.run(context) as run:
        run.digests.update(contract=work.contract.contract_id, settings=work.settings_id)
        work.recover(chosen, run)
        pending = work.pending(chosen, run)
        run.count("pending", pending.total)
        context.log.info(f"embed: {pending.total:,} images pending, {work.contract.embedder} on {spec.device}")
        if pending.total:
            note_contract(context, work.contract)
        done = 0
        for images in pending.slices(commit_every):
            began = time.monotonic()
            for slice_id in by_halves(images, partial(work.stage, run=run), partial(work.stage_crashed, run=run)):
                work.commit(slice_id, run)
            done += images.num_rows
            rate = images.num_rows / (time.monotonic() - began)
            context.log.info(f"embed: {done:,} of {pending.total:,} images, {rate:.1f} images/s")
    return run.counts


class Slices:
    """The steps to give pending images their outcome under one contract and settings, slice by slice."""

    def __init__(self, context: Context, spec: VisionSpec, agreed: Contract, partitions: int | None) -> None:
        self._context = context
        self._tables = context.tables
        self._spec = spec
        self._partitions = partitions
        self._behind = Behind.of(spec)
        self.contract = agreed
        self.settings_id = settings_id(spec)

    def pending(self, chosen: Column, run: ledger.Run) -> PendingImages:
        """The images without a final outcome, as they are now."""
        return PendingImages.of(self._context, chosen, self._mine(), run)

    def stage(self, slice_of_pending: pa.Table, run: ledger.Run) -> str:
        """Compute a slice in one pass and stage it as one commit; returns the slice's id."""
        return self._stage(slice_of_pending, self._outcomes(slice_of_pending, run), run)

    def _outcomes(self, images: pa.Table, run: ledger.Run) -> DataFrame:
        """Those of images whose faces an adapter can take from another contract, of whom none is opened; and those of
        all others."""
        if self._behind is None:
            return self._computed(images)
        asked = self._context.spark.createDataFrame(images.select(["image_id"]))
        known = self._behind.outcomes(self._context, asked)
        ids = known.select("image_id").toArrow()["image_id"].combine_chunks()
        run.count("adapted", len(ids))
        adapted = self._behind.adapted(self._context, known, self.contract)
        rest = images.filter(pc.invert(pc.is_in(images["image_id"], ids)))
        return adapted.unionByName(self._computed(rest)) if rest.num_rows else adapted

    def _computed(self, images: pa.Table) -> DataFrame:
        outcomes = faces_of(self._context, images, self._spec, self.contract, self.settings_id, self._partitions)
        return self._in_precision(outcomes)

    def _in_precision(self, outcomes: DataFrame) -> DataFrame:
        return outcomes.withColumns(
            {
                "precision": F.lit(self._spec.precision),
                "detector_precision": F.lit(self._spec.for_detector().precision),
            }
        )

    def stage_crashed(self, image: pa.Table, run: ledger.Run) -> str:
        """Stage the outcome of one image that a worker died of."""
        (image_id,) = image["image_id"].to_pylist()
        self._context.log.warning(
            f"embed: a worker process died while it read {image['uri'][0]}, which becomes rejected:crashed"
        )
        computed = local_frame(self._context.spark, [crashed_outcome(image_id)], spark_schema(records.OUTCOME))
        return self._stage(image, self._in_precision(computed), run)

    def _stage(self, slice_of_pending: pa.Table, computed: DataFrame, run: ledger.Run) -> str:
        images = self._context.spark.createDataFrame(slice_of_pending)
        ids = slice_of_pending["image_id"].to_pylist()
        # Two runs may compute the same images at once: each stages slices of its own. Whoever comes first commits one.
        slice_id = stable_id("slice", run.run_id, *ids)
        modified = F.timestamp_micros("modified_us")
        self._tables.append(
            "staged",
            images.join(computed, "image_id").select(
                F.lit(slice_id).alias("slice_id"),
                "image_id",
                "run_date",
                F.lit(self.contract.contract_id).alias("contract_id"),
                F.lit(self.settings_id).alias("settings_id"),
                "outcome",
                "detail",
                "content_sha256",
                "width",
                "height",
                F.coalesce("captured_at", "exif_captured_at", modified).alias("captured_at"),
                F.when(F.col("captured_at").isNotNull(), "path")
                .when(F.col("exif_captured_at").isNotNull(), "exif")
                .otherwise("modified")
                .alias("captured_at_source"),
                F.size(_no_null("faces")).alias("face_count"),
                "precision",
                "detector_precision",
                (F.col("attempts") + 1).alias("attempts"),
                F.lit(run.run_id).alias("run_id"),
                _no_null("faces").alias("faces"),
                "liveness",
            ),
        )
        run.count("images", len(ids))
        return slice_id

    def commit(self, slice_id: str, run: ledger.Run) -> None:
        """Move a staged slice to `faces`, then to `image_outcomes`; only then is it done, and unstaged."""
        staged = self._tables.read("staged").where(F.col("slice_id") == slice_id)
        counted = staged.groupBy("run_date", "outcome").agg(
            F.count("*").alias("n"),
            F.sum("face_count").alias("f"),
            F.min("image_id").alias("first"),
            F.max("image_id").alias("last"),
        )
        outcomes = counted.collect()
        dates = [row.run_date for row in outcomes]
        ids = _around([row.first for row in outcomes], [row.last for row in outcomes])
        scope = staged.select("image_id", "contract_id", "settings_id")
        of_image = ["image_id", "run_date", "contract_id", "settings_id", "run_id"]
        found = staged.select(*of_image, "liveness", F.posexplode("faces").alias("at", "face")).select(
            *of_image, "face.*", F.get("liveness", F.col("at")).alias("liveness")
        )
        self._tables.replace("faces", found, scope, dates, ids)
        self._tables.replace("image_outcomes", staged.drop("slice_id", "faces", "liveness"), scope, dates, ids)
        for row in outcomes:
            run.count(row.outcome, row.n)
            run.count("faces_found", row.f)
        self._tables.delete_where("staged", F.col("slice_id") == slice_id)

    def recover(self, chosen: Column, run: ledger.Run) -> None:
        """Commit what other runs have staged: one that was killed did not live to commit it, and one that is still
        running finds it done."""
        staged = self._tables.read_or_empty("staged").where(chosen & self._mine())
        for row in staged.select("slice_id").distinct().orderBy("slice_id").collect():
            self._context.log.info("embed: committing a slice that another run had computed")
            self.commit(row.slice_id, run)
            run.count("recovered_slices", 1)

    def _mine(self) -> Column:
        return (F.col("contract_id") == self.contract.contract_id) & (F.col("settings_id") == self.settings_id)


def _no_null(name: str) -> Column:
    return F.coalesce(name, F.array())


def _around(first: Sequence[str], last: Sequence[str]) -> tuple[str, str] | None:
    """Text around the ids of a slice: of a date with millions of images, a slice and the files it has become lie in a
    narrow range of ids. The beginnings of ids are enough; whole ones would stay in Delta's log.
    """
    return (min(first)[:_BEGINNING], max(last)[:_BEGINNING] + "~") if first else None
