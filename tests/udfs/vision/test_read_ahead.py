"""Work that runs ahead: its order, and what it may hold."""

import time
from collections.abc import Iterator
from threading import Lock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.vision.read_ahead import ByteBudget, Hold, ahead


@given(
    sizes=st.lists(st.tuples(st.integers(0, 150), st.integers(0, 150)), max_size=40),
    threads=st.integers(1, 4),
    items_ahead=st.integers(1, 8),
)
@settings(max_examples=60)
def test_order_and_budget(sizes: list[tuple[int, int]], threads: int, items_ahead: int) -> None:
    """Each item holds first one size and then another; together at most the limit, or that and the largest."""
    limit, most = 200, 0
    budget = ByteBudget(limit)
    lock = Lock()

    def work(item: tuple[int, tuple[int, int]], hold: Hold) -> int:
        nonlocal most
        number, wanted = item
        for size in wanted:
            hold(size)
            with lock:
                most = max(most, budget.held)
        return number

    results = ahead(enumerate(sizes), work, threads=threads, items_ahead=items_ahead, budget=budget)
    assert list(results) == list(range(len(sizes)))
    assert most <= limit + max((size for pair in sizes for size in pair), default=0)
    assert budget.held == 0


def test_one_that_is_larger_than_the_budget_passes_alone() -> None:
    budget = ByteBudget(10)

    def work(item: int, hold: Hold) -> int:
        hold(1000)
        return item

    assert list(ahead(range(5), work, threads=3, items_ahead=5, budget=budget)) == [0, 1, 2, 3, 4]


def test_items_are_not_taken_long_before_they_are_needed() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        while taken < 100:
            taken += 1
            yield taken

    def work(item: int, hold: Hold) -> int:
        hold(0)
        return item

    stream = ahead(items(), work, threads=2, items_ahead=3, budget=ByteBudget(10))
    assert next(stream) == 1
    assert taken == 4
    stream.close()


def test_a_failure_comes_out_in_its_place_and_nothing_hangs() -> None:
    def work(item: int, hold: Hold) -> int:
        hold(8)
        if item == 2:
            raise RuntimeError("broken")
        time.sleep(0.01)
        return item

    stream = ahead(range(50), work, threads=2, items_ahead=8, budget=ByteBudget(10))
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(RuntimeError, match="broken"):
        next(stream)


def test_a_consumer_may_leave() -> None:
    def work(item: int, hold: Hold) -> int:
        hold(8)
        return item

    stream = ahead(range(1000), work, threads=2, items_ahead=8, budget=ByteBudget(10))
    assert next(stream) == 0
    stream.close()
