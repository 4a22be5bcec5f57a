"""Two networks as one: good pictures go to the parent, bad ones to the network that was trained for them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from openvino import Core
from torch import nn
from torch.nn import functional

from tests.training.small import PLAN, SIDE, Small, pictures, prepared, same
from training import fitting, networks
from training.beside import Beside, finished
from training.exported import onnx
from training.folder import TrainingFolder
from training.imitation import all_worse
from training.plans import SIAMESE, Imitation

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
BAD = Imitation(size=(6, 8), noise=(2, 5))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "untrained", lambda _: Small())


def seen(crops: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(np.array(crops)).permute(0, 3, 1, 2).float() - 127.5) / 128


def unit(network: nn.Module, crops: np.ndarray) -> torch.Tensor:
    with torch.no_grad():
        return functional.normalize(network(seen(crops)))


@pytest.fixture
def folder(tmp_path: Path) -> TrainingFolder:
    folder = prepared(tmp_path, replace(PLAN, imitation=BAD))
    torch.manual_seed(5)
    folder.write("trained.pt", Small().state_dict())
    return folder


def test_each_picture_goes_to_its_network(folder: TrainingFolder) -> None:
    both = finished(folder)
    assert isinstance(both, Beside)
    crops = pictures(8, 4, 2)[0]  # nobody has learnt from these
    worse = all_worse(crops, BAD, 9)
    assert (unit(both, crops) * unit(both.parent, crops)).sum(1).min() > 0.999
    assert (unit(both, worse) * unit(both.trained, worse)).sum(1).min() > 0.999
    assert (unit(both.parent, worse) * unit(both.trained, worse)).sum(1).max() < 0.9


def test_good_pictures_are_not_learnt_from(folder: TrainingFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go to the parent; so all are made worse, and what is judged is bad ones against those of the parent."""
    shown = []
    monkeypatch.setattr(fitting, "worse", lambda crop, *_: shown.append(1) or crop)
    made = fitting._Fitting(folder, fitting.Group.here(), lambda _: None)
    made._pictures(np.arange(16))
    assert len(shown) == 16
    crops = folder.array("chosen")
    (folder.path / "trained.pt").unlink()
    parent = Small()
    parent.load_state_dict(folder.read("start.pt"))
    assert np.allclose(made._as_they_are(crops), unit(parent.eval(), crops).numpy(), atol=1e-6)


def test_the_same_training_comes_to_the_same_network(folder: TrainingFolder) -> None:
    assert same(finished(folder).state_dict(), finished(folder).state_dict())


def test_it_is_a_network_as_any_other(folder: TrainingFolder) -> None:
    both = finished(folder)
    content = onnx(both, SIDE)
    crops = pictures(8, 4, 2)[0]
    mixed = np.concatenate([crops[:16], all_worse(crops[16:], BAD, 9)])
    (answer,) = Core().compile_model(Core().read_model(content), "CPU", EXACT)(seen(mixed).numpy()).values()
    assert np.allclose(functional.normalize(torch.from_numpy(answer)).numpy(), unit(both, mixed).numpy(), atol=1e-4)


@pytest.mark.parametrize(
    "changed",
    [{"good": "trained"}, {"imitation": Imitation()}, {"network": SIAMESE}],
    ids=["alone", "nothing made worse", "no parent"],
)
def test_one_network_alone(tmp_path: Path, changed: dict[str, object]) -> None:
    folder = prepared(tmp_path, replace(PLAN, imitation=BAD, passes=1))
    folder.write_plan(replace(folder.plan, **changed))
    folder.write("trained.pt", folder.read("start.pt"))
    assert isinstance(finished(folder), Small)
