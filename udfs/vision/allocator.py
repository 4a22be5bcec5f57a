"""How the C library keeps memory: large pictures go back to the system when they are done with."""

import ctypes
import sys

_M_MMAP_THRESHOLD = -3  # malloc.h
_BLOCK = 8 * 2**20  # bytes; Pillow allocates a large picture in blocks of whole lines, each just under 16 MiB


def return_large_blocks() -> None:
    """Have glibc map blocks of 8 MiB and more, each by itself, and unmap them as soon as they are free.

    Left to itself it learns from the first one that is freed to keep later ones, and a worker grows by pictures
    that are long gone. Other C libraries are left as they are.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _BLOCK)
