"""FaceNet's network as facenet-pytorch has it, and its weights out of the release file."""

import io

import torch
from facenet_pytorch import InceptionResnetV1

from udfs.vision.tensors import Tensors

_CLASSIFIER = "logits."  # of the training set; not used


def untrained() -> InceptionResnetV1:
    """InceptionResnetV1 with random weights: float (n, 3, 160, 160), RGB, -1 to 1 -> (n, 512), of unit length."""
    return InceptionResnetV1(pretrained=None, classify=False)


def read_pt(content: bytes) -> Tensors:
    """The tensors of a file of torch, without the classifier."""
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return {
        name: value
        for name, value in state.items()
        if not name.startswith(_CLASSIFIER) and not name.endswith("num_batches_tracked")
    }
