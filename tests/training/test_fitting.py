"""Training of a small network on made-up pictures: it learns, it stops, and it goes on after a kill as if there had
been none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.training.small import PLAN, Small, pictures, prepared, same
from training import fitting, networks
from training.fitting import fit
from training.folder import TrainingFolder
from training.networks import merged, set_part
from training.plans import PARTS, Imitation
from udfs.errors import InputError


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = networks.untrained
    monkeypatch.setattr(networks, "untrained", lambda name: Small() if name == PLAN.network else packaged(name))


def trained(folder: TrainingFolder) -> dict[str, Any]:
    fit(folder)
    return folder.read("trained.pt")


@pytest.mark.parametrize(("part", "loss"), [*((part, "cosface") for part in PARTS), ("whole", "trihard")])
def test_persons_it_does_not_learn_from_are_told_apart_better(tmp_path: Path, part: Any, loss: str) -> None:
    folder = prepared(tmp_path, replace(PLAN, part=part, loss=loss, last=1, rank=4, passes=12))
    weights = trained(folder)
    start = folder.read("start.pt")
    assert weights.keys() == start.keys()  # updates are in the weights
    changed = {name for name in weights if not torch.equal(weights[name], start[name])}
    assert "layers.3.weight" in changed
    assert ("layers.0.weight" in changed) == (part != "last")
    assert not any("running" in name for name in changed)  # the statistics of a trained network stay
    state = folder.read("state.pt")
    told = dict(state["course"]["chosen"])
    assert max(told.values()) > told[0] + 0.05


def test_what_is_known_is_kept(tmp_path: Path) -> None:
    def drift(keep: float) -> float:
        folder = prepared(tmp_path / str(keep), replace(PLAN, keep=keep))
        network = Small()
        network.load_state_dict(trained(folder))
        crops = torch.from_numpy(pictures(8, 4, 0)[0]).permute(0, 3, 1, 2).float()
        with torch.no_grad():
            now = nn.functional.normalize(network.eval()((crops - 127.5) / 128)).numpy()
        return float(1 - (now * folder.array("parent")).sum(1).mean())

    assert drift(1000.0) < drift(0.0) / 3


def test_what_was_learnt_is_mixed_with_what_was_known(tmp_path: Path) -> None:
    whole, half = (trained(prepared(tmp_path / str(mix), replace(PLAN, mix=mix))) for mix in (1.0, 0.5))
    start = prepared(tmp_path / "start").read("start.pt")
    assert not same(whole, start)
    for name, value in half.items():
        if value.is_floating_point():
            assert torch.allclose(value, (start[name] + whole[name]) / 2, atol=1e-6)


@pytest.mark.parametrize("killed_at", [0, 1, 2, 7])
def test_a_killed_training_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    plan = replace(PLAN, passes=5, loss="triplet", first="softmax", imitation=Imitation(noise=(1, 9), grey=0.5))
    whole = trained(prepared(tmp_path / "whole", plan))
    folder = prepared(tmp_path / "killed", plan)
    learn, count = fitting._Fitting._learn, iter(range(1000))

    def until_killed(self: Any, together: nn.Module) -> None:
        if next(count) == killed_at:
            raise KeyboardInterrupt
        learn(self, together)

    monkeypatch.setattr(fitting._Fitting, "_learn", until_killed)
    with pytest.raises(KeyboardInterrupt):
        fit(folder)
    monkeypatch.setattr(fitting._Fitting, "_learn", learn)
    assert not folder.has("trained.pt")
    assert same(trained(folder), whole)
    assert folder.document("course") == TrainingFolder(tmp_path / "whole").document("course")


def test_it_stops_where_nothing_gets_better(tmp_path: Path) -> None:
    folder = prepared(tmp_path, replace(PLAN, passes=50, rate=1e-9, patience=2))
    fit(folder)
    state = folder.read("state.pt")
    assert state["step"] < 10 * 2
    assert same(folder.read("trained.pt"), folder.read("start.pt"))


def test_without_a_parent_statistics_are_learnt_too(tmp_path: Path) -> None:
    folder = prepared(tmp_path, replace(PLAN, loss="contrastive"), parent=False)
    weights, start = trained(folder), folder.read("start.pt")
    assert not torch.equal(weights["layers.1.running_mean"], start["layers.1.running_mean"])


def test_a_loss_that_is_no_number_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'softmax' was no number any more at step \d+; take a lower --rate"):
        fit(prepared(tmp_path, replace(PLAN, loss="softmax", rate=1e30)))


def test_updates_of_low_rank_change_nothing_at_first() -> None:
    network = Small().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    set_part(network, replace(PLAN, part="low-rank", rank=2))
    assert {name for name, value in network.named_parameters() if value.requires_grad} == {
        f"layers.{at}.parametrizations.weight.0.{part}" for at in (0, 3) for part in ("up", "down")
    }
    assert same(merged(network).state_dict(), before)


@pytest.mark.parametrize("name", ["fused", "mobilefacenet-int8", "nobody"])
def test_what_cannot_be_trained(name: str) -> None:
    with pytest.raises(InputError, match="cannot be trained; use one of: facenet-vggface2, mobilefacenet"):
        networks.seen_by(name)


def test_the_siamese_network_makes_32_values() -> None:
    network = networks.untrained("densenet121").eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 32)
