"""What processor this machine has, and how long it takes for something."""

import time
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Its name and what it knows; a cache may be one of many machines."""
    if not cpuinfo.exists():
        return []
    lines = cpuinfo.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    return [line for line in lines if line.startswith(("model name", "flags", "CPU part", "Features"))]


def best_seconds(calls: Mapping[Key, Callable[[], object]], warm: int, timed: int) -> dict[Key, float]:
    """Of each call: the best of alternating rounds, as what else runs on a machine can only make it slower.

    warm: rounds before those that are timed.
    """
    seconds: dict[Key, list[float]] = {name: [] for name in calls}
    for number in range(warm + timed):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number >= warm:
                seconds[name].append(time.perf_counter() - began)
    return {name: min(times) for name, times in seconds.items()}
