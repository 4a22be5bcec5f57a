"""Trains a network pass by pass, until what it does not learn from is no better; which network, by which loss and on
what, its subclasses say.

Everything that is drawn is drawn from the seed and the number of the step. So a training that was killed goes on as if
it had not been; and several processes, each with its part of every batch, do what one would have done.
"""

import copy
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from training.adapter import refuse_no_number
from training.batches import Batches
from training.folder import TrainingFolder
from training.group import Group
from training.networks import merged, training_mode
from training.plans import DetectorPlan, EmbedderPlan

Tensor = torch.Tensor
Say = Callable[[str], None]
Learnt = tuple[list[nn.Parameter], float]
"""Weights, and the highest rate at which they are learnt."""


class Passes(ABC):
    """A training in a folder. known: whether the network has been trained before, and what it knows is to be kept."""

    def __init__(
        self,
        folder: TrainingFolder,
        group: Group,
        say: Say,
        plan: EmbedderPlan | DetectorPlan,
        network: nn.Module,
        batches: Batches,
        learnt: Sequence[Learnt],
        *,
        known: bool,
    ) -> None:
        self.folder, self.group, self.say = folder, group, say
        self.pace, self.network, self.batches, self.known = plan, network, batches, known
        self.steps = max(2, plan.passes * batches.a_pass)
        groups = [(weights, rate) for weights, rate in learnt if weights]
        self.optimiser = torch.optim.AdamW(
            [{"params": weights} for weights, _ in groups], lr=plan.rate, weight_decay=1e-4
        )
        self.cycle = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, [rate for _, rate in groups], total_steps=self.steps + 1
        )
        self.averaged = copy.deepcopy(network).requires_grad_(False)
        self.step, self.course, self.best = 0, _Course(), _Best()

    @abstractmethod
    def _loss(self, together: nn.Module) -> tuple[str, Tensor]:
        """What is to become less at this step, and what it is called. together: the network, wrapped where several
        processes train it."""

    @abstractmethod
    def _judged(self) -> float | None:
        """How good the averaged network is on what decides when to stop, more being better; None without any."""

    @abstractmethod
    def _said(self, judged: float) -> str:
        """That, in words."""

    def _more_modules(self) -> list[nn.Module]:
        """What is learnt besides the network."""
        return []

    def run(self) -> None:
        """All passes that are left; then the best weights are written."""
        begun = self.folder.has("state.pt")
        self.group.wait()  # until all have looked: the first one writes it
        if begun:
            self._restore(self.folder.read("state.pt"))
            self.say(f"goes on after step {self.step:,} of {self.steps:,}")
        else:
            self._judge_and_save()
        together = DistributedDataParallel(self.network) if self.group.size > 1 else self.network
        while self.step < self.steps and not self.best.is_stale(self.pace.patience):
            training_mode(self.network, new=not self.known)
            end = min(self.steps, (self.step // self.batches.a_pass + 1) * self.batches.a_pass)
            while self.step < end:
                self._learn(together)
            self._judge_and_save()
        if self.group.rank == 0:
            if self.best.weights is not None:
                self.averaged.load_state_dict(self.best.weights)
            (self.folder.path / "course.json").write_text(json.dumps(self.course.held()), "utf-8")
            self.folder.write(
                "trained.pt", self._mixed(merged(self.averaged).state_dict())
            )  # last: it says all is there
        self.group.wait()

    def _learn(self, together: nn.Module) -> None:
        """One step."""
        torch.manual_seed(self.pace.seed * 1_000_003 + self.step)  # for what a loss draws, and a network leaves out
        name, found = self._loss(together)
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
        left = min(self.pace.average, (1 + self.step) / (10 + self.step))
        now = self.network.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(now[name], 1 - left)
            else:
                value.copy_(now[name])

    def _mixed(self, learnt: dict[str, Tensor]) -> dict[str, Tensor]:
        """What was learnt, with a share of what was known; all of it where nothing was."""
        if not self.known:
            return learnt
        start = self.folder.read("start.pt")
        return {
            name: torch.lerp(start[name], value, self.pace.mix)
            if name in start and value.is_floating_point()
            else value
            for name, value in learnt.items()
        }

    def _judge_and_save(self) -> None:
        """How good it is on what it does not learn from; and write down how far it is."""
        if self.group.rank == 0:
            self._judge()
            self.folder.write("state.pt", self._state())
        self.group.wait()
        if self.group.size > 1:
            self.best = _Best.of(self.folder.read("state.pt"))

    def _judge(self) -> None:
        judged = self._judged()
        if judged is None:
            return
        self.course.chosen.append((self.step, judged))
        self.say(f"step {self.step:,} of {self.steps:,}: {self._said(judged)}")
        self.best.compare(judged, self.averaged)

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "losses": [module.state_dict() for module in self._more_modules()],
            "optimiser": self.optimiser.state_dict(),
            "cycle": self.cycle.state_dict(),
            "course": self.course.held(),
            **self.best.held(),
        }

    def _restore(self, held: dict[str, Any]) -> None:
        self.network.load_state_dict(held["network"])
        self.averaged.load_state_dict(held["averaged"])
        for module, weights in zip(self._more_modules(), held["losses"], strict=True):
            module.load_state_dict(weights)
        self.optimiser.load_state_dict(held["optimiser"])
        self.cycle.load_state_dict(held["cycle"])
        self.step, self.course, self.best = held["step"], _Course.of(held["course"]), _Best.of(held)


class _Course:
    """The loss of each step, and what was judged after passes."""

    def __init__(self, losses: list[float] | None = None, chosen: list[tuple[int, float]] | None = None) -> None:
        self.losses, self.chosen = losses or [], chosen or []

    def held(self) -> dict[str, list[Any]]:
        return {"losses": self.losses, "chosen": [list(each) for each in self.chosen]}

    @classmethod
    def of(cls, held: dict[str, list[Any]]) -> "_Course":
        return cls(list(held["losses"]), [(step, judged) for step, judged in held["chosen"]])


class _Best:
    """The weights that were judged best, and for how many looks none were better."""

    def __init__(self) -> None:
        self.judged, self.since = -math.inf, 0
        self.weights: dict[str, Any] | None = None

    def compare(self, judged: float, network: nn.Module) -> None:
        """Take the weights of now, if they are the best so far."""
        if judged > self.judged:
            self.judged, self.since = judged, 0
            self.weights = copy.deepcopy(network.state_dict())
        else:
            self.since += 1

    def is_stale(self, patience: int) -> bool:
        """Whether it is time to stop."""
        return self.since >= patience

    def held(self) -> dict[str, Any]:
        return {"best_judged": self.judged, "best": self.weights, "best_since": self.since}

    @classmethod
    def of(cls, held: dict[str, Any]) -> "_Best":
        best = cls()
        best.judged, best.weights, best.since = held["best_judged"], held["best"], held["best_since"]
        return best
