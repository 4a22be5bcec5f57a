"""Spark properties are put together from conf/, for every cluster manager with every store."""

import itertools
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.properties import command
from jobs.run.spark_properties import HARDWARE, MANAGERS, PACKAGES, STORES, properties, read_file, text
from udfs.errors import InputError

DELTA = "io.delta:delta-spark_4.2_2.13:4.4.0"
CHOICES = [
    (manager, *rest)
    for manager in MANAGERS
    for count in range(len(HARDWARE + STORES) + 1)
    for rest in itertools.combinations(HARDWARE + STORES, count)
]


@pytest.mark.parametrize("names", CHOICES, ids=" ".join)
def test_every_choice_is_a_file_with_delta_and_each_name_once(names: tuple[str, ...]) -> None:
    said = text(*names)
    listed = [line.split()[0] for line in said.splitlines() if line.startswith("spark.")]
    assert listed.count(PACKAGES) == 1
    jars = properties(*names)[PACKAGES].split(",")
    assert jars[0] == DELTA
    assert len(jars) == len(set(jars)) == 1 + len({"s3", "gcs", "adls"} & set(names))
    assert properties(*names)["spark.sql.session.timeZone"] == "UTC"
    assert ("spark.executor.resource.gpu.amount" in listed) == ("gpu" in names)


def test_a_task_of_the_gpu_profile_fits_an_executor() -> None:
    for manager in set(MANAGERS) - {"local"}:
        for hardware in ((), ("gpu",)):
            said = properties(manager, *hardware)
            cores, cpus = int(said["spark.executor.cores"]), int(said["spark.rollcall.task.cpus"])
            assert cores % cpus == 0
            if hardware:
                assert float(said["spark.rollcall.task.gpus"]) * (cores // cpus) == 1


def test_the_order_of_the_names_does_not_matter() -> None:
    assert properties("s3", "gpu", "yarn") == properties("yarn", "gpu", "s3")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ("mesos",),
            "there is no profile 'mesos'; choose from local, standalone, yarn, kubernetes, gpu, s3, gcs, adls, hdfs",
        ),
        (("s3",), "name exactly one cluster manager (local, standalone, yarn, kubernetes); this names none"),
        (("yarn", "local"), "this names yarn and local"),
    ],
)
def test_what_makes_no_profile_is_refused(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError) as refused:
        text(*names)
    assert said in str(refused.value)


def test_the_command_prints_the_file() -> None:
    assert CliRunner().invoke(command, ["yarn", "s3"]).output == text("yarn", "s3")


def test_a_file_is_read_as_spark_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "spark.conf"
    path.write_text(text("yarn", "s3") + "spark.a=1\nspark.b  two words\n! spark.c 3\n")
    assert read_file(path) == properties("yarn", "s3") | {"spark.a": "1", "spark.b": "two words"}
    path.write_text("spark.jars.excludes\n\n# a comment \\\nspark.a 1\n")
    assert read_file(path) == {"spark.jars.excludes": "", "spark.a": "1"}
    path.write_text("spark.a 1\nspark.b one \\\n  two\n")
    with pytest.raises(
        InputError, match=r"spark.conf: line 2 goes on in the next one .*; write each property in one line"
    ):
        read_file(path)
    with pytest.raises(InputError, match=r"the file of Spark properties .*/none.conf cannot be read: No such file"):
        read_file(tmp_path / "none.conf")
