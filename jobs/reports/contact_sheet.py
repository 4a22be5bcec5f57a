"""Contact sheets: the faces of a date, a person or an investigation, each beside what it was found to be like."""

from datetime import UTC, date, datetime
from urllib.parse import unquote

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.faces import pictures
from jobs.inputs import person_ids
from jobs.reports import cards
from jobs.reports.faces_counted import BINS, FacesCounted
from jobs.reports.health import health
from jobs.reports.sheets import Shown, none_of, photos_of, table_of, where_it_comes_from, with_photos
from jobs.run.context import Context
from jobs.run.ledger import utc
from jobs.run.wording import no_investigation
from pages import contact_sheet
from pages.contact_sheet import ContactSheet
from pages.report import Headline, ReportTable
from schemas.catalog import DECISIONS
from schemas.names import Names
from udfs.errors import InputError

REJECTED = 200
"""Rejected images that are listed; the view rejected_images has all."""


def of_date(context: Context, run_date: date, gallery_name: str | None, shown: Shown) -> str:
    """The page on a date: what was found, and what became of its images.

    Raises:
        InputError: the date has no images.
    """
    names, of_date = Names(context.spark, context.tables), F.col("run_date") == F.lit(run_date)
    listed = context.tables.read("images").where(of_date).count()
    if not listed:
        raise InputError(f"{context.tables.place} has no images of {run_date}; run `rollcall ingest` for it first")
    decided = _of_gallery(names.rows("face_decisions").where(of_date), gallery_name)
    outcomes = (
        names.rows("image_outcomes")
        .where(of_date)
        .groupBy("contract_id", "outcome")
        .agg(F.count("*").alias("images"), F.sum("face_count").alias("faces"))
    )
    became = outcomes.orderBy("contract_id", "outcome").collect()
    complaints = health(context).complaints(datetime.now(UTC), late_after=1)
    by_outcome = [(row.contract_id[:12], row.outcome, row.images) for row in became]
    return _of_decisions(
        context,
        decided,
        shown,
        title=f"Rollcall, {run_date}",
        lead="; ".join(complaints) if complaints else "All is well.",
        headline=[Headline("images", f"{listed:,}"), Headline("faces", f"{sum(row.faces for row in became):,}")],
        before=[],
        after=[
            table_of("Images", ("contract", "outcome", "images"), by_outcome),
            _rejected(names.rows("rejected_images").where(of_date)),
        ],
        by_date=False,
    )


def of_person(context: Context, person: str, gallery_name: str | None, shown: Shown) -> str:
    """The page on a person: the faces that show them, may show them, or were reviewed.

    Raises:
        InputError: there are none.
    """
    person = person_ids.normal("--person", person)
    names, of_person = Names(context.spark, context.tables), F.col("person_id") == person
    worth_a_look = F.col("decision").isin("match", "review") | F.col("review_state").isNotNull()
    decided = _of_gallery(names.rows("face_decisions").where(of_person & worth_a_look), gallery_name)
    if decided.isEmpty():
        raise InputError(
            f"no face was found to show {person!r}, or to need a look; gallery_now lists who is registered, and"
            " `rollcall identify` looks for them"
        )
    timeline = names.rows("person_timeline").where(of_person).orderBy("run_date").collect()
    days = [(str(row.run_date), row.images, row.faces, ", ".join(row.sources)) for row in timeline]
    called = decided.select(F.max("name")).first()
    name = person if called is None or called[0] is None else called[0]
    return _of_decisions(
        context,
        decided,
        shown,
        title=f"Rollcall: {name}",
        lead=f"Faces that were found to show {name} ({person}), and those that need a look.",
        headline=[],
        before=[table_of("Days", ("date", "images", "faces", "sources"), days)],
        after=[],
        by_date=True,
    )


