"""How the JVM of a session is started that `rollcall` starts itself: soon, and without a repository."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.find_spark_home import _find_spark_home

from jobs.run import class_archive, temporary
from jobs.run.jars import JARS, kept_jars
from jobs.run.log import LOGGER
from jobs.run.masters import is_one_process
from jobs.run.spark_properties import PACKAGES, packaged
from udfs.cache import cache

JAVA_OPTIONS = "spark.driver.extraJavaOptions"
CLASS_PATH = "SPARK_DIST_CLASSPATH"
"""The variable whose jars Spark puts behind its own on the class path of the driver."""
_COLLECTOR = re.compile(r"-XX:\+Use\w+GC\b")
_READ_BY_JVMS = ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
_LAUNCHER = {"SPARK_LAUNCHER_OPTS": "-XX:+NeverActAsServerClassMachine"}
"""For the JVM that puts the command line of the driver together, and ends."""


@dataclass(frozen=True)
class Start:
    """The properties of a session, and variables that its JVM is started with besides those of this process."""

    properties: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def environment(self) -> Iterator[None]:
        """Inside, this process has the variables, for a JVM that it starts."""
        before = {name: os.environ.get(name) for name in self.variables}
        os.environ.update(self.variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def start(given: Mapping[str, str], master: str, *, short: bool) -> Start:
    """How to start a JVM with these properties: the packages that they name become files.

    On this machine alone the files are on the class path. Executors elsewhere get them from the driver (`spark.jars`),
    and so does a driver whose class path is somebody else's.

    short: for a command that only asks; see conf/short.conf.

    Raises:
        RuntimeError: packages cannot be resolved.
    """
    found = dict(given)
    elsewhere = temporary.variables()
    if JAVA_OPTIONS in given:
        found[JAVA_OPTIONS] = _with_one_collector(given[JAVA_OPTIONS])
    if short:
        found[JAVA_OPTIONS] = _joined(" ", packaged("short")[JAVA_OPTIONS], found.get(JAVA_OPTIONS))
    if given.get("spark.driver.userClassPathFirst") == "true":
        return Start(found, elsewhere)
    try:
        jars = kept_jars(given)
    except OSError as error:
        LOGGER.warning(f"{cache()} cannot be written ({error.strerror}), so Spark looks up its jars at each start")
        return Start(found, elsewhere)
    found.pop(PACKAGES, None)
    home = Path(_find_spark_home())
    if not is_one_process(master) or _has_own_class_path(home):
        return Start(found | ({JARS: _joined(",", given.get(JARS), *map(str, jars))} if jars else {}), elsewhere)
    variables = {"SPARK_HOME": str(home), CLASS_PATH: _joined(os.pathsep, os.environ.get(CLASS_PATH), *map(str, jars))}
    archive = class_archive.options([*sorted((home / "jars").iterdir()), *jars], variables)
    return Start(
        found | {JAVA_OPTIONS: _joined(" ", archive, found.get(JAVA_OPTIONS))}, variables | _LAUNCHER | elsewhere
    )


def _with_one_collector(options: str) -> str:
    """A JVM does not start with two garbage collectors: one that the environment of a user names is theirs."""
    named = any(_COLLECTOR.search(os.environ.get(name, "")) for name in _READ_BY_JVMS)
    return " ".join(_COLLECTOR.sub("", options).split()) if named else options


def _has_own_class_path(home: Path) -> bool:
    """Whether Spark's class path is more than its jars: there are folders of settings."""
    settings = Path(os.environ.get("SPARK_CONF_DIR", home / "conf"))
    return settings.exists() or "HADOOP_CONF_DIR" in os.environ or "YARN_CONF_DIR" in os.environ


def _joined(separator: str, *parts: str | None) -> str:
    return separator.join(part for part in parts if part)
