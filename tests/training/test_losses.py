"""Each loss has the value of its paper's formula on numbers worked by hand, and its gradient tells persons apart."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional

from training.losses import Center, Contrastive, learning, start_at
from training.plans import LOSSES
from udfs.errors import InputError

Array = np.ndarray
Tensor = torch.Tensor

# Four photos of two persons, on the circle: at 0 and 60 degrees, and at 90 and 180.
VECTORS = torch.tensor([[1.0, 0.0], [0.5, math.sqrt(3) / 2], [0.0, 1.0], [-1.0, 0.0]])
LABELS = torch.tensor([0, 0, 1, 1])
PROXIES = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
"""Of the two persons, as rows."""
COSINES = (VECTORS @ PROXIES.T).numpy().astype(np.float64)
SCALE = 32.0
D = np.sqrt(np.maximum(0, 2 - 2 * (VECTORS @ VECTORS.T).numpy().astype(np.float64)))
"""Distances."""


def cross_entropy(logits: Array) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(shifted)), LABELS.numpy()]))


def with_own(change: Callable[[Array], Array]) -> Array:
    """The cosines, those with one's own proxy changed."""
    changed, own = COSINES.copy(), (np.arange(4), LABELS.numpy())
    changed[own] = change(COSINES[own])
    return changed


def normface() -> float:
    return cross_entropy(SCALE * COSINES)


def cosface() -> float:
    return cross_entropy(SCALE * with_own(lambda cosine: cosine - 0.3))


def arcface() -> float:
    def later(cosine: Array) -> Array:
        angle, margin = np.arccos(np.clip(cosine, -1, 1)), np.radians(28.6)
        beyond = cosine - margin * np.sin(margin)
        return np.where(angle <= np.pi - margin, np.cos(angle + margin), beyond)

    return cross_entropy(SCALE * with_own(later))


def l_softmax() -> float:
    """psi(angle) = (-1)^k cos(2 angle) - 2k, for angles from k 90 to (k + 1) 90 degrees."""

    def psi(cosine: Array) -> Array:
        angle = np.arccos(np.clip(cosine, -1, 1))
        k = np.floor(angle / (np.pi / 2))
        return (-1) ** k * np.cos(2 * angle) - 2 * k

    return cross_entropy(with_own(psi))


MATED, OTHERS = [(0, 1), (2, 3)], [(0, 2), (0, 3), (1, 2), (1, 3)]


def contrastive() -> float:
    apart = [max(0.0, 1 - D[pair]) ** 2 for pair in OTHERS]
    return (sum(D[pair] ** 2 for pair in MATED) + sum(apart)) / 6 / 2


def trihard() -> float:
    farthest, nearest = [D[0, 1], D[1, 0], D[2, 3], D[3, 2]], [D[0, 2], D[1, 2], D[2, 1], D[3, 1]]
    return float(np.mean([max(0.0, p - n + 0.3) for p, n in zip(farthest, nearest, strict=True)]))


def lifted() -> float:
    found = []
    for i, j in MATED:
        others = [D[i, k] for k in range(4) if (min(i, k), max(i, k)) in OTHERS]
        others += [D[j, k] for k in range(4) if (min(j, k), max(j, k)) in OTHERS]
        found.append(max(0.0, math.log(sum(math.exp(1 - d) for d in others)) + D[i, j]) ** 2)
    return sum(found) / (2 * len(found))


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("normface", normface),
        ("cosface", cosface),
        ("arcface", arcface),
        ("l-softmax", l_softmax),
        ("contrastive", contrastive),
        ("trihard", trihard),
        ("lifted", lifted),
    ],
)
def test_its_value_is_that_of_the_paper(name: str, formula: Callable[[], float]) -> None:
    made = learning(name, 2, 2)
    if hasattr(made, "W"):
        made.W.data.copy_(PROXIES.T)
    assert float(made(VECTORS, LABELS)) == pytest.approx(formula(), rel=1e-4)


def test_softmax_and_center() -> None:
    made = Center(2, 2, weight=0.5)
    made.softmax.classifier.weight.data.copy_(PROXIES)
    made.softmax.classifier.bias.data.zero_()
    made.centers.data.copy_(PROXIES)
    pull = np.mean([0, 1, 0, 2]) / 2  # squared distances to (1, 0), (1, 0), (0, 1), (0, 1)
    assert float(made.pull(VECTORS, LABELS)) == pytest.approx(pull)
    assert float(made(VECTORS, LABELS)) == pytest.approx(cross_entropy(COSINES) + 0.5 * pull)
    alone = learning("softmax", 2, 2)
    alone.classifier.weight.data.copy_(PROXIES)
    alone.classifier.bias.data.zero_()
    assert float(alone(VECTORS, LABELS)) == pytest.approx(cross_entropy(COSINES))


