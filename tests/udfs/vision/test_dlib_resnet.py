import pytest
import torch

from udfs.errors import InputError
from udfs.vision.dlib_resnet import DlibResNet, _add_padded, _dlib_integer, read_dat


def test_it_has_the_published_size() -> None:
    network = DlibResNet()
    assert sum(parameter.numel() for parameter in network.parameters()) == 5_614_592
    assert network(torch.zeros(2, 3, 150, 150)).shape == (2, 128)


@pytest.mark.parametrize(("value", "content"), [(1, b"\x01\x01"), (255, b"\x01\xff"), (4736, b"\x02\x80\x12")])
def test_integers(value: int, content: bytes) -> None:
    assert _dlib_integer(value) == content


def test_sums_of_maps_of_two_shapes() -> None:
    small, large = torch.ones(1, 1, 2, 2), torch.ones(1, 2, 3, 2)
    total = _add_padded(small, large)
    assert total[0, 0].tolist() == [[2, 2], [2, 2], [1, 1]]
    assert total[0, 1].tolist() == [[1, 1], [1, 1], [1, 1]]


def test_a_file_that_ends_early_is_named(dlib_weights) -> None:
    content = dlib_weights.read_bytes()
    with pytest.raises(InputError, match="no tensor of shape"):
        read_dat(content[: len(content) // 2])