def of_investigation(context: Context, investigation: str, shown: Shown) -> str:
    """The page on an investigation: what was asked, by whom and why, and what was found.

    Raises:
        InputError: there is none of this name.
    """
    names, of_it = Names(context.spark, context.tables), F.col("investigation") == investigation
    about = names.rows("investigations").where(of_it).first()
    if about is None:
        raise InputError(no_investigation(investigation, names.rows("investigations")))
    found = names.rows("investigation_findings").where(of_it)
    first = found.orderBy("asked", "rank", "face_id").limit(shown.limit)
    rows = with_photos(context, first).orderBy("asked", "rank", "face_id").collect()
    beside = photos_of(rows) | {
        cards.asked_key(row): (row.asked_uri, None if row.asked_box is None else row.asked_box.asDict())
        for row in rows
        if row.asked_uri
    }
    cut = pictures.NONE if shown.blackout else cards.pictures_of(context, rows, beside)
    some = f"The first {len(rows):,} of {about.findings:,} findings are shown." if about.findings > len(rows) else ""
    sheet = ContactSheet(
        title=f"Investigation: {investigation}",
        lead=about.purpose or "No purpose was stated.",
        headline=[
            Headline("findings", f"{about.findings:,}"),
            Headline("searched", f"{about.searched:,}"),
            Headline("questions", f"{len({row.asked for row in rows}):,}"),
        ],
        faces=[cards.of_finding(row, cut) for row in rows],
        tables=[table_of("The question", ("what", "value"), sorted(about.question.items()))],
        facts=[
            ("asked by", about.asked_by),
            ("asked at", f"{utc(about.asked_at):%Y-%m-%d %H:%M} UTC"),
            *([("case", about.case_id)] if about.case_id else []),
            ("contract", about.contract_id),
            *[(f"digest of {name}", digest) for name, digest in sorted(about.digests.items()) if name != "contract"],
            ("run", about.run_id),
            *where_it_comes_from(context),
        ],
        grouped_by="question",
        note=some,
        reviewable=False,
        blackout=shown.blackout,
    )
    return contact_sheet.html(sheet, cut.jpeg)


def _of_gallery(decided: DataFrame, gallery_name: str | None) -> DataFrame:
    of_gallery = decided if gallery_name is None else decided.where(F.col("gallery_name") == gallery_name)
    return of_gallery.localCheckpoint()  # it is counted, and some of it shown


def _of_decisions(
    context: Context,
    decided: DataFrame,
    shown: Shown,
    *,
    title: str,
    lead: str,
    headline: list[Headline],
    before: list[ReportTable],
    after: list[ReportTable],
    by_date: bool,
) -> str:
    """The page on rows of face_decisions. before, after: tables around those of what was counted. by_date: faces stand
    under their dates."""
    counted = FacesCounted.of(decided)
    first = decided.orderBy(_certainty(), F.desc("score"), "face_id", "gallery_name").limit(shown.limit)
    rows = with_photos(context, first).collect()
    beside = photos_of(rows)
    cut = pictures.NONE if shown.blackout else cards.pictures_of(context, rows, beside)
    marks = counted.marks()
    some = f"The {len(rows):,} most certain of {counted.faces:,} faces are shown." if counted.faces > len(rows) else ""
    sheet = ContactSheet(
        title=title,
        lead=lead,
        headline=[*headline, *counted.headline()],
        faces=[cards.of_decision(row, cut, by_date) for row in rows],
        tables=[*before, *counted.tables(), *after],
        facts=where_it_comes_from(context),
        grouped_by="date" if by_date else "person",
        note=some,
        scores=contact_sheet.score_histogram(counted.scores, BINS, marks),
        scores_note="" if marks or not counted.faces else "Not all were decided by the same thresholds.",
        blackout=shown.blackout,
    )
    return contact_sheet.html(sheet, cut.jpeg)


def _certainty() -> Column:
    """Matches first, then what needs a look."""
    places = F.create_map(*[F.lit(each) for place, name in enumerate(DECISIONS) for each in (name, place)])
    return places[F.col("decision")]


def _rejected(rejected: DataFrame) -> ReportTable:
    rows = rejected.orderBy("reason", "uri").limit(REJECTED + 1).collect()
    listed = [(row.reason, row.detail, row.source or "", unquote(row.uri)) for row in rows[:REJECTED]]
    some = f"The first {REJECTED:,}; the view rejected_images has all." if len(rows) > REJECTED else ""
    return ReportTable("Rejected images", ("reason", "detail", "source", "image"), listed, note=some or none_of(listed))
