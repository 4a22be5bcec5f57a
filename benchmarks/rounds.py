"""How every benchmark measures, and how it writes down what it found."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results"

_NAMED = ("torch", "openvino", "faiss-cpu", "facenet-pytorch", "pillow", "numpy", "pyspark", "pyarrow")


@dataclass(frozen=True)
class Timing:
    """Seconds of each timed round of one candidate, and what its last call returned."""

    seconds: list[float]
    result: object

    @property
    def median(self) -> float:
        """Seconds."""
        return median(self.seconds)


def alternate(candidates: dict[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Call each candidate once untimed, then all of them in turn, `rounds` times.

    In turn, as a shared machine is not equally fast all the time; untimed first, as a cold start flatters
    whoever comes later.
    """
    results = {name: call() for name, call in candidates.items()}
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds):
        for name, call in candidates.items():
            began = time.perf_counter()
            results[name] = call()
            seconds[name].append(time.perf_counter() - began)
            print(f"  round {number + 1} of {rounds}: {name}: {seconds[name][-1]:.2f} s", flush=True)
    return {name: Timing(seconds[name], results[name]) for name in candidates}


def isa() -> str:
    """The instruction class that decides how fast this machine multiplies matrices.

    torch's own variable ATEN_CPU_CAPABILITY says where the libraries were told to stay below it.
    """
    import torch

    if os.environ.get("ATEN_CPU_CAPABILITY") == "avx2":
        return "avx2"
    if torch.cuda.is_available():
        return "cuda"
    flags = set(Path("/proc/cpuinfo").read_text(encoding="ascii").split()) if platform.system() == "Linux" else set()
    if "amx_tile" in flags:
        return "amx"
    if "avx512_bf16" in flags:
        return "avx512_bf16"
    return "avx512" if "avx512f" in flags else "avx2" if "avx2" in flags else platform.machine()


def save(name: str, figures: dict[str, object]) -> Path:
    """Write figures down with the machine, the versions and the commit: results/NAME-<isa>.json."""
    path = RESULTS / f"{name}-{isa()}.json"
    document = {
        "figures": figures,
        "machine": {"isa": isa(), "cpu": _cpu(), "device": _device(), "system": platform.platform()},
        "versions": {package: version(package) for package in _NAMED},
        "commit": _commit(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path


def _cpu() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
        if line.startswith("model name")
    ]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def _device() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()

    # What a benchmark writes itself does not change what it has measured.
    changed = git("status", "--porcelain", "--", ":/", ":!/benchmarks/results")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
