"""Files and folders for whoever runs Rollcall alone: they hold faces, embeddings and names.

What was there before keeps its mode: who has opened a folder or a file to others has meant it.
"""

import os
from pathlib import Path


def make_folder(folder: Path, *, private: bool = True) -> None:
    """Make a folder and those above it, as far as they are missing. private: with mode 700, else as the umask says."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700 if private else 0o777, exist_ok=True)


def write_file(path: Path, content: bytes, *, private: bool = True) -> None:
    """Write a file and make its folder. private: a new file has mode 600, else what the umask says.

    What is no regular file is written to as it is: a pipe or /dev/stdout; a link leads to the file that is written.
    """
    make_folder(path.parent, private=private)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
