"""The inventory of a source: its files as rows of `images`. Files are listed, and never opened."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.inputs import image_table, unlisted
from jobs.run import erased, ledger
from jobs.run.context import Context
from udfs import inventory, lake
from udfs.arrow import local_frame, spark_schema
from udfs.errors import InputError
from udfs.template import Template


def list_source(
    context: Context,
    *,
    source: str | None,
    source_table: str | None,
    run_date: date | None,
    suffixes: tuple[str, ...],
    source_name: str | None,
    case_id: str | None,
    allow_empty: bool,
    allow_erased: bool,
    allow_expired: bool,
) -> dict[str, int]:
    """Take the inventory of a source, or of a table of images; returns what was counted. The arguments are those of
    `rollcall ingest`.

    Raises:
        InputError: no source or two, one that cannot be listed, a table whose rows cannot be told apart, or an empty
            listing.
    """
    if (source is None) == (source_table is None):
        raise InputError("say what to ingest: --source URI, or --source-table NAME")
    template = Template("" if source is None else lake.uri_of(source), run_date)
    if source_table:
        listed, passed_over = _files_of_table(context, source_table), 0
    else:
        listed, passed_over = _files_below(context, template)
    context.tables.exists("images")  # a root of another schema version is refused before a run is noted

    with ledger.run(context) as run:
        rows = _inventory(listed, template, suffixes).persist()
        try:
            wanted = rows.where(F.col("run_date").isNotNull())
            if run_date is not None:
                wanted = wanted.where(F.col("run_date") == F.lit(run_date))
            images = wanted.select(
                "image_id",
                "uri",
                "size",
                "modified_us",
                "regular",
                "run_date",
                "captured_at",
                F.coalesce("source", F.lit(source_name)).alias("source"),
                F.coalesce("case_id", F.lit(case_id)).alias("case_id"),
                F.lit(source_table).alias("content_table"),
                F.lit(run.run_id).alias("run_id"),
            )
            known = context.tables.read_or_empty("images").select("image_id")
            new = images.join(known, "image_id", "left_anti")
            new = _not_expired(context, new, run, allow_expired)
            new = _not_erased(context, new, run, allow_erased)  # last: what is allowed again is forgotten to be erased
            listed_files = images.count()
            run.count("listed", listed_files)
            run.count("outside_template", rows.where("run_date IS NULL AND problem IS NULL").count())
            run.count("directories_outside_template", passed_over)
            run.count("directories_not_listed", _say_unlisted(context, rows.where("problem IS NOT NULL")))
            run.count("new", new.count())
            outside = _outside(run.counts, template)
            if listed_files == 0 and not allow_empty:
                of_date = "" if run_date is None else f" of {run_date}"
                if source_table:
                    why = "" if not suffixes else "; is --suffix right?"
                    raise InputError(f"{source_table}: no rows{of_date}{why}; if it may be empty, add --allow-empty")
                why = (
                    "is it mounted?" if not suffixes else f"is it mounted, and is --suffix {' '.join(suffixes)} right?"
                )
                raise InputError(f"{source}: no files{of_date}{outside}; {why} If it may be empty, add --allow-empty")
            if run.counts["new"]:
                context.tables.append_new("images", new)
        finally:
            rows.unpersist()
    context.log.info(f"ingest: {listed_files:,} files, {run.counts['new']:,} new or changed{outside}")
    return run.counts


def _not_erased(context: Context, new: DataFrame, run: ledger.Run, allowed: bool) -> DataFrame:
    """New rows without those of files that were erased; where these are allowed, it is noted that they are."""
    if not erased.any_erased(context.tables, erased.LAKE_URI):
        return new
    found = erased.erased_uris(context, new).persist()
    count = found.count()
    run.count("erased", count)
    if count and allowed:
        erased.allow_again(context, run.run_id, erased.LAKE_URI, found.select("hash"))
        context.log.info(f"ingest: {count:,} files that were erased are taken in again, as --allow-erased says")
    elif count:
        new = new.join(found.select("uri"), "uri", "left_anti").localCheckpoint()
        context.log.info(f"ingest: {count:,} files were erased, and are left out; --allow-erased takes them in again")
    found.unpersist()
    return new


def _not_expired(context: Context, new: DataFrame, run: ledger.Run, allowed: bool) -> DataFrame:
    """New rows without those of dates whose images `retain` has removed; where these are allowed, with them.

    What was removed was written before it was. A file that was written since is another one.
    """
    expired = context.tables.read_or_empty("expired_dates")
    if allowed or expired.isEmpty():
        return new
    expired = expired.select("run_date", F.col("source").alias("of"), F.unix_micros("expired_at").alias("expired_us"))
    over = (new.run_date == expired.run_date) & (F.coalesce(new.source, F.lit("")) == F.col("of"))
    over = over & (new.modified_us <= F.col("expired_us"))
    count = new.join(F.broadcast(expired), over, "left_semi").count()
    run.count("expired", count)
    if count:
        new = new.join(F.broadcast(expired), over, "left_anti")
        context.log.info(
            f"ingest: {count:,} files are of dates whose images were removed, as their time was over (retain), and are"
            " left out; --allow-expired takes them in"
        )
    return new


def _say_unlisted(context: Context, rows: DataFrame) -> int:
    """Say which directories could not be listed; returns how many."""
    count = rows.count()
    if count:
        first = rows.orderBy("problem").limit(unlisted.TOLD_AT_MOST)
        unlisted.say(context, [row.problem for row in first.select("problem").collect()], count)
    return count


def _outside(counts: dict[str, int], template: Template) -> str:
    """What was seen and not noted, for a person."""
    files, directories = counts["outside_template"], counts["directories_outside_template"]
    told = [f"{files:,} more"] if files else []
    told += [f"{directories:,} {'directory' if directories == 1 else 'directories'} ignored"] if directories else []
    outside = f"; {' and '.join(told)}, which do not fit {template.text}" if told else ""
    return outside + unlisted.in_words(counts["directories_not_listed"])


def _files_below(context: Context, template: Template) -> tuple[DataFrame, int]:
    """The files of a source; and how many directories cannot hold any, of whatever date.

    Executors list: the directories of the first level, each with all that is below it, and the files beside those. The
    driver looks for directories alone, as a folder may have a million files.
    """
    directories = lake.directories_in(template.root)
    of_any_date = Template(template.text)
    passed_over = sum(not of_any_date.admits(uri) for uri in directories)
    folders = [(template.root, False), *((uri, True) for uri in directories if template.admits(uri))]
    tasks = min(len(folders), 4 * context.spark.sparkContext.defaultParallelism)
    frame = local_frame(context.spark, folders, spark_schema(inventory.FOLDER)).repartition(tasks)
    return frame.mapInArrow(inventory.list_folders, spark_schema(inventory.LISTED_FILE)), passed_over


def _files_of_table(context: Context, name: str) -> DataFrame:
    """The images of a table; `content` is not read."""
    versions = image_table.contents(context, name).select(*image_table.VERSION)
    image_table.refuse_ambiguous(name, versions)
    return versions.withColumns({"regular": F.lit(True), "problem": F.lit(None).cast("string")})


def _inventory(listed: DataFrame, template: Template, suffixes: tuple[str, ...]) -> DataFrame:
    if suffixes:
        name = F.lower("uri")
        ends = [name.endswith(suffix.lower()) for suffix in suffixes]
        listed = listed.where(F.greatest(*ends, F.col("problem").isNotNull()))
    rows = listed.mapInArrow(inventory.describe(template), spark_schema(inventory.INVENTORY))
    return rows.withColumns({"run_date": F.to_date("run_date"), "captured_at": F.to_timestamp("captured_at")})
