"""Whether a map of what matters says more than chance: deletion and insertion curves (Petsiuk et al. 2018, RISE).

Cells of a picture are covered in the order of a map, the most important first, and the score falls (deletion); or they
are uncovered in that order in a picture that is covered, and the score rises (insertion). A map that tells what the
score depends on makes it fall, or rise, sooner than covering in random order does. One that does not explains nothing,
however convincing it looks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Score = Callable[[Array], Array]
"""Of pictures parts of which are covered: float (n, cells, cells), the share of each cell that is seen, 0 to 1 ->
float64 (n,)."""

STEPS = 14
RANDOM_ORDERS = 12
_SEED = 20260131


@dataclass(frozen=True)
class Curve:
    """A score by the share of cells that are covered (deletion) or uncovered (insertion).

    share: float64 (STEPS,). score: float64 (STEPS,). random: float64 (RANDOM_ORDERS, STEPS).
    """

    share: Array
    score: Array
    random: Array

    @property
    def area(self) -> float:
        """The mean of the score along the curve."""
        return float(self.score.mean())

    @property
    def random_area(self) -> float:
        """The same in random order, on average."""
        return float(self.random.mean())

    @property
    def spread(self) -> float:
        """The standard deviation of the areas of random orders."""
        return float(self.random.mean(axis=1).std(ddof=1))


@dataclass(frozen=True)
class Faithfulness:
    """How soon the score falls and rises in the order of a map, against random orders."""

    deletion: Curve
    insertion: Curve

    @property
    def gain(self) -> float:
        """By how much the area under the deletion curve is smaller than in random order."""
        return self.deletion.random_area - self.deletion.area

    @property
    def explains(self) -> bool:
        """Whether that is more than 95 of 100 random orders would give by chance."""
        return self.gain > 1.645 * self.deletion.spread


def faithfulness(importance: Array, score: Score) -> Faithfulness:
    """Measure a map, float (cells, cells): the higher, the more important."""
    generator = np.random.default_rng(_SEED)
    cells = importance.size
    ordered = np.argsort(-importance.ravel(), kind="stable")
    orders = [ordered, *(generator.permutation(cells) for _ in range(RANDOM_ORDERS))]
    counts = np.rint(np.arange(1, STEPS + 1) / (STEPS + 1) * cells).astype(int)
    share = counts / cells
    first = np.zeros((len(orders), STEPS, cells), bool)
    for at, order in enumerate(orders):
        for step, count in enumerate(counts):
            first[at, step, order[:count]] = True
    masks = np.concatenate([~first, first]).astype(np.float64).reshape(-1, *importance.shape)
    scores = score(masks).reshape(2, len(orders), STEPS)
    deletion, insertion = (Curve(share, of[0], of[1:]) for of in scores)
    return Faithfulness(deletion, insertion)


def occlusion(score: Score, cells: int, window: int = 3) -> Array:
    """How much the score falls where a window of cells is covered, averaged over the windows that a cell is in
    (Zeiler and Fergus 2014): float64 (cells, cells)."""
    places = [(row, column) for row in range(1 - window, cells) for column in range(1 - window, cells)]
    masks = np.ones((len(places), cells, cells))
    for at, (row, column) in enumerate(places):
        masks[at, max(0, row) : row + window, max(0, column) : column + window] = 0
    whole = float(score(np.ones((1, cells, cells)))[0])
    falls = whole - score(masks)
    covered = 1 - masks
    found: Array = np.einsum("n,nrc->rc", falls, covered) / covered.sum(axis=0)
    return found


def perturbation(score: Score, cells: int, masks: int = 400, coarse: int = 6) -> Array:
    """How much higher the score is where a cell is seen, over random masks (RISE): float64 (cells, cells)."""
    generator = np.random.default_rng(_SEED)
    grid = (generator.random((masks, coarse + 1, coarse + 1)) < 0.5).astype(np.float64)
    shift = generator.random((masks, 2))
    at = np.arange(cells) / cells * coarse
    seen = np.empty((masks, cells, cells))
    for number in range(masks):
        rows, columns = ((at + move) % coarse for move in shift[number])
        seen[number] = _bilinear(grid[number], rows, columns)
    scores = score(seen)
    weight = seen - seen.mean(axis=0)
    found: Array = np.einsum("n,nrc->rc", scores - scores.mean(), weight) / np.maximum((weight**2).sum(axis=0), 1e-9)
    return found


def _bilinear(grid: Array, rows: Array, columns: Array) -> Array:
    top, left = rows.astype(int), columns.astype(int)
    down, right = (rows - top)[:, None], (columns - left)[None, :]
    corner = [[grid[np.ix_(top + i, left + j)] for j in (0, 1)] for i in (0, 1)]
    upper = corner[0][0] * (1 - right) + corner[0][1] * right
    lower = corner[1][0] * (1 - right) + corner[1][1] * right
    found: Array = upper * (1 - down) + lower * down
    return found
