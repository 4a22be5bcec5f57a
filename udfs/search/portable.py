"""The scan of a gallery on any platform: tiles of integer products by torch, filtered by compiled numba loops."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

import numpy as np

from udfs.search import candidates
from udfs.search.candidates import Candidates, Decided, SearchInputs
from udfs.search.quantisation import COMPARED, LARGEST_DIMENSION, Bounds, Quantised, up
from udfs.search.queries import Queries
from udfs.search.samples import SampleMatrix
from udfs.search.similarity import fast_error

Array = np.ndarray
Scored = Callable[[int, int], Array]
"""The scores of queries with a range of samples: (m, last - first)."""

QUERIES, SAMPLES = 4096, 4096
"""Of a tile: 64 MB of products; half of it is a tenth slower."""
_FIRST = 256


class Portable:
    """Samples that are scanned by torch and numba, by products of 8-bit integers."""

    name = "portable"

    def __init__(self, samples: SampleMatrix) -> None:
        self._samples = samples
        self._scales = samples.scales

    @classmethod
    def works(cls, dimension: int) -> bool:
        """Whether integer products are exact here: on some processors before VNNI they are not."""
        import torch

        extreme = torch.tensor([[127, -127] * 256, [-127] * 512, [127] * 512, [-127, -127] * 256], dtype=torch.int8)
        exact = (extreme.long() @ extreme.long().T).int()
        return dimension <= LARGEST_DIMENSION and torch.equal(torch._int_mm(extreme, extreme.T), exact)

    def search(self, queries: Queries, k: int, threads: int) -> Iterator[Decided]:
        """The k nearest persons of all queries, some queries at a time."""
        with ThreadPoolExecutor(threads) as pool, _torch_threads(threads):
            for part in queries.parts(QUERIES):
                yield self._search(part, k, pool, threads)

    def _search(self, queries: Queries, k: int, pool: Executor, threads: int) -> Decided:
        samples = self._samples
        bounds, scored = self._scorer(queries.vectors)
        found = Candidates.none(queries.floors, k)
        edges = np.linspace(0, len(queries.vectors), threads + 1).astype(int)
        shares = list(pairwise(edges))
        inputs = SearchInputs(*queries, samples.vectors, samples.person_of)
        for first, last in tiles(len(samples.vectors)):
            scores = scored(first, last)

            def admit(share: tuple[int, int], first: int = first, scores: Array = scores) -> None:
                candidates.admit(found, scores, first, bounds, self._scales, inputs, *share)
                candidates.raise_bars(found, inputs, *share)

            list(pool.map(admit, shares))
        list(pool.map(lambda share: candidates.decide(found, inputs, *share), shares))
        return found.nearest

    def _scorer(self, queries: Array) -> tuple[Bounds, Scored]:
        import torch

        quantised = Quantised.of(queries)
        codes, samples = torch.from_numpy(quantised.codes), self._samples
        bounds = Bounds.between(quantised, samples.kept, samples.loss)

        room = torch.empty(len(codes) * SAMPLES, dtype=torch.int32)

        def scored(first: int, last: int) -> Array:
            # Into memory that is there: to be given 64 MB anew takes as long as to compute them.
            out = room[: len(codes) * (last - first)].view(len(codes), last - first)
            return torch._int_mm(codes, torch.from_numpy(samples.codes(first, last)).T, out=out).numpy()

        return bounds, scored


class PortableFloat(Portable):
    """The same by float32 products, where integer products are not exact or the dimension is too large for them."""

    name = "portable-float"

    def __init__(self, samples: SampleMatrix) -> None:
        self._samples = samples
        uncounted = np.isnan(samples.scales[: len(samples.vectors)])
        self._scales = np.where(uncounted, np.float32(np.nan), np.float32(1))

    @classmethod
    def works(cls, dimension: int) -> bool:
        """It always does."""
        return True

    def _scorer(self, queries: Array) -> tuple[Bounds, Scored]:
        import torch

        every = np.ones(len(queries), np.float32)
        error = up(np.full(len(queries), fast_error(queries.shape[1]) + COMPARED))
        vectors, samples = torch.from_numpy(queries), torch.from_numpy(self._samples.vectors)
        bounds = Bounds(offset=0 * every, scale=every, slack=error)
        room = torch.empty(len(vectors) * SAMPLES)

        def scored(first: int, last: int) -> Array:
            out = room[: len(vectors) * (last - first)].view(len(vectors), last - first)
            return torch.mm(vectors, samples[first:last].T, out=out).numpy()

        return bounds, scored


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    """How many threads torch's products take meanwhile: else they would take all processors."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def tiles(rows: int) -> list[tuple[int, int]]:
    """Ranges of rows: a few small ones first, to raise the bars, then tiles from all over the gallery in turn.

    In turn by the golden ratio: in a gallery that is sorted by likeness each next tile would otherwise hold
    what is nearer than all before, and every bar would come too late.
    """
    if not rows:
        return []
    small = [(0, min(_FIRST, rows)), (min(_FIRST, rows), min(4 * _FIRST, rows))]
    count = max(0, -(-(rows - 4 * _FIRST) // SAMPLES))
    step = stride(count)
    starts = [4 * _FIRST + visit * step % count * SAMPLES for visit in range(count)]
    return [(a, b) for a, b in [*small, *((start, min(start + SAMPLES, rows)) for start in starts)] if a < b]


def stride(count: int) -> int:
    """A step near 0.618 times the count that visits all of them: it has no factor in common with the count."""
    step = max(1, round(count * 0.6180339887498949))
    while np.gcd(step, count) > 1:
        step += 1
    return step
