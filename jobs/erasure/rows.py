"""Which rows of each table go, and which change: by what their columns carry, and by name where that is not enough."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.erasure.closure import Closure, frame_of, of_gallery
from jobs.erasure.clusters import LeftOfClusters, decisions_without
from jobs.run.context import Context
from schemas.catalog import TABLES
from schemas.store import Tables
from schemas.table import Column as DeclaredColumn
from udfs.ids import hashed
from udfs.listed_ids import ids_in, listed
from udfs.words import ERASED, Words

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True)
class TableRows:
    """Of one table: gone, the keys of the rows that are deleted (with run_date, where rows have one); and changed, the
    rows that are put in the place of those with the same key. Cut loose from the tables."""

    table: str
    gone: DataFrame | None = None
    changed: DataFrame | None = None
    deleted: int = 0
    rewritten: int = 0
    dates: "frozenset[date] | None" = field(default=None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the table is concerned."""
        return not (self.deleted or self.rewritten)

    def carry_out(self, tables: Tables) -> None:
        """Change and delete the rows."""
        if self.rewritten and self.changed is not None:
            tables.change(self.table, self.changed)
        if self.deleted and self.gone is not None:
            tables.delete_rows(self.table, self.gone, self.dates)


UNTOUCHED = ("contracts", "erasures", "erased", "expired_dates")
"""Tables that say nothing of anybody."""
BY_DIGEST = ("searches", "searched_samples")
"""Tables that `jobs.erasure.galleries_searched` changes, both together."""
ORDER = (
    "staged",
    "clusters",
    "cluster_changes",
    "cluster_members",
    "cluster_decisions",
    "reviews",
    "set_asides",
    "verifications",
    "thresholds",
    "cohorts",
    "evaluations",
    "activations",
    "models",
    "model_photos",
    "runs",
    "investigations",
    "findings",
    "identifications",
    "matches",
    "seen_photos",
    "image_outcomes",
    "gallery",
    "enrollments",
    "faces",
    "images",
)
"""What leads to the rest goes last: an erasure that was killed finds all that is left when it is carried on."""


def rows_of(context: Context, closure: Closure, table: str) -> TableRows:
    """What becomes of the rows of a table."""
    if not context.tables.exists(table):
        return TableRows(table)
    rows = context.tables.read(table)
    doomed, changed = _RULES.get(table, _by_columns)(context, closure, rows, table)
    key = list(TABLES[table].key)
    dated = [*key, "run_date"] if "run_date" in TABLES[table].names and "run_date" not in key else key
    # Few jobs of Spark: what each of some twenty tables asks for is little.
    keys = None if doomed is None else doomed.select(*dated).distinct().toArrow()
    gone = None if keys is None or not keys.num_rows else context.spark.createDataFrame(keys)
    stays = rows if gone is None else _without(rows, gone, key)
    if changed is not None and gone is not None:
        changed = _without(changed, gone, key)
    changed = _reworded(closure.words, table, stays, changed, key)
    if changed is not None:
        changed = changed.localCheckpoint()
    dates = None
    if gone is not None and keys is not None and "run_date" in TABLES[table].partition_by:
        dates = frozenset(keys["run_date"].unique().to_pylist())
    deleted = 0 if gone is None or keys is None else keys.num_rows
    return TableRows(table, gone, changed, deleted, 0 if changed is None else changed.count(), dates)


def _without(rows: DataFrame, gone: DataFrame, key: list[str]) -> DataFrame:
    """Null is the same as null in keys."""
    other = gone.select(*[F.col(name).alias(f"_{name}") for name in key])
    same = F.lit(True)
    for name in key:
        same = same & F.col(name).eqNullSafe(F.col(f"_{name}"))
    return rows.join(other, same, "left_anti")


# --- by what columns carry -------------------------------------------------------------------------------

Found = tuple[DataFrame | None, DataFrame | None]
"""The rows that go, and the rows that change."""
Rule = Callable[[Context, Closure, DataFrame, str], Found]


