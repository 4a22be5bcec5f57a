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
from udfs.search.candidates import ROOM, Asked, Decided, Survivors
from udfs.search.portable import stride
from udfs.search.quantisation import LARGEST_DIMENSION, Bounds, Rounded
from udfs.search.queries import Probes
from udfs.search.samples import PANEL, Gallery

Array = np.ndarray

_QUERIES = 12  # of a block, as in kernel.cpp
_FIRST, _GROWTH = 4, 2  # panels until the bars are raised first; how many times as many until the next time


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
    """A gallery that is scanned by the compiled kernel with AVX-512 VNNI."""

    name = "compiled"
    queries = 84 * _QUERIES
    """A thread takes at once: half a megabyte of codes at 512 dimensions, which is what an L2 cache holds."""
    _code: type[np.signedinteger[Any]] = np.int8
    _instructions = "vnni"

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    @classmethod
    def works(cls, dimension: int) -> bool:
        """Whether the kernel is there, and this processor can run it."""
        found = library()
        if found is None or dimension > LARGEST_DIMENSION:
            return False
        return bool(getattr(found, f"rollcall_has_{cls._instructions}")())

    def search(self, probes: Probes, k: int, threads: int) -> Iterator[Decided]:
        """The k nearest persons of all probes, some probes at a time."""
        a_thread = -(-len(probes.vectors) // threads // _QUERIES) * _QUERIES or _QUERIES
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(lambda part: self._search(part, k), probes.parts(min(self.queries, a_thread)))

    def _search(self, probes: Probes, k: int) -> Decided:
        kernel, gallery = library(), self._gallery
        assert kernel is not None
        scan = getattr(kernel, f"rollcall_scan_{self._instructions}")
        queries = probes.vectors
        rounded = Rounded.of(queries)
        bounds = Bounds.between(rounded, gallery.kept, gallery.loss)
        blocks = -(-len(queries) // _QUERIES)
        state = Survivors.none(probes.floors, k)
        filled = {name: _filled(getattr(bounds, name), blocks) for name in ("scale", "offset", "slack")}
        start = bounds.offset.astype(np.int32) - 128 * rounded.codes.sum(1, dtype=np.int32)
        least = _filled(np.empty(len(queries), np.float32), blocks)
        codes = np.zeros((blocks * _QUERIES, rounded.codes.shape[1]), self._code)
        codes[: len(queries)] = rounded.codes
        laid = np.ascontiguousarray(codes.reshape(blocks, _QUERIES, -1, 4).transpose(0, 2, 1, 3))
        begun = np.zeros(blocks * _QUERIES, np.int32)
        begun[: len(queries)] = start
        arguments = (
            _Gallery(gallery.panels.ctypes.data, gallery.scales.ctypes.data, len(gallery.panels), codes.shape[1]),
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
        asked = Asked(*probes, gallery.vectors, gallery.person_of)
        every = (0, len(queries))
        visit, step, epoch = 0, stride(len(gallery.panels)), _FIRST
        while visit < len(gallery.panels):
            candidates.least_scores(state, bounds, least[: len(queries)])
            visit = scan(*pointers, visit, min(epoch, len(gallery.panels)), step)
            if visit >= epoch:
                epoch *= _GROWTH
                candidates.raise_bars(state, asked, *every)
            candidates.make_room(state, PANEL, asked, *every)
        candidates.decide(state, asked, *every)
        return state.nearest


class CompiledAvx2(Compiled):
    """The same with AVX2 alone."""

    name = "compiled-avx2"
    queries = 21 * _QUERIES
    _code = np.int16
    _instructions = "avx2"


def _filled(values: Array, blocks: int) -> Array:
    """float32, with NaN where a row only fills a block: nothing compares with it."""
    filled = np.full(blocks * _QUERIES, np.nan, np.float32)
    filled[: len(values)] = values
    return filled
