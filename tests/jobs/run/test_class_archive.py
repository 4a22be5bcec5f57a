"""The archive of the JVM's classes: made once, whole or not at all, and never in the way of a session."""

import fcntl
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from jobs.run import class_archive
from jobs.run.class_archive import options


@pytest.fixture
def class_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setenv("ROLLCALL_CACHE", str(tmp_path / "cache"))
    jar = tmp_path / "a.jar"
    jar.write_text("classes")
    return [jar]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Archives are made by no JVM; these are the paths that were asked for."""
    made: list[Path] = []

    def train(archive: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        made.append(archive)
        archive.write_text("classes, parsed and verified")
        return subprocess.CompletedProcess([], 0, "", "")

    monkeypatch.setattr(class_archive, "_train", train)
    return made


def archives(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "classes").glob("*.jsa"))


def test_it_is_made_once_for_a_class_path(class_path: list[Path], trained: list[Path], tmp_path: Path) -> None:
    first = options(class_path, {})
    assert first == f"-XX:SharedArchiveFile={archives(tmp_path)[0]} -Xshare:auto"
    assert options(class_path, {}) == first
    assert len(trained) == 1
    class_path[0].write_text("other classes")
    assert options(class_path, {}) != first
    assert len(trained) == len(archives(tmp_path)) == 2


def test_a_process_does_not_wait_for_another_that_makes_it(
    class_path: list[Path], trained: list[Path], tmp_path: Path
) -> None:
    options(class_path, {})
    (archive,) = archives(tmp_path)
    archive.unlink()
    (lock_file,) = archive.parent.glob("*.lock")
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert options(class_path, {}) == ""
    assert len(trained) == 1


@pytest.mark.parametrize("content", [b"classes, parsed and verifieD", b"classes, parsed", b""])
def test_a_damaged_one_is_made_anew(
    class_path: list[Path], trained: list[Path], tmp_path: Path, content: bytes
) -> None:
    first = options(class_path, {})
    archives(tmp_path)[0].write_bytes(content)
    assert options(class_path, {}) == first
    assert [archive.read_text() for archive in archives(tmp_path)] == ["classes, parsed and verified"]
    assert len(trained) == 2


def test_one_that_nobody_uses_is_removed(class_path: list[Path], trained: list[Path], tmp_path: Path) -> None:
    options(class_path, {})
    (first,) = archives(tmp_path)
    os.utime(first, (0, 0))
    options(class_path, {})  # used
    class_path[0].write_text("other classes")
    options(class_path, {})
    assert first in archives(tmp_path)
    os.utime(first, (0, 0))
    class_path[0].write_text("classes of a third release")
    options(class_path, {})
    assert first not in archives(tmp_path)
    assert len(archives(tmp_path)) == 2


def test_a_failure_is_said_once_and_stops_no_job(
    class_path: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho $SPARK_DIST_CLASSPATH fails >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(class_archive.LOGGER, "propagate", True)
    assert options(class_path, {"SPARK_DIST_CLASSPATH": "a.jar"}) == ""
    assert options(class_path, {}) == ""
    (failed,) = (tmp_path / "cache" / "classes").glob("*.failed")
    assert failed.read_text() == "a.jar fails\n"
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert str(failed) in caplog.text


def test_no_java_no_archive(class_path: list[Path], trained: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/no/such/folder")
    assert options(class_path, {}) == ""
    assert trained == []


def test_a_jvm_ignores_one_that_does_not_fit(tmp_path: Path) -> None:
    """Of another class path."""
    archive = tmp_path / "a.jsa"
    jars = [str(tmp_path / name) for name in ("a.jar", "b.jar")]
    for jar in jars:
        with zipfile.ZipFile(jar, "w") as made:
            made.writestr("nothing", "")
    subprocess.run(
        ["java", "-cp", jars[0], f"-XX:ArchiveClassesAtExit={archive}", "-version"], capture_output=True, check=True
    )
    assert archive.exists()
    other = ["java", "-cp", jars[1], f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-version"]
    subprocess.run(other, capture_output=True, check=True)
