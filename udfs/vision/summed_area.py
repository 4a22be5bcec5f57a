"""Means over rectangles of pictures, by summed-area tables (Crow 1984)."""

import numpy as np

Array = np.ndarray


class SummedAreas:
    """Pictures that can be resized, whole or in part, by the mean over the pixels each new one covers.

    The rule is that of torch's `interpolate(mode="area")`: new pixel i of n covers the old ones from
    floor(i h / n) to ceil((i + 1) h / n). Sums are integers; they may wrap around 2^32, and the
    difference of two is still right as long as it is below that: no rectangle may have more than 8,421,504 pixels
    (of 255).

    pictures: uint8 (n, h, w, 3).
    """

    def __init__(self, pictures: Array) -> None:
        count, self.height, self.width, channels = pictures.shape
        self._sums = np.zeros((count, self.height + 1, self.width + 1, channels), np.int32)
        np.cumsum(pictures, axis=2, dtype=np.int32, out=self._sums[:, 1:, 1:])
        for row in range(1, self.height):  # whole rows at a time, which numpy.cumsum does not do
            self._sums[:, row + 1] += self._sums[:, row]

    def resized(self, height: int, width: int) -> Array:
        """float32 (n, height, width, 3)."""
        top, bottom = _edges(np.array([0]), np.array([self.height]), height)
        left, right = _edges(np.array([0]), np.array([self.width]), width)
        rows = self._sums.take(bottom[0], axis=1)
        rows -= self._sums.take(top[0], axis=1)
        sums = rows.take(right[0], axis=2)
        sums -= rows.take(left[0], axis=2)
        return _means(sums, (bottom - top)[0][:, None, None] * (right - left)[0][None, :, None])

    def crops(self, picture: Array, boxes: Array, side: int) -> Array:
        """Parts of the pictures as squares: float32 (k, side, side, 3).

        picture: int64 (k,). boxes: int64 (k, 4), left, top, right, bottom; the last two exclusive.
        """
        left, right = _edges(boxes[:, 0], boxes[:, 2], side)
        top, bottom = _edges(boxes[:, 1], boxes[:, 3], side)
        first = picture[:, None] * (self.height + 1)
        top_row, bottom_row = (first + top) * (self.width + 1), (first + bottom) * (self.width + 1)
        pixels = self._sums.reshape(-1, self._sums.shape[-1])

        def sums(rows: Array, columns: Array) -> Array:
            return pixels.take(rows[:, :, None] + columns[:, None, :], axis=0, mode="clip")

        inside = sums(bottom_row, right)
        inside -= sums(top_row, right)
        inside -= sums(bottom_row, left)
        inside += sums(top_row, left)
        return _means(inside, ((bottom - top)[:, :, None] * (right - left)[:, None, :])[..., None])


def _edges(start: Array, end: Array, parts: int) -> tuple[Array, Array]:
    """Where each of the parts of k stretches begins and ends: int64 (k, parts) each."""
    at, length = np.arange(parts)[None, :], (end - start)[:, None]
    return start[:, None] + at * length // parts, start[:, None] - (-(at + 1) * length // parts)


def _means(sums: Array, sizes: Array) -> Array:
    return sums.astype(np.float32) / sizes.astype(np.float32)
