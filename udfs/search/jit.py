"""Loops compiled by numba, without the interpreter's lock."""

from collections.abc import Callable
from typing import TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def jit(function: Function) -> Function:
    """Compile a function when it is first called; kept on disk for the next process, if it can be written there.

    An executor may run from a folder, and with a home, that it cannot write to. There each worker compiles for
    itself, which takes some seconds when it starts.
    """
    try:
        return numba.njit(nogil=True, cache=True)(function)  # type: ignore[return-value]
    except RuntimeError:  # numba: "no locator available"
        return numba.njit(nogil=True)(function)  # type: ignore[return-value]