def _by_columns(
    context: Context, closure: Closure, rows: DataFrame, table: str, without: tuple[str, ...] = ()
) -> Found:
    """The rows of which a column holds something of what is erased, but for some columns."""
    hits = []
    for column in TABLES[table].columns:
        values = closure.values(column.carries)
        if not values or column.name in without or column.type != "string":
            continue
        mine = rows
        if column.carries == "person":
            if "gallery_name" not in TABLES[table].names and not closure.everywhere:
                continue
            mine = rows.where(of_gallery(table, closure.subject.gallery_name))
        hits.append(mine.join(frame_of(context, column.name, values), column.name, "left_semi").select(*rows.columns))
    return _united(hits), None


def _united(frames: list[DataFrame]) -> DataFrame | None:
    """All rows; some of them several times."""
    if not frames:
        return None
    first, *others = frames
    for other in others:
        first = first.unionByName(other)
    return first


# --- free text -------------------------------------------------------------------------------------------

_NOT_REWORDED = {"investigations": ("investigation",), "findings": ("investigation", "asked")}
"""Words that are a key: rows that hold what is erased in them are deleted."""


def _reworded(
    words: Words, table: str, stays: DataFrame, changed: DataFrame | None, key: list[str]
) -> DataFrame | None:
    """The rows that change, and those whose free text names what is erased, without that."""
    columns = [of for of in TABLES[table].carrying("words", "operator") if of.name not in _NOT_REWORDED.get(table, ())]
    if not columns or not any(words.in_text(text) for text in _texts(stays, columns)):
        return changed
    text, several = F.udf(_in_text(words), "string"), F.udf(_in_map(words), "map<string,string>")
    new = {of.name: (several if of.type.startswith("map") else text)(F.col(of.name)) for of in columns}
    spoken = F.lit(False)
    for of in columns:
        is_text = of.type == "string"
        spoken = spoken | ((F.col(of.name) != "") if is_text else (F.size(of.name) > 0))
    rest = stays.where(F.coalesce(spoken, F.lit(False)))
    if changed is not None:
        rest = _without(rest, changed, key)
        changed = changed.withColumns(new)
    said = rest.withColumns({f"_{name}": value for name, value in new.items()})
    differs = F.lit(False)
    for of in columns:
        before, after = (
            F.to_json(name) if of.type.startswith("map") else F.col(name) for name in (of.name, f"_{of.name}")
        )
        differs = differs | ~before.eqNullSafe(after)
    kept = [F.col(f"_{name}").alias(name) if name in new else F.col(name) for name in stays.columns]
    reworded = said.where(differs).select(*kept)
    return reworded if changed is None else changed.unionByName(reworded)


def _texts(rows: DataFrame, columns: list[DeclaredColumn]) -> list[str]:
    """What is said in some columns, each text once."""
    texts = F.array(*[F.col(of.name) for of in columns if not of.type.startswith("map")])
    for of in columns:
        if of.type.startswith("map"):
            texts = F.concat(texts, F.coalesce(F.map_values(of.name), F.array()))
    said = rows.select(F.explode(texts).alias("text")).where("text != ''").distinct().toArrow()
    return said["text"].to_pylist()


def _in_text(words: Words) -> Callable[[str | None], str | None]:
    return lambda text: None if text is None else words.without(text)


def _in_map(words: Words) -> Callable[[dict[str, str] | None], dict[str, str] | None]:
    return lambda said: None if said is None else {name: words.without(value) for name, value in said.items()}


# --- by name ---------------------------------------------------------------------------------------------


