"""Training in processes on executors."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.training.small import PLAN, Small, prepared
from training import networks
from training.fitting import fit
from training.folder import TrainingFolder


@pytest.mark.slow
def test_a_killed_executor_costs_no_more_than_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes on a cluster, one of which is killed, come to the weights that one process comes to alone."""
    plan = replace(PLAN, passes=60, keep=1.0, patience=99)
    folder = prepared(tmp_path / "cluster", plan)
    done = subprocess.run(
        [sys.executable, "-m", "tests.jobs.learning.trained_on_executors", str(folder.path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    assert folder.has("killed"), said[-4000:]
    assert "training goes on after the last pass: a process was lost" in said

    monkeypatch.setattr(networks, "untrained", lambda _: Small())
    alone = prepared(tmp_path / "alone", plan)
    fit(alone)
    assert largest_difference(alone, folder) < 1e-4


def largest_difference(left: TrainingFolder, right: TrainingFolder) -> float:
    one, two = left.read("trained.pt"), right.read("trained.pt")
    return max(float((one[name] - two[name]).abs().max()) for name in one if one[name].is_floating_point())
