"""What CenterFace is to say of a picture, and how far it is from it, on numbers worked by hand."""

import math

import numpy as np
import pytest
import torch

from training.heat_map import STRIDE, Said, focal, losses, targets
from udfs.vision.centerface_net import CenterFaceNet

LARGE = np.array([[20.0, 12, 44, 44]])
"""24 wide and 32 high; its middle, (32, 28), is at the corner of the cell in row 7 and column 8."""


def test_a_face_has_a_gaussian_at_its_middle() -> None:
    wanted = targets((64, 96), LARGE, smallest=12)
    assert wanted.heat.shape == wanted.counts.shape == (16, 24)
    assert wanted.cells.tolist() == [[7, 8]]
    assert wanted.heat[7, 8] == 1
    deviation = 0.15 * math.sqrt(24 * 32) / STRIDE
    assert wanted.heat[7, 9] == wanted.heat[8, 8] == pytest.approx(math.exp(-1 / (2 * deviation**2)), rel=1e-5)
    assert wanted.counts.all()
    np.testing.assert_allclose(wanted.size, [[math.log(8), math.log(6)]], rtol=1e-6)  # height before width
    np.testing.assert_allclose(wanted.offset, [[-0.5, -0.5]], rtol=1e-6)


def test_what_is_said_is_what_the_detector_reads() -> None:
    """Middle and size of the box, by the rule by which `CenterFace` makes boxes of a cell."""
    boxes = np.array([[11.0, 7, 42, 50], [3, 9, 19, 29]])
    wanted = targets((64, 64), boxes, smallest=12)
    size = np.exp(wanted.size) * STRIDE
    middle = (wanted.cells + wanted.offset + 0.5) * STRIDE
    found = np.concatenate([(middle - size / 2)[:, ::-1], (middle + size / 2)[:, ::-1]], 1)
    np.testing.assert_allclose(found, boxes, atol=1e-4)


def test_nothing_is_judged_where_faces_are_too_small_or_cut_off() -> None:
    small, outside = [40.0, 40, 47, 49], [-30.0, 0, 10, 20]
    wanted = targets((64, 64), np.array([small, outside]), smallest=12)
    assert len(wanted.cells) == 0
    assert not wanted.heat.any()
    rows, columns = np.nonzero(~wanted.counts)
    inside = {(row, column) for row in range(10, 13) for column in range(10, 12)}
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == inside | {
        (row, column) for row in range(6) for column in range(3)
    }
    # A face that is learnt is judged, though a small one overlaps it.
    both = targets((64, 64), np.array([small, [24.0, 24, 64, 64]]), smallest=12)
    assert both.counts[11, 11]
    assert targets((64, 64), np.zeros((0, 4)), smallest=12).heat.shape == (16, 16)


def test_the_focal_loss() -> None:
    logits = torch.tensor([0.0, 0.0, 0.0, math.log(3)])
    heat, counts = torch.tensor([1.0, 0.5, 0.0, 0.0]), torch.tensor([True, True, True, False])
    of_face = 0.5**2 * math.log(2)
    assert focal(logits, heat, counts).item() == pytest.approx(of_face * (1 + 0.5**4 + 1), rel=1e-6)
    assert focal(logits, heat, torch.ones(4, dtype=torch.bool)).item() == pytest.approx(
        of_face * (1 + 0.5**4 + 1) + 0.75**2 * math.log(4), rel=1e-6
    )
    sure = torch.tensor([200.0, -200.0], requires_grad=True)
    focal(sure, torch.tensor([0.0, 1.0]), torch.ones(2, dtype=torch.bool)).backward()
    assert sure.grad is not None
    assert torch.isfinite(sure.grad).all()


def heads(bias: list[list[float]]) -> CenterFaceNet:
    """A network that says the same of each cell."""
    network = CenterFaceNet()
    for layer, values in zip(network.outputs, bias, strict=True):
        torch.nn.init.zeros_(layer.weight)
        layer.bias.data = torch.tensor(values)
    return network.requires_grad_(False)


def test_sizes_and_offsets_are_judged_at_middles_alone() -> None:
    wanted = [targets((64, 96), LARGE, smallest=12), targets((64, 96), np.zeros((0, 4)), smallest=12)]
    network = heads([[-9.0], [math.log(8), math.log(3)], [-0.25, 0.0], [0.0] * 10])
    found = losses(network, torch.zeros(2, 24, 16, 24), wanted)
    assert found.faces == 1
    assert found.size.item() == pytest.approx(math.log(2), rel=1e-5)
    assert found.offset.item() == pytest.approx(0.75)
    assert found.landmarks.item() == 0
    assert found.a_face(landmarks=5.0).item() == pytest.approx(found.heat.item() + math.log(2) + 0.75, rel=1e-5)


def test_landmarks_are_held_in_their_places_though_boxes_change() -> None:
    """A box twice as wide, whose landmarks are at half the shares, has them in the same places."""
    wanted = [targets((64, 96), LARGE, smallest=12)]
    features, landmarks = torch.zeros(1, 24, 16, 24), [0.5, 0.25] * 5
    parent = heads([[2.0], [math.log(8), math.log(6)], [0.0, 0.0], landmarks])
    same_places = heads([[0.0], [math.log(8), math.log(12)], [0.0, 0.0], [0.5, 0.375] * 5])
    found = losses(same_places, features, wanted, (parent, features))
    assert found.landmarks.item() == pytest.approx(0, abs=1e-6)
    wider = heads([[0.0], [math.log(8), math.log(12)], [0.0, 0.0], landmarks])
    far = losses(wider, features, wanted, (parent, features)).landmarks.item()
    # Each is 6 pixels further to the left, and as high as before.
    assert far == pytest.approx(6 / 2 / math.sqrt(24 * 32), rel=1e-5)
    unsure = heads([[-2.0], [math.log(8), math.log(6)], [0.0, 0.0], landmarks])
    assert losses(wider, features, wanted, (unsure, features)).landmarks.item() == 0


def test_places_of_landmarks_do_not_move_boxes() -> None:
    network = heads([[0.0], [1.0, 1.0], [0.0, 0.0], [0.5] * 10]).requires_grad_(True)
    cells = (torch.tensor([0]), torch.tensor([2]), torch.tensor([3]))
    Said.of(network, torch.zeros(1, 24, 8, 8), cells).points().sum().backward()
    size, landmarks = network.outputs[1].bias, network.outputs[3].bias
    assert size.grad is None
    assert landmarks.grad is not None
