"""The jars of the packages that Spark properties name: resolved once by Spark's own Ivy, then files of the cache.

So only the first start asks a repository, and a session starts without Ivy. Kept are the jars that Spark does not have
itself: of an artifact that is in both, Spark's own classes come first anyway.
"""

import fcntl
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyspark import SparkConf
from pyspark.errors import PySparkRuntimeError
from pyspark.find_spark_home import _find_spark_home
from pyspark.java_gateway import launch_gateway

from jobs.run.spark_log import into_log
from jobs.run.spark_properties import PACKAGES, lines
from udfs.cache import cache

JARS = "spark.jars"
_RESOLVED_BY = (PACKAGES, *(f"spark.jars.{name}" for name in ("excludes", "repositories", "ivy", "ivySettings")))
"""The properties that say which jars are resolved, and from where."""
_LIST = "jars.json"
"""In a folder of jars: their SHA-256 by name, in the order of a class path."""


def spark_jars() -> Path:
    """The folder of Spark's own jars."""
    return Path(_find_spark_home()) / "jars"


def kept_jars(properties: Mapping[str, str]) -> list[Path]:
    """The jars of the packages that the properties name, in the order of a class path. They are resolved if the cache
    does not have them, or has them damaged; several processes may ask at once.

    Raises:
        RuntimeError: they cannot be resolved; the reason is in Spark's log.
        OSError: the cache cannot be written.
    """
    asked = {name: properties[name] for name in _RESOLVED_BY if name in properties}
    if PACKAGES not in asked:
        return []
    spark = sorted(jar.name for jar in spark_jars().glob("*.jar"))
    key = hashlib.sha256(json.dumps([asked, spark], sort_keys=True).encode()).hexdigest()[:16]
    folder = cache() / "jars" / key
    found = _undamaged(folder)
    if found is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = _undamaged(folder)  # another process may have been first
            if found is None:
                # Ivy puts the organisation before a name: io.delta_delta-storage-4.4.0.jar
                has = {_artifact(name) for name in spark}
                lacking = [jar for jar in _resolved(asked) if _artifact(jar.name.partition("_")[2]) not in has]
                _put(folder, lacking)
                found = _undamaged(folder)
    assert found is not None
    return found


def with_kept_jars(said: str) -> str:
    """A properties file that names the kept jars (`spark.jars`) in the place of packages.

    Raises:
        RuntimeError, OSError: as `kept_jars`.
    """
    given = dict(lines(said))
    jars = ",".join([*([given[JARS]] if JARS in given else []), *map(str, kept_jars(given))])
    rest = re.sub(rf"(?m)^({re.escape(PACKAGES)}|{re.escape(JARS)})\s.*\n", "", said)
    return f"{rest.rstrip()}\n\n{JARS:57} {jars}\n"


def _undamaged(folder: Path) -> list[Path] | None:
    """The jars of a folder; None if it is not there, or one of them is not what it was."""
    try:
        listed = json.loads((folder / _LIST).read_text(encoding="utf-8"))
        whole = all(_digest(folder / name) == digest for name, digest in listed.items())
    except (OSError, ValueError):
        return None
    return [folder / name for name in listed] if whole else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _put(folder: Path, jars: list[Path]) -> None:
    """Copy jars into a folder, which appears whole; one that was damaged is replaced."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        new = Path(made) / "jars"
        new.mkdir()
        for jar in jars:
            shutil.copy2(jar, new / jar.name)
        listed = {jar.name: _digest(new / jar.name) for jar in jars}
        (new / _LIST).write_text(json.dumps(listed, indent=1), encoding="utf-8")
        if folder.exists():
            folder.rename(Path(made) / "damaged")
        new.rename(folder)


def _resolved(asked: Mapping[str, str]) -> list[Path]:
    """The jars in Ivy's folder, after Spark has resolved them as it does for a session."""
    conf = SparkConf(loadDefaults=False)
    for name, value in {**asked, "spark.master": "local[1]"}.items():
        conf.set(name, value)
    try:
        with into_log():
            gateway = launch_gateway(conf)
    except PySparkRuntimeError as error:
        raise RuntimeError(
            f"the jars of {asked[PACKAGES]} could not be fetched; the first start on a machine needs a Maven repository"
        ) from error
    try:
        uris = gateway.jvm.System.getProperty("spark.jars").split(",")
    finally:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()
    return [Path(unquote(urlsplit(uri).path)) for uri in uris]


def _artifact(name: str) -> str:
    """A jar's name without its version."""
    return re.sub(r"-\d[^/]*$", "", name)
