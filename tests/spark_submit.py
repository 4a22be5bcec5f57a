"""Jobs by spark-submit, as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT
from tests.processes import said_to_the_end
from tests.support import SHORT_LIVED, WITHOUT_CHECKSUMS

Conf = Mapping[str, str]
NONE: Conf = {}
PROGRAM = Path(sys.executable).with_name("spark-submit")


def written(path: Path, properties: Conf) -> Path:
    """A file for --properties-file."""
    path.write_text("".join(f"{name} {value}\n" for name, value in properties.items()))
    return path


def environment() -> dict[str, str]:
    """That of a shell which has not started Spark yet."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    java = {"JDK_JAVA_OPTIONS": f"{WITHOUT_CHECKSUMS} {SHORT_LIVED}"}
    return {**inherited, **java, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}


def submit(
    properties: Path, job: str, *arguments: str, conf: Conf = NONE, variables: Conf = NONE
) -> subprocess.Popen[str]:
    """spark-submit of `jobs/JOB.py`, in a session of its own; all it says is in one stream.

    variables: of the environment of the driver and of executors.
    """
    return submit_file(properties, ROOT / "jobs" / f"{job}.py", *arguments, conf=conf, variables=variables)


def submit_file(
    properties: Path, file: Path, *arguments: str, conf: Conf = NONE, variables: Conf = NONE
) -> subprocess.Popen[str]:
    """The same of any program."""
    everywhere = {f"spark.executorEnv.{name}": value for name, value in variables.items()}
    more = [part for name, value in {**conf, **everywhere}.items() for part in ("--conf", f"{name}={value}")]
    return subprocess.Popen(
        [PROGRAM, "--properties-file", properties, *more, file, *arguments],
        env={**environment(), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str], code: int = 0) -> str:
    """What a job said to its end, if it ended as expected."""
    said = said_to_the_end(process)
    assert process.returncode == code, said
    return said
