"""The jars of packages are resolved once, and again only when they are damaged or others are asked for."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.properties import command
from jobs.run import jars
from jobs.run.jars import JARS, kept_jars
from jobs.run.spark_properties import PACKAGES, lines, properties

ASKED = {PACKAGES: "io.delta:delta-spark_4.2_2.13:4.4.0"}
IVY = ("io.delta_delta-spark_4.2_2.13-4.4.0.jar", "io.delta_delta-storage-4.4.0.jar", "org.slf4j_slf4j-api-2.0.13.jar")


@pytest.fixture
def resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, str]]:
    """What Ivy was asked; it finds files of its own folder."""
    monkeypatch.setenv("ROLLCALL_CACHE", str(tmp_path / "cache"))
    ivy = tmp_path / "ivy"
    ivy.mkdir()
    for name in IVY:
        (ivy / name).write_text(f"the content of {name}")
    asked: list[Mapping[str, str]] = []

    def resolve(properties: Mapping[str, str]) -> list[Path]:
        asked.append(properties)
        return [ivy / name for name in IVY]

    monkeypatch.setattr(jars, "_resolved", resolve)
    return asked


def test_only_the_first_start_resolves(resolved: list[Mapping[str, str]]) -> None:
    first = kept_jars(ASKED | {"spark.ui.enabled": "false"})
    assert [jar.name for jar in first] == list(IVY[:2])  # slf4j is in Spark itself
    assert first[0].read_text() == f"the content of {IVY[0]}"
    assert kept_jars(ASKED) == first
    assert resolved == [ASKED]
    assert kept_jars({}) == []


def test_other_packages_are_resolved_and_kept_beside_them(resolved: list[Mapping[str, str]]) -> None:
    other = {PACKAGES: f"{ASKED[PACKAGES]},org.apache.hadoop:hadoop-aws:3.5.0"}
    assert kept_jars(ASKED)[0].parent != kept_jars(other)[0].parent
    kept_jars(ASKED)
    assert resolved == [ASKED, other]


@pytest.mark.parametrize("damage", ["changed", "shorter", "gone", "no list", "a list cut off"])
def test_a_damaged_copy_is_resolved_again(resolved: list[Mapping[str, str]], damage: str) -> None:
    jar = kept_jars(ASKED)[1]
    whole, listed = jar.read_text(), jar.parent / "jars.json"
    {
        "changed": lambda: jar.write_text("X" + whole[1:]),
        "shorter": lambda: jar.write_text(whole[:-1]),
        "gone": jar.unlink,
        "no list": listed.unlink,
        "a list cut off": lambda: listed.write_text(listed.read_text()[:-9]),
    }[damage]()
    assert kept_jars(ASKED)[1].read_text() == whole
    assert len(resolved) == 2
    assert sorted(path.suffix for path in jar.parent.parent.iterdir()) == ["", ".lock"]


def test_a_properties_file_names_files_and_no_packages(resolved: list[Mapping[str, str]]) -> None:
    said = CliRunner().invoke(command, ["standalone", "s3", "--kept-jars"]).output
    given = properties("standalone", "s3")
    kept = [str(jar) for jar in kept_jars(given)]
    assert dict(lines(said)) == {name: value for name, value in given.items() if name != PACKAGES} | {
        JARS: ",".join([given[JARS], *kept])
    }
    assert len(resolved) == 1


def test_jars_that_cannot_be_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Spark's own Ivy, with a repository that is not there; nothing is left behind."""
    monkeypatch.setenv("ROLLCALL_CACHE", str(tmp_path / "cache"))
    settings = tmp_path / "ivysettings.xml"
    settings.write_text(
        "<ivysettings><settings defaultResolver='none'/>"
        f"<resolvers><filesystem name='none'><artifact pattern='{tmp_path}/[artifact].jar'/></filesystem></resolvers>"
        "</ivysettings>"
    )
    own = {"spark.jars.ivySettings": str(settings), "spark.jars.ivy": str(tmp_path / "ivy")}
    with pytest.raises(RuntimeError, match=r"the jars of org.none:none:1.0 could not be fetched; the first start"):
        kept_jars({PACKAGES: "org.none:none:1.0"} | own)
    assert [path.suffix for path in (tmp_path / "cache" / "jars").iterdir()] == [".lock"]
