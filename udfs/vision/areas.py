"""Means over rectangles of pictures, by summed-area tables (Crow 1984)."""

import numpy as np
import torch

Array = np.ndarray


class Areas:
    """Pictures that can be resized, whole or in part, by the mean over the pixels each new one covers.

    The rule is that of torch's `interpolate(mode="area")`: new pixel i of n covers the old ones from
    floor(i h / n) to ceil((i + 1) h / n). Sums are integers; that they wrap around 2^32 is of no matter to
    the difference of two, as long as what lies between them is less: no rectangle may have more than
    8,421,504 pixels.

    pictures: uint8 (n, h, w, 3).
    """

    def __init__(self, pictures: Array) -> None:
        count, self.height, self.width, channels = pictures.shape
        self._sums = torch.zeros((count, self.height + 1, self.width + 1, channels), dtype=torch.int32)
        rows = torch.tensor(pictures).cumsum(2, dtype=torch.int32)
        torch.cumsum(rows, 1, out=self._sums[:, 1:, 1:])

    def resized(self, height: int, width: int) -> Array:
        """float32 (n, height, width, 3)."""
        top, bottom = _edges(torch.tensor([0]), torch.tensor([self.height]), height)
        left, right = _edges(torch.tensor([0]), torch.tensor([self.width]), width)
        rows = self._sums.index_select(1, bottom[0]).sub_(self._sums.index_select(1, top[0]))
        sums = rows.index_select(2, right[0]).sub_(rows.index_select(2, left[0]))
        return _means(sums, (bottom - top)[0][:, None, None] * (right - left)[0][None, :, None])

    def crops(self, picture: Array, boxes: Array, side: int) -> Array:
        """Parts of the pictures as squares: float32 (k, side, side, 3).

        picture: int64 (k,). boxes: int64 (k, 4), left, top, right, bottom; the last two exclusive.
        """
        x0, y0, x1, y1 = torch.from_numpy(boxes).T
        left, right = _edges(x0, x1, side)
        top, bottom = _edges(y0, y1, side)
        first = torch.from_numpy(picture)[:, None, None] * (self.height + 1)
        pixels = self._sums.view(-1, self._sums.shape[-1])

        def sums(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
            at = (first + rows[:, :, None]) * (self.width + 1) + columns[:, None, :]
            return pixels.index_select(0, at.view(-1))

        inside = sums(bottom, right).sub_(sums(top, right)).sub_(sums(bottom, left)).add_(sums(top, left))
        sizes = (bottom - top)[:, :, None] * (right - left)[:, None, :]
        return _means(inside.view(len(boxes), side, side, -1), sizes[..., None])


def _edges(start: torch.Tensor, end: torch.Tensor, parts: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each of the parts of k stretches begins and ends: int64 (k, parts) each."""
    at, length = torch.arange(parts)[None, :], (end - start)[:, None]
    return start[:, None] + at * length // parts, start[:, None] - (-(at + 1) * length // parts)


def _means(sums: torch.Tensor, sizes: torch.Tensor) -> Array:
    return (sums.float() / sizes.float()).numpy()
