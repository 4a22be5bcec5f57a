"""Work that runs ahead on threads, in order, within a budget of bytes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count, islice
from threading import Condition
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class ByteBudget:
    """Bytes held by pieces of work that are numbered in the order in which they will be consumed.

    The oldest piece may always take what it needs, as it is the only one that others wait for; so at most
    `limit` is held, or `limit` and what one piece needs.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[int, int] = {}
        self._admitted = 0
        self._changed = Condition()
        self._closed = False

    def hold(self, number: int, size: int) -> None:
        """Hold `size` bytes for a piece, in place of what it holds; waits until there is room.

        Pieces are admitted in the order of their numbers, from 0, without gaps.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._may(number, size))
            self._admitted = max(self._admitted, number + 1)
            self._held[number] = size
            self._changed.notify_all()

    def release(self, number: int) -> None:
        """Free what a piece held."""
        with self._changed:
            del self._held[number]
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more will be consumed: pieces that wait go on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def held(self) -> int:
        """Bytes held now."""
        with self._changed:
            return sum(self._held.values())

    def _may(self, number: int, size: int) -> bool:
        mine = self._held.get(number)
        if mine is None and number != self._admitted:
            return False
        others = sum(self._held.values()) - (mine or 0)
        return size <= (mine or 0) or others + size <= self._limit or number <= min(self._held, default=number)


Hold = Callable[[int], None]


def ahead(
    items: Iterable[Item],
    work: Callable[[Item, Hold], Result],
    *,
    threads: int,
    items_ahead: int,
    budget: ByteBudget,
) -> Iterator[Result]:
    """`work(item, hold)` for each item, computed ahead on threads, given in the order of the items.

    `work` says with `hold(bytes)` how much it is about to need, as often as that changes, at least once.
    The items are taken by the consumer's thread. What a result holds counts until the next one is asked for.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        running: deque[tuple[int, Future[Result]]] = deque()
        source = enumerate(iter(items))

        def start(how_many: int) -> None:
            for number, item in islice(source, how_many):
                running.append((number, pool.submit(work, item, _holding(budget, number))))

        try:
            start(items_ahead)
            for _ in count():
                if not running:
                    return
                number, future = running.popleft()
                result = future.result()
                start(1)
                yield result
                del result, future
                budget.release(number)
        finally:
            for _, future in running:
                future.cancel()
            budget.close()


def _holding(budget: ByteBudget, number: int) -> Hold:
    return lambda size: budget.hold(number, size)
