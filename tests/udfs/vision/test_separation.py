"""Photos of persons show whether a network is given what it was trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.onnx_files import SIDE, declared, graph, node, weights
from udfs.errors import InputError
from udfs.vision.detect import Detection
from udfs.vision.own import OnnxDeclaration
from udfs.vision.separation import KnownFace, Separation, check

FACE = Detection(np.array([0.0, 0, SIDE, SIDE]), np.zeros((5, 2)), 1.0)


def faces(persons: int, photos: int) -> list[KnownFace]:
    """Persons differ by their red; what is green and blue differs from photo to photo."""
    random = np.random.default_rng(0)

    def cells() -> np.ndarray:
        return random.integers(0, 256, (7, 7)).repeat(8, 0).repeat(8, 1)

    found = []
    for person in range(persons):
        red = cells()
        for _ in range(photos):
            pixels = np.stack([red, cells(), cells()], -1).astype(np.uint8)
            found.append(KnownFace(f"person {person}", Image.fromarray(pixels), FACE))
    return found


def own(path: Path, matrix: np.ndarray, **changes: object) -> tuple[bytes, OnnxDeclaration]:
    made = declared(path, graph(matrix=matrix), crop="margin", **changes)
    return path.read_bytes(), made


@pytest.fixture
def sees_red(tmp_path: Path) -> tuple[bytes, OnnxDeclaration]:
    return own(tmp_path / "red.onnx", weights((1, 0.3, 0.3)))


def test_right_preprocessing(sees_red: tuple[bytes, OnnxDeclaration]) -> None:
    found, doubts = check(*sees_red, faces(6, 2), "a.onnx")
    assert found.margin > 0.5
    assert len(found.margins) == 6
    assert doubts == []


def test_colours_in_the_reverse_order(sees_red: tuple[bytes, OnnxDeclaration]) -> None:
    content, right = sees_red
    with pytest.raises(InputError, match=r"add --colour rgb$"):
        check(content, replace(right, colour="bgr"), faces(6, 2), "a.onnx")
    with pytest.raises(InputError, match=r"add --colour bgr$"):
        check(*own(Path(right.file), weights((0.3, 0.3, 1))), faces(6, 2), "a.onnx")


def test_a_small_difference_between_few_photos_is_a_doubt(tmp_path: Path) -> None:
    content, wrong = own(tmp_path / "a.onnx", weights((1, 0.3, 1)))
    found, doubts = check(content, wrong, faces(4, 8), "a.onnx")
    assert found.margin > 0
    assert [doubt for doubt in doubts if "--colour bgr" in doubt], doubts


def test_pixels_in_another_range(sees_red: tuple[bytes, OnnxDeclaration]) -> None:
    content, right = sees_red
    with pytest.raises(InputError, match=r"add --shift 127.5 --scale 127.5$"):
        check(content, replace(right, shift=0.0, scale=1.0), faces(6, 2), "a.onnx")


def test_normalised_twice(tmp_path: Path) -> None:
    """The network has its own preprocessing, and is to be given pixels as they are."""
    centred = node("Sub", ["product", "offset"])
    offset = 127.5 * weights().sum(axis=0)
    made = declared(
        tmp_path / "a.onnx", graph(centred, constants={"offset": offset}), crop="margin", shift=127.5, scale=127.5
    )
    with pytest.raises(InputError, match=r"add --shift 0 --scale 1$"):
        check((tmp_path / "a.onnx").read_bytes(), made, faces(6, 2), "a.onnx")


def test_persons_are_not_told_apart(tmp_path: Path) -> None:
    content, blind = own(tmp_path / "a.onnx", weights((0, 1, 0)))
    with pytest.raises(InputError, match=r"hardly nearer to each other .*trained embedder of faces"):
        check(content, blind, faces(6, 2), "a.onnx")


@pytest.mark.parametrize(("persons", "photos"), [(0, 0), (1, 4), (4, 1)])
def test_too_few_photos(sees_red: tuple[bytes, OnnxDeclaration], persons: int, photos: int) -> None:
    with pytest.raises(InputError, match=f"{persons * photos} photos of {persons} persons; give photos of two persons"):
        check(*sees_red, faces(persons, photos), "a.onnx")


def test_margins_are_those_of_persons_with_several_photos() -> None:
    vectors = np.float32([[1, 0], [0.6, 0.8], [0, 1]])
    found = Separation.of(vectors, ["a", "a", "b"])
    assert found.margins == pytest.approx([0.6 - (0 + 0.8) / 2])
    assert (found.mated, found.non_mated) == pytest.approx((0.6, 0.4))
