"""How the tables are kept up: last runs, what is late, what is refused, how fast, how many are registered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from shlex import quote
from typing import NamedTuple

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.faces.pending import unfinished_by_date
from jobs.registry.activation import activated
from jobs.registry.galleries import known_galleries
from jobs.registry.not_in_force import NOT_IN_FORCE
from jobs.run.context import Context
from jobs.run.ledger import utc
from jobs.run.under_way import LONGEST_RUN
from jobs.run.wording import dates_in_words

USUAL_DATES = 30
"""Dates before the newest, whose rejections are the usual ones."""
_UNUSUAL, _UNUSUAL_COUNT = 3.0, 10
_TOO_MANY = 0.5
"""The share of images of a date that may be refused, however usual that is."""
_AHEAD = timedelta(days=1)
"""How far a date may be ahead of UTC: in some places tomorrow has begun."""


@dataclass(frozen=True)
class LastRun:
    """The last run of a job. state: started, finished or failed; seconds: so far, if it has not ended."""

    job: str
    run_id: str
    state: str
    began: datetime
    seconds: float
    error: str | None
    succeeded: datetime | None
    """When a run of this job last finished."""
    waiting: datetime | None = None
    """When the first of those runs began that came after, and have neither finished nor failed."""


@dataclass(frozen=True)
class Rejection:
    """How many images of the newest date were refused for a reason; `usual`: the share on the dates before."""

    reason: str
    count: int
    share: float
    usual: float

    @property
    def unusual(self) -> bool:
        """Whether someone should look: three times the usual share, and not a handful."""
        return self.count >= _UNUSUAL_COUNT and self.share > _UNUSUAL * self.usual


@dataclass(frozen=True)
class Registered:
    """A gallery: samples and persons that are not withdrawn; none, where all have been."""

    gallery: str
    contract_id: str
    persons: int
    samples: int


class FacesOf(NamedTuple):
    """Faces of a date that were decided against a gallery."""

    gallery: str
    run_date: date
    faces: int


@dataclass(frozen=True)
class Health:
    """All of it. listed: dates that `ingest --run-date` has finished, in order. pending: images without a final outcome
    by date; future: the images of dates to come, which a wrong clock or name has made. unidentified: dates by gallery
    with faces that were never searched for. withdrawn: faces that match, or are for review, by samples that have been
    withdrawn since. unregistered: by gallery, how many of the persons that the last `enroll` found listed are not in
    force. images_per_second: of the last `embed` that opened images."""

    runs: list[LastRun]
    listed: list[date]
    pending: dict[date, int]
    unidentified: dict[str, list[date]]
    rejections: list[Rejection]
    images_per_second: float | None
    registered: list[Registered]
    activated: str | None
    future: dict[date, int] = field(default_factory=dict)
    withdrawn: list[FacesOf] = field(default_factory=list)
    unregistered: dict[str, int] = field(default_factory=dict)

    def complaints(self, now: datetime, late_after: int) -> list[str]:
        """What someone should look at; nothing, where all is well. late_after: days a date may be behind."""
        due = due_by(now, late_after)
        said = [f"the last {run.job} failed: {run.error}" for run in self.runs if run.state == "failed"]
        said += [
            f"{run.job} was started at {run.waiting:%Y-%m-%d %H:%M} UTC and has not ended: if it is not running"
            " any more, it was killed;"
            " run it again"
            for run in self.runs
            if run.waiting is not None and now - run.waiting > LONGEST_RUN
        ]
        if unlisted := self.unlisted(due):
            said.append(
                f"of the last {USUAL_DATES} dates {len(unlisted)} were not listed, the newest of them {unlisted[-1]}:"
                " run `rollcall ingest --run-date` with its source for each"
            )
        late = sorted(day for day in self.pending if day <= due or is_future(day, now))
        if late:
            images = sum(self.pending[day] for day in late)
            said.append(
                f"{images:,} images of {dates_in_words(late)} have no final outcome: run `rollcall embed --all-pending`"
            )
        for gallery, days in self.unidentified.items():
            late = sorted(day for day in days if day <= due)
            if late:
                said.append(
                    f"faces of {dates_in_words(late)} were not identified against {gallery!r}: run"
                    f" `{_identify(late, gallery)}`"
                )
        for gallery in sorted({each.gallery for each in self.withdrawn}):
            faces_of = {each.run_date: each.faces for each in self.withdrawn if each.gallery == gallery}
            said.append(
                f"{sum(faces_of.values()):,} faces of {dates_in_words(sorted(faces_of))} match persons by samples that"
                f" have been withdrawn from {gallery!r} since: run `{_identify(sorted(faces_of), gallery)}`"
            )
        said += [
            f"{rejection.count:,} images of the newest date are {rejection.reason}: {rejection.share:.1%}, usually"
            f" {rejection.usual:.1%}"
            for rejection in self.rejections
            if rejection.unusual
        ]
        rejected, share = sum(each.count for each in self.rejections), sum(each.share for each in self.rejections)
        if rejected >= _UNUSUAL_COUNT and share > _TOO_MANY:
            said.append(
                f"{rejected:,} images of the newest date were rejected, which is {share:.1%} of them: more than"
                f" {_TOO_MANY:.0%} are too many, however usual that is; check the source"
            )
        return said

    def unlisted(self, due: date) -> list[date]:
        """Dates up to `due` that no `ingest --run-date` has finished, of the last USUAL_DATES and since the first."""
        if not self.listed:
            return []
        first = max(self.listed[0], due - timedelta(days=USUAL_DATES - 1))
        days = [first + timedelta(days=number) for number in range((due - first).days + 1)]
        return sorted(set(days) - set(self.listed))


def due_by(now: datetime, late_after: int) -> date:
    """The newest date that should have been worked on; late_after: days a date may be behind."""
    return now.date() - timedelta(days=late_after)


def is_future(day: date, now: datetime) -> bool:
    """Whether a date has not begun yet, wherever the images come from."""
    return day > now.date() + _AHEAD


def _identify(days: Sequence[date], gallery: str) -> str:
    """The command that identifies dates."""
    of = f"--run-date {days[0]}" if len(days) == 1 else "--all-dates"
    return f"rollcall identify {of} --gallery-name {quote(gallery)}"


def health(context: Context) -> Health:
    """Ask the tables."""
    contract = _contract(context)
    return Health(
        runs=_runs(context),
        listed=_listed(context),
        pending=_pending(context, contract),
        unidentified=_unidentified(context),
        rejections=_rejections(context, contract),
        images_per_second=_images_per_second(context),
        registered=_registered(context),
        activated=activated(context),
        future=_future(context),
        withdrawn=_withdrawn(context),
        unregistered=_unregistered(context),
    )


def _runs(context: Context) -> list[LastRun]:
    events = context.tables.read("runs")
    of_run = events.groupBy("run_id", "job").agg(
        F.max_by("event", F.struct("at", "seconds")).alias("state"),
        F.min("at").alias("began"),
        F.max("at").alias("last"),
        F.max("seconds").alias("seconds"),
        F.max("error").alias("error"),
    )
    of_job = Window.partitionBy("job")
    succeeded = F.max(F.when(F.col("state") == "finished", F.col("last"))).over(of_job)
    later = (F.col("state") == "started") & (F.col("succeeded").isNull() | (F.col("began") > F.col("succeeded")))
    waiting = F.min(F.when(later, F.col("began"))).over(of_job)
    newest = F.row_number().over(of_job.orderBy(F.desc("began"), "run_id"))
    seen = of_run.withColumn("succeeded", succeeded).withColumns({"waiting": waiting, "newest": newest})
    rows = seen.where("newest = 1").orderBy("job").collect()
    now = datetime.now(UTC)
    return [
        LastRun(
            row.job,
            row.run_id,
            row.state,
            utc(row.began),
            (now - utc(row.began)).total_seconds() if row.state == "started" else row.seconds,
            row.error,
            None if row.succeeded is None else utc(row.succeeded),
            None if row.waiting is None else utc(row.waiting),
        )
        for row in rows
    ]


def _listed(context: Context) -> list[date]:
    runs = context.tables.read("runs").where("job = 'ingest' AND event = 'finished'")
    days = runs.select(F.col("arguments")["run_date"].cast("date").alias("run_date")).where("run_date IS NOT NULL")
    return sorted(row.run_date for row in days.distinct().collect())


def _contract(context: Context) -> str | None:
    """The contract of the last `embed` that finished: what the settings say is not asked, as that takes the weights."""
    runs = context.tables.read("runs").where("job = 'embed' AND event = 'finished'")
    row = runs.orderBy(F.desc("at")).select(F.col("digests")["contract"].alias("contract")).first()
    return None if row is None else row.contract


def _outcomes(context: Context, contract: str | None) -> DataFrame:
    return context.tables.read_or_empty("image_outcomes").where(F.col("contract_id") == F.lit(contract))


def _pending(context: Context, contract: str | None) -> dict[date, int]:
    return unfinished_by_date(context.tables, F.lit(True), F.col("contract_id") == F.lit(contract))


def _future(context: Context) -> dict[date, int]:
    images = context.tables.read_or_empty("images").where(F.col("run_date") > datetime.now(UTC).date() + _AHEAD)
    return {row.run_date: row["count"] for row in images.groupBy("run_date").count().collect()}


def _unidentified(context: Context) -> dict[str, list[date]]:
    """An image that was searched under several limits has identifications under one of them. Where a contract was
    activated, it is asked of the faces under that one."""
    galleries = _standing(context).select("gallery_name", "contract_id").distinct()
    of_image, chosen = ["gallery_name", "run_date", "image_id"], activated(context)
    if chosen is not None:
        galleries, of_image = galleries.where(F.col("contract_id") == chosen), [*of_image, "contract_id"]
    images = context.tables.read_or_empty("faces").select("run_date", "image_id", "contract_id").distinct()
    identified = context.tables.read_or_empty("identifications").select(*of_image)
    rows = (
        images.join(galleries, "contract_id")
        .join(identified, of_image, "left_anti")
        .select("gallery_name", "run_date")
        .distinct()
        .collect()
    )
    found: dict[str, list[date]] = {}
    for row in sorted(rows):
        found.setdefault(row.gallery_name, []).append(row.run_date)
    return found


def _rejections(context: Context, contract: str | None) -> list[Rejection]:
    # Not of dates to come, which a camera with a wrong clock has: nothing is newer than they are.
    known = _outcomes(context, contract).where(F.col("run_date") <= F.current_date())
    counted = known.groupBy("run_date", "outcome").count().collect()
    days = sorted({row.run_date for row in counted})
    if not days:
        return []
    usual_days = days[-1 - USUAL_DATES : -1]
    of_day = {day: sum(row["count"] for row in counted if row.run_date == day) for day in days}

    def count(reason: str, among: Sequence[date]) -> int:
        return sum(row["count"] for row in counted if row.outcome == reason and row.run_date in among)

    before = sum(of_day[day] for day in usual_days)
    return [
        Rejection(
            reason,
            count(reason, days[-1:]),
            count(reason, days[-1:]) / of_day[days[-1]],
            count(reason, usual_days) / before if before else 0.0,
        )
        for reason in sorted({row.outcome for row in counted if row.outcome.startswith("rejected:")})
    ]


def _images_per_second(context: Context) -> float | None:
    runs = context.tables.read("runs").where("job = 'embed' AND event = 'finished' AND counts['images'] > 0")
    row = runs.orderBy(F.desc("at")).select(F.col("counts")["images"].alias("images"), "seconds").first()
    return None if row is None else row.images / row.seconds


def _standing(context: Context) -> DataFrame:
    return context.tables.read_or_empty("gallery").where(F.col("withdrawn_at").isNull())


def _withdrawn(context: Context) -> list[FacesOf]:
    named = context.tables.read_or_empty("identifications").where(F.col("decision").isin("match", "review"))
    rows = (
        named.join(_standing(context).select("gallery_name", "sample_id"), ["gallery_name", "sample_id"], "left_anti")
        .groupBy("gallery_name", "run_date")
        .count()
        .orderBy("gallery_name", "run_date")
        .collect()
    )
    return [FacesOf(*row) for row in rows]


def _unregistered(context: Context) -> dict[str, int]:
    """What the last `enroll` of each gallery has counted."""
    runs = context.tables.read("runs").where("job = 'enroll' AND event = 'finished'")
    counted = F.max_by(F.col("counts")[NOT_IN_FORCE], "at").alias("persons")
    rows = runs.groupBy(F.col("arguments")["gallery_name"].alias("gallery")).agg(counted).collect()
    return {row.gallery: row.persons for row in sorted(rows) if row.persons}


def _registered(context: Context) -> list[Registered]:
    rows = (
        _standing(context)
        .groupBy("gallery_name", "contract_id")
        .agg(F.count_distinct("person_id").alias("persons"), F.count("*").alias("samples"))
        .orderBy("gallery_name", "contract_id")
        .collect()
    )
    standing = [Registered(*row) for row in rows]
    known, held = known_galleries(context.tables), {each.gallery for each in standing}
    emptied = [(name, contract) for name in known.keys() - held for contract in known[name]]
    return sorted(
        [*standing, *(Registered(*each, 0, 0) for each in emptied)], key=lambda each: (each.gallery, each.contract_id)
    )
