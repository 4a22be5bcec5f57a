"""Made-up photos in which every face is a bright square on a dark ground."""

from pathlib import Path

import numpy as np
from PIL import Image

from training.folder import TrainingFolder
from training.plans import DetectorPlan
from udfs import lake
from udfs.vision.centerface_net import CenterFaceNet
from udfs.vision.marked import MarkedPhoto, documents

PLAN = DetectorPlan(scale=1.0, passes=6, batch=4, side=64, zoom=(0.8, 1.2), rate=0.01, mix=1.0, patience=9)


def squares(folder: Path, count: int, seed: int = 0) -> list[MarkedPhoto]:
    """Photos of 80 x 72 pixels, each with one square of 20 to 30 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    found = []
    for at in range(count):
        side = int(random.integers(20, 31))
        left, top = int(random.integers(0, 80 - side)), int(random.integers(0, 72 - side))
        pixels = random.integers(0, 40, (72, 80, 3)).astype(np.uint8)
        pixels[top : top + side, left : left + side] = random.integers(200, 256, (side, side, 3))
        path = folder / f"{seed}-{at}.png"
        Image.fromarray(pixels).save(path)
        box = np.array([[left, top, left + side, top + side]], np.float64)
        found.append(MarkedPhoto(path.name, lake.uri_of(str(path)), box))
    return found


def to_train_in(folder: Path, photos: Path, plan: DetectorPlan = PLAN) -> TrainingFolder:
    """A folder to train in, from random weights that are always the same."""
    import torch

    made = TrainingFolder(folder)
    made.write_plan(plan)
    made.write_document("learnt", documents(squares(photos, 12, 0)))
    made.write_document("chosen", documents(squares(photos, 4, 1)))
    torch.manual_seed(5)
    made.write("start.pt", CenterFaceNet().state_dict())
    return made
