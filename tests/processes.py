"""Processes by who started them, and waiting for them: tests kill what they have started, and nothing else."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def descendants(pid: int) -> list[int]:
    """The processes that descend from one, nearest first."""
    children: dict[int, list[int]] = {}
    for each in _running():
        if (parent := parent_of(each)) is not None:
            children.setdefault(parent, []).append(each)
    found = list(children.get(pid, []))
    for each in found:
        found += children.get(each, [])
    return found


def parent_of(pid: int) -> int | None:
    """None once the process has ended."""
    try:
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def command_line(pid: int) -> str:
    """Empty once the process has ended."""
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def with_variable(name: str, value: str) -> list[int]:
    """The processes that were started with a variable of their environment."""
    wanted = f"{name}={value}".encode()
    return [pid for pid in _running() if wanted in _environment(pid)]


def _running() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    try:
        return (Path("/proc") / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is somebody else's
        return []


def kill(*pids: int) -> None:
    """SIGKILL; processes that have ended meanwhile are passed over."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def wait_until(
    ready: Callable[[], T], *processes: subprocess.Popen[str], seconds: float = 200, pause: float = 0.05
) -> T:
    """What `ready` gives once that is something; the processes must not end before."""
    deadline = time.monotonic() + seconds
    while not (found := ready()):
        for process in processes:
            assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, f"not within {seconds:g} seconds"
        time.sleep(pause)
    return found


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def said_to_the_end(process: subprocess.Popen[str], seconds: float = 600) -> str:
    """What a process says until it ends; it and all that is in its session are killed if it takes longer."""
    try:
        said, _ = process.communicate(timeout=seconds)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return said
