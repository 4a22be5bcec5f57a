"""The photos that benchmarks run on, and which faces are in them."""

import csv
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from evaluation.detection import NOTHING, Found, found_in

Array = np.ndarray

data_option = click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The folder with wider-dev, lfw-dev, photos and weights; see CONTRIBUTING.md.",
)


@dataclass(frozen=True)
class PhotoFile:
    """One photo, with the boxes of its faces where they are known: float64 (n, 4), left, top, right, bottom."""

    name: str
    content: bytes
    boxes: Array | None = None


def wider(data: Path) -> list[PhotoFile]:
    """Crowds, with every face marked (WIDER FACE, Yang et al. 2016)."""
    boxes: dict[str, list[list[float]]] = {}
    with (data / "wider-dev" / "boxes.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            x, y, width, height = (float(row[name]) for name in ("x", "y", "w", "h"))
            boxes.setdefault(row["image"], []).append([x, y, x + width, y + height])
    images = data / "wider-dev" / "images"
    return [PhotoFile(name, (images / name).read_bytes(), np.array(boxes[name])) for name in sorted(boxes)]


def lfw(data: Path, count: int) -> list[PhotoFile]:
    """Portraits of 250 x 250 pixels (Huang et al. 2007), evenly out of all there are."""
    paths = sorted((data / "lfw-dev" / "images").rglob("*.jpg"))
    return [PhotoFile(path.name, path.read_bytes()) for path in paths[:: len(paths) // count][:count]]


def photos(data: Path) -> list[PhotoFile]:
    """Press photos of several sizes."""
    return [PhotoFile(path.name, path.read_bytes()) for path in sorted((data / "photos").rglob("*.jpg"))]


def facenet(data: Path) -> Path:
    """FaceNet's weights."""
    return data / "weights" / "inception_resnet_v1-vggface2.pt"


def found(photos_with_boxes: list[PhotoFile], boxes: list[Array], minimum: float) -> Found:
    """Compare boxes with those marked, as `found_in` does."""
    total = NOTHING
    for photo, mine in zip(photos_with_boxes, boxes, strict=True):
        assert photo.boxes is not None
        total += found_in(mine, photo.boxes, minimum)
    return total
