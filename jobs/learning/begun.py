"""Whether a training begins anew in its folder, or goes on where an earlier run of the same one was killed."""

from collections.abc import Mapping
from pathlib import Path

from jobs.run.context import Context
from udfs.ids import document_id

_SAYS = "of.txt"
_LEFT = ("state.pt", "trained.pt", "course.json", "parent.npy", "chosen.npy")


def goes_on(context: Context, work: Path, of: Mapping[str, object]) -> bool:
    """Whether the folder is filled for this training; if not, what another one has left in it is removed.

    of: all that decides what is learnt.
    """
    known = work / _SAYS
    if known.exists() and known.read_text("utf-8") == document_id(dict(of)):
        context.log.info(f"{context.job}: goes on where an earlier run was killed")
        return True
    for left in (_SAYS, *_LEFT):
        (work / left).unlink(missing_ok=True)
    return False


def filled(work: Path, of: Mapping[str, object]) -> None:
    """Note that the folder has all that is needed for this training."""
    (work / _SAYS).write_text(document_id(dict(of)), "utf-8")
