"""The GPU profile and its discovery script, with a made-up nvidia-smi: no GPU is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONF = Path(__file__).parent.parent.parent / "conf"

ASK_THE_TASKS = """
from collections.abc import Iterator
import pyarrow as pa
from pyspark.sql import SparkSession
from jobs.run.task_resources import on_gpu
from udfs.embedding import on_this_executor
from udfs.vision.spec import VisionSpec

def device(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    list(batches)
    yield pa.RecordBatch.from_pydict({"device": [on_this_executor(VisionSpec(device="cuda")).device]})

spark = SparkSession.builder.getOrCreate()
rows = spark.range(0, 4, 1, 4).mapInArrow(device, "device string", profile=on_gpu(spark)).collect()
print("devices:", *[row.device for row in rows])
"""


def with_gpus(folder: Path, *indexes: int) -> dict[str, str]:
    """An environment in which nvidia-smi lists these GPUs; a machine without one lacks the program."""
    if indexes:
        program = folder / "nvidia-smi"
        program.write_text("#!/bin/sh\n" + "".join(f"echo {index}\n" for index in indexes))
        program.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    return {**inherited, "PATH": f"{folder}{os.pathsep}{inherited['PATH']}"}


def discover(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(CONF / "gpu_discovery.sh")], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("indexes", [(0,), (0, 1, 2, 3), (5,)])
def test_discovery_lists_every_gpu(tmp_path: Path, indexes: tuple[int, ...]) -> None:
    found = discover(with_gpus(tmp_path, *indexes))
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout) == {"name": "gpu", "addresses": [str(index) for index in indexes]}


def test_discovery_fails_where_there_is_no_driver(tmp_path: Path) -> None:
    environment = with_gpus(tmp_path)
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'no devices were found' >&2\nexit 6\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    found = discover(environment)
    assert found.returncode != 0
    assert "no devices were found" in found.stderr
    assert not found.stdout


@pytest.mark.slow
def test_a_task_is_told_which_gpu_is_its_own(tmp_path: Path) -> None:
    """The profile as it is, on a cluster of one worker whose only GPU has index 3."""
    job = tmp_path / "ask.py"
    job.write_text(ASK_THE_TASKS)
    worker = "spark.worker.resource.gpu"
    done = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "spark-submit"), "--properties-file", str(CONF / "gpu.conf")),
            *("--master", "local-cluster[1,16,4096]", "--conf", f"{worker}.amount=1"),
            *("--conf", f"{worker}.discoveryScript={CONF / 'gpu_discovery.sh'}", str(job)),
        ],
        env={**with_gpus(tmp_path, 3), "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "devices: cuda:3 cuda:3 cuda:3 cuda:3" in done.stdout, done.stderr
