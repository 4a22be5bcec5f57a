"""A standalone Spark cluster on this machine: a master, and workers that report one GPU each, though there is none.

python -m tests.standalone [FOLDER] starts one, and prints the line to submit with.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pyspark

from jobs.run.spark_properties import properties
from tests.conftest import ROOT
from tests.processes import command_line, descendants, free_port, parent_of, wait_until
from tests.spark_submit import NONE, PROGRAM, Conf, ended, environment, submit, written
from tests.support import QUICK

COLLECTOR = properties("local")["spark.driver.extraJavaOptions"]
BIN = Path(pyspark.__file__).parent / "bin"
WORKERS = 2
CORES = 2
"""Of each worker. Spark does not check whether the machine has them."""
EXECUTOR_CORES = 1


class Standalone:
    """A master and two workers, each with room for two executors, and a GPU, which conf/gpu_discovery.sh finds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []
        port, self._page = free_port(), free_port()
        self.master = f"spark://127.0.0.1:{port}"
        try:
            self._start("master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(self._page))
            wait_until(self._state, *self._processes)
            for number in range(WORKERS):
                self._start_worker(number)
            wait_until(lambda: (self._state() or {}).get("aliveworkers") == WORKERS, *self._processes)
        except BaseException:
            self.stop()
            raise
        mine = {
            "spark.master": self.master,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.memory": "1g",
            "spark.executor.memory": "1g",
            "spark.executor.cores": str(EXECUTOR_CORES),
            "spark.executor.resource.gpu.discoveryScript": str(ROOT / "conf" / "gpu_discovery.sh"),
            "spark.rollcall.task.cpus": "1",
            "spark.rollcall.task.gpus": "1",
            "spark.sql.shuffle.partitions": "2",
            "spark.databricks.delta.snapshotPartitions": "2",
            "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
            "spark.ui.enabled": "false",
            "spark.driver.extraJavaOptions": COLLECTOR,
            "spark.executor.extraJavaOptions": COLLECTOR,
            **QUICK,
        }
        self.properties = written(folder / "spark.conf", properties("standalone", "gpu") | mine)

    def submit(self, job: str, *arguments: str, conf: Conf = NONE, variables: Conf = NONE) -> subprocess.Popen[str]:
        return submit(self.properties, job, *arguments, conf=conf, variables=variables)

    def run(self, job: str, *arguments: str, conf: Conf = NONE, variables: Conf = NONE, code: int = 0) -> str:
        """Submit a job, wait for its end, and return its output. Fails on another exit code."""
        return ended(self.submit(job, *arguments, conf=conf, variables=variables), code)

    def executors(self) -> list[int]:
        """The processes of the executors that run."""
        started = [pid for process in self._processes for pid in descendants(process.pid)]
        return [pid for pid in started if "CoarseGrainedExecutorBackend" in command_line(pid)]

    def python_workers(self) -> list[int]:
        """The processes that run Python functions: forks of a daemon that each executor has."""
        return [
            fork
            for executor in self.executors()
            for daemon in descendants(executor)
            if parent_of(daemon) == executor and "pyspark.daemon" in command_line(daemon)
            for fork in descendants(daemon)
        ]

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, role: str, *arguments: str, **variables: str) -> None:
        log = (self._folder / f"{role}-{len(self._processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [str(BIN / "spark-class"), f"org.apache.spark.deploy.{role}", *arguments],
                env={**environment(), **variables},
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._processes.append(process)

    def _start_worker(self, number: int) -> None:
        programs = self._folder / f"gpu-{number}"
        programs.mkdir()
        program = programs / "nvidia-smi"
        program.write_text(f"#!/bin/sh\necho {number}\n")
        program.chmod(0o755)
        discovery = f"-Dspark.worker.resource.gpu.discoveryScript={ROOT / 'conf' / 'gpu_discovery.sh'}"
        self._start(
            "worker.Worker",
            *("--host", "127.0.0.1", "--webui-port", "0", "--cores", str(CORES), "--memory", "4g"),
            *("--work-dir", str(self._folder / f"work-{number}"), self.master),
            PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
            SPARK_WORKER_OPTS=f"-Dspark.worker.resource.gpu.amount=1 {discovery}",
        )

    def _state(self) -> dict[str, int] | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._page}/json/", timeout=5) as page:
                state: dict[str, int] = json.load(page)
                return state
        except (OSError, json.JSONDecodeError):  # the master attaches its page for people before the one for programs
            return None


@contextmanager
def standalone(folder: Path) -> Iterator[Standalone]:
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Standalone(folder)
    try:
        yield cluster
    finally:
        cluster.stop()


def main() -> None:
    """Run a cluster until interrupted."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    with standalone(Path(sys.argv[1] if len(sys.argv) > 1 else ".standalone").absolute()) as cluster:
        print(PROGRAM, "--properties-file", cluster.properties, "jobs/JOB.py ...", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopping", flush=True)


if __name__ == "__main__":
    main()