def test_random_triplets_are_of_squared_distances() -> None:
    """Whichever triplet is drawn for each photo, its loss is one of those the formula gives."""
    possible = [
        {max(0.0, D[a, p] ** 2 - D[a, n] ** 2 + 0.2) for n in others}
        for a, p, others in ((0, 1, (2, 3)), (1, 0, (2, 3)), (2, 3, (0, 1)), (3, 2, (0, 1)))
    ]
    sums = {
        round(float(a + b + c + d), 4)
        for a in possible[0]
        for b in possible[1]
        for c in possible[2]
        for d in possible[3]
    }
    made = learning("triplet", 2, 2)
    drawn = set()
    for seed in range(30):
        torch.manual_seed(seed)
        drawn.add(round(4 * float(made(VECTORS, LABELS)), 4))
    assert len(drawn) > 1
    assert all(min(abs(value - one) for one in sums) < 1e-3 for value in drawn)


def test_semi_hard_triplets_are_farther_than_the_mated_one_and_within_the_margin() -> None:
    inside = [
        (a, p, n)
        for a, p in [*MATED, *[(j, i) for i, j in MATED]]
        for n in range(4)
        if (min(a, n), max(a, n)) in OTHERS and 0 < D[a, n] ** 2 - D[a, p] ** 2 <= 0.2
    ]
    found = learning("semi-hard", 2, 2).miner(VECTORS, LABELS)
    assert sorted(zip(*[part.tolist() for part in found], strict=True)) == sorted(inside)


def test_the_margin_loss_has_a_boundary_of_its_own_for_each_person() -> None:
    made = learning("margin", 2, 2)
    assert made.loss.beta.tolist() == pytest.approx([1.2, 1.2])
    triplets = tuple(torch.tensor(part) for part in ([2, 3], [3, 2], [1, 0]))
    near, far = [max(0, D[2, 3] - 1.2 + 0.2)] * 2, [max(0, 1.2 - d + 0.2) for d in (D[2, 1], D[3, 0])]
    formula = [*near, *far]
    value = float(made.loss(VECTORS, LABELS, triplets))
    assert value == pytest.approx(sum(formula) / sum(each > 0 for each in formula), rel=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_its_gradient_tells_persons_apart(name: str) -> None:
    """Twenty photos of four persons around places that are near each other: after some steps those of one person are
    nearer to each other than to anybody else's."""
    random = np.random.default_rng(3)
    labels = torch.arange(4).repeat_interleave(5)
    start = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    points = torch.tensor(start + 0.6 * random.normal(size=(20, 6)), dtype=torch.float32, requires_grad=True)
    torch.manual_seed(0)
    made = learning(name, 4, 6)
    optimiser = torch.optim.Adam([points, *made.parameters()], lr=0.05)
    before = apart(points, labels)
    for _ in range(150):
        optimiser.zero_grad()
        made(points, labels).backward()
        optimiser.step()
    assert before < 0.2
    assert apart(points, labels) > before + 0.3


def apart(points: Tensor, labels: Tensor) -> float:
    """The mean similarity of mated pairs, less that of the others."""
    unit = functional.normalize(points.detach())
    similarity = unit @ unit.T
    mated = labels[:, None] == labels
    return float(similarity[mated & ~torch.eye(len(labels), dtype=torch.bool)].mean() - similarity[~mated].mean())


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.several])
def test_equal_vectors_have_a_slope(name: str) -> None:
    """The root of 0 has none: without care everything becomes not-a-number."""
    points = torch.ones(6, 4, requires_grad=True)
    learning(name, 3, 4)(points, torch.tensor([0, 0, 1, 1, 2, 2])).backward()
    assert points.grad is not None
    assert torch.isfinite(points.grad).all()


def test_proxies_begin_where_the_persons_are() -> None:
    made = learning("cosface", 2, 2)
    start_at(made, 5 * PROXIES)
    assert torch.equal(made.W.data, PROXIES.T)
    start_at(Contrastive(), PROXIES)  # has none


def test_a_loss_that_is_not_there() -> None:
    with pytest.raises(InputError, match="no loss is called 'cosfase'; use one of: softmax, center"):
        learning("cosfase", 2, 2)
