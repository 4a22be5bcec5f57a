"""The scan of a gallery by `kernel.cpp`, on processors with AVX-512 VNNI."""

import ctypes
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np

from udfs.search import survivors
from udfs.search.gallery import Gallery
from udfs.search.jit import jit
from udfs.search.portable import stride
from udfs.search.rounding import LARGEST_DIMENSION, Bounds, Rounded
from udfs.search.survivors import ROOM, Asked, Decided, Survivors

Array = np.ndarray

_QUERIES, _SAMPLES = 12, 32  # of a block and of a panel, as in kernel.cpp
QUERIES = 84 * _QUERIES
"""A thread takes at once: half a megabyte of codes at 512 dimensions, which is what an L2 cache holds."""
_FIRST, _GROWTH = 8, 3  # panels until the bars are raised first; how many times as many until the next time


class _Gallery(ctypes.Structure):
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


class _Survivors(ctypes.Structure):
    _fields_ = (*((name, ctypes.c_void_p) for name in ("waiting", "row", "high", "low")), ("room", ctypes.c_int64))


@cache
def library() -> ctypes.CDLL | None:
    """The compiled kernel, if it was built and this processor can run it."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernel{suffix}")
        if path.exists():
            found = ctypes.CDLL(str(path))
            found.rollcall_scan.restype = ctypes.c_int64
            found.rollcall_scan.argtypes = [*[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 3]
            return found if found.rollcall_can_scan() else None
    return None


class Compiled:
    """A gallery that is scanned by the compiled kernel."""

    name = "compiled"

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        rows, width = gallery.rounded.codes.shape
        count = -(-rows // _SAMPLES)
        self._panels = _aligned(count * width * _SAMPLES).reshape(count, width // 4, _SAMPLES, 4)
        self._scales = np.full((count, _SAMPLES), np.nan, np.float32)
        self._scales.reshape(-1)[:rows] = gallery.rounded.scales
        _lay_out(gallery.rounded.codes, self._panels)

    @classmethod
    def works(cls, dimension: int) -> bool:
        """Whether the kernel is there."""
        return dimension <= LARGEST_DIMENSION and library() is not None

    def search(self, queries: Array, k: int, floor: float, threads: int) -> Iterator[Decided]:
        """The nearest persons of all queries, float32 (m, d), some queries at a time."""
        together = min(QUERIES, -(-len(queries) // threads // _QUERIES) * _QUERIES) or _QUERIES
        starts = range(0, len(queries), together)
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(lambda start: self._search(queries[start : start + together], k, floor), starts)

    def _search(self, queries: Array, k: int, floor: float) -> Decided:
        kernel, gallery = library(), self._gallery
        assert kernel is not None
        rounded = Rounded.of(queries)
        bounds = Bounds.between(rounded, gallery.kept, gallery.loss)
        blocks = -(-len(queries) // _QUERIES)
        state = Survivors.none(len(queries), k, floor)
        filled = {name: _filled(getattr(bounds, name), blocks) for name in ("scale", "offset", "slack")}
        start = bounds.offset.astype(np.int32) - 128 * rounded.codes.sum(1, dtype=np.int32)
        least = _filled(np.empty(len(queries), np.float32), blocks)
        codes = np.zeros((blocks * _QUERIES, rounded.codes.shape[1]), np.int8)
        codes[: len(queries)] = rounded.codes
        laid = np.ascontiguousarray(codes.view(np.int32).reshape(blocks, _QUERIES, -1).transpose(0, 2, 1))
        begun = np.zeros(blocks * _QUERIES, np.int32)
        begun[: len(queries)] = start
        arguments = (
            _Gallery(self._panels.ctypes.data, self._scales.ctypes.data, len(self._panels), codes.shape[1]),
            _Queries(
                laid.ctypes.data,
                begun.ctypes.data,
                least.ctypes.data,
                *(filled[name].ctypes.data for name in ("scale", "offset", "slack")),
                blocks,
            ),
            _Survivors(*(getattr(state, name).ctypes.data for name in ("waiting", "row", "high", "low")), ROOM),
        )
        pointers = [ctypes.addressof(argument) for argument in arguments]
        asked = Asked(queries, gallery.vectors, gallery.person_of, floor)
        every = (0, len(queries))
        visit, step, epoch = 0, stride(len(self._panels)), _FIRST
        while visit < len(self._panels):
            survivors.least_scores(state, bounds, least[: len(queries)])
            visit = kernel.rollcall_scan(*pointers, visit, min(epoch, len(self._panels)), step)
            if visit >= epoch:
                epoch *= _GROWTH
                survivors.raise_bars(state, asked, *every)
            survivors.make_room(state, _SAMPLES, asked, *every)
        survivors.decide(state, asked, *every)
        return state.nearest


def _aligned(size: int) -> Array:
    """Zeroed bytes that begin at a cache line."""
    raw = np.zeros(size + 64, np.uint8)
    begin = -raw.ctypes.data % 64
    return raw[begin : begin + size]


def _filled(values: Array, blocks: int) -> Array:
    """float32, with NaN where a row only fills a block: nothing compares with it."""
    filled = np.full(blocks * _QUERIES, np.nan, np.float32)
    filled[: len(values)] = values
    return filled


@jit
def _lay_out(codes: Array, panels: Array) -> None:
    rows, width = codes.shape
    for row in range(rows):
        for at in range(width):
            panels[row // 32, at // 4, row % 32, at % 4] = np.uint8(np.int16(codes[row, at]) + 128)
