"""A trained model with all that was found out about it: what is written down of a training."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.improvement import Change, Improvement
from jobs.learning.compared import Seen
from jobs.learning.divided import Divided
from jobs.learning.trained import Trained
from udfs.vision.contract import Contract


@dataclass(frozen=True)
class Course:
    """How a training went. losses: step by step. chosen: of what decides when to stop, how good it was, by steps."""

    losses: Sequence[float]
    chosen: Sequence[tuple[int, float]] = ()


@dataclass(frozen=True)
class LearntPhoto:
    """A photo that was learnt from, and whom it shows, if that is known."""

    uri: str
    person: str | None = None


@dataclass(frozen=True, kw_only=True)
class Measured(ABC):
    """parent: the contract of what it was trained from. data: where the labelled photos are. found: how much the
    parent and this model miss, on photos that this training has not learnt from. rates: what else was measured, by
    name."""

    trained: Trained
    parent: Contract
    data: str
    seed: int
    found: Change
    rates: Mapping[str, float]
    course: Course

    @property
    @abstractmethod
    def learnt(self) -> list[LearntPhoto]:
        """What it was trained on."""

    @property
    @abstractmethod
    def persons(self) -> int | None:
        """How many it was trained on; None if nobody knows who they are."""

    @property
    @abstractmethod
    def held_out_persons(self) -> int | None:
        """How many it was measured on; None likewise."""

    @property
    @abstractmethod
    def said(self) -> str:
        """What was found, in a sentence without its verdict."""

    @property
    @abstractmethod
    def helps(self) -> str:
        """What to try where the model is no better than its parent."""

    @property
    def verdict(self) -> str:
        """Whether it is better, as the end of a sentence about it."""
        refused = "`rollcall activate` refuses it unless --although REASON is given"
        if self.found.better:
            return f"is better than {self.trained.parent} (95% interval)"
        if self.found.worse:
            return f"is worse than {self.trained.parent}, and not to be used: {refused}"
        return f"was not found to be better than {self.trained.parent} (95% interval): {refused}"


@dataclass(frozen=True, kw_only=True)
class MeasuredOnPersons(Measured):
    """An embedder, on persons whom it was not trained on. before, after: how parent and model see their photos."""

    found: Improvement
    divided: Divided
    before: Seen
    after: Seen

    @property
    def learnt(self) -> list[LearntPhoto]:
        return [LearntPhoto(photo.uri, photo.person) for photo in self.divided.learnt.photos]

    @property
    def persons(self) -> int:
        return len(self.divided.learnt.persons)

    @property
    def held_out_persons(self) -> int:
        return len(self.divided.held_out.persons)

    @property
    def said(self) -> str:
        found = self.found
        return (
            f"of other persons, at FPIR {found.fpir:g} among {found.gallery_size:,}, {self.trained.name} misses"
            f" {found.after:.2%}, {self.trained.parent} {found.before:.2%}; difference {found.difference.low:+.2%} to"
            f" {found.difference.high:+.2%} (95% interval)"
        )

    @property
    def helps(self) -> str:
        return "more persons with several photos help most"
