"""Trains a network: pass by pass, until the persons it does not learn from are told apart no better.

Everything that is drawn is drawn from the seed and the number of the step. So a training that was killed goes on as if
it had not been; and several processes, each with its part of every batch, do what one would have done.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from evaluation.verification import Comparisons, Curve
from training.adapter import PROXIES_RATE, means, refuse_no_number
from training.batches import Batches
from training.folder import TrainingFolder
from training.group import Group
from training.imitation import all_worse, worse
from training.losses import learning, start_at
from training.networks import merged, seen_by, set_part, training_mode, untrained
from training.plans import LOSSES, EmbedderPlan
from udfs.errors import InputError

Array = np.ndarray
Tensor = torch.Tensor
Say = Callable[[str], None]

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


class _Fitting:
    def __init__(self, folder: TrainingFolder, group: Group, say: Say) -> None:
        self.folder, self.group, self.say = folder, group, say
        self.plan = plan = folder.plan
        self.crops, self.labels = folder.array("learnt"), folder.array("learnt_labels").copy()
        self.parent = torch.from_numpy(folder.array("parent").copy()) if folder.has("parent.npy") else None
        self.sees = seen_by(plan.network)
        torch.manual_seed(plan.seed)
        self.network = untrained(plan.network)
        self.network.load_state_dict(folder.read("start.pt"), strict=False)
        set_part(self.network, plan)
        self.network.to(memory_format=torch.channels_last)
        dimension = self._embedded(self.network, self.crops[:1]).shape[1]
        self.phases = self._phases(int(self.labels.max()) + 1, dimension)
        several = any(LOSSES[name].several for name, _ in self.phases)
        self.batches = Batches(self.labels, min(plan.batch, len(self.labels)), several, plan.seed)
        self.steps = max(2, plan.passes * self.batches.a_pass)
        self.optimiser, self.cycle = self._optimiser()
        self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.step, self.course, self.best = 0, _Course(), _Best()

    def run(self) -> None:
        """All passes that are left; then the best weights are written."""
        if self.folder.has("state.pt"):
            self._restore(self.folder.read("state.pt"))
            self.say(f"goes on after step {self.step:,} of {self.steps:,}")
        together = DistributedDataParallel(self.network) if self.group.size > 1 else self.network
        if self.step == 0:
            self._look()
        while self.step < self.steps and not self.best.is_stale(self.plan.patience):
            training_mode(self.network, new=self.parent is None)
            end = min(self.steps, (self.step // self.batches.a_pass + 1) * self.batches.a_pass)
            while self.step < end:
                self._learn(together)
            self._look()
        if self.group.rank == 0:
            if self.best.weights is not None:
                self.averaged.load_state_dict(self.best.weights)
            self.folder.write("trained.pt", self._mixed(merged(self.averaged).state_dict()))
            (self.folder.path / "course.json").write_text(json.dumps(self.course.held()), "utf-8")
        self.group.wait()

    def _mixed(self, learnt: dict[str, Tensor]) -> dict[str, Tensor]:
        """What was learnt, with a share of what the parent knew; all of it where there is no parent."""
        if self.parent is None:
            return learnt
        start = self.folder.read("start.pt")
        return {
            name: torch.lerp(start[name], value, self.plan.mix)
            if name in start and value.is_floating_point()
            else value
            for name, value in learnt.items()
        }

    def _phases(self, persons: int, dimension: int) -> list[tuple[str, nn.Module]]:
        names = [name for name in (self.plan.first, self.plan.loss) if name is not None]
        phases = [(name, learning(name, persons, dimension)) for name in names]
        if self.parent is not None:
            middle = means(self.parent, torch.from_numpy(self.labels))
            for _, learns in phases:
                start_at(learns, middle)
        return phases

    def _optimiser(self) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        proxies = [weight for _, learns in self.phases for weight in learns.parameters()]
        rates = [self.plan.rate, *([PROXIES_RATE * self.plan.rate] if proxies else [])]
        groups = [{"params": part} for part in (weights, proxies) if part]
        optimiser = torch.optim.AdamW(groups, lr=self.plan.rate, weight_decay=1e-4)
        return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=self.steps + 1)

    def _learn(self, together: nn.Module) -> None:
        """One step."""
        batch = self.group.whole(self.batches.at(self.step))
        torch.manual_seed(self.plan.seed * 1_000_003 + self.step)  # for what a loss draws, and a network leaves out
        vectors = self.group.gathered(self._vectors(together, self._pictures(self.group.part(batch))))
        name, learns = self.phases[0 if self.step < self.plan.first_share * self.steps else -1]
        found = learns(vectors, torch.from_numpy(self.labels[batch]))
        if self.parent is not None and self.plan.keep:
            kept = functional.cosine_similarity(vectors, self.parent[batch])
            found = found + self.plan.keep * (1 - kept).mean()
        refuse_no_number(found, name, self.step)
        self.optimiser.zero_grad()
        found.backward()
        self.optimiser.step()
        self.cycle.step()
        self._average()
        self.course.losses.append(found.item())
        self.step += 1

    def _average(self) -> None:
        """Let the average follow. It begins where the network does, and follows faster at first: of few steps most is
        new."""
        left = min(self.plan.average, (1 + self.step) / (10 + self.step))
        now = self.network.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(now[name], 1 - left)
            else:
                value.copy_(now[name])

    def _pictures(self, which: Array) -> Array:
        """The crops of a part of a batch, mirrored and made worse as each draws: uint8 (n, side, side, 3)."""
        imitation = self.plan.imitation
        pictures = []
        for at in which:
            random = np.random.default_rng([self.plan.seed, _STEP_SEED, self.step, int(at)])
            crop = self.crops[at][:, ::-1] if random.random() < 0.5 else self.crops[at]
            is_worse = imitation.anything and random.random() < imitation.share
            pictures.append(worse(crop, imitation, random) if is_worse else np.asarray(crop))
        return np.stack(pictures)

    def _vectors(self, module: nn.Module, pictures: Array) -> Tensor:
        pixels = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float()
        seen = ((pixels - self.sees.shift) / self.sees.scale).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.plan.precision == "bf16"):
            vectors: Tensor = module(seen)
        return vectors.float()

    def _look(self) -> None:
        """How well those are told apart whom it does not learn from; and write down how far it is."""
        if self.group.rank == 0:
            self._judge()
            self.folder.write("state.pt", self._state())
        self.group.wait()
        if self.group.size > 1:
            self.best = _Best.of(self.folder.read("state.pt"))

    def _judge(self) -> None:
        told = self._told_apart()
        if told is None:
            return
        self.course.chosen.append((self.step, told))
        self.say(f"step {self.step:,} of {self.steps:,}: TAR at FAR {FAR:g} is {told:.4f} on persons it does not learn")
        self.best.compare(told, self.averaged)

    def _told_apart(self) -> float | None:
        """TAR of pictures made worse, against pictures as they are; None without persons for it."""
        if not self.folder.has("chosen.npy"):
            return None
        crops, labels = self.folder.array("chosen"), self.folder.array("chosen_labels")
        as_they_are = self._embedded(self.averaged, crops)
        searched = as_they_are
        if self.plan.imitation.anything:
            searched = self._embedded(
                self.averaged, all_worse(crops, self.plan.imitation, _CHOSEN_SEED + self.plan.seed)
            )
        pairs = ~np.eye(len(labels), dtype=bool)
        similarity = (searched @ as_they_are.T)[pairs].astype(np.float64)
        return Curve.of(Comparisons(similarity, (labels[:, None] == labels)[pairs])).tar_at(FAR)

    def _embedded(self, network: nn.Module, crops: Array) -> Array:
        network.eval()
        with torch.no_grad():
            parts = [
                functional.normalize(self._vectors(network, crops[start : start + _EMBEDDED])).numpy()
                for start in range(0, len(crops), _EMBEDDED)
            ]
        return np.concatenate(parts)

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "losses": [learns.state_dict() for _, learns in self.phases],
            "optimiser": self.optimiser.state_dict(),
            "cycle": self.cycle.state_dict(),
            "course": self.course.held(),
            **self.best.held(),
        }

    def _restore(self, held: dict[str, Any]) -> None:
        self.network.load_state_dict(held["network"])
        self.averaged.load_state_dict(held["averaged"])
        for (_, learns), weights in zip(self.phases, held["losses"], strict=True):
            learns.load_state_dict(weights)
        self.optimiser.load_state_dict(held["optimiser"])
        self.cycle.load_state_dict(held["cycle"])
        self.step, self.course, self.best = held["step"], _Course.of(held["course"]), _Best.of(held)


class _Course:
    """The loss of each step, and how well persons were told apart after passes."""

    def __init__(self, losses: list[float] | None = None, chosen: list[tuple[int, float]] | None = None) -> None:
        self.losses, self.chosen = losses or [], chosen or []

    def held(self) -> dict[str, list[Any]]:
        return {"losses": self.losses, "chosen": [list(each) for each in self.chosen]}

    @classmethod
    def of(cls, held: dict[str, list[Any]]) -> "_Course":
        return cls(list(held["losses"]), [(step, told) for step, told in held["chosen"]])


class _Best:
    """The weights by which persons were told apart best, and for how many looks none were better."""

    def __init__(self) -> None:
        self.told, self.since = -1.0, 0
        self.weights: dict[str, Any] | None = None

    def compare(self, told: float, network: nn.Module) -> None:
        """Take the weights of now, if they are the best so far."""
        if told > self.told:
            self.told, self.since = told, 0
            self.weights = copy.deepcopy(network.state_dict())
        else:
            self.since += 1

    def is_stale(self, patience: int) -> bool:
        """Whether it is time to stop."""
        return self.since >= patience

    def held(self) -> dict[str, Any]:
        return {"best_told": self.told, "best": self.weights, "best_since": self.since}

    @classmethod
    def of(cls, held: dict[str, Any]) -> "_Best":
        best = cls()
        best.told, best.weights, best.since = held["best_told"], held["best"], held["best_since"]
        return best


def refuse_too_few(labels: Array, plan: EmbedderPlan) -> None:
    """Stop before anything is computed, where there is nothing to learn.

    Raises:
        InputError: the loss needs several photos of several persons, and there are none.
    """
    Batches(labels, min(plan.batch, len(labels)), LOSSES[plan.loss].several, plan.seed)
    if plan.first is not None and plan.first not in LOSSES:
        raise InputError(f"no loss is called {plan.first!r}; use one of: {', '.join(LOSSES)}")
