"""How the C library keeps memory: that of large pictures goes back to the system once they are freed."""

import ctypes
import sys

_M_MMAP_THRESHOLD = -3  # malloc.h
_BLOCK = 8 * 2**20  # bytes; Pillow allocates a large picture in blocks of whole lines, each just under 16 MiB


def return_large_blocks() -> None:
    """Have glibc map blocks of 8 MiB and more, each by itself, and unmap them as soon as they are free.

    By default glibc raises that limit when the first such block is freed, keeps later ones, and a worker grows by
    pictures that were freed long ago. Other C libraries are left as they are.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _BLOCK)
