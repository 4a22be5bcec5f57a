"""What becomes of each table when faces and images go, and what is kept beside the tables."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.erasure.beside import packed_beside, remove_packed
from jobs.erasure.clusters import LeftOfClusters, decisions_without
from jobs.erasure.rows import TableRows, findings_counted
from jobs.retention.due import Due
from jobs.retention.limits import Limits
from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import TABLES

TOUCHED = (
    "staged", "clusters", "cluster_changes", "cluster_members", "cluster_decisions", "reviews", "verifications",
    "investigations", "findings", "searches", "searched_samples", "identifications", "matches",
    "faces", "images", "image_outcomes",
)  # fmt: skip
"""Tables that may lose rows, in the order in which they do: what leads to the rest goes late, so that a run that was
killed is carried on by the next. Outcomes go after images: an image without an outcome would be embedded again."""
_OF_OLD_FACE = ("identifications", "matches")
_OF_FACE = ("cluster_members", "reviews", "findings")
_AT_ONCE = 4
"""Tables: what is asked of each are small jobs of Spark."""


@dataclass(frozen=True)
class TablePlan:
    """rows: what becomes of a table. why: how many rows go for what reason. held: how many rows stay although their
    time is over."""

    rows: TableRows
    why: Counter[str]
    held: int = 0


@dataclass(frozen=True)
class Plan:
    """tables: in the order of TOUCHED, those that lose rows or hold some. packed: folders of what is packed."""

    due: Due
    tables: dict[str, TablePlan]
    packed: list[str]

    @classmethod
    def of(cls, context: Context, limits: Limits) -> "Plan":
        """What becomes of the tables as they are now."""
        due = Due.of(context, limits)
        made = _Tables(context, limits, due)
        names = [name for name in TOUCHED if context.tables.exists(name)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            plans = dict(zip(names, pool.map(made.plan, names), strict=True))
        concerned = {name: plan for name, plan in plans.items() if plan.held or not plan.rows.is_empty}
        return cls(due, concerned, packed_beside(context, "faces") if due.faces_by_kind else [])

    def carry_out(self, context: Context, run: ledger.Run) -> None:
        """Remove it. It may be killed, and done again."""
        self._close_dates(context, run)
        remove_packed(self.packed)
        for name, plan in self.tables.items():
            plan.rows.carry_out(context.tables)
            run.count(name, plan.rows.deleted)
        remove_packed(self.packed)  # a search may have packed them again meanwhile
        run.count("held", self.due.held_count)

    def _close_dates(self, context: Context, run: ledger.Run) -> None:
        """First: whatever happens then, `ingest` brings none of it back."""
        if not self.due.images_by_kind:
            return
        dates = self.due.images.select("run_date", F.coalesce("source", F.lit("")).alias("source")).distinct()
        of_all = {"expired_at": F.lit(datetime.now(UTC)), "run_id": F.lit(run.run_id)}
        context.tables.update("expired_dates", dates.withColumns(of_all).localCheckpoint())


class _Tables:
    """What becomes of each table."""

    def __init__(self, context: Context, limits: Limits, due: Due) -> None:
        self._context = context
        self._tables = context.tables
        self._due = due
        self._old = F.col("run_date") < F.lit(limits.horizon)
        self._left = self._left_of_clusters()

    def plan(self, name: str) -> TablePlan:
        """Of a table that exists."""
        rules: dict[str, Callable[[], TablePlan]] = {
            "clusters": self._clusters,
            "cluster_changes": self._cluster_changes,
            "cluster_decisions": self._cluster_decisions,
            "verifications": self._verifications,
            "investigations": self._investigations,
            "searches": self._searches,
            "searched_samples": self._searched_samples,
            "faces": self._faces,
            "images": self._images,
        }
        if name in rules:
            return rules[name]()
        if name in _OF_OLD_FACE:
            return self._of_old_faces(name)
        return self._of_faces(name) if name in _OF_FACE else self._of_images(name)

    # --- by face ---------------------------------------------------------------------------------------

    def _faces(self) -> TablePlan:
        rows = self._gone("faces", self._due.faces.select("face_id", "run_date"))
        return TablePlan(rows, self._due.faces_by_kind, self._due.held_count)

    def _of_faces(self, name: str) -> TablePlan:
        """A row of a face that goes."""
        if not self._due.faces_by_kind:
            return TablePlan(TableRows(name), Counter(), self._held(name))
        return TablePlan(self._gone(name, self._gone_members(self._read(name))), Counter(), self._held(name))

    def _of_old_faces(self, name: str) -> TablePlan:
        """A row of a date before the horizon whose face goes; or went before, while `identify` was running."""
        of_face = ["face_id", "run_date"]
        rows = self._tables.read_fixed(name).where(self._old)
        # Read after the rows: a face that has one has been there before it.
        faces = self._tables.read_or_empty("faces").where(self._old).select(*of_face)
        staying = faces.join(self._due.faces.select(*of_face), of_face, "left_anti")
        rows = rows.join(staying, of_face, "left_anti")
        return TablePlan(self._gone(name, rows), Counter(), self._held(name))

    def _gone_members(self, rows: DataFrame) -> DataFrame:
        return rows.join(self._due.faces.select("face_id"), "face_id", "left_semi").select(*rows.columns)

    def _held(self, name: str) -> int:
        if not self._due.held_count:
            return 0
        return self._tables.read(name).join(self._due.held.select("face_id"), "face_id", "left_semi").count()

    def _investigations(self) -> TablePlan:
        if not (self._due.faces_by_kind and self._tables.exists("findings")):
            return _nothing("investigations")
        findings = self._tables.read("findings")
        rows = self._tables.read("investigations")
        return self._changed("investigations", findings_counted(rows, findings, self._gone_members(findings)))

    # --- clusters --------------------------------------------------------------------------------------

    def _left_of_clusters(self) -> LeftOfClusters | None:
        """None where no cluster loses a face."""
        if not (self._due.faces_by_kind and self._tables.exists("cluster_members")):
            return None
        members = self._read("cluster_members")
        gone = self._gone_members(members).localCheckpoint()
        return None if gone.isEmpty() else LeftOfClusters.of(members, gone)

    def _clusters(self) -> TablePlan:
        left, name = self._left, "clusters"
        return _nothing(name) if left is None else self._both(name, *left.clusters(self._read(name)))

    def _cluster_changes(self) -> TablePlan:
        left, name = self._left, "cluster_changes"
        return _nothing(name) if left is None else self._both(name, *left.changes(self._read(name)))

    def _cluster_decisions(self) -> TablePlan:
        name = "cluster_decisions"
        if not self._due.faces_by_kind:
            return _nothing(name)
        rows = self._read(name)
        said = rows.select(F.explode(F.concat("faces", "other_faces")).alias("face_id")).distinct()
        faces = frozenset(row.face_id for row in self._gone_members(said).collect())
        return self._both(name, *decisions_without(rows, faces)) if faces else _nothing(name)

    # --- by image --------------------------------------------------------------------------------------

    def _images(self) -> TablePlan:
        rows = self._gone("images", self._due.images.select("image_id", "run_date"))
        held = self._due.held.select("image_id").distinct().count() if self._due.held_count else 0
        return TablePlan(rows, self._due.images_by_kind, held)

    def _of_images(self, name: str) -> TablePlan:
        """A row of an image that goes."""
        if not self._due.images_by_kind:
            return _nothing(name)
        rows = self._tables.read(name).join(self._due.images.select("image_id"), "image_id", "left_semi")
        return TablePlan(self._gone(name, rows), Counter())

    def _verifications(self) -> TablePlan:
        if not self._due.images_by_kind:
            return _nothing("verifications")
        rows, images = self._read("verifications"), self._due.images.select("image_id")
        sides = [
            rows.join(images.withColumnRenamed("image_id", side), side, "left_semi").select("pair_id")
            for side in ("left_image_id", "right_image_id")
        ]
        return TablePlan(self._gone("verifications", sides[0].union(sides[1])), Counter())

    # --- notes of what was searched --------------------------------------------------------------------

    def _over(self) -> DataFrame:
        """Rows of `searches` of dates before the horizon of which no face stays."""
        dates = self._due.staying.select("run_date").distinct()
        return self._read("searches").where(self._old).join(dates, "run_date", "left_anti")

    def _searches(self) -> TablePlan:
        return TablePlan(self._gone("searches", self._over()), Counter())

    def _searched_samples(self) -> TablePlan:
        """Of the states of galleries that only dates have been compared with of which nothing stays."""
        if not self._tables.exists("searches"):
            return _nothing("searched_samples")
        over, of_note = self._over(), ["gallery_name", "run_date"]
        stay = self._read("searches").join(over.select(*of_note), of_note, "left_anti").select("gallery_digest")
        digests = over.select("gallery_digest").distinct().join(stay, "gallery_digest", "left_anti")
        rows = self._read("searched_samples").join(digests, "gallery_digest", "left_semi")
        return TablePlan(self._gone("searched_samples", rows), Counter())

    # --- what becomes of rows --------------------------------------------------------------------------

    def _read(self, name: str) -> DataFrame:
        return self._tables.read(name)

    def _gone(self, name: str, rows: DataFrame) -> TableRows:
        """rows: with the columns of the key, and run_date where the table is partitioned by it."""
        dated = "run_date" in TABLES[name].partition_by
        keys = dict.fromkeys([*TABLES[name].key, *(["run_date"] if dated else [])])
        gone = rows.select(*keys).distinct().localCheckpoint()
        if not dated:
            count = gone.count()
            return TableRows(name, gone, None, count)
        counted = gone.groupBy("run_date").count().collect()
        dates = frozenset(row.run_date for row in counted)
        return TableRows(name, gone, None, sum(row["count"] for row in counted), dates=dates)

    def _changed(self, name: str, changed: DataFrame) -> TablePlan:
        changed = changed.localCheckpoint()
        return TablePlan(TableRows(name, None, changed, 0, changed.count()), Counter())

    def _both(self, name: str, gone: DataFrame, changed: DataFrame) -> TablePlan:
        of_gone, of_changed = self._gone(name, gone), self._changed(name, changed)
        rows = TableRows(name, of_gone.gone, of_changed.rows.changed, of_gone.deleted, of_changed.rows.rewritten)
        return TablePlan(rows, Counter())


def _nothing(name: str) -> TablePlan:
    return TablePlan(TableRows(name), Counter())
