"""Trains an embedder, until the persons it does not learn from are told apart no better."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from evaluation.verification import Comparisons, Curve
from training.adapter import PROXIES_RATE, means
from training.batches import Batches
from training.folder import TrainingFolder
from training.group import Group
from training.imitation import all_worse, worse
from training.losses import learning, start_at
from training.networks import from_folder, seen_by, set_part
from training.passes import Passes, Say
from training.plans import LOSSES, EmbedderPlan
from udfs.errors import InputError

Array = np.ndarray
Tensor = torch.Tensor

FAR = 1e-2
"""Of the TAR by which is decided when to stop: few persons have enough pairs for a lower one."""
_CHOSEN_SEED, _STEP_SEED = 1, 2
_EMBEDDED = 64


def fit(folder: TrainingFolder, say: Say = lambda _: None) -> None:
    """Train as the folder says, from its last state if there is one, and write the weights that were the best.

    Raises:
        InputError: a loss that is no number, or too few persons for it.
    """
    if folder.has("trained.pt"):
        return
    _Fitting(folder, Group.here(), say).run()


class _Fitting(Passes):
    def __init__(self, folder: TrainingFolder, group: Group, say: Say) -> None:
        self.plan = plan = folder.plan
        self.crops, self.labels = folder.array("learnt"), folder.array("learnt_labels").copy()
        self.parent = torch.from_numpy(folder.array("parent").copy()) if folder.has("parent.npy") else None
        self.by_parent: Array | None = None
        self.sees = seen_by(plan.network)
        torch.manual_seed(plan.seed)
        network = from_folder(folder, "start.pt")
        set_part(network, plan)
        network.to(memory_format=torch.channels_last)
        dimension = self._embedded(network, self.crops[:1]).shape[1]
        self.phases = self._phases(int(self.labels.max()) + 1, dimension)
        several = any(LOSSES[name].several for name, _ in self.phases)
        batches = Batches(self.labels, min(plan.batch, len(self.labels)), several, plan.seed)
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        proxies = [weight for _, learns in self.phases for weight in learns.parameters()]
        learnt = [(weights, plan.rate), (proxies, PROXIES_RATE * plan.rate)]
        super().__init__(folder, group, say, plan, network, batches, learnt, known=self.parent is not None)

    def _phases(self, persons: int, dimension: int) -> list[tuple[str, nn.Module]]:
        names = [name for name in (self.plan.first, self.plan.loss) if name is not None]
        phases = [(name, learning(name, persons, dimension)) for name in names]
        if self.parent is not None:
            middle = means(self.parent, torch.from_numpy(self.labels))
            for _, learns in phases:
                start_at(learns, middle)
        return phases

    def _more_modules(self) -> list[nn.Module]:
        return [learns for _, learns in self.phases]

    def _loss(self, together: nn.Module) -> tuple[str, Tensor]:
        batch = self.group.whole(self.batches.at(self.step))
        vectors = self.group.gathered(self._vectors(together, self._pictures(self.group.part(batch))))
        name, learns = self.phases[0 if self.step < self.plan.first_share * self.steps else -1]
        found: Tensor = learns(vectors, torch.from_numpy(self.labels[batch]))
        if self.parent is not None and self.plan.keep:
            kept = functional.cosine_similarity(vectors, self.parent[batch])
            found = found + self.plan.keep * (1 - kept).mean()
        return name, found

    def _pictures(self, which: Array) -> Array:
        """The crops of a part of a batch, mirrored and made worse as each draws: uint8 (n, side, side, 3)."""
        imitation = self.plan.imitation
        share = 1.0 if self.plan.beside_parent else imitation.share
        pictures = []
        for at in which:
            random = np.random.default_rng([self.plan.seed, _STEP_SEED, self.step, int(at)])
            crop = self.crops[at][:, ::-1] if random.random() < 0.5 else self.crops[at]
            is_worse = imitation.anything and random.random() < share
            pictures.append(worse(crop, imitation, random) if is_worse else np.asarray(crop))
        return np.stack(pictures)

    def _vectors(self, module: nn.Module, pictures: Array) -> Tensor:
        pixels = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float()
        seen = ((pixels - self.sees.shift) / self.sees.scale).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.plan.precision == "bf16"):
            vectors: Tensor = module(seen)
        return vectors.float()

    def _said(self, judged: float) -> str:
        return f"TAR at FAR {FAR:g} is {judged:.4f} on persons it does not learn"

    def _judged(self) -> float | None:
        """TAR of pictures made worse, against pictures as they are; None without persons for it."""
        if not self.folder.has("chosen.npy"):
            return None
        crops, labels = self.folder.array("chosen"), self.folder.array("chosen_labels")
        as_they_are = self._as_they_are(crops)
        searched = as_they_are
        if self.plan.imitation.anything:
            searched = self._embedded(
                self.averaged, all_worse(crops, self.plan.imitation, _CHOSEN_SEED + self.plan.seed)
            )
        pairs = ~np.eye(len(labels), dtype=bool)
        similarity = (searched @ as_they_are.T)[pairs].astype(np.float64)
        return Curve.of(Comparisons(similarity, (labels[:, None] == labels)[pairs])).tar_at(FAR)

    def _as_they_are(self, crops: Array) -> Array:
        """The vectors of good pictures, by the network that will see them."""
        if not self.plan.beside_parent:
            return self._embedded(self.averaged, crops)
        if self.by_parent is None:
            parent = from_folder(self.folder, "start.pt")
            self.by_parent = self._embedded(parent.to(memory_format=torch.channels_last), crops)
        return self.by_parent

    def _embedded(self, network: nn.Module, crops: Array) -> Array:
        network.eval()
        with torch.no_grad():
            parts = [
                functional.normalize(self._vectors(network, crops[start : start + _EMBEDDED])).numpy()
                for start in range(0, len(crops), _EMBEDDED)
            ]
        return np.concatenate(parts)


def refuse_too_few(labels: Array, plan: EmbedderPlan) -> None:
    """Stop before anything is computed, where there is nothing to learn.

    Raises:
        InputError: the loss needs several photos of several persons, and there are none.
    """
    losses = [name for name in (plan.first, plan.loss) if name is not None]
    for name in losses:
        if name not in LOSSES:
            raise InputError(f"no loss is called {name!r}; use one of: {', '.join(LOSSES)}")
    several = any(LOSSES[name].several for name in losses)
    Batches(labels, min(plan.batch, len(labels)), several, plan.seed)
