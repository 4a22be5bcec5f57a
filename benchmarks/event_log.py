"""What Spark's event log says of the tasks of each step of a job.

Format: the JSON lines of `spark.eventLog` (Spark's `JsonProtocol`).
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STEP = "spark.job.description"
"""The property by which jobs say which step they belong to."""


@dataclass
class Step:
    """What the tasks of one step did. Bytes, records and milliseconds; run time by executor."""

    tasks: int = 0
    shuffled_bytes: int = 0
    shuffled_records: int = 0
    collected_bytes: int = 0
    run_ms: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def largest_share(self) -> float:
        """Of the run time, that of the executor that ran longest."""
        total = sum(self.run_ms.values())
        return max(self.run_ms.values()) / total if total else 0.0


def settings(folder: Path) -> dict[str, str]:
    """Properties of a session that writes its log as one plain file to a folder."""
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
    }


def steps(log: Path) -> dict[str, Step]:
    """The steps in a log, by their description."""
    step_of: dict[int, str] = {}
    found: dict[str, Step] = defaultdict(Step)
    for event in _events(log):
        if event["Event"] == "SparkListenerJobStart":
            name = event.get("Properties", {}).get(STEP, "")
            step_of |= dict.fromkeys(event["Stage IDs"], name)
        elif event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
            _add(found[step_of.get(event["Stage ID"], "")], event)
    return dict(found)


def _events(log: Path) -> Iterator[dict[str, Any]]:
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _add(step: Step, event: dict[str, Any]) -> None:
    metrics = event["Task Metrics"]
    step.tasks += 1
    step.shuffled_bytes += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
    step.shuffled_records += metrics["Shuffle Write Metrics"]["Shuffle Records Written"]
    step.collected_bytes += metrics["Result Size"]
    step.run_ms[event["Task Info"]["Executor ID"]] += metrics["Executor Run Time"]
