"""Upkeep of the tables: older schema versions are migrated, small files are joined, and old files are removed."""

from jobs.run import ledger, under_way
from jobs.run.context import Context
from schemas.catalog import TABLES
from schemas.names import Names
from schemas.store import Files
from udfs.errors import InputError

RETAINED = 168.0
"""Hours: the week that Delta itself takes to be safe."""

FilesOf = dict[str, tuple[Files, Files]]
"""The files of each table, before and after."""


def present(context: Context) -> list[str]:
    """The names of the tables that there are.

    Raises:
        InputError: there are no tables.
    """
    names = [name for name in TABLES if context.tables.exists(name)]
    if not names:
        raise InputError(f"{context.tables.place}: there are no tables; is the place right?")
    return names


def files_as_they_are(context: Context, names: list[str]) -> FilesOf:
    """The files of tables, of which none is changed."""
    return {name: (files, files) for name in names for files in [context.tables.files(name)]}


def migrate_tables(context: Context, outdated: dict[str, str], run: ledger.Run) -> None:
    """Bring tables of an older schema version, by name, to the present one.

    Raises:
        InputError: another release has brought one to a newer version meanwhile.
    """
    for name in outdated:
        context.tables.migrate(name)
    run.count("tables_migrated", len(outdated))


def maintain_tables(context: Context, names: list[str], retain: float, run: ledger.Run) -> FilesOf:
    """Join the small files of tables, and remove those that no version of the last hours needs.

    Raises:
        InputError: as of `refuse_if_under_way`.
    """
    found = {}
    for name in names:
        before = context.tables.files(name)
        if before.most > 1:
            context.tables.compact(name)
        refuse_if_under_way(context, retain, run.run_id)  # one may have begun meanwhile
        context.tables.vacuum(name, retain)
        found[name] = before, context.tables.files(name)
        context.log.info(f"maintain: {name}: {before.count:,} files, now {found[name][1].count:,}")
    run.count("files_before", sum(before.count for before, _ in found.values()))
    run.count("files", sum(after.count for _, after in found.values()))
    return found


def publish_views(context: Context, run: ledger.Run) -> None:
    """Create views and functions in the catalog schema, if the tables are in one, for its other clients."""
    if context.tables.database is not None:
        published = Names(context.spark, context.tables).publish()
        run.count("views_published", len(published))
        context.log.info(f"maintain: views and functions in {context.tables.database}: {', '.join(published)}")


def refuse_forgetting(context: Context, own: str = "") -> None:
    """Refuse to remove earlier versions of tables while a run may read them, or is about to write files.

    Raises:
        InputError: a run is under way.
    """
    _refuse_if_one_reads(
        context,
        own,
        "--forget would remove what",
        "leave --forget out: then `rollcall maintain` removes the files after a week",
    )


def refuse_if_under_way(context: Context, retain: float, own: str = "") -> None:
    """Refuse to keep files for less than a week while a run is under way.

    It reads the version it has opened, however old that is by its end, and writes files before a commit names them: a
    week is longer than a run takes.

    Raises:
        InputError: a run is under way.
    """
    if retain < RETAINED:
        _refuse_if_one_reads(context, own, f"--retain {retain:g} could remove files that", f"keep {RETAINED:g} hours")


def _refuse_if_one_reads(context: Context, own: str, would: str, instead: str) -> None:
    running = next(iter(under_way.runs(context.tables, [own])), None)
    if running is not None:
        raise InputError(
            f"{would} run {running.run_id} ({running.job}, since {ledger.utc(running.at):%Y-%m-%d %H:%M} UTC) still"
            f" reads; wait for its end, or {instead}"
        )
