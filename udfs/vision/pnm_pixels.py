"""Netpbm's files that Pillow reads sample by sample in Python, which takes minutes: text, and samples that are not of
eight bits; and PFM (netpbm.sourceforge.net/doc).
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from udfs.vision.rejection import RejectedError
from udfs.vision.sample_range import eight_bits

Array = np.ndarray

_SPACE = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(
    rb"P([2356Ff])" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"([-+.eE\d]{1,20})\s"
)
_TEXT, _COLOURED = b"23", b"36F"


@dataclass(frozen=True)
class Pnm:
    """A file to be decoded. last: the largest value; of PFM, the scale, which is negative where the lowest byte is the
    first.
    """

    content: bytes
    form: bytes
    columns: int
    rows: int
    last: float
    begin: int

    @classmethod
    def opened(cls, content: bytes) -> "Pnm | None":
        """None for the kinds that Pillow reads quickly.

        Raises:
            RejectedError: `truncated`: its header is damaged.
        """
        found = _HEADER.match(content)
        if found is None or (found[1] in b"56" and found[4] == b"255"):
            return None
        try:
            last = float(found[4])
        except ValueError:
            last = 0.0
        if not (last and (found[1] in b"Ff" or 1 <= last <= 65535)):
            raise RejectedError("truncated", "its header is damaged")
        return cls(content, found[1], int(found[2]), int(found[3]), last, found.end())

    @property
    def is_text(self) -> bool:
        """Whether its samples are written as text."""
        return self.form in _TEXT

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 3 if self.form in _COLOURED else 1

    def pixels(self) -> Array:
        """uint8 (rows, columns, channels).

        Raises:
            RejectedError: `truncated`.
        """
        shape = (self.rows, self.columns, self.channels)
        count = self.rows * self.columns * self.channels
        samples = self._samples(count)[:count]
        if len(samples) < count:
            raise RejectedError("truncated", f"{len(samples):,} of {count:,} samples are there")
        if self.form in b"Ff":
            return eight_bits(samples.reshape(shape)[::-1])
        whole = (1 << int(self.last).bit_length()) - 1
        if self.last != whole or whole < 255:  # of one byte, or a white that is no power of two
            scaled = samples.astype(np.uint32) * 255 + int(self.last) // 2
            return (scaled // int(self.last)).clip(0, 255).astype(np.uint8).reshape(shape)
        return eight_bits(samples.reshape(shape), int(self.last).bit_length())

    def _samples(self, count: int) -> Array:
        if self.form in _TEXT:
            text = re.sub(rb"#[^\n]*", b"", self.content[self.begin :])
            try:
                return np.array(text.split(), np.uint16)
            except (ValueError, OverflowError) as error:
                raise RejectedError("truncated", "its samples are not all numbers") from error
        if self.form in b"Ff":
            kind: np.dtype[Any] = np.dtype("<f4" if self.last < 0 else ">f4")
        else:
            kind = np.dtype(">u2" if self.last > 255 else "u1")
        there = (len(self.content) - self.begin) // kind.itemsize
        return np.frombuffer(self.content, kind, min(count, there), self.begin).astype(kind.newbyteorder("="))