def _enrollments(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    """A photo of somebody else that was set aside as it is like the person is judged anew by the next enrolment; of
    others it is no longer said that the person is the nearest."""
    doomed, _ = _by_columns(context, closure, rows, table, without=("other_person_id",))
    if closure.person is None:
        return doomed, None
    asked = frame_of(context, "other_person_id", [closure.person])
    like = rows.where(of_gallery(table, closure.subject.gallery_name)).join(asked, "other_person_id", "left_semi")
    like = like.select(*rows.columns)
    aside = like.where("decision = 'review'")
    changed = like.where("decision != 'review'").withColumns(
        {"other_person_id": F.lit(None).cast("string"), "other_similarity": F.lit(None).cast("double")}
    )
    return aside if doomed is None else doomed.unionByName(aside), changed


def _of_searched_faces(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    """All that was found of a face goes where one row of it names the person or a sample: so the next `identify` takes
    the face for a new one."""
    named = []
    for each in ("matches", "identifications"):
        if context.tables.exists(each):
            others = context.tables.read(each)
            found, _ = _by_columns(context, closure, others, each, without=("face_id", "image_id"))
            if found is not None:
                named.append(found.select("face_id", "gallery_name"))
    searched = _united(named)
    doomed, _ = _by_columns(context, closure, rows, table)
    if searched is not None:
        again = rows.join(searched.distinct(), ["face_id", "gallery_name"], "left_semi").select(*rows.columns)
        doomed = again if doomed is None else doomed.unionByName(again)
    return doomed, None


def findings_counted(rows: DataFrame, findings: DataFrame, gone: DataFrame) -> DataFrame:
    """Of some rows of `investigations` those that lose findings, with the number that they keep. Findings of another
    run are of none: a killed one has left them."""
    left = _without(findings, gone.select(*TABLES["findings"].key), list(TABLES["findings"].key))
    of_one = ["investigation", "run_id"]
    counted = left.groupBy(*of_one).agg(F.count("*").alias("left"))
    return (
        rows.join(gone.select(*of_one).distinct(), of_one, "left_semi")
        .join(counted, of_one, "left")
        .withColumn("findings", F.coalesce("left", F.lit(0)).cast("bigint"))
        .select(*rows.columns)
    )


def _investigations(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    doomed = rows.join(frame_of(context, "investigation", closure.investigations), "investigation", "left_semi")
    if not context.tables.exists("findings"):
        return doomed, None
    findings = context.tables.read("findings")
    gone, _ = _findings(context, closure, findings, "findings")
    if gone is None:
        return doomed, None
    changed = findings_counted(rows, findings, gone)
    return doomed.select(*rows.columns), changed


def _findings(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    """A search has found a face, whoever it was taken for: of that it says no more. `identify` has found the person."""
    of_search = F.col("gallery_name").isNull()
    doomed, _ = _by_columns(context, closure, rows.where(~of_search), table)
    frames = [] if doomed is None else [doomed]
    others, _ = _by_columns(context, closure, rows.where(of_search), table, without=("person_id", "sample_id"))
    frames += [] if others is None else [others]
    of_asked = rows.join(frame_of(context, "investigation", closure.investigations), "investigation", "left_semi")
    frames.append(of_asked.select(*rows.columns))
    if closure.person is None or not closure.everywhere:
        return _united(frames), None
    person, with_commas = closure.person, _ids_with_commas(context) | {closure.person}
    names_them = F.udf(lambda said: said is not None and person in ids_in(said, with_commas), "boolean")
    without = F.udf(lambda said: listed(set(ids_in(said, with_commas)) - {person}) or None, "string")
    changed = (
        rows.where(of_search & F.col("person_id").isNotNull())
        .where(names_them("person_id"))
        .withColumn("person_id", without("person_id"))
        .withColumn("decision", F.when(F.col("person_id").isNotNull(), F.col("decision")))
    )
    return _united(frames), changed


def _ids_with_commas(context: Context) -> set[str]:
    """Of persons, which one text with several ids could not be parted without."""
    people = context.tables.read_or_empty("gallery").where(F.col("person_id").contains(","))
    return {row.person_id for row in people.select("person_id").distinct().collect()}


def _verifications(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    """A photo of the person is an image as well, where it was compared with another."""
    images, uris = closure.images | closure.photos, closure.uris | closure.photo_uris
    return _by_columns(context, replace(closure, images=images, uris=uris), rows, table)


def _cohorts(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    """A cohort is whole, or of no use."""
    found, _ = _by_columns(context, closure, rows, table)
    if found is None:
        return None, None
    return rows.join(found.select("cohort_id").distinct(), "cohort_id", "left_semi").select(*rows.columns), None


def _thresholds(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    """What was calibrated with a cohort that goes no longer holds."""
    if not context.tables.exists("cohorts"):
        return None, None
    cohorts, _ = _cohorts(context, closure, context.tables.read("cohorts"), "cohorts")
    if cohorts is None:
        return None, None
    return rows.join(cohorts.select("cohort_id").distinct(), "cohort_id", "left_semi").select(*rows.columns), None


def _left_of_clusters(context: Context, closure: Closure) -> LeftOfClusters | None:
    if not context.tables.exists("cluster_members") or not (closure.faces or closure.images):
        return None
    members = context.tables.read("cluster_members")
    gone, _ = _by_columns(context, closure, members, "cluster_members")
    return None if gone is None else LeftOfClusters.of(members, gone)


def _clusters(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    found = _left_of_clusters(context, closure)
    return (None, None) if found is None else found.clusters(rows)


def _cluster_changes(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    found = _left_of_clusters(context, closure)
    return (None, None) if found is None else found.changes(rows)


def _cluster_decisions(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    """What was said goes on without the faces; it goes where nothing is left of it, or it gives the person's name."""
    words, faces = closure.words, closure.faces
    names = F.udf(lambda name: name is not None and words.in_text(name), "boolean")
    doomed = rows.where(names("name"))
    if not faces:
        return doomed, None
    empty, changed = decisions_without(rows, faces)
    return doomed.unionByName(empty), changed


def _runs(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    """An image may be named by where it lies from where a command was run: so by its name alone."""
    if closure.subject.kind != "image":
        return None, None
    name = closure.subject.value.rstrip("/").rpartition("/")[2]
    ends = {name, unquote(name)}

    def reworded(said: dict[str, str] | None) -> dict[str, str] | None:
        if said is None:
            return None
        return {each: ERASED if value.split("/")[-1] in ends else value for each, value in said.items()}

    again = F.udf(reworded, "map<string,string>")
    changed = rows.withColumn("_said", again("arguments")).where(F.to_json("_said") != F.to_json("arguments"))
    return None, changed.withColumn("arguments", F.col("_said")).select(*rows.columns)


def _model_photos(context: Context, closure: Closure, rows: DataFrame, table: str) -> Found:
    """They name persons and photos by hashes of their ids and URIs."""
    found, _ = _by_columns(context, replace(closure, images=closure.images | closure.photos), rows, table)
    frames = [] if found is None else [found]
    persons = [closure.person] if closure.person is not None and closure.everywhere else []
    for column, values in (("person_digest", persons), ("photo_digest", closure.uris | closure.photo_uris)):
        if values:
            digests = frame_of(context, column, map(hashed, values))
            frames.append(rows.join(digests, column, "left_semi").select(*rows.columns))
    return _united(frames), None


def models_trained_on(context: Context, gone: DataFrame | None) -> list[str]:
    """The names of models that were trained on photos that go: what they have learnt of these is in their weights."""
    if gone is None or not context.tables.exists("models"):
        return []
    models = context.tables.read("models").join(gone.select("model_id").distinct(), "model_id", "left_semi")
    return sorted({row["name"] for row in models.select("name").collect()})


_RULES: dict[str, Rule] = {
    "model_photos": _model_photos,
    "enrollments": _enrollments,
    "matches": _of_searched_faces,
    "identifications": _of_searched_faces,
    "investigations": _investigations,
    "findings": _findings,
    "verifications": _verifications,
    "cohorts": _cohorts,
    "thresholds": _thresholds,
    "clusters": _clusters,
    "cluster_changes": _cluster_changes,
    "cluster_decisions": _cluster_decisions,
    "runs": _runs,
}
