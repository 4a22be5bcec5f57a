"""Ctrl-C at any time: one line, one exit code, and a run that is noted as failed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.processes import wait_until, with_variable

PROGRAM = """
import sys, time
from jobs.run import ledger
from jobs.run.errors import run_command
from jobs.run.options import job
from tests.support import short_lived_jvm

LONG = "SELECT sum(a.id * b.id) FROM range(1000000) a CROSS JOIN range(1000000) b"

def count(context):
    context.spark.sql(LONG).collect()

def stream(context):
    for row in context.spark.range(10**9).toLocalIterator():
        pass

def arrow(context):
    context.spark.sql(LONG).toArrow()

def call(context):
    while True:
        context.spark.conf.get("spark.app.name")

def think(context):
    while True:
        sum(range(1000))

@job("sleep")
def sleep(context):
    if "start" not in sys.argv:
        with ledger.run(context):
            print("running", flush=True)
            {"count": count, "stream": stream, "arrow": arrow, "call": call, "think": think}[sys.argv[1]](context)

print("started", flush=True)
with short_lived_jvm():
    run_command(sleep.command, ["--tables", sys.argv[2], "--master", "local[2]"])
"""


def interrupted(doing: str, tables: Path, after: float, times: int = 1) -> tuple[int, str]:
    """The exit code and what was said of a program that is interrupted while it does this, after so many seconds."""
    command = [sys.executable, "-c", PROGRAM, doing, str(tables)]
    marked = {**os.environ, "ROLLCALL_TEST": str(tables)}
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=marked)
    assert program.stdout is not None
    for line in program.stdout:
        if line.strip() == ("started" if doing == "start" else "running"):
            break
    time.sleep(after)
    for _ in range(times):
        program.send_signal(signal.SIGINT)
        time.sleep(0.5)
    _, said = program.communicate(timeout=120)
    wait_until(lambda: not with_variable("ROLLCALL_TEST", str(tables)), seconds=20)  # its JVM does not live on
    return program.returncode, said


@pytest.mark.parametrize(
    "doing", ["count", *(pytest.param(name, marks=pytest.mark.slow) for name in ("stream", "arrow", "call", "think"))]
)
def test_a_job_that_works_is_stopped(doing: str, tmp_path: Path, spark: object) -> None:
    assert interrupted(doing, tmp_path / "tables", after=3) == (130, "rollcall: stopped\n")
    noted = spark.read.format("delta").load(str(tmp_path / "tables" / "runs")).orderBy("at").collect()  # type: ignore[attr-defined]
    assert [(row.event, row.error) for row in noted] == [("started", None), ("failed", "stopped by Ctrl-C")]


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.3, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0])
def test_a_job_that_starts_is_stopped(after: float, tmp_path: Path) -> None:
    """Once it has done its work, Python itself ends, in which a signal ends it: a shell says 130 of that as well."""
    ends = [(130, "rollcall: stopped\n"), (0, ""), (-signal.SIGINT, "")]
    assert interrupted("start", tmp_path / "tables", after) in ends


@pytest.mark.slow
def test_who_asks_twice_does_not_wait(tmp_path: Path) -> None:
    assert interrupted("count", tmp_path / "tables", after=3, times=2) == (130, "rollcall: stopped\n")


IN_A_CALL = """
import signal, sys, time
from jobs.run import stopping
from jobs.run.stopping import StoppedError, stoppable

before, calls = signal.getsignal(signal.SIGINT), []

def interrupt():
    calls.append("began")
    signal.raise_signal(signal.SIGINT)
    time.sleep(0.5)
    calls.append("ended")

def wait():
    exec(interrupt.__code__, {**globals(), "__name__": sys.argv[1]})  # a frame of py4j stands for a call to the JVM
    time.sleep(60)

try:
    with stoppable():
        wait()
except StoppedError:
    print(*calls, signal.getsignal(signal.SIGINT) is before, stopping.settle())
"""


@pytest.mark.parametrize(("module", "said"), [("jobs.sql", "began"), ("py4j.java_gateway", "began ended")])
def test_inside_of_a_call_it_waits_for_its_end(module: str, said: str) -> None:
    """In a process of its own, as a signal to this one could meet pytest elsewhere."""
    program = [sys.executable, "-c", IN_A_CALL, module]
    ended = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, timeout=50, check=True)
    assert ended.stdout == f"{said} True False\n"
