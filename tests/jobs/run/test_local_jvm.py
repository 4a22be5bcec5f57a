"""How the JVM of a session on this machine is started, from the properties of Rollcall or of a user."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.run import class_archive, local_jvm
from jobs.run.jars import JARS
from jobs.run.local_jvm import CLASS_PATH, JAVA_OPTIONS, start
from jobs.run.spark_properties import PACKAGES, properties

ARCHIVE = "-XX:SharedArchiveFile=a.jsa"
KEPT = "/cache/jars/delta.jar"


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache has jars and an archive; nobody has settings of Spark or Hadoop."""
    for name in (CLASS_PATH, "SPARK_CONF_DIR", "HADOOP_CONF_DIR", "YARN_CONF_DIR"):
        monkeypatch.delenv(name, raising=False)

    def kept_jars(given: Mapping[str, str]) -> list[Path]:
        return [Path(KEPT)] if PACKAGES in given else []

    def options(class_path: Sequence[Path], variables: Mapping[str, str]) -> str:
        assert (Path(KEPT) in class_path) == (KEPT in variables[CLASS_PATH])
        return ARCHIVE

    monkeypatch.setattr(local_jvm, "kept_jars", kept_jars)
    monkeypatch.setattr(class_archive, "options", options)


def test_jars_are_on_the_class_path_behind_those_of_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    made = start(properties("local"), "local[*]", short=False)
    assert PACKAGES not in made.properties
    assert JARS not in made.properties
    assert made.variables[CLASS_PATH] == KEPT
    assert made.properties[JAVA_OPTIONS] == f"{ARCHIVE} -XX:+UseParallelGC"
    monkeypatch.setenv(CLASS_PATH, "/own/*")
    assert start(properties("local"), "local", short=False).variables[CLASS_PATH] == f"/own/*:{KEPT}"


def test_options_of_a_user_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that say the same, the JVM takes the last."""
    made = start({JAVA_OPTIONS: "-XX:TieredStopAtLevel=4"}, "local[2]", short=True)
    assert made.properties[JAVA_OPTIONS] == f"{ARCHIVE} -XX:TieredStopAtLevel=1 -XX:TieredStopAtLevel=4"


@pytest.mark.parametrize("variable", ["JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"])
def test_a_collector_that_the_environment_names_is_the_only_one(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JVM says "Multiple garbage collectors selected" of two, and ends."""
    for name in ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "-Xss4m -XX:+UseSerialGC")
    for short, wanted in ((False, ARCHIVE), (True, f"{ARCHIVE} -XX:TieredStopAtLevel=1")):
        assert start(properties("local"), "local[*]", short=short).properties[JAVA_OPTIONS] == wanted
    assert "GC" not in start(properties("local"), "local[*]", short=False).variables["SPARK_LAUNCHER_OPTS"]


def test_executors_elsewhere_get_the_jars_from_the_driver() -> None:
    given = properties("standalone") | {JARS: "log-store.jar"}
    made = start(given, "spark://host:7077", short=False)
    assert made.properties[JARS] == f"log-store.jar,{KEPT}"
    assert PACKAGES not in made.properties
    assert made.variables == {}
    assert JAVA_OPTIONS not in made.properties


@pytest.mark.parametrize("variable", ["SPARK_CONF_DIR", "HADOOP_CONF_DIR", "YARN_CONF_DIR"])
def test_a_class_path_with_folders_is_left_alone(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    made = start(properties("local"), "local[*]", short=False)
    assert (made.properties[JARS], made.variables) == (KEPT, {})


def test_a_user_whose_classes_come_first_gets_what_he_asks_for() -> None:
    given = properties("local") | {"spark.driver.userClassPathFirst": "true"}
    assert start(given, "local[*]", short=False).properties == given


def test_a_cache_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def kept_jars(given: Mapping[str, str]) -> list[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(local_jvm, "kept_jars", kept_jars)
    monkeypatch.setattr(local_jvm.LOGGER, "propagate", True)
    assert start(properties("local"), "local[*]", short=False).properties == properties("local")
    assert "cannot be written (Permission denied), so Spark looks up its jars at each start" in caplog.text


def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_LAUNCHER_OPTS", "-Xmx64m")
    with start(properties("local"), "local[*]", short=False).environment():
        assert os.environ[CLASS_PATH] == KEPT
    assert os.environ["SPARK_LAUNCHER_OPTS"] == "-Xmx64m"
    assert CLASS_PATH not in os.environ


def test_the_session_of_the_tests_runs_without_ivy(spark: SparkSession) -> None:
    assert spark.conf.get(PACKAGES, None) is None
    assert spark.sparkContext._jvm is not None
    assert spark.sparkContext._jvm.java.lang.System.getProperty("java.class.path").count("delta-storage") == 1
