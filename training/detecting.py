"""Trains CenterFace on photos with boxes, until it is no better on photos that it does not learn from."""

import copy

import numpy as np
import torch
from torch import nn

from training.batches import Batches
from training.folder import TrainingFolder
from training.group import Group
from training.heat_map import losses, targets
from training.marked import View, drawn, whole
from training.passes import Passes, Say
from training.plans import DetectorPlan
from udfs.vision.centerface_net import CenterFaceNet
from udfs.vision.marked import of_documents

Tensor = torch.Tensor

_STEP_SEED = 3


def fit_detector(folder: TrainingFolder, say: Say = lambda _: None) -> None:
    """Train as the folder says, from its last state if there is one, and write the weights that were the best.

    Raises:
        InputError: a loss that is no number, or a photo that cannot be read any more.
    """
    if not folder.has("trained.pt"):
        _Detecting(folder, Group.here(), say).run()


class _Detecting(Passes):
    def __init__(self, folder: TrainingFolder, group: Group, say: Say) -> None:
        self.plan = plan = folder.detector_plan
        self.learnt, self.chosen = (of_documents(folder.document(name)) for name in ("learnt", "chosen"))
        torch.manual_seed(plan.seed)
        network = CenterFaceNet()
        network.load_state_dict(folder.read("start.pt"), strict=False)
        network.to(memory_format=torch.channels_last)
        self.parent = copy.deepcopy(network).eval().requires_grad_(False)
        set_part(network, plan)
        batches = Batches(np.zeros(len(self.learnt), np.int64), min(plan.batch, len(self.learnt)), False, plan.seed)
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        super().__init__(folder, group, say, plan, network, batches, [(weights, plan.rate)], known=True)

    def _loss(self, together: nn.Module) -> tuple[str, Tensor]:
        views = [self._drawn(int(at)) for at in self.batches.at(self.step)]
        network = self.network
        assert isinstance(network, CenterFaceNet)
        pixels = _pixels(views)
        if self.plan.part == "heads":  # what they are computed of is the parent's
            with torch.no_grad():
                neck = network.neck(pixels)
            features = network.head(neck)
            parents = self.parent.head(neck)
        else:
            features = together(pixels)
            with torch.no_grad():
                parents = self.parent(pixels)
        wanted = [targets(view.pixels.shape[:2], view.boxes, self.plan.smallest) for view in views]
        found = losses(network, features, wanted, (self.parent, parents))
        return "heat map", found.a_face(self.plan.landmarks)

    def _drawn(self, at: int) -> View:
        random = np.random.default_rng([self.plan.seed, _STEP_SEED, self.step, at])
        return drawn(self.learnt[at], self.plan, random)

    def _judged(self) -> float | None:
        if not self.chosen:
            return None
        network = self.averaged.eval()
        assert isinstance(network, CenterFaceNet)
        total, faces = 0.0, 0
        with torch.no_grad():
            for photo in self.chosen:
                view = whole(photo, self.plan.scale)
                wanted = targets(view.pixels.shape[:2], view.boxes, self.plan.smallest)
                found = losses(network, network(_pixels([view])), [wanted])
                total += float(found.heat + found.size + found.offset)
                faces += found.faces
        return -total / max(1, faces)

    def _said(self, judged: float) -> str:
        return f"the loss is {-judged:.4f} on photos it does not learn from"


def set_part(network: CenterFaceNet, plan: DetectorPlan) -> None:
    """Choose which weights are learnt; all others stay as they are, and so do the statistics of batch normalisations:
    a few photos are no better sample."""
    if plan.part == "whole":
        return
    network.requires_grad_(False)
    layers = [layer for layer in network.in_file_order() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    parts = [network.head, network.outputs] if plan.part == "heads" else layers[-plan.last :]
    for part in parts:
        part.requires_grad_(True)


def _pixels(views: list[View]) -> Tensor:
    stacked = torch.from_numpy(np.stack([view.pixels for view in views]))
    return stacked.permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
