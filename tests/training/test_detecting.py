"""CenterFace, trained on made-up photos: it learns, and it goes on after a kill as if there had been none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.training.marked import PLAN, to_train_in
from tests.training.small import same
from training import detecting
from training.detecting import fit_detector, set_part
from training.folder import TrainingFolder
from training.plans import DetectorPlan
from udfs.errors import InputError
from udfs.vision.centerface_net import CenterFaceNet


def trained(folder: TrainingFolder) -> dict[str, Any]:
    fit_detector(folder)
    return folder.read("trained.pt")


@pytest.mark.parametrize("part", ["heads", "last", "whole"])
def test_faces_are_found_better(tmp_path: Path, part: Any) -> None:
    folder = to_train_in(tmp_path / part, tmp_path / "photos", replace(PLAN, part=part, last=6))
    weights, start = trained(folder), folder.read("start.pt")
    changed = {name for name in weights if not torch.equal(weights[name], start[name])}
    assert {"outputs.0.weight", "head.0.weight"} <= changed
    assert ("stem.0.weight" in changed) == (part == "whole")
    assert ("upward.2.transposed.weight" in changed) == (part == "whole")
    assert not any("running" in name for name in changed)  # few photos are no better sample
    loss = [-judged for _, judged in folder.document("course")["chosen"]]
    assert min(loss) < 0.7 * loss[0]


def test_the_same_seed_gives_the_same_bits(tmp_path: Path) -> None:
    plan = replace(PLAN, passes=2)
    one, again = (trained(to_train_in(tmp_path / name, tmp_path / "photos", plan)) for name in ("one", "again"))
    assert same(one, again)
    other = trained(to_train_in(tmp_path / "other", tmp_path / "photos", replace(plan, seed=1)))
    assert not same(one, other)


def test_a_killed_training_goes_on_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = replace(PLAN, passes=3)
    whole = trained(to_train_in(tmp_path / "whole", tmp_path / "photos", plan))
    folder = to_train_in(tmp_path / "killed", tmp_path / "photos", plan)
    learn, count = detecting._Detecting._learn, iter(range(1000))

    def until_killed(self: Any, together: nn.Module) -> None:
        if next(count) == 4:
            raise KeyboardInterrupt
        learn(self, together)

    with monkeypatch.context() as patched:
        patched.setattr(detecting._Detecting, "_learn", until_killed)
        with pytest.raises(KeyboardInterrupt):
            fit_detector(folder)
    assert not folder.has("trained.pt")
    assert same(trained(folder), whole)


def test_a_loss_that_is_no_number_is_said(tmp_path: Path) -> None:
    folder = to_train_in(tmp_path / "folder", tmp_path / "photos", replace(PLAN, rate=1e30))
    with pytest.raises(InputError, match=r"'heat map' was no number any more at step \d+; take a lower --rate"):
        fit_detector(folder)


def test_the_last_layers_are_those_of_the_heads_first() -> None:
    network = CenterFaceNet()
    set_part(network, DetectorPlan(part="last", last=5))
    learnt = {name for name, value in network.named_parameters() if value.requires_grad}
    assert learnt == {
        f"{layer}.{part}" for layer in ("head.0", *(f"outputs.{at}" for at in range(4))) for part in ("weight", "bias")
    }
