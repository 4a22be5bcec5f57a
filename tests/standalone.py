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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pyspark

from jobs.properties import properties
from tests.processes import command_line, descendants, parent_of
from tests.support import QUICK, SHORT_LIVED

ROOT = Path(__file__).parent.parent
BIN = Path(pyspark.__file__).parent / "bin"
WORKERS = 2
CORES = 2
"""Of each worker; more than the machine may have, as Spark does not look."""
EXECUTOR_CORES = 1

Conf = Mapping[str, str]
NONE: Conf = {}


class Standalone:
    """A master and two workers, each with room for two executors, and a GPU, which conf/gpu_discovery.sh finds."""

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
            "spark.executor.cores": str(EXECUTOR_CORES),
            "spark.executor.resource.gpu.discoveryScript": str(ROOT / "conf" / "gpu_discovery.sh"),
            "spark.rollcall.task.cpus": "1",
            "spark.rollcall.task.gpus": "1",
            "spark.sql.shuffle.partitions": "2",
            "spark.databricks.delta.snapshotPartitions": "2",
            "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
            "spark.ui.enabled": "false",
            "spark.driver.extraJavaOptions": SHORT_LIVED,
            "spark.executor.extraJavaOptions": SHORT_LIVED,
            **QUICK,
        }
        lines = (f"{name} {value}" for name, value in (properties("standalone", "gpu") | mine).items())
        self.properties.write_text("\n".join(lines) + "\n")

    def submit(self, job: str, *arguments: str, conf: Conf = NONE, environment: Conf = NONE) -> subprocess.Popen[str]:
        """spark-submit of `jobs/JOB.py`, in a session of its own; all it says is in one stream.

        environment: of the driver and of executors.
        """
        everywhere = {f"spark.executorEnv.{name}": value for name, value in environment.items()}
        more = [part for name, value in {**conf, **everywhere}.items() for part in ("--conf", f"{name}={value}")]
        return subprocess.Popen(
            [*self.command(), *more, str(ROOT / "jobs" / f"{job}.py"), *arguments],
            env={**_environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, job: str, *arguments: str, conf: Conf = NONE, environment: Conf = NONE, code: int = 0) -> str:
        """The same, to its end; what it said, if it ended as expected."""
        return ended(self.submit(job, *arguments, conf=conf, environment=environment), code)

    def executors(self) -> list[int]:
        """Processes of those that run."""
        started = [pid for process in self._processes for pid in descendants(process.pid)]
        return [pid for pid in started if "CoarseGrainedExecutorBackend" in command_line(pid)]

    def python_workers(self) -> list[int]:
        """Processes that run the functions of Arrow: forks of a daemon, which each executor has."""
        return [
            fork
            for executor in self.executors()
            for daemon in descendants(executor)
            if parent_of(daemon) == executor and "pyspark.daemon" in command_line(daemon)
            for fork in descendants(daemon)
        ]

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


def ended(process: subprocess.Popen[str], code: int = 0) -> str:
    """What a job said to its end, if it ended as expected."""
    said, _ = process.communicate(timeout=400)
    assert process.returncode == code, said
    return said


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
