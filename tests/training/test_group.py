"""Several processes, each with its part of every batch, learn what one would."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import ROOT
from tests.training.small import PLAN, Small, prepared, same
from training import networks
from training.fitting import fit
from training.folder import TrainingFolder
from training.group import Group

_PROGRAM = """
import sys
from tests.training.small import Small
from training import networks
from training.together import train_together
networks.untrained = lambda _: Small()
print(train_together(sys.argv[1]), end="")
"""


def test_a_batch_is_cut_into_equal_parts() -> None:
    batch = np.arange(11)
    groups = [Group(rank, 3) for rank in range(3)]
    assert [group.part(group.whole(batch)).tolist() for group in groups] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert Group().part(Group().whole(batch)).tolist() == batch.tolist()


def together(folder: TrainingFolder, processes: int) -> list[str]:
    """Train in several processes, as torch's launcher starts them; what each says in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(folder.path)],
            env={
                **os.environ,
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "RANK": str(rank),
                "WORLD_SIZE": str(processes),
                "OMP_NUM_THREADS": "1",
            },
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    said = [process.communicate(timeout=240)[0] for process in started]
    assert [process.returncode for process in started] == [0] * processes
    return said


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["cosface", "triplet"])
def test_two_processes_come_to_the_weights_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str) -> None:
    plan = replace(PLAN, loss=loss, passes=3, keep=1.0, average=0.9)
    monkeypatch.setattr(networks, "untrained", lambda _: Small())
    pair = prepared(tmp_path / "pair", plan)
    assert together(pair, 2) == ["", ""]
    alone = prepared(tmp_path / "alone", plan)
    fit(alone)
    one, two = alone.read("trained.pt"), pair.read("trained.pt")
    assert one.keys() == two.keys()
    assert max(float((one[name] - two[name]).abs().max()) for name in one if one[name].is_floating_point()) < 1e-4
    courses = [json.loads((folder.path / "course.json").read_text())["losses"] for folder in (alone, pair)]
    assert np.allclose(courses[0], courses[1], atol=1e-4)


@pytest.mark.slow
def test_what_is_wrong_is_said_by_each(tmp_path: Path) -> None:
    said = together(prepared(tmp_path, replace(PLAN, loss="softmax", rate=1e30)), 2)
    assert said[0] == said[1]
    assert "was no number any more" in said[0]


def test_one_process_gathers_nothing() -> None:
    mine = torch.ones(3, 2, requires_grad=True)
    assert Group().gathered(mine) is mine
    assert same({"a": mine}, {"a": torch.ones(3, 2)})
