"""Files that jobs write where a person says: pages, lists and pictures, for that person alone unless told otherwise."""

import errno
from pathlib import Path

from jobs.run.context import Context
from udfs import private
from udfs.errors import InputError

_ANOTHER = {
    errno.EACCES,
    errno.EEXIST,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ENXIO,
    errno.EPERM,
    errno.EROFS,
}
"""Errors of a place where nothing can be written, however often it is tried."""


def write(context: Context, output: Path, content: str | bytes) -> None:
    """Write a file that a person has asked for, and make its folder.

    Raises:
        InputError: it cannot be written there.
    """
    encoded = content.encode("utf-8") if isinstance(content, str) else content
    try:
        private.write_file(output, encoded, private=context.settings.files.private)
    except OSError as error:
        if error.errno not in _ANOTHER:
            raise
        raise InputError(f"{output}: cannot be written: {error.strerror}; choose another --output") from error


def written(context: Context, html: str, output: Path) -> Path:
    """Write a page, and say where it is."""
    write(context, output, html)
    page = output.resolve().as_uri()
    context.log.info(f"{context.job}: {page}", extra={"page": page})
    return output
