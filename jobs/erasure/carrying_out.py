"""An erasure from its beginning to its end; one that was killed is carried on by the next of the same."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import Row
from pyspark.sql import functions as F

from jobs.erasure.closure import closure_of
from jobs.erasure.forgetting import forget_histories
from jobs.erasure.galleries_searched import forget_samples
from jobs.erasure.needles import Needles
from jobs.erasure.plan import Plan
from jobs.erasure.rows import UNTOUCHED
from jobs.erasure.subject import Subject
from jobs.run import ledger, under_way
from jobs.run.context import Context
from jobs.run.erased import keyed_from_now_on
from schemas.catalog import ERASURES, TABLES
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import stable_id

SHARED = "shared: "
"""Before the kinds of values of which some are not looked for, as others have them as well; in the counts of a plan."""
_WAIT = 60.0
"""Seconds to wait for runs that have begun after the erasure has: these see it, and end."""


@dataclass(frozen=True)
class Noted:
    """An erasure as the table `erasures` has it."""

    erasure_id: str
    subject: Subject
    who: str
    run_id: str

    def note(self, context: Context, event: str, tables: Collection[str] = (), **more: object) -> None:
        """Write an event. more: counts, found, digest."""
        row = {
            "erasure_id": self.erasure_id,
            "event": event,
            "kind": self.subject.kind,
            "who": self.who,
            "tables": sorted(tables),
            "counts": more.get("counts", {}),
            "found": more.get("found"),
            "digest": more.get("digest", ""),
            "at": datetime.now(UTC),
            "run_id": self.run_id,
        }
        context.tables.append("erasures", local_frame(context.spark, [row], ERASURES.schema))


@dataclass(frozen=True)
class Erased:
    """What was done: the plan that was carried out, and what is to be found nowhere."""

    noted: Noted
    plan: Plan
    needles: Needles


def refuse_what_cannot_begin(context: Context, subject: Subject, killed: Collection[str]) -> None:
    """Look for what is wrong before anything is written.

    Raises:
        InputError: nothing is known of it; a run is under way; or another erasure has begun and not ended.
    """
    own = _own_id(context, subject)
    begun = under_way.erasures(context.tables)
    other = next((row for row in begun if row.erasure_id != own), None)
    if other is not None:
        raise InputError(
            f"erasure {other.erasure_id} ({other.kind}) has begun and not ended; run the same `rollcall erase` again,"
            " which carries it to its end, before another one"
        )
    if own is None and closure_of(context, subject).is_empty:
        raise InputError(
            f"nothing is known of this {'date' if subject.kind == 'before' else subject.kind}: there is nothing to"
            " erase; is the id or URI written as the tables have it?"
        )
    _refuse_under_way(under_way.runs(context.tables, killed))


def erase(context: Context, subject: Subject, run: ledger.Run, killed: Collection[str]) -> Erased:
    """Erase what is asked, wherever it is kept.

    killed: runs that have not ended and never will.

    Raises:
        InputError: a run is under way.
    """
    tables = context.tables
    keyed = keyed_from_now_on(tables)
    carried_on = _own_id(context, subject)
    who = subject.who(keyed)
    noted = Noted(carried_on or stable_id("erasure", who, run.run_id), subject, who, run.run_id)
    noted.note(context, "begun")  # from here on no run begins
    _wait_for_runs(context, noted, [run.run_id, *killed], withdraw=carried_on is None)
    closure = closure_of(context, subject, keyed, carried_on)
    plan = Plan.of(context, closure)
    needles = Needles.of(context, closure, plan)
    tables.append_new("erased", needles.hashed(context, closure, keyed, noted.erasure_id, run.run_id))
    shared = {f"{SHARED}{kind}": count for kind, count in needles.shared.items()}
    noted.note(context, "planned", plan.concerned, counts=plan.counts | shared)
    _carry_out(context, plan)
    noted.note(
        context, "finished", _that_forget(context), counts=plan.counts, digest=digest_of(context, noted.erasure_id)
    )
    for name, count in plan.counts.items():
        run.count(name, count)
    return Erased(noted, plan, needles)


def digest_of(context: Context, erasure_id: str) -> str:
    """Of all keyed hashes of an erasure."""
    rows = context.tables.read("erased").where(F.col("erasure_id") == erasure_id).select("kind", "hash").collect()
    return stable_id("erased", *[part for row in sorted(rows) for part in row])


def _carry_out(context: Context, plan: Plan) -> None:
    tables = context.tables
    plan.beside.remove()
    for table, rows in plan.tables.items():
        if table == "gallery":  # before what led to the samples goes
            for gallery in plan.galleries:
                forget_samples(context, gallery)
        rows.carry_out(tables)
        if rows.deleted:
            context.log.info(f"erase: {table}: {rows.deleted:,} rows")
    forget_histories(context, _that_forget(context))


def _that_forget(context: Context) -> list[str]:
    """All tables that tell of anybody. One that holds nothing now may have held it yesterday, as `staged` does for a
    while: files of earlier versions stay for a week, and the ids in the log for a month."""
    return [name for name in TABLES if name not in UNTOUCHED and context.tables.exists(name)]


def _own_id(context: Context, subject: Subject) -> str | None:
    """The erasure of the same that has begun and not ended, if there is one."""
    begun = under_way.erasures(context.tables)
    if not begun:
        return None
    who = subject.who(keyed_from_now_on(context.tables))
    return next((row.erasure_id for row in begun if row.who == who), None)


def _wait_for_runs(context: Context, noted: Noted, own: Collection[str], *, withdraw: bool) -> None:
    deadline = time.monotonic() + _WAIT
    while True:
        running = under_way.runs(context.tables, own)
        begun_before = [row for row in running if not _begun_after(row.at, context, noted)]
        if not running:
            return
        if begun_before or time.monotonic() >= deadline:
            if withdraw:
                noted.note(context, "withdrawn")
            _refuse_under_way(running)
        time.sleep(under_way.PAUSE)


def _begun_after(at: datetime, context: Context, noted: Noted) -> bool:
    first = context.tables.read("erasures").where(F.col("erasure_id") == noted.erasure_id).agg(F.min("at")).first()
    assert first is not None
    return at >= first[0]


def _refuse_under_way(running: list[Row]) -> None:
    if running:
        first = running[0]
        raise InputError(
            f"run {first.run_id} ({first.job}, since {ledger.utc(first.at):%Y-%m-%d %H:%M} UTC) is under way, and could"
            f" bring back what is erased; wait for its end, or, if it was killed, say so: --killed {first.run_id}"
        )
