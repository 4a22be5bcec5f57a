"""What a training works with, in a folder that every process of it can read; and how far it is, to go on after a kill.

plan.json       how it is trained (plans.EmbedderPlan, plans.DetectorPlan)
start.pt        the weights it begins with
learnt.npy      crops to learn from, uint8 (n, side, side, 3);  learnt_labels.npy  whom they show, int64 (n,)
parent.npy      what the parent makes of them, float32 (n, d); absent where there is no parent
chosen.npy, chosen_labels.npy    the same of the persons by whom is decided when to stop
learnt.json, chosen.json    of a detector: where photos are, and the boxes of their faces
state.pt        the state after a pass
trained.pt      the weights in the end;  course.json  how it went
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.plans import DetectorPlan, EmbedderPlan, Imitation

Array = np.ndarray


@dataclass(frozen=True)
class TrainingFolder:
    """The folder of one training."""

    path: Path

    def write_plan(self, plan: EmbedderPlan | DetectorPlan) -> None:
        """Say how it is to be trained."""
        self.write_document("plan", asdict(plan))

    def write_document(self, name: str, held: object) -> None:
        """Write something as JSON."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / f"{name}.json").write_text(json.dumps(held, sort_keys=True), "utf-8")

    def document(self, name: str) -> Any:
        """Read it."""
        return json.loads((self.path / f"{name}.json").read_text("utf-8"))

    @property
    def detector_plan(self) -> DetectorPlan:
        """How a detector is trained."""
        held = self.document("plan")
        return DetectorPlan(**{**held, "zoom": tuple(held["zoom"])})

    @property
    def plan(self) -> EmbedderPlan:
        """How an embedder is trained."""
        held = self.document("plan")
        imitation: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in held["imitation"].items()
        }
        return EmbedderPlan(**{**held, "imitation": Imitation(**imitation)})

    def array(self, name: str) -> Array:
        """One of the arrays; its values are read from the file as they are needed."""
        return np.load(self.path / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.path / name).exists()

    def write_array(self, name: str, values: Array) -> None:
        """Write one of the arrays."""
        self.path.mkdir(parents=True, exist_ok=True)
        np.save(self.path / f"{name}.npy", values, allow_pickle=False)

    def write(self, name: str, held: Mapping[str, Any]) -> None:
        """Write tensors and numbers, whole or not at all: a kill leaves what was there."""
        partial = self.path / f".{name}.partial"
        torch.save(dict(held), partial)
        partial.replace(self.path / name)

    def read(self, name: str) -> dict[str, Any]:
        """Read them; objects of Python are refused."""
        held: dict[str, Any] = torch.load(self.path / name, map_location="cpu", weights_only=True)
        return held
