"""The page for whoever answers for the data: what was erased, that nothing is left, and what is not covered."""

from datetime import UTC, datetime

from jobs.erasure.proof import Proof, in_words
from jobs.run.context import Context
from pages.report import Headline, Report, ReportTable, html

NOT_COVERED = (
    ("The images themselves", "Rollcall only reads them: delete them in the lake, or they are seen by whoever may"),
    ("Backups and copies of the tables", "snapshots, replicas, exports to other systems: delete or restore them anew"),
    ("Versions of objects in a store", "a bucket that keeps versions, or deleted objects for a while, has them still"),
    ("Spark's own logs", "event logs and the web interface may hold queries with their literals; so may logs of SQL"),
    ("Files that jobs have written elsewhere", "pages, reports, CSV files, metrics and what was printed to a terminal"),
    ("Copies on other machines", "of packed galleries of a store; unused ones are removed after a day"),
    ("Lists of people", "manifests and folders of photos that `enroll` is given"),
)


def page(context: Context, proofs: list[Proof]) -> str:
    """One page of several proofs; it names nobody."""
    found = sum(proof.places for proof in proofs)
    files, read = proofs[0].files, proofs[0].bytes
    now = datetime.now(UTC)
    rows = [
        (
            proof.erasure_id,
            proof.kind,
            proof.who,
            in_words(proof.sought),
            in_words(proof.shared),
            f"{proof.places:,}",
        )
        for proof in proofs
    ]
    places = [
        (proof.erasure_id, uri, kind, f"{count:,}")
        for proof in proofs
        for (uri, kind), count in sorted(proof.found.items())
    ]
    tables = [
        ReportTable(
            "Erasures",
            ("erasure", "kind", "of whom, as a keyed hash", "looked for", "not looked for", "found"),
            rows,
            numbers=(5,),
            note="Whoever holds the key beside the tables and a name can tell whether a hash is of this name; nobody"
            " else can. Embeddings are looked for as they are, and as they are rounded for the search. What is of"
            " somebody else as well is not looked for, such as the embedding of a copy.",
        ),
        ReportTable("Not covered", ("what", "what to do"), NOT_COVERED),
    ]
    if places:
        tables.insert(1, ReportTable("Where something was found", ("erasure", "file", "kind", "places"), places, (3,)))
    return html(
        Report(
            "Proof of erasure",
            f"On {now:%Y-%m-%d at %H:%M} UTC every file of the tables, and all that Rollcall keeps beside them, was"
            " read: values of decompressed pages, logs, checkpoints, checksums and packed galleries."
            + (" Nothing of what was erased was found." if not found else " Something of what was erased was found."),
            [
                Headline("found", f"{found:,}"),
                Headline("erasures", f"{len(proofs):,}"),
                Headline("files read", f"{files:,}"),
                Headline("MB read", f"{read / 1e6:,.1f}"),
            ],
            (),
            tables,
            facts=(("tables", context.tables.place), ("read at", f"{now:%Y-%m-%d %H:%M:%S} UTC")),
            facts_title="What was read",
        )
    )
