"""A standalone Spark cluster on this machine: a master, and workers that believe they have a GPU each.

python -m tests.standalone [FOLDER] starts one, and prints the line to submit with.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pyspark

from jobs.properties import properties
from tests.support import QUICK

ROOT = Path(__file__).parent.parent
BIN = Path(pyspark.__file__).parent / "bin"
WORKERS = 2
CORES = 2
"""Of each worker; more than the machine may have, as Spark does not look."""


class Standalone:
    """A master and two workers, each with two cores and a GPU of its own, found by `conf/gpu_discovery.sh`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        port, self._page = _free_port(), _free_port()
        self.master = f"spark://127.0.0.1:{port}"
        try:
            self._start("master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(self._page))
            self._wait_for(lambda: self._state() is not None)
            for number in range(WORKERS):
                self._start_worker(number)
            self._wait_for(lambda: (self._state() or {}).get("aliveworkers") == WORKERS)
        except BaseException:
            self.stop()
            raise
        self.properties = self._folder / "spark.conf"
        mine = {
            "spark.master": self.master,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.memory": "1g",
            "spark.executor.memory": "1g",
            "spark.executor.cores": str(CORES),
            "spark.executor.resource.gpu.discoveryScript": str(ROOT / "conf" / "gpu_discovery.sh"),
            "spark.rollcall.task.cpus": "1",
            "spark.rollcall.task.gpus": "0.5",
            "spark.sql.shuffle.partitions": "4",
            "spark.databricks.delta.snapshotPartitions": "2",
            "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
            "spark.ui.enabled": "false",
            **QUICK,
        }
        lines = (f"{name} {value}" for name, value in (properties("standalone", "gpu") | mine).items())
        self.properties.write_text("\n".join(lines) + "\n")

    def submit(self, job: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """spark-submit of `jobs/JOB.py`, in a session of its own; all it says is in one stream."""
        return subprocess.Popen(
            [*self.command(), str(ROOT / "jobs" / f"{job}.py"), *arguments],
            env={**_environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, job: str, *arguments: str, **environment: str) -> str:
        """The same, to its end; what it said, if it ended well."""
        process = self.submit(job, *arguments, **environment)
        said, _ = process.communicate(timeout=400)
        assert process.returncode == 0, said
        return said

    def command(self) -> list[str]:
        return [str(Path(sys.executable).with_name("spark-submit")), "--properties-file", str(self.properties)]

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, role: str, *arguments: str, **environment: str) -> None:
        log = (self._folder / f"{role}-{len(self._processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [str(BIN / "spark-class"), f"org.apache.spark.deploy.{role}", *arguments],
                env={**_environment(), **environment},
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
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
        except OSError:
            return None

    def _wait_for(self, ready: object) -> None:
        assert callable(ready)
        deadline = time.monotonic() + 60
        while not ready():
            ended = [process for process in self._processes if process.poll() is not None]
            assert not ended, f"a part of the cluster has ended; see {self._folder}/*.log"
            assert time.monotonic() < deadline, f"the cluster does not start; see {self._folder}/*.log"
            time.sleep(0.2)


@contextmanager
def standalone(folder: Path) -> Iterator[Standalone]:
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Standalone(folder)
    try:
        yield cluster
    finally:
        cluster.stop()


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    return {**inherited, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def main() -> None:
    """Until it is interrupted."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    with standalone(Path(sys.argv[1] if len(sys.argv) > 1 else ".standalone").absolute()) as cluster:
        print(" ".join(cluster.command()), "jobs/JOB.py ...", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopping", flush=True)


if __name__ == "__main__":
    main()
