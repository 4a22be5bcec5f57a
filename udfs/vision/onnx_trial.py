"""Whether a network of one's own gives usable vectors: it is run on pictures that are made by code."""

from dataclasses import replace

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.vision import known_answer
from udfs.vision.onnx_inspection import classifier
from udfs.vision.onnx_network import of_content
from udfs.vision.own import OnnxDeclaration
from udfs.vision.runtime import Network
from udfs.vision.spec import VisionSpec

Array = np.ndarray

_LEAST = 16
"""Values of the shortest vector that is taken for an embedding: detectors and classifiers of attributes give fewer."""

_ALL_ALIKE = 0.995
"""Mean cosine of unlike pictures. On those made here FaceNet has 0.79 and MobileFaceNet 0.68; with random weights both
have more than 0.9999."""


def tried(content: bytes, own: OnnxDeclaration, file: str) -> OnnxDeclaration:
    """The declaration, completed by the dimension and the known answer, once the network has given usable vectors.

    own: whose dimension and answer are not known yet. file: for messages.

    Raises:
        InputError: it cannot be computed in batches, or its output is no embedding.
    """
    spec = VisionSpec(embedder=own.name)
    network = of_content(content, own, spec)
    pixels = np.stack(_pictures(own.side, spec.batch_size))
    output = network(pixels)[0]
    _refuse_shape(output, spec.batch_size, file)
    _refuse_values(output, file)
    _refuse_changing(network, pixels, output, file)
    vectors = output / np.linalg.norm(output, axis=1, keepdims=True)
    _refuse_alike(vectors, file)
    return replace(own, dimension=output.shape[1], answer=known_answer.answer(network, own.side, spec.batch_size))


def _pictures(side: int, count: int) -> list[Array]:
    """Smooth pictures that have nothing in common: uint8 (side, side, 3)."""
    random = np.random.default_rng(0)
    small = [random.integers(0, 256, (2 + at % 7, 2 + at % 5, 3), np.uint8) for at in range(count)]
    return [np.asarray(Image.fromarray(each).resize((side, side), Image.Resampling.BICUBIC)) for each in small]


def _refuse_shape(output: Array, batch_size: int, file: str) -> None:
    if output.ndim == 2 and len(output) == batch_size and output.shape[1] >= _LEAST:
        return
    shown = " x ".join(str(size) for size in output.shape) or "one number"
    if output.ndim and len(output) != batch_size:
        raise InputError(
            f"{file}: its batch is fixed: of {batch_size} crops it makes {shown}; export it with a dynamic batch"
            " (dynamic_axes in torch.onnx.export)"
        )
    raise InputError(
        f"{file}: makes {shown} of {batch_size} crops, and an embedder makes {batch_size} x DIMENSION, of {_LEAST} or"
        " more; export it with the embedding, flattened, as its output"
    )


def _refuse_values(output: Array, file: str) -> None:
    if not np.isfinite(output).all():
        raise InputError(
            f"{file}: gives infinite values or no numbers, probably because float16 overflows; export it in float32"
        )
    if not np.linalg.norm(output, axis=1).all():
        raise InputError(f"{file}: gives vectors of zeros, which have no direction; are its weights those of training?")
    if (output >= 0).all() and np.allclose(output.sum(axis=1), 1, atol=1e-3):
        raise InputError(classifier(file, "its values are shares that sum to 1"))


def _refuse_changing(network: Network, pixels: Array, output: Array, file: str) -> None:
    if network(pixels)[0].tobytes() != output.tobytes():
        raise InputError(
            f"{file}: gives other vectors for the same crops each time; export it in evaluation mode (module.eval() in"
            " torch), without random operators"
        )
    half = len(pixels) // 2
    moved = network(np.concatenate([255 - pixels[half:], pixels[:half]]))[0][-half:]  # to other places, beside others
    if not np.allclose(moved, output[:half], rtol=1e-3, atol=1e-4 * float(np.abs(output).max())):
        raise InputError(
            f"{file}: what it gives for a crop depends on the other crops of the batch; export it in evaluation mode"
            " (module.eval() in torch), so that batch normalisation uses the statistics of training"
        )


def _refuse_alike(vectors: Array, file: str) -> None:
    cosines = vectors @ vectors.T
    alike = float(cosines[~np.eye(len(cosines), dtype=bool)].mean())
    if alike > _ALL_ALIKE:
        raise InputError(
            f"{file}: gives nearly the same vector for every picture (mean cosine {alike:.4f}); either its weights are"
            " not trained, or it sees pixels in another range than in training: see --shift and --scale"
        )
