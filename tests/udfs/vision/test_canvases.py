from hypothesis import given
from hypothesis import strategies as st

from udfs.vision.canvases import CanvasBatches

CANVASES = [(32, 32), (64, 32), (64, 64), (512, 512)]


@given(st.lists(st.tuples(st.sampled_from(CANVASES), st.integers(0, 60)), max_size=700))
def test_every_item_comes_out_once_with_its_canvas(items: list[tuple[tuple[int, int], int]]) -> None:
    batches: CanvasBatches[int] = CanvasBatches(pixels=4096, limit=500)
    seen: list[tuple[int, tuple[int, int]]] = []
    waiting: dict[int, int] = {}
    for number, (canvas, held) in enumerate(items):
        waiting[number] = held
        for found, batch in batches.add(canvas, number, held):
            assert 1 <= len(batch) <= batches.size(found)
            seen += [(item, found) for item in batch]
            for item in batch:
                del waiting[item]
        assert sum(waiting.values()) <= 500
        assert number - min(waiting, default=number) < 256
    for found, batch in batches.rest():
        seen += [(item, found) for item in batch]
    assert sorted(seen) == [(number, canvas) for number, (canvas, _) in enumerate(items)]


def test_the_size_depends_on_the_canvas_alone() -> None:
    batches: CanvasBatches[int] = CanvasBatches(pixels=4096, limit=500)
    assert [batches.size(canvas) for canvas in CANVASES] == [4, 2, 1, 1]
    assert CanvasBatches(pixels=10**9, limit=0).size((32, 32)) == 16
