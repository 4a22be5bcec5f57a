"""The faces of dates are identified against a gallery as it stands; a later run brings its rows up to date."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cached_property, partial
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.decisions.thresholds import for_identification
from jobs.matching import dates, packing
from jobs.matching.claims import Claims, OvertakenError
from jobs.matching.comparable import IncomparableError, comparable
from jobs.matching.incremental import GalleryChange, update
from jobs.matching.nearest import ExecutionPlan, execution_plan_for, nearest
from jobs.matching.plan import ATTRIBUTES, UpdatePlan
from jobs.matching.question import IdentificationQuestion
from jobs.matching.rows import identification_rows, match_rows
from jobs.matching.waiting import some_may_wait, tell_waiting
from jobs.registry.snapshot import GallerySnapshot, SamplesDigest, searched
from jobs.run import ledger
from jobs.run.context import Context
from jobs.run.wording import dates_in_words
from schemas.catalog import CLAIMED, DECISIONS
from schemas.literals import on_dates
from udfs import matching
from udfs.arrow import local_frame, spark_schema
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.matching import CANDIDATE

ATTEMPTS = 5
"""Runs of one date and gallery may overtake each other. In each round of attempts at least one of them succeeds, so
that as many runs at once all end."""
_LOST = re.compile(r"CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND|Checkpoint block \S+ not found")
"""What Spark says when an executor has gone, and with it what this run had computed."""


def identify_faces(context: Context, *, run_date: date | None, all_dates: bool, **asked: Any) -> dict[str, int]:
    """Identify the faces of a date, or of all dates, the newest first; returns what was counted. The arguments are
    those of `rollcall identify`.

    Of all dates those that need the same are brought up to date together: a run costs seconds before it does anything.
    All are compared with the gallery as it stands at the start.

    Raises:
        InputError: no faces or gallery table, no such gallery, several contracts, no thresholds, no such calibration;
            or a date that cannot be compared, after all others have been.
    """
    if (run_date is None) != all_dates:
        raise InputError("say which faces: --run-date YYYY-MM-DD, or --all-dates")
    if run_date is not None:
        return _identify_dates(context, [run_date], **asked)
    if context.tables.read_or_empty("faces").isEmpty():
        context.log.warning("identify: there are no faces yet; run `rollcall embed` first")
        tell_waiting(context, None)
        return {}
    gallery = GallerySnapshot.open(context, asked.pop("gallery_name"))
    counts: Counter[str] = Counter()
    refused: list[str] = []
    for run_dates in dates.batches(context, gallery):
        try:
            counts.update(_identify_dates(context, run_dates, opened=gallery, gallery_name=gallery.name, **asked))
        except IncomparableError as error:
            context.log.warning(f"identify: {dates_in_words(run_dates)} left out: {error}")
            refused.append(str(error))
    tell_waiting(context, gallery.contract_id)
    if refused:
        raise InputError(refused[0] if len(refused) == 1 else f"{refused[0]} (and {len(refused) - 1} more like it)")
    return dict(counts)


def _identify_dates(
    context: Context, run_dates: Sequence[date], *, opened: GallerySnapshot | None = None, **asked: Any
) -> dict[str, int]:
    """Identify the faces of dates on which the same samples are valid.

    opened: the gallery; else it is opened as it stands, and again for each attempt. asked: as of `prepared`.
    """
    attempt = partial(prepared, context, run_dates, opened=opened, **asked)
    work = attempt()
    several = dates_in_words(run_dates) if len(run_dates) > 1 else None
    resolved = {
        "run_date": None if several else run_dates[0],
        "run_dates": several,
        "gallery_name": work.gallery.name,
        "k": work.question.k,
        "minimum_size": work.question.minimum_size,
        "labels": work.question.labels,
    }
    with ledger.run(context, **resolved) as run:
        until_written(context, work, attempt, run, dates_in_words(run_dates))
    if opened is None and some_may_wait(context.tables, run.counts):
        tell_waiting(context, work.gallery.contract_id, run_dates)
    packing.sweep(context, packing.KEPT)
    return run.counts


def prepared(
    context: Context,
    run_dates: Sequence[date],
    *,
    gallery_name: str | None,
    k: int | None,
    minimum_size: float | None,
    labels: tuple[str, ...],
    exclude_self: bool,
    threshold_id: str | None,
    plan: ExecutionPlan | None,
    opened: GallerySnapshot | None = None,
) -> "Identification":
    """An identification of the faces of dates that can be begun: nothing that was asked is wrong.

    Raises:
        InputError: as of `identify_faces`.
    """
    gallery = opened or GallerySnapshot.open(context, gallery_name)
    faces = comparable(context, gallery, run_dates)
    thresholds = for_identification(context, gallery.contract_id, gallery.embedder, gallery.persons, threshold_id)
    question = IdentificationQuestion.of(
        context,
        gallery,
        thresholds,
        k=k,
        minimum_size=minimum_size,
        labels=labels,
        exclude_self=exclude_self,
    )
    gallery.refuse_unknown_labels(context, question.labels)
    return Identification(context, gallery, question, faces, run_dates, plan)


def until_written(
    context: Context, first: "Identification", again: Callable[[], "Identification"], run: ledger.Run, said: str
) -> None:
    """Attempt an identification, and attempt it again where another run or a lost executor came in between.

    Raises:
        Exception: of an attempt that failed for another reason, or of the last one.
    """
    work = first
    for number in range(1, ATTEMPTS + 1):
        try:
            work.bring_up_to_date(run, afresh=number > 1)
            return
        except Exception as error:
            overtaken = isinstance(error, OvertakenError)
            if number == ATTEMPTS or not (overtaken or _LOST.search(str(error))):
                raise
            why = str(error) if overtaken else "an executor was lost, and with it what it had computed"
        context.log.warning(f"identify: {why}; all faces of {said} are searched for again")
        run.counts.clear()
        work = again()


class Identification:
    """One attempt to identify the faces of dates, on which the same samples of a gallery are valid."""

    def __init__(
        self,
        context: Context,
        gallery: GallerySnapshot,
        question: IdentificationQuestion,
        faces: DataFrame,
        run_dates: Sequence[date],
        execution_plan: ExecutionPlan | None,
    ) -> None:
        self._context = context
        self._tables = context.tables
        self.gallery = gallery
        self.question = question
        self._faces = faces
        self._run_dates = run_dates
        self._execution_plan = execution_plan
        self._samples = searched(gallery.samples, run_dates[0], question.labels)
        self._mine = on_dates(run_dates) & (F.col("gallery_name") == gallery.name)

    def bring_up_to_date(self, run: ledger.Run, afresh: bool = False) -> None:
        """Search for what is new, write what that changes, and note by date what the rows now stand for.

        afresh: trust no note; search as if for the first time.

        Raises:
            OvertakenError: another run has written the same rows meanwhile; they may be a mixture.
        """
        gallery = self.gallery
        run.digests.update(contract=gallery.contract_id, gallery=gallery.digest, search=self.question.search_id)
        claims = Claims(self._context, gallery.name, self._run_dates, run.run_id)
        noted = claims.read()
        plan = self._plan(None if afresh else self._standing(noted), run)
        if plan.standing is not None and plan.is_done:
            self._tell(plan.standing.persons, plan.faces.select("decision"), run)
        else:
            self._carry_out(plan, claims, run)

    def answer(self, run: ledger.Run) -> tuple[DataFrame, DataFrame]:
        """The nearest persons of all faces, and the decisions, as `matches` and `identifications` would have them;
        neither is written.
        """
        gallery = self.gallery
        run.digests.update(contract=gallery.contract_id, gallery=gallery.digest, search=self.question.search_id)
        nobody = self._here("identifications").select("face_id", "decision").limit(0)
        plan = UpdatePlan.of(self._faces.select(*ATTRIBUTES), nobody, self.question.minimum_size, None, None, False)
        every = plan.ids("fresh")
        run.count("faces", plan.count("fresh"))
        found = self._nearest(plan.identifiable("fresh"), plan.counts.get(("fresh", True), 0), run)
        decisions = self._decisions(plan, found, every, every, run).localCheckpoint()
        self._tell(self._searched.persons, decisions.select("decision"), run)
        return match_rows(plan.present, found, gallery.name, run.run_id), decisions

    # --- what is to be done --------------------------------------------------------------------------------

    def _plan(self, standing: Row | None, run: ledger.Run) -> UpdatePlan:
        change = self._change(standing)
        redecide = standing is not None and standing.threshold_id != self.question.thresholds.threshold_id
        decided = self._here("identifications").select("face_id", "decision")
        present = self._faces.select(*ATTRIBUTES)
        plan = UpdatePlan.of(present, decided, self.question.minimum_size, standing, change, redecide)
        run.count("fresh", plan.count("fresh"))
        run.count("dropped", plan.count("dropped"))
        run.count("faces", plan.count("fresh") + plan.count("known"))
        run.count("searched", 0)
        run.count("comparisons", 0)
        if change is not None:
            run.count("samples_added", change.added.count())
            run.count("samples_removed", change.removed.count())
        return plan

    def _standing(self, noted: Sequence[Row]) -> Row | None:
        """What the rows of these dates stand for, if that is one thing, and an answer to what is asked now."""
        if len(noted) < len(self._run_dates) or len({dates.stands_for(note) for note in noted}) > 1:
            return None
        standing = noted[0]
        if standing.search_id != self.question.search_id:
            if standing.search_id != CLAIMED:
                self._context.log.warning(
                    f"identify: the rows of {dates_in_words(self._run_dates)} and gallery {self.gallery.name!r} were"
                    " found with other options (k, labels, sizes), and are replaced"
                )
            return None
        if len(self._run_dates) > 1 and not dates.alike(self._samples_before(standing), self._run_dates):
            return None  # another run has noted what was not known when the batch was put together
        if standing.gallery_digest != self.gallery.digest:
            kept = self._samples_before(standing).count()
            if kept != standing.gallery_samples:
                self._context.log.warning(
                    f"identify: {kept:,} of the {standing.gallery_samples:,} samples that were searched last are still"
                    " known; all faces are searched for again"
                )
                return None
        return standing

    def _samples_before(self, standing: Row) -> DataFrame:
        kept = self._tables.read_or_empty("searched_samples")
        return kept.where(F.col("gallery_digest") == standing.gallery_digest)

    def _change(self, standing: Row | None) -> GalleryChange | None:
        """How the gallery has changed since."""
        if standing is None or standing.gallery_digest == self.gallery.digest:
            return None
        return GalleryChange.between(
            self._samples_before(standing), self.gallery.described(), self._run_dates[0], self.question.labels
        )

    # --- doing it ------------------------------------------------------------------------------------------

    def _carry_out(self, plan: UpdatePlan, claims: Claims, run: ledger.Run) -> None:
        """Rows are claimed before they are changed, and the note is written last: see `jobs.matching.claims`."""
        found = self._nearest(plan.identifiable("fresh"), plan.counts.get(("fresh", True), 0), run)
        written, some_written = plan.ids("fresh", "dropped"), plan.came_or_went
        if plan.change is not None:
            updated = update(
                self._here("matches").join(plan.ids("known"), "face_id", "left_semi"),
                plan.identifiable("known"),
                plan.change,
                self.question.k,
                lambda faces, samples: self._nearest_among(faces, samples, run),
            )
            again = self._nearest(updated.again, updated.again.count(), run)
            found = found.unionByName(again).unionByName(updated.lists).localCheckpoint()
            written = written.union(updated.again).union(updated.affected).distinct().localCheckpoint()
            some_written = not written.isEmpty()
        decided = written.union(plan.ids("known")).distinct() if plan.redecide else written
        decisions = self._decisions(plan, found, written, decided, run).localCheckpoint()

        stands_for = self._stands_for(self._searched.persons)
        everything = plan.standing is None
        if some_written or (plan.redecide and plan.count("known") > 0):
            claims.claim(stands_for)
            if some_written:
                rows = match_rows(plan.present, found, self.gallery.name, run.run_id)
                self._write("matches", rows, written, everything)
            self._write("identifications", decisions, decided, everything)
        self._note(claims, stands_for, plan.standing)
        unchanged = plan.faces.where(F.col("state") == "known").join(decided, "face_id", "left_anti")
        self._tell(self._searched.persons, decisions.select("decision").union(unchanged.select("decision")), run)

    @cached_property
    def _searched(self) -> SamplesDigest:
        """What is known of the samples that are searched."""
        gallery = self.gallery
        if not gallery.bounded and not self.question.labels:  # all of them, on any date
            return SamplesDigest(gallery.digest, gallery.count, gallery.persons, bounded=False)
        return packing.digest_of_packed(self._samples)

    def _nearest(self, faces: DataFrame, count: int, run: ledger.Run) -> DataFrame:
        """The nearest persons of faces, given by face_id, in the whole gallery."""
        run.count("searched", count)
        scope = stable_id("scope", self.gallery.name, self.gallery.contract_id, *self.question.labels)
        return self._search_for(faces, count, self._samples, lambda: self._searched, run, scope)

    def _nearest_among(self, faces: DataFrame, samples: DataFrame, run: ledger.Run) -> DataFrame:
        """The nearest persons of faces among some of the samples, given by sample_id."""
        some = self._samples.join(samples, "sample_id", "left_semi")
        return self._search_for(faces, faces.count(), some, lambda: packing.digest_of_packed(some), run)

    def _search_for(
        self,
        faces: DataFrame,
        count: int,
        samples: DataFrame,
        digest: Callable[[], SamplesDigest],
        run: ledger.Run,
        scope: str | None = None,
    ) -> DataFrame:
        if not count:
            return local_frame(self._context.spark, [], spark_schema(CANDIDATE))
        packed, paths = packing.pack(self._context, samples, digest(), scope=scope, few=scope is None)
        plan = self._execution_plan or execution_plan_for(packed, self._context.settings.identify.largest_whole)
        run.digests.update(search_path=", ".join(paths), plan=plan)
        run.count("comparisons", count * packed.rows)
        asked = self._with_left_out(self._faces.join(faces, "face_id", "left_semi"))
        question = self.question
        found = nearest(asked, count, packed, self.gallery.dimension, question.k, question.keep_floor, plan)
        return found.localCheckpoint()

    def _with_left_out(self, faces: DataFrame) -> DataFrame:
        """With `left_out`: the samples that were enrolled from the photo a face is in."""
        if not self.question.exclude_self:
            return faces.select("face_id", "embedding", F.lit(None).cast("array<string>").alias("left_out"))
        photo = ["image_id", "contract_id", "settings_id"]
        content = self._tables.read("image_outcomes").where(on_dates(self._run_dates))
        samples = (
            self._tables.read("enrollments")
            .where(F.col("gallery_name") == self.gallery.name)
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
            if len(self._run_dates) > 1:  # a file for each date, not one for each date and task
                rows = rows.hint("rebalance", F.col("run_date"))
            self._tables.overwrite(table, rows, self._mine)
            return
        scope = faces.select("face_id", F.lit(self.gallery.name).alias("gallery_name"))
        self._tables.replace(table, rows, scope, self._run_dates)

    def _decisions(
        self, plan: UpdatePlan, found: DataFrame, written: DataFrame, decided: DataFrame, run: ledger.Run
    ) -> DataFrame:
        """The decisions on faces: by what was found, or by the rows that stand of those that were not searched for."""
        names = spark_schema(CANDIDATE).names
        if plan.redecide:
            standing = self._here("matches").join(written, "face_id", "left_anti")
            found = found.select(names).unionByName(standing.select(names))
        faces = plan.present.join(decided, "face_id", "left_semi")
        return identification_rows(
            faces, found, self._near_cohort(decided), self.question, self.gallery.name, run.run_id
        )

    def _near_cohort(self, faces: DataFrame) -> DataFrame:
        """How near faces are to the cohort of the calibration, if it has one (matching.COHORT_SIMILARITY)."""
        schema = spark_schema(matching.COHORT_SIMILARITY)
        if self.question.cohort is None:
            return local_frame(self._context.spark, [], schema)
        embedded = self._faces.join(faces, "face_id", "left_semi").select("face_id", "embedding")
        return embedded.mapInArrow(matching.near_cohort(self.question.cohort.vectors), schema)

    def _stands_for(self, persons: int) -> dict[str, object]:
        """What the rows are the answer to, as `searches` has it."""
        gallery, question = self.gallery, self.question
        return {
            "contract_id": gallery.contract_id,
            "search_id": question.search_id,
            "k": question.k,
            "keep_floor": question.keep_floor,
            "minimum_size": question.minimum_size,
            "labels": list(question.labels),
            "exclude_self": question.exclude_self,
            "threshold_id": question.thresholds.threshold_id,
            "threshold": question.thresholds.match,
            "review_threshold": question.thresholds.review,
            "gallery_digest": gallery.digest,
            "gallery_samples": gallery.count,
            "persons": persons,
        }

    def _note(self, claims: Claims, stands_for: Mapping[str, object], standing: Row | None) -> None:
        """Note what the rows stand for; a later run finds its difference from this."""
        gallery = self.gallery
        of_this = F.col("gallery_digest") == gallery.digest
        if self._tables.read_or_empty("searched_samples").where(of_this).isEmpty():
            # Another run may be doing the same: whichever is last, the rows are there once.
            self._tables.overwrite("searched_samples", gallery.described(), of_this)
        claims.write(stands_for)
        if standing is not None and standing.gallery_digest != gallery.digest:
            older = F.col("gallery_digest") == standing.gallery_digest
            if self._tables.read("searches").where(older).isEmpty():
                self._tables.delete_where("searched_samples", older)

    def _tell(self, persons: int, decisions: DataFrame, run: ledger.Run) -> None:
        """decisions: `decision` of each face that has a row now."""
        for row in decisions.groupBy("decision").count().collect():
            run.count(row.decision, row["count"])
        counts = run.counts
        decided = ", ".join(f"{counts.get(name, 0):,} {name}" for name in DECISIONS)
        self._context.log.info(
            f"identify: {'' if len(self._run_dates) == 1 else dates_in_words(self._run_dates) + ': '}"
            f"{counts['searched']:,} of {counts['faces']:,} faces searched among {persons:,} persons; {decided}"
        )
        if not persons:
            self._context.log.warning(f"identify: {self._nobody()}, so no face matches")

    def _nobody(self) -> str:
        """Among whom there is nobody, and why."""
        if not self.gallery.count:
            return f"nobody is in force in gallery {self.gallery.name!r}"
        has_label = f"has the label {' or '.join(self.question.labels)} and " if self.question.labels else ""
        return f"nobody in gallery {self.gallery.name!r} {has_label}is valid on {dates_in_words(self._run_dates)}"
