"""The folder of temporary files, Spark's as well: the one that TMPDIR names."""

import os
import re

_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_NOT_WRITABLE = re.compile(
    r"Failed to create a? ?(temp )?directory|Read-only file system|No usable temporary directory"
)


def variables() -> dict[str, str]:
    """What a JVM must be told besides TMPDIR, of which Java and Spark know nothing."""
    folder = os.environ.get("TMPDIR")
    if not folder:
        return {}
    given = os.environ.get("JDK_JAVA_OPTIONS", "")
    java = f'{given} "-Djava.io.tmpdir={folder}"'.strip()
    return {"JDK_JAVA_OPTIONS": java, "SPARK_LOCAL_DIRS": os.environ.get("SPARK_LOCAL_DIRS", folder)}


def advice(told: str) -> str:
    """What to do, where something that was told of a failure says that files cannot be written; else nothing."""
    folder = os.environ.get("TMPDIR", "/tmp")
    if _FULL.search(told):
        return f"a disk is full: make room on that of the tables, or of {folder}, or name another with TMPDIR=FOLDER"
    if _NOT_WRITABLE.search(told):
        return f"temporary files cannot be written to {folder}: name another folder with TMPDIR=FOLDER"
    return ""
