"""The way from a face's pixels to its similarity, step by step, with this face's own numbers and pictures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pages.explanation import Step, coloured, png_uri
from udfs.vision import weights
from udfs.vision.declaration import EmbedderModel
from udfs.vision.embed import Crops, torch_module
from udfs.vision.models import embedder
from udfs.vision.spec import VisionSpec

if TYPE_CHECKING:
    from udfs.vision.inside import Inside, Stage

Array = np.ndarray

_COLOURS = ("red", "green", "blue")
_LARGEST = 5
"""Products of two vectors' components that are shown: the largest."""


def steps(spec: VisionSpec, mine: Crops, theirs: Crops, called: str) -> tuple[list[Step], str]:
    """The steps inside one packaged network of the embedder, and a note on what is shown.

    mine, theirs: what each network of the embedder sees of the two faces. called: what the second one is called.
    """
    from udfs.vision.inside import inside  # torch with it

    networks = embedder(spec.embedder, spec.models).networks
    packaged = [(at, model) for at, model in enumerate(networks) if isinstance(model, EmbedderModel)]
    if not packaged:
        return [], "The steps inside are shown for the networks that come with Rollcall; this one is your own."
    place, model = packaged[-1]
    module = torch_module(model, weights.source_of(spec, model.name))
    one, other = (inside(module, crops[place], model.shift, model.scale) for crops in (mine, theirs))
    both = "" if len(networks) == 1 else f" The lists of {len(networks)} networks are put together; this is one."
    note = (
        f"A network ({model.name}: {one.layers} convolutions, {one.parameters:,} learnt numbers) turns each face into"
        f" {len(one.vector)} numbers. The same steps are taken for every face, and nothing else is known of it.{both}"
    )
    made = [
        _cut(mine[place], theirs[place], called),
        _convolution(one),
        _activation(one),
        _layers(one.stages[1:]),
        _pooling(one),
    ]
    made += [_vector(one, other, called), _similarity(one, other)]
    return made, note


def _cut(mine: Array, theirs: Array, called: str) -> Step:
    side = mine.shape[0]
    return Step(
        "The face is cut out",
        f"Each face is turned and scaled to {side} x {side} pixels, so that eyes and mouth stand at the same places."
        f" A pixel is three numbers, for red, green and blue: {3 * side * side:,} numbers in all.",
        [(png_uri(mine, 150), "this face"), (png_uri(theirs, 150), called)],
    )


def _convolution(of: "Inside") -> Step:
    first = of.first
    size = first.pixels.shape[1]
    by_colour = (first.pixels * first.weights).sum(axis=(1, 2))
    red = first.pixels[0], first.weights[0]
    lines = [f"{x:6.2f} x {w:6.2f} = {x * w:6.2f}" for x, w in zip(red[0].ravel()[:3], red[1].ravel()[:3], strict=True)]
    sums = " ".join(
        f"{'+' if at else ' '} {value:.2f} ({name})"
        for at, (name, value) in enumerate(zip(_COLOURS, by_colour, strict=True))
    )
    patch = first.pixels - first.pixels.min()
    shown = (255 * patch / max(float(patch.max()), 1e-9)).astype(np.uint8).transpose(1, 2, 0)
    return Step(
        "Convolution: a small pattern is looked for everywhere",
        f"A filter is {size} x {size} weights for each colour, which were learnt. It is laid over every place of"
        " the picture: pixels are multiplied by the weights and added up. Where the picture looks like the filter,"
        f" the sum is high. Here is the place where filter {first.channel + 1} found most, and its map of the face.",
        [
            (png_uri(shown, 96), f"{size} x {size} pixels of this face"),
            (
                png_uri(coloured(first.weights.mean(axis=0), "coolwarm"), 96),
                "the filter's weights (mean of the colours)",
            ),
            (png_uri(coloured(of.stages[0].maps[0]), 150), f"a map of {_size(of.stages[0])}"),
        ],
        "\n".join(
            [*lines, "... and so on for all pixels; together", f"{sums} + {first.bias:.2f} (bias) = {first.total:.2f}"]
        ),
    )


def _activation(of: "Inside") -> Step:
    first = of.first
    return Step(
        "Activation: what was not found counts less",
        "Sums below zero are set to zero or made much smaller, sums above zero stay. Without this bend all layers"
        " together could do no more than a single one.",
        equation=f"{first.total:.2f}  ->  {first.bent:.2f}",
    )


def _layers(stages: "Sequence[Stage]") -> Step:
    pictures = [
        (png_uri(coloured(stage.maps[at]), 120), f"convolution {stage.layer}: {_size(stage)}, {stage.channels} maps")
        for stage in stages
        for at in range(min(2, len(stage.maps)))
    ]
    return Step(
        "Layer upon layer",
        "The maps are the input of the next convolutions. They become smaller and more, and what they react to becomes"
        " larger: from edges to eyes, mouths and their distances.",
        pictures,
    )


def _pooling(of: "Inside") -> Step:
    pooled = of.pooled
    if pooled is None:
        return Step("Pooling: each map becomes one number", "The numbers of each of the last maps are averaged.")
    product = float((pooled.map * pooled.weights).sum())
    return Step(
        "Pooling: each map becomes one number",
        "Each of the last maps is multiplied by weights, place by place, and added up: what is seen in the middle"
        " of the face can count more than what is seen at its edge.",
        [
            (png_uri(coloured(pooled.map), 120), "one of the last maps"),
            (png_uri(coloured(pooled.weights, "coolwarm"), 120), "its weights"),
        ],
        f"{product:.3f} + {pooled.bias:.3f} (bias) = {pooled.total:.3f}",
    )


def _vector(one: "Inside", other: "Inside", called: str) -> Step:
    rows = next(at for at in range(int(len(one.vector) ** 0.5), 0, -1) if len(one.vector) % at == 0)
    pictures = [
        (png_uri(coloured(of.vector.reshape(rows, -1), "coolwarm"), 190), name)
        for of, name in ((one, "this face"), (other, called))
    ]
    return Step(
        "The embedding: a face as a list of numbers",
        f"What comes out are {len(one.vector)} numbers (red: above zero, blue: below), scaled so that their squares add"
        " up to 1. No single one has a meaning; faces of one person have similar lists.",
        pictures,
    )


def _similarity(one: "Inside", other: "Inside") -> Step:
    products = one.vector.astype(np.float64) * other.vector.astype(np.float64)
    largest = np.argsort(-np.abs(products))[:_LARGEST]
    lines = [
        f"{one.vector[at]:7.3f} x {other.vector[at]:7.3f} = {products[at]:7.4f}   (number {at + 1})" for at in largest
    ]
    return Step(
        "Similarity: the two lists are compared",
        "The numbers of the two lists are multiplied pair by pair and added up. Lists that agree give 1, lists that"
        " have nothing to do with each other about 0. The score on this page is the sum over all networks.",
        equation="\n".join([*lines, f"... all {len(products)} together: {products.sum():.4f}"]),
    )


def _size(stage: "Stage") -> str:
    return f"{stage.maps.shape[1]} x {stage.maps.shape[2]}"
