"""Large blocks go back to the system."""

import subprocess
import sys

import pytest

_CODE = """
import ctypes
from pathlib import Path
from udfs.vision.allocator import return_large_blocks

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

return_large_blocks()
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
before = resident()
for _ in range(3):  # glibc would keep what is freed from the second time on
    blocks = [library.malloc(15 * 2**20) for _ in range(8)]
    for block in blocks:
        ctypes.memset(block, 1, 15 * 2**20)
    most = resident() - before
    for block in blocks:
        library.free(block)
print(most // 2**20, (resident() - before) // 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_freed_pictures_are_not_kept() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    most, left = map(int, done.stdout.split())
    assert most >= 8 * 15
    assert left < 15
