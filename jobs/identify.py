"""identify: the faces of dates against the gallery as it stands."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

import click
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from jobs import batches, ledger, packing
from jobs.cohort import Cohort
from jobs.difference import Difference, Updated, update
from jobs.gallery import Gallery, searched
from jobs.nearest import Plan, nearest, plan_for
from jobs.notes import Notes, OvertakenError
from jobs.options import RUN_DATE, Context, Number, job_command, run_command
from jobs.thresholds import Standard, for_identification
from schemas.catalog import CLAIMED, DECISIONS
from udfs import matching
from udfs.arrow import spark_schema
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.matching import CANDIDATE
from udfs.vision.contract import settings_id

_ATTEMPTS = 5
"""Of several runs at once of one date and gallery, one ends in every round of attempts."""


@job_command("identify")
@click.option("--run-date", type=RUN_DATE, help="The faces of this date.")
@click.option("--all-dates", is_flag=True, help="The faces of all dates, the newest first: after the gallery changed.")
@click.option("--gallery-name", metavar="G", help="The gallery to search; not needed when there is only one.")
@click.option(
    "-k",
    type=click.IntRange(min=1),
    help="Persons kept for each face.  [default: identify.k of the settings]",
)
@click.option(
    "--minimum-size",
    type=Number(min=0),
    metavar="PX",
    help="Smaller faces are not searched for.  [default: identify.minimum_size of the settings]",
)
@click.option("--label", "labels", multiple=True, help="Only samples with this label; may be said several times.")
@click.option(
    "--exclude-self",
    is_flag=True,
    help="Do not hold a face against samples that were enrolled from the very photo it is in.",
)
@click.option(
    "--threshold",
    "threshold_id",
    metavar="ID",
    help="Decide by this calibration, or by the `settings`.  [default: the newest calibration for the gallery's size]",
)
@click.option(
    "--plan",
    type=click.Choice(["gallery", "parts"]),
    help="Hold each face against the whole gallery in one task, or against its parts in several."
    "  [default: by the gallery's size and identify.largest_whole of the settings]",
)
def command(context: Context, run_date: date | None, all_dates: bool, **arguments: Any) -> None:
    """Find the nearest registered persons of each face, and decide: match, review, unknown, or too_small.

    \b
    rollcall identify --tables ./tables --run-date 2026-01-31 -k 5
    rollcall identify --tables ./tables --run-date 2026-01-31 --label wanted
    rollcall identify --tables ./tables --all-dates

    The gallery is the one that stands now, less samples that are not valid on the run date. A person's
    similarity is that of their nearest sample. A later run compares what is new alone: new faces with the
    gallery, added samples with the faces; after a withdrawal, faces whose nearest persons it has changed.
    """
    if (run_date is None) != all_dates:
        raise InputError("say which faces: --run-date YYYY-MM-DD, or --all-dates")
    if run_date is None:
        identify_all(context, **arguments)
    else:
        identify(context, run_date=run_date, **arguments)


def identify_all(context: Context, *, gallery_name: str | None = None, **arguments: Any) -> dict[str, int]:
    """Identify the faces of all dates that have some, the newest first; arguments and errors as of `identify`.

    Dates that need the same are brought up to date together: a run costs seconds before it does anything. All are held
    against the gallery as it stands at the start.

    Raises:
        InputError: also where a date cannot be compared, after all others have been.
    """
    if context.tables.read_or_empty("faces").isEmpty():
        context.say("identify: there are no faces yet")
        return {}
    gallery = Gallery.open(context, gallery_name)
    counts: Counter[str] = Counter()
    refused: list[str] = []
    for run_dates in batches.of(context, gallery):
        try:
            counts.update(_identify(context, run_dates, lambda: gallery, **arguments))
        except IncomparableError as error:
            context.say(f"identify: {batches.said(run_dates)} left out: {error}")
            refused.append(str(error))
    if refused:
        raise InputError(refused[0] if len(refused) == 1 else f"{refused[0]} (and {len(refused) - 1} more like it)")
    return dict(counts)


def identify(context: Context, *, run_date: date, gallery_name: str | None = None, **arguments: Any) -> dict[str, int]:
    """Identify the faces of a date; returns what was counted. The arguments are those of the command.

    Raises:
        InputError: no faces or gallery table, no such gallery, several contracts, no thresholds, no such calibration.
    """
    return _identify(context, [run_date], lambda: Gallery.open(context, gallery_name), **arguments)


def _identify(
    context: Context,
    run_dates: Sequence[date],
    open_gallery: Callable[[], Gallery],
    *,
    k: int | None = None,
    minimum_size: float | None = None,
    labels: tuple[str, ...] = (),
    exclude_self: bool = False,
    threshold_id: str | None = None,
    plan: Plan | None = None,
) -> dict[str, int]:
    """Identify the faces of dates on which the same samples are valid."""

    def opened() -> tuple[Gallery, DataFrame, Search]:
        gallery = open_gallery()
        faces = _comparable(context, gallery, run_dates)
        standard = for_identification(context, gallery.contract_id, gallery.embedder, gallery.persons, threshold_id)
        return gallery, faces, Search.of(context, gallery, standard, k, minimum_size, labels, exclude_self)

    gallery, faces, search = opened()
    arguments = {
        "run_date": run_dates[0] if len(run_dates) == 1 else None,
        "run_dates": batches.said(run_dates) if len(run_dates) > 1 else None,
        "gallery_name": gallery.name,
        "k": search.k,
        "minimum_size": search.minimum_size,
        "labels": ", ".join(search.labels) or None,
        "exclude_self": exclude_self or None,
    }
    with ledger.run(context.spark, context.tables, "identify", arguments) as run:
        for attempt in range(_ATTEMPTS):
            run.digests.update(contract=gallery.contract_id, gallery=gallery.digest, search=search.search_id)
            try:
                Identification(context, gallery, search, faces, run_dates, plan, run).bring_up_to_date(attempt > 0)
                break
            except OvertakenError as other:
                if attempt == _ATTEMPTS - 1:
                    raise
                context.say(f"identify: {other}; all faces of {batches.said(run_dates)} are searched for again")
                gallery, faces, search = opened()
                run.counts.clear()
    packing.sweep(context, packing.KEPT)
    return run.counts


class IncomparableError(InputError):
    """The faces of a date and the samples of a gallery cannot be held against each other."""


@dataclass(frozen=True)
class Search:
    """What decides, besides the faces and the gallery. search_id covers who is found, not the thresholds."""

    k: int
    minimum_size: float
    labels: tuple[str, ...]
    exclude_self: bool
    keep_floor: float
    match: float
    review: float
    threshold_id: str
    cohort: Cohort | None
    search_id: str

    @classmethod
    def of(
        cls,
        context: Context,
        gallery: Gallery,
        standard: Standard,
        k: int | None,
        minimum_size: float | None,
        labels: tuple[str, ...],
        exclude_self: bool,
    ) -> "Search":
        """What was asked, else the settings."""
        settings = context.settings
        keep_floor = settings.threshold(gallery.embedder).keep_floor
        if standard.cohort_id is None:
            # Lower thresholds than the floor would ask for persons who were not kept.
            keep_floor = min(keep_floor, standard.review)
        k = k or settings.identify.k
        minimum_size = float(settings.identify.minimum_size if minimum_size is None else minimum_size)
        labels = tuple(sorted(set(labels)))
        search_id = stable_id(
            "search", gallery.contract_id, k, str(keep_floor), str(minimum_size), str(exclude_self), *labels
        )
        return cls(
            k,
            minimum_size,
            labels,
            exclude_self,
            keep_floor,
            standard.match,
            standard.review,
            standard.threshold_id,
            None if standard.cohort_id is None else Cohort.read(context, standard.cohort_id),
            search_id,
        )


class Identification:
    """The steps of `identify` for one gallery, and dates on which the same samples of it are valid."""

    def __init__(
        self,
        context: Context,
        gallery: Gallery,
        search: Search,
        faces: DataFrame,
        run_dates: Sequence[date],
        plan: Plan | None,
        run: ledger.Run,
    ) -> None:
        self._context = context
        self._tables = context.tables
        self._gallery = gallery
        self._search = search
        self._faces = faces
        self._run_dates = run_dates
        self._plan = plan
        self._run = run
        self._samples = searched(gallery.samples, run_dates[0], search.labels)
        # Cut loose from the tables: what is to be done must not change while it is being done.
        attributes = ("face_id", "image_id", "run_date", "contract_id", "quality")
        self._probes = faces.select(*attributes).localCheckpoint()
        self._mine = F.col("run_date").isin(*run_dates) & (F.col("gallery_name") == gallery.name)
        self._notes = Notes(context, gallery.name, run_dates, run.run_id)

    def bring_up_to_date(self, afresh: bool = False) -> None:
        """Search for what is new, write what that changes, and note by date what the rows now stand for.

        Rows are claimed before they are changed, and the note is written last: see `jobs.notes`.

        afresh: trust no note; search as if for the first time.

        Raises:
            OvertakenError: another run has changed the same rows meanwhile; whose they are cannot be said.
        """
        noted = self._notes.read()
        standing = None if afresh else self._standing(noted)
        change = self._change(standing)
        existing = self._here("identifications").select("face_id", F.lit(True).alias("decided"))
        here = self._probes.select("face_id", F.lit(True).alias("present"))
        state = (
            F.when(F.col("present").isNull(), "dropped")
            .when(F.col("decided").isNull() | F.lit(standing is None), "fresh")
            .otherwise("known")
        )
        states = here.join(existing, "face_id", "full").select("face_id", state.alias("state")).localCheckpoint()
        known, fresh, dropped = (
            states.where(F.col("state") == name).select("face_id") for name in ("known", "fresh", "dropped")
        )
        counted = {row.state: row["count"] for row in states.groupBy("state").count().collect()}
        for name in ("fresh", "dropped"):
            self._run.count(name, counted.get(name, 0))
        self._run.count("faces", counted.get("fresh", 0) + counted.get("known", 0))
        for name in ("searched", "comparisons"):
            self._run.count(name, 0)

        found = self._nearest(self._identifiable(fresh))
        written = fresh.union(dropped)
        if change is not None:
            updated = self._updated(known, change)
            found = found.unionByName(self._nearest(updated.again)).unionByName(updated.lists)
            written = written.union(updated.again).union(updated.affected)
        written = written.distinct().localCheckpoint()
        rethought = standing is not None and standing.threshold_id != self._search.threshold_id
        decided = written.union(known).distinct().localCheckpoint() if rethought else written

        if standing is not None and change is None and decided.isEmpty():
            self._tell()
            return
        stands_for = self._stands_for()
        if not decided.isEmpty():
            noted = self._notes.claim(stands_for, noted)
            if not written.isEmpty():
                self._write("matches", self._matches(found), written, everything=standing is None)
                self._notes.hold()
            self._write("identifications", self._decisions(decided), decided, everything=standing is None)
        self._note(stands_for, noted, standing)
        self._tell()

    # --- what is new ---------------------------------------------------------------------------------------

    def _standing(self, noted: Sequence[Row]) -> Row | None:
        """What the rows of these dates stand for, if that is one thing, and an answer to what is asked now."""
        if len(noted) < len(self._run_dates) or len({batches.stands_for(note) for note in noted}) > 1:
            return None
        standing = noted[0]
        if standing.search_id != self._search.search_id:
            if standing.search_id != CLAIMED:
                self._context.say(
                    f"identify: the rows of {batches.said(self._run_dates)} and gallery {self._gallery.name!r} are the"
                    " answer to another question (k, labels, sizes), and are replaced"
                )
            return None
        if len(self._run_dates) > 1 and not batches.alike(self._samples_before(standing), self._run_dates):
            return None  # another run has noted what was not known when the batch was put together
        if standing.gallery_digest != self._gallery.digest:
            kept = self._samples_before(standing).count()
            if kept != standing.gallery_samples:
                self._context.say(
                    f"identify: {kept:,} of the {standing.gallery_samples:,} samples that were searched last are still"
                    " known; all faces are searched for again"
                )
                return None
        return standing

    def _samples_before(self, standing: Row) -> DataFrame:
        kept = self._tables.read_or_empty("searched_samples")
        return kept.where(F.col("gallery_digest") == standing.gallery_digest)

    def _change(self, standing: Row | None) -> Difference | None:
        """How the gallery has changed since."""
        if standing is None or standing.gallery_digest == self._gallery.digest:
            return None
        change = Difference.between(
            self._samples_before(standing), self._gallery.described(), self._run_dates[0], self._search.labels
        )
        self._run.count("samples_added", change.added.count())
        self._run.count("samples_removed", change.removed.count())
        return change

    def _identifiable(self, faces: DataFrame) -> DataFrame:
        large = self._probes.where(F.col("quality.size") >= self._search.minimum_size)
        return large.select("face_id").join(faces, "face_id", "left_semi").localCheckpoint()

    def _updated(self, known: DataFrame, change: Difference) -> Updated:
        matches = self._here("matches").join(known, "face_id", "left_semi").localCheckpoint()
        return update(matches, self._identifiable(known), change, self._search.k, self._nearest_among)

    # --- searching -----------------------------------------------------------------------------------------

    def _nearest(self, faces: DataFrame) -> DataFrame:
        """The nearest persons of faces, given by face_id, in the whole gallery."""
        self._run.count("searched", faces.count())
        return self._search_for(faces, self._samples)

    def _nearest_among(self, faces: DataFrame, samples: DataFrame) -> DataFrame:
        """The nearest persons of faces among some of the samples, given by sample_id."""
        return self._search_for(faces, self._samples.join(samples, "sample_id", "left_semi"))

    def _search_for(self, faces: DataFrame, samples: DataFrame) -> DataFrame:
        count = faces.count()
        if not count:
            return self._context.spark.createDataFrame([], spark_schema(CANDIDATE))
        packed, paths = packing.pack(self._context, samples)
        plan = self._plan or plan_for(packed, self._context.settings.identify.largest_whole)
        self._run.digests.update(search_path=", ".join(paths), plan=plan)
        self._run.count("comparisons", count * packed.rows)
        asked = self._with_left_out(self._faces.join(faces, "face_id", "left_semi"))
        search = self._search
        found = nearest(asked, packed, self._gallery.dimension, search.k, search.keep_floor, plan)
        return found.localCheckpoint()

    def _with_left_out(self, faces: DataFrame) -> DataFrame:
        """With `left_out`: the samples that were enrolled from the photo a face is in."""
        if not self._search.exclude_self:
            return faces.select("face_id", "embedding", F.lit(None).cast("array<string>").alias("left_out"))
        photo = ["image_id", "contract_id", "settings_id"]
        content = self._tables.read("image_outcomes").where(F.col("run_date").isin(*self._run_dates))
        samples = (
            self._tables.read("enrollments")
            .where(F.col("gallery_name") == self._gallery.name)
            .groupBy("content_sha256")
            .agg(F.sort_array(F.collect_set("sample_id")).alias("left_out"))
        )
        return (
            faces.join(content.select(*photo, "content_sha256"), photo, "left")
            .join(samples, "content_sha256", "left")
            .select("face_id", "embedding", "left_out")
        )

    # --- writing -------------------------------------------------------------------------------------------

    def _here(self, table: str) -> DataFrame:
        return self._tables.read_or_empty(table).where(self._mine)

    def _write(self, table: str, rows: DataFrame, faces: DataFrame, everything: bool) -> None:
        """Replace the rows of some faces, or all that there are of these dates and this gallery."""
        if everything:
            self._tables.overwrite(table, rows, self._mine)
            return
        scope = faces.select("face_id", F.lit(self._gallery.name).alias("gallery_name"))
        self._tables.replace(table, rows, scope, self._run_dates)

    def _stands_for(self) -> dict[str, object]:
        """What the rows are the answer to, as `searches` has it."""
        gallery, search = self._gallery, self._search
        persons = self._samples.agg(F.count_distinct("person_id")).first()
        assert persons is not None
        return {
            "contract_id": gallery.contract_id,
            "search_id": search.search_id,
            "k": search.k,
            "keep_floor": search.keep_floor,
            "minimum_size": search.minimum_size,
            "labels": list(search.labels),
            "exclude_self": search.exclude_self,
            "threshold_id": search.threshold_id,
            "threshold": search.match,
            "review_threshold": search.review,
            "gallery_digest": gallery.digest,
            "gallery_samples": gallery.count,
            "persons": persons[0],
        }

    def _note(self, stands_for: Mapping[str, object], noted: Sequence[Row], standing: Row | None) -> None:
        """Note what the rows stand for, in place of `noted`; a later run finds its difference from this."""
        gallery = self._gallery
        kept = self._tables.read_or_empty("searched_samples")
        if kept.where(F.col("gallery_digest") == gallery.digest).isEmpty():
            self._tables.append("searched_samples", gallery.described())
        self._notes.write(stands_for, noted)
        if standing is not None and standing.gallery_digest != gallery.digest:
            older = F.col("gallery_digest") == standing.gallery_digest
            if self._tables.read("searches").where(older).isEmpty():
                self._tables.delete("searched_samples", f"gallery_digest = '{standing.gallery_digest}'")

    def _matches(self, found: DataFrame) -> DataFrame:
        return self._probes.join(found, "face_id").select(
            "face_id",
            F.lit(self._gallery.name).alias("gallery_name"),
            "person_id",
            "image_id",
            "run_date",
            "contract_id",
            "rank",
            "sample_id",
            "similarity",
            F.lit(self._run.run_id).alias("run_id"),
        )

    def _decisions(self, decided: DataFrame) -> DataFrame:
        """The decisions on faces by their matches as they are in the table."""
        search, matches = self._search, self._here("matches")
        normalised = self._near_cohort(decided)
        best = matches.where(F.col("rank") == 1).select("face_id", "person_id", "sample_id", "similarity")
        second = matches.where(F.col("rank") == 2).select(
            "face_id",
            F.col("person_id").alias("runner_up_person_id"),
            F.col("similarity").alias("runner_up_similarity"),
        )
        decision = (
            F.when(F.col("quality.size") < search.minimum_size, "too_small")
            .when(F.col("score") >= search.match, "match")
            .when(F.col("score") >= search.review, "review")
            .otherwise("unknown")
        )
        return (
            self._probes.join(decided, "face_id", "left_semi")
            .join(best, "face_id", "left")
            .join(second, "face_id", "left")
            .join(normalised, "face_id", "left")
            .withColumn("score", F.col("similarity") - F.coalesce("cohort_similarity", F.lit(0.0)))
            .select(
                "face_id",
                F.lit(self._gallery.name).alias("gallery_name"),
                "image_id",
                "run_date",
                "contract_id",
                "quality",
                decision.alias("decision"),
                "person_id",
                "sample_id",
                "similarity",
                "runner_up_person_id",
                (F.col("similarity") - F.col("runner_up_similarity")).alias("margin"),
                F.when(F.col("similarity").isNotNull(), F.col("cohort_similarity")).alias("cohort_similarity"),
                "score",
                F.lit(search.threshold_id).alias("threshold_id"),
                F.lit(search.match).alias("threshold"),
                F.lit(search.review).alias("review_threshold"),
                F.lit(self._run.run_id).alias("run_id"),
            )
        )

    def _near_cohort(self, faces: DataFrame) -> DataFrame:
        """How near faces are to the cohort of the calibration, if it has one: face_id, cohort_similarity."""
        schema = spark_schema(matching.COHORT_SIMILARITY)
        if self._search.cohort is None:
            return self._context.spark.createDataFrame([], schema)
        embedded = self._faces.join(faces, "face_id", "left_semi").select("face_id", "embedding")
        return embedded.mapInArrow(matching.near_cohort(self._search.cohort.vectors), schema)

    def _tell(self) -> None:
        for row in self._here("identifications").groupBy("decision").count().collect():
            self._run.count(row.decision, row["count"])
        counts = self._run.counts
        said = ", ".join(f"{counts.get(name, 0):,} {name}" for name in DECISIONS)
        noted = self._here("searches").first()
        assert noted is not None
        self._context.say(
            f"identify: {'' if len(self._run_dates) == 1 else batches.said(self._run_dates) + ': '}"
            f"{counts['searched']:,} of {counts['faces']:,} faces searched among {noted.persons:,} persons; {said}"
        )


def _comparable(context: Context, gallery: Gallery, run_dates: Sequence[date]) -> DataFrame:
    """The faces of dates that can be held against a gallery, each found once.

    Where images of a date were searched under several limits, those of the settings count.

    Raises:
        IncomparableError: all of a date are of another contract, or were found under several limits, none of them
            configured.
    """
    of_dates = context.tables.read("faces").where(F.col("run_date").isin(*run_dates))
    found = of_dates.select("run_date", "contract_id", "settings_id").distinct().collect()
    configured_only: list[Column] = []
    for run_date in sorted({row.run_date for row in found}):
        contracts = sorted({row.contract_id for row in found if row.run_date == run_date})
        if gallery.contract_id not in contracts:
            raise IncomparableError(
                f"the faces of {run_date} are of contract {', '.join(contracts)}, gallery {gallery.name!r} of"
                f" {gallery.contract_id}, and cannot be compared; embed or enroll with the other's models"
            )
        here = [row for row in found if (row.run_date, row.contract_id) == (run_date, gallery.contract_id)]
        limits = sorted(row.settings_id for row in here)
        if len(limits) <= 1:
            continue
        if (configured := settings_id(context.settings.spec())) not in limits:
            raise IncomparableError(
                f"the faces of {run_date} were found under several limits ({', '.join(limits)}), and the settings"
                f" are others ({configured}); identify with the settings of the embed run that counts"
            )
        configured_only.append((F.col("run_date") != F.lit(run_date)) | (F.col("settings_id") == configured))
    comparable = of_dates.where(F.col("contract_id") == gallery.contract_id)
    return reduce(DataFrame.where, configured_only, comparable)


if __name__ == "__main__":
    run_command(command)
