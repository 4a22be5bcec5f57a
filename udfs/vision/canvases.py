"""Batches of pictures that fit one canvas."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Canvas = tuple[int, int]

_MOST = 16  # pictures a batch: more gain nothing, and make the last one of a canvas dearer
_PATIENCE = 256  # items that may pass while one waits for others of its canvas


@dataclass
class _Group(Generic[Item]):
    since: int
    items: list[Item] = field(default_factory=list)
    held: int = 0


class CanvasBatches(Generic[Item]):
    """Batches of pictures that fit one canvas.

    Items are grouped by canvas until a batch is full; its size depends on the canvas alone.

    pixels: of a batch, about. limit: bytes that may wait in groups that are not full.
    """

    def __init__(self, pixels: int, limit: int) -> None:
        self._pixels = pixels
        self._limit = limit
        self._groups: dict[Canvas, _Group[Item]] = {}  # the one that waits longest is first
        self._added = 0

    def size(self, canvas: Canvas) -> int:
        """How many pictures of this canvas make a batch."""
        return max(1, min(_MOST, self._pixels // (canvas[0] * canvas[1])))

    def add(self, canvas: Canvas, item: Item, held: int) -> list[tuple[Canvas, list[Item]]]:
        """Add an item that holds so many bytes; returns the batches that are to be worked on now."""
        self._added += 1
        group = self._groups.setdefault(canvas, _Group(self._added))
        group.items.append(item)
        group.held += held
        ready = [self._take(canvas)] if len(group.items) == self.size(canvas) else []
        while self._groups and self._overdue():
            ready.append(self._take(next(iter(self._groups))))
        return ready

    def rest(self) -> list[tuple[Canvas, list[Item]]]:
        """The batches that did not fill."""
        return [self._take(canvas) for canvas in list(self._groups)]

    def _overdue(self) -> bool:
        oldest = next(iter(self._groups.values()))
        held = sum(group.held for group in self._groups.values())
        return held > self._limit or self._added - oldest.since >= _PATIENCE

    def _take(self, canvas: Canvas) -> tuple[Canvas, list[Item]]:
        return canvas, self._groups.pop(canvas).items
