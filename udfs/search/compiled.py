"""The scan of a gallery by `kernel.cpp`, on processors with AVX-512 VNNI, or with AVX2."""

import ctypes
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np

from udfs.search import candidates
from udfs.search.candidates import ROOM, Candidates, Decided, SearchInputs
from udfs.search.portable import stride
from udfs.search.quantisation import LARGEST_DIMENSION, Bounds, Quantised
from udfs.search.queries import Queries
from udfs.search.samples import PANEL, SampleMatrix

Array = np.ndarray

_QUERIES = 12  # of a block, as in kernel.cpp
_FIRST, _GROWTH = 4, 2  # panels until the bars are raised first; how many times as many until the next time


class _SampleMatrix(ctypes.Structure):
    _fields_ = (
        ("panels", ctypes.c_void_p),
        ("scales", ctypes.c_void_p),
        ("count", ctypes.c_int64),
        ("width", ctypes.c_int64),
    )


class _Queries(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("codes", "start", "least", "scale", "offset", "slack")),
        ("blocks", ctypes.c_int64),
    )


class _Candidates(ctypes.Structure):
    _fields_ = (*((name, ctypes.c_void_p) for name in ("waiting", "row", "high", "low")), ("room", ctypes.c_int64))


@cache
def library() -> ctypes.CDLL | None:
    """The compiled kernel, if it was built."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernel{suffix}")
        if path.exists():
            found = ctypes.CDLL(str(path))
            for scan in (found.rollcall_scan_vnni, found.rollcall_scan_avx2):
                scan.restype = ctypes.c_int64
                scan.argtypes = [*[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 3]
            return found
    return None


class Compiled:
    """Samples that are scanned by the compiled kernel with AVX-512 VNNI."""

    name = "compiled"
    queries_a_thread = 84 * _QUERIES
    """How many it takes at once: half a megabyte of codes at 512 dimensions, which is what an L2 cache holds."""
    _code: type[np.signedinteger[Any]] = np.int8
    _instructions = "vnni"

    def __init__(self, samples: SampleMatrix) -> None:
        self._samples = samples

    @classmethod
    def works(cls, dimension: int) -> bool:
        """Whether the kernel is there, and this processor can run it."""
        found = library()
        if found is None or dimension > LARGEST_DIMENSION:
            return False
        return bool(getattr(found, f"rollcall_has_{cls._instructions}")())

    def search(self, queries: Queries, k: int, threads: int) -> Iterator[Decided]:
        """The k nearest persons of all queries, some queries at a time."""
        share = -(-len(queries.vectors) // threads // _QUERIES) * _QUERIES or _QUERIES
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(lambda part: self._search(part, k), queries.parts(min(self.queries_a_thread, share)))

    def _search(self, queries: Queries, k: int) -> Decided:
        kernel, samples = library(), self._samples
        assert kernel is not None
        scan = getattr(kernel, f"rollcall_scan_{self._instructions}")
        count, panels = len(queries.vectors), len(samples.panels)
        quantised = Quantised.of(queries.vectors)
        bounds = Bounds.between(quantised, samples.kept, samples.loss)
        blocks = -(-count // _QUERIES)
        found = Candidates.none(queries.floors, k)
        filled = {name: _filled(getattr(bounds, name), blocks) for name in ("scale", "offset", "slack")}
        start = bounds.offset.astype(np.int32) - 128 * quantised.codes.sum(1, dtype=np.int32)
        least = _filled(np.empty(count, np.float32), blocks)
        codes = np.zeros((blocks * _QUERIES, quantised.codes.shape[1]), self._code)
        codes[:count] = quantised.codes
        laid = np.ascontiguousarray(codes.reshape(blocks, _QUERIES, -1, 4).transpose(0, 2, 1, 3))
        begun = np.zeros(blocks * _QUERIES, np.int32)
        begun[:count] = start
        arguments = (
            _SampleMatrix(samples.panels.ctypes.data, samples.scales.ctypes.data, panels, codes.shape[1]),
            _Queries(
                laid.ctypes.data,
                begun.ctypes.data,
                least.ctypes.data,
                *(filled[name].ctypes.data for name in ("scale", "offset", "slack")),
                blocks,
            ),
            _Candidates(*(getattr(found, name).ctypes.data for name in ("waiting", "row", "high", "low")), ROOM),
        )
        pointers = [ctypes.addressof(argument) for argument in arguments]
        inputs = SearchInputs(*queries, samples.vectors, samples.person_of)
        every = (0, count)
        visit, step, epoch = 0, stride(panels), _FIRST
        while visit < panels:
            candidates.least_scores(found, bounds, least[:count])
            visit = scan(*pointers, visit, min(epoch, panels), step)
            if visit >= epoch:
                epoch *= _GROWTH
                candidates.raise_bars(found, inputs, *every)
            candidates.make_room(found, PANEL, inputs, *every)
        candidates.decide(found, inputs, *every)
        return found.nearest


class CompiledAvx2(Compiled):
    """The same with AVX2 alone."""

    name = "compiled-avx2"
    queries_a_thread = 21 * _QUERIES
    _code = np.int16
    _instructions = "avx2"


def _filled(values: Array, blocks: int) -> Array:
    """float32, with NaN where a row only fills a block: nothing compares with it."""
    filled = np.full(blocks * _QUERIES, np.nan, np.float32)
    filled[: len(values)] = values
    return filled
