"""cluster: who are the unknown? Faces are grouped into persons-to-be."""

from datetime import date

import click

from jobs.people.asked import AskedFaces
from jobs.people.decisions import decide
from jobs.people.grouping import group_faces
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, Number, job
from schemas.catalog import UNKNOWN_FACES
from udfs.errors import InputError


@job("cluster")
@click.option("--from", "first", type=RUN_DATE, metavar="DATE", help="Only faces of this run date or later ones.")
@click.option("--to", "last", type=RUN_DATE, metavar="DATE", help="Only faces of this run date or earlier ones.")
@click.option("--source", metavar="NAME", help="Only faces of this camera or feed.")
@click.option("--case-id", metavar="ID", help="Only faces of this case.")
@click.option("--all-faces", "known_too", is_flag=True, help="Faces of registered persons as well.")
@click.option(
    "--grouping",
    metavar="NAME",
    help="The name under which the groups are kept; needed for other faces than all unknown ones.  [default: unknown]",
)
@click.option(
    "--false-link-rate",
    type=Number(min=0, max=0.1, min_open=True),
    metavar="RATE",
    help="The share of pairs of strangers that may be linked.  [default: so that a face expects 0.1 of them, but no"
    " more than 1e-4]",
)
@click.option("--merge", "merged", multiple=True, metavar="CLUSTER", help="Say that these clusters are one person.")
@click.option(
    "--split", metavar="CLUSTER", help="Say that faces of this cluster, given by --face, are another person's."
)
@click.option("--face", "faces", multiple=True, metavar="ID", help="Of --split: a face that is another person's.")
@click.option("--name", "names", multiple=True, metavar="CLUSTER=NAME", help="Give a cluster a name.")
@click.option("--reason", default="", metavar="TEXT", help="Why, in the words of who decides.")
@click.option("--by", "decided_by", default="", metavar="NAME", help="Who decides.")
def cluster(
    context: Context,
    *,
    first: date | None,
    last: date | None,
    source: str | None,
    case_id: str | None,
    known_too: bool,
    grouping: str | None,
    false_link_rate: float | None,
    merged: tuple[str, ...],
    split: str | None,
    faces: tuple[str, ...],
    names: tuple[str, ...],
    reason: str,
    decided_by: str,
) -> dict[str, int]:
    """Group faces that may be of one person; by default all faces that show nobody who is registered.

    \b
    rollcall cluster --tables ./tables
    rollcall cluster --tables ./tables --source gate --grouping gate
    rollcall cluster --tables ./tables --merge 5f2c... --merge 81aa... --by ann
    rollcall cluster --tables ./tables --split 5f2c... --face 77b0... --reason 'her sister' --by ann
    rollcall cluster --tables ./tables --name '5f2c...=the man with the hat' --by ann

    The groups depend on the faces and on what people have said about them, and on nothing else: not on the order in
    which nights came, nor on how often this was run. A cluster keeps its id, and the name it was given, as long as most
    of its faces stay together. What people say is kept in the table cluster_decisions and respected by every later run.
    """
    if merged or split or faces or names or decided_by or reason:
        if known_too or false_link_rate is not None or any(each is not None for each in (first, last, source, case_id)):
            raise InputError(
                "what people say is noted first, and groups nobody: leave out --from, --to, --source, --case-id,"
                " --all-faces and --false-link-rate, and run `rollcall cluster` with them afterwards"
            )
        named = dict(_named(name) for name in names)
        if len(named) < len(names):
            raise InputError("--name: one cluster is named twice; give it one name")
        counts = decide(
            context,
            grouping or UNKNOWN_FACES,
            merged=merged,
            split=split,
            faces=faces,
            named=named,
            reason=reason,
            decided_by=decided_by,
        )
        context.log.info(f"cluster: {counts['decisions']:,} noted; `rollcall cluster` groups the faces anew")
        return counts
    asked = AskedFaces.of(grouping, first, last, source, case_id, known_too)
    run, threshold = group_faces(context, asked, false_link_rate)
    context.log.info(
        f"cluster: {run.counts['asked']:,} faces, {run.counts['clusters']:,} clusters; groups are one from an average"
        f" similarity of {threshold.similarity:.3f}, which {threshold.false_link_rate:.1g} of all pairs of strangers"
        f" reach ({threshold.source})"
    )
    return run.counts


def _named(said: str) -> tuple[str, str]:
    cluster_id, equals, name = said.partition("=")
    if not equals or not name.strip():
        raise InputError(f"--name {said!r}: write it as CLUSTER=NAME")
    return cluster_id.strip(), name.strip()


command = cluster.command

if __name__ == "__main__":
    run_command(command)
