"""An archive of the JVM's classes (class data sharing), parsed and verified: a start is then a third quicker.

It belongs to one Java and one class path, is made once a machine, and lies in the cache under its SHA-256, as a damaged
one can crash a JVM. One that does not fit is ignored by the JVM, which then loads the classes from their jars.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.run.log import LOGGER
from udfs.cache import cache

_FOLDER = "classes"
_UNUSED = 30 * 24 * 3600.0
_MAKING = 3600.0
"""Seconds that making one takes at most."""
"""Seconds after which an archive that no start has used is removed; one has 200 MB."""


def options(class_path: Sequence[Path], variables: Mapping[str, str]) -> str:
    """The JVM's options for the archive of a class path. It is made if there is none; nothing is said where there
    cannot be one, as a session does the same without.

    class_path: all its jars.
    variables: those that give a JVM this class path.
    """
    java = _java()
    machine = [] if java is None else list((java.parent.parent / "lib" / "server").glob("libjvm.*"))
    if not machine:  # no Java, or one of another kind
        return ""
    key = hashlib.sha256(json.dumps([_identity(file) for file in (*machine, *class_path)]).encode()).hexdigest()[:16]
    kept = (cache() / _FOLDER / key).absolute()
    found = _whole(kept) or _made_once(kept, variables)
    if found is None:
        return ""
    if os.access(found, os.W_OK):
        os.utime(found)  # it is in use: see `_made`
    return f"{option('SharedArchiveFile', found)} -Xshare:auto"


def option(name: str, path: Path) -> str:
    """An option of the JVM with a path, as Spark's properties have it; in quotes where a blank would end it."""
    given = f"-XX:{name}={path}"
    return f'"{given}"' if " " in given else given


def _java() -> Path | None:
    """The program that Spark starts."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    return None if found is None else Path(found).resolve()


def _identity(file: Path) -> tuple[str, int, int]:
    status = file.stat()
    return str(file), status.st_size, status.st_mtime_ns


def _whole(kept: Path) -> Path | None:
    """The archive of a key, KEY-SHA256.jsa, that is what was written."""
    return next((path for path in kept.parent.glob(f"{kept.name}-*.jsa") if path == _named(kept, path)), None)


def _named(kept: Path, content: Path) -> Path:
    """The path for an archive of some content."""
    with content.open("rb") as file:
        return kept.with_name(f"{kept.name}-{hashlib.file_digest(file, 'sha256').hexdigest()}.jsa")


def _made_once(kept: Path, variables: Mapping[str, str]) -> Path | None:
    """A new archive, unless another process is about to make it, or it has failed before."""
    failed = kept.with_suffix(".failed")
    if failed.exists():
        return None
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return _whole(kept) or _made(kept, failed, variables)
    except BlockingIOError:  # this process starts without
        return None
    except OSError as error:
        LOGGER.warning(f"Spark's classes cannot be made ready, so starts stay slower: {error}")
        return None


def _made(kept: Path, failed: Path, variables: Mapping[str, str]) -> Path | None:
    LOGGER.info("Spark's classes are made ready for quicker starts (once on this machine, about a minute)")
    for other in kept.parent.glob("*.jsa"):  # damaged, or of an environment that is no more
        if other.name.startswith(kept.name) or time.time() - other.stat().st_mtime > _UNUSED:
            other.unlink()
    for left in kept.parent.glob("tmp*"):  # of a start that was killed
        if time.time() - left.stat().st_mtime > _MAKING:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        new = Path(folder) / "new.jsa"
        done = _train(new, variables)
        if done.returncode == 0 and new.exists():
            new.chmod(0o644)
            return new.rename(_named(kept, new))
    failed.write_text(done.stdout + done.stderr, encoding="utf-8")
    LOGGER.warning(
        f"Spark's classes could not be made ready, so starts stay slower; {failed} has the reason: remove it for"
        " another try"
    )
    return None


def _train(archive: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    here = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "jobs.run.class_training", str(archive)],
        env={**os.environ, **variables, "PYTHONPATH": here},
        cwd=archive.parent,  # Spark may leave a folder there
        capture_output=True,
        text=True,
        check=False,
    )
