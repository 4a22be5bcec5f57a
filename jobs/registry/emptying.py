"""When a list without photos empties a gallery: only if that is said, as a folder not mounted looks the same."""

from jobs.inputs import records
from jobs.registry.galleries import known_galleries
from schemas.store import Tables
from udfs import lake
from udfs.errors import InputError

_ALL = "--sync --max-withdraw 1"


def refuse_unless_all_may_go(listed: str, sync: bool, max_withdraw: float) -> None:
    """Refuse a list without photos, unless it is a file or table of rows and all samples may be withdrawn.

    A folder without photos is refused in any case: whether its disk is mounted cannot be seen.

    Raises:
        InputError: the list is a folder, or not everybody may be withdrawn.
    """
    if not records.is_rows(lake.uri_of(listed)):
        raise InputError(
            f"{listed}: lists no photos; is it mounted? Nothing was changed. To withdraw everyone, give a CSV file with"
            f" the one line `person_id,uri` as --gallery, and {_ALL}"
        )
    if not (sync and max_withdraw >= 1):
        raise InputError(f"{listed}: lists no photos. Nothing was changed. To withdraw everyone: {_ALL}")


def refuse_unknown_gallery(tables: Tables, listed: str, gallery_name: str) -> None:
    """Refuse to empty a gallery that never was one.

    Raises:
        InputError: nobody was ever enrolled in a gallery of this name.
    """
    known = sorted(known_galleries(tables))
    if gallery_name not in known:
        there = f"there are: {', '.join(known)}" if known else "none has been enrolled yet"
        raise InputError(f"{listed}: lists no photos, and there is no gallery {gallery_name!r} to empty; {there}")
