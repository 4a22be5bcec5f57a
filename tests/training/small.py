"""A network so small that it is trained in a second, and pictures for it."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from training.folder import TrainingFolder
from training.plans import EmbedderPlan

Array = np.ndarray

SIDE = 16
PLAN = EmbedderPlan("mobilefacenet", passes=6, batch=16, rate=0.01, keep=0.0, mix=1.0, patience=9)


class Small(nn.Module):
    """Two convolutions and what they see on average."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 5, 2), nn.BatchNorm2d(8), nn.PReLU(8), nn.Conv2d(8, 16, 3, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).mean((2, 3))


def pictures(persons: int, photos: int, seed: int) -> tuple[Array, Array]:
    """Each person is a pattern; a photo of them is brighter or darker, and noisy."""
    random = np.random.default_rng(seed)
    pattern = random.integers(60, 200, (persons, 1, SIDE, SIDE, 3))
    light = random.integers(-50, 50, (persons, photos, 1, 1, 1))
    noise = random.normal(0, 25, (persons, photos, SIDE, SIDE, 3))
    crops = np.clip(pattern + light + noise, 0, 255).astype(np.uint8)
    return crops.reshape(-1, SIDE, SIDE, 3), np.repeat(np.arange(persons), photos)


def prepared(path: Path, plan: EmbedderPlan = PLAN, *, parent: bool = True) -> TrainingFolder:
    """A folder to train in, from random weights that are always the same."""
    folder = TrainingFolder(path)
    folder.write_plan(plan)
    torch.manual_seed(3)
    start = Small().eval()
    folder.write("start.pt", start.state_dict())
    for name, seed in (("learnt", 0), ("chosen", 1)):
        crops, labels = pictures(8, 4, seed)
        folder.write_array(name, crops)
        folder.write_array(f"{name}_labels", labels)
        if name == "learnt" and parent:
            with torch.no_grad():
                seen = (torch.from_numpy(crops).permute(0, 3, 1, 2).float() - 127.5) / 128
                folder.write_array("parent", nn.functional.normalize(start(seen)).numpy())
    return folder


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def train_small_together(path: str) -> str:
    """What `training.together` runs, with the small network."""
    from training import networks
    from training.together import train_together

    networks.untrained = lambda _: Small()
    return train_together(path)
