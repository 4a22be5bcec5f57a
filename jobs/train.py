"""train: learn from one's own labelled photos, and find out on other persons whether it has helped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from evaluation.detection import DetectionChange
from evaluation.improvement import Improvement
from jobs.faces.lookup import MEANT
from jobs.learning.adapter import train_adapter
from jobs.learning.detector import train_detector
from jobs.learning.divided import MeasuredAt
from jobs.learning.embedder import How, train_embedder
from jobs.learning.trained import Place
from jobs.run.commands import Group
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job
from training.plans import (
    DETECTOR_PARTS,
    GOOD,
    LOSSES,
    PARTS,
    SHAPES,
    SIAMESE,
    AdapterPlan,
    DetectorPlan,
    EmbedderPlan,
    Imitation,
)
from udfs.errors import InputError

DETECTING = DetectorPlan()

Function = TypeVar("Function", bound=Callable[..., Any])

_OF_TRAINING = (
    click.option("--name", metavar="NAME", required=True, help="What to call the new model in the settings."),
    click.option(
        "--output",
        "folder",
        metavar="FOLDER",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("models"),
        show_default=True,
        help="Where its file and its page are written; on a cluster a folder that all workers share, and may write to.",
    ),
    click.option(
        "--declare-in",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("rollcall.toml"),
        show_default=True,
        help="The settings to write the section [models.NAME] to; a copy of the packaged ones, if there is none.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Decides which half is learnt from, and everything else that is drawn.",
    ),
)
_ON_PERSONS = (
    click.option(
        "--images",
        metavar="URI",
        required=True,
        help="Labelled photos: a folder PERSON/photo.jpg, or a table with person_id and uri.",
    ),
    *_OF_TRAINING,
    click.option(
        "--fpir",
        type=Number(0, 0.5, min_open=True),
        default=0.01,
        show_default=True,
        help="The share of searches for strangers that may find somebody, at which it is measured.",
    ),
    click.option(
        "--gallery-size",
        type=click.IntRange(min=1),
        help="Persons in the gallery that is measured.  [default: 1,000, 300, 100, 30 or 10, as can be drawn]",
    ),
    click.option(
        "--face",
        "meant",
        type=click.Choice(MEANT),
        default="middle",
        show_default=True,
        help="Which face counts where a photo shows several.",
    ),
)


def on_persons(function: Function) -> Function:
    """The options that all trainings on persons share."""
    for option in reversed(_ON_PERSONS):
        function = option(function)
    return function


def of_training(function: Function) -> Function:
    """The options that all trainings share."""
    for option in reversed(_OF_TRAINING):
        function = option(function)
    return function


@click.group(name="train", cls=Group, context_settings={"max_content_width": 120})
def command() -> None:
    """Learn from labelled photos of your own.

    The persons (or photos, for a detector) are divided by halves first: one half is learnt from, and the other one, of
    which nothing is seen before, shows whether fewer persons (or faces) are missed. The new model is declared in a
    settings file; `rollcall activate` refuses it where it was not found to be better than the one it was trained from.
    """


@job("train adapter")
@on_persons
@click.option(
    "--loss", type=click.Choice(list(LOSSES)), default="cosface", show_default=True, help="See docs/training.md."
)
@click.option("--shape", type=click.Choice(SHAPES), default="linear", show_default=True, help="Of the map.")
@click.option(
    "--rank",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Of a low-rank map; values between the layers of a two-layer one.",
)
@click.option("--steps", type=click.IntRange(min=2), default=100, show_default=True, help="Batches to learn from.")
@click.option("--batch", type=click.IntRange(min=2), default=512, show_default=True, help="Photos a batch.")
@click.option("--rate", type=Number(0, min_open=True), default=0.01, show_default=True, help="The highest rate.")
@click.option(
    "--pull",
    type=Number(0),
    default=0.001,
    show_default=True,
    help="How strongly the map is pulled back to changing nothing.",
)
def adapter(
    context: Context,
    *,
    images: str,
    name: str,
    folder: Path,
    declare_in: Path,
    seed: int,
    fpir: float,
    gallery_size: int | None,
    meant: Any,
    **learns: Any,
) -> Improvement:
    """Learn a small map on the embeddings of the embedder in the settings. Takes seconds; begin here.

    \b
    rollcall train adapter --tables ./tables --images ./labelled --name ours
    rollcall embed    --tables ./tables --all-pending --config rollcall.toml --set vision.embedder=ours
    rollcall enroll   --tables ./tables --gallery ./people --gallery-name staff --beside --config rollcall.toml \\
        --set vision.embedder=ours
    rollcall activate --tables ./tables CONTRACT

    Photos that the tables have are not opened again, and under the new contract no image is: its embeddings are made
    of those of the embedder it was trained for.
    """
    place = Place(name, folder, declare_in)
    plan = AdapterPlan(seed=seed, **learns)
    return train_adapter(context, images, place, plan, MeasuredAt(fpir, gallery_size, meant))


class Range(click.ParamType[tuple[float, float]]):
    """Two numbers, the lower first, as LOW:HIGH; or one, for both."""

    name = "range"

    def __init__(self, low: float, high: float, *, whole: bool = False) -> None:
        self._low, self._high = low, high
        self._kind: type[int] | type[float] = int if whole else float

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        first, _, second = str(value).partition(":")
        try:
            low, high = self._kind(first), self._kind(second or first)
        except ValueError:
            self.fail(f"{value!r} is no range; write it as LOW:HIGH")
        if not self._low <= low <= high <= self._high:
            self.fail(f"{value!r} must rise, and be between {self._low:g} and {self._high:g}")
        return low, high


@job("train embedder")
@on_persons
@click.option(
    "--network",
    type=click.Choice([SIAMESE]),
    help="Train this network from random weights, in the place of the embedder in the settings, with which it is"
    " compared.",
)
@click.option(
    "--part",
    type=click.Choice(PARTS),
    default="whole",
    show_default=True,
    help="Train the whole network, its last layers, or updates of low rank to all layers.",
)
@click.option("--last", type=click.IntRange(min=1), default=8, show_default=True, help="Layers, of --part last.")
@click.option("--rank", type=click.IntRange(min=1), default=8, show_default=True, help="Of --part low-rank.")
@click.option(
    "--loss", type=click.Choice(list(LOSSES)), default="cosface", show_default=True, help="What is learnt by."
)
@click.option("--first", type=click.Choice(list(LOSSES)), help="A loss to begin with; softmax, say.")
@click.option(
    "--passes", type=click.IntRange(min=1), default=10, show_default=True, help="How often each photo is taken."
)
@click.option("--batch", type=click.IntRange(min=2), default=64, show_default=True, help="Photos a batch.")
@click.option("--rate", type=Number(0, min_open=True), default=0.001, show_default=True, help="The highest rate.")
@click.option(
    "--keep",
    type=Number(0),
    default=20.0,
    show_default=True,
    help="How strongly what the network makes of good pictures is kept.",
)
@click.option(
    "--mix",
    type=Number(0, 1, min_open=True),
    default=0.75,
    show_default=True,
    help="The share of what was learnt in the weights; the rest is what they were. Less forgets less.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16"]),
    default="fp32",
    show_default=True,
    help="bf16: mixed precision, where the processor is faster by it.",
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Passes without an improvement, on persons it does not learn from, after which it stops.",
)
@click.option(
    "--good-pictures",
    "good",
    type=click.Choice(GOOD),
    default="parent",
    show_default=True,
    help="Which network sees good pictures, where --size and others are for bad ones: the parent, which stays beside"
    " the trained one, as good as it was; or the trained one alone, which takes half the time.",
)
@click.option(
    "--worse",
    type=Number(0, 1),
    help="Share of pictures made worse, of --good-pictures trained.  [default: 0.75]",
)
@click.option(
    "--size", type=Range(8, 1024, whole=True), metavar="LOW:HIGH", help="Pixels of a face's side in the lake."
)
@click.option("--grey", type=Number(0, 1), default=0.0, show_default=True, help="How likely colours are lost.")
@click.option("--noise", type=Range(0, 128), metavar="LOW:HIGH", help="Standard deviation, of 255 levels.")
@click.option("--jpeg", type=Range(1, 100, whole=True), metavar="LOW:HIGH", help="Quality of compression.")
@click.option("--occlusion", type=Number(0, 1), default=0.0, show_default=True, help="How likely a part is covered.")
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="That train together on executors, each on a task of its own; see docs/training.md.",
)
@click.option("--keep-crops", is_flag=True, help="Leave the crops that it learns from on disk. They show faces.")
def embedder(
    context: Context,
    *,
    images: str,
    name: str,
    folder: Path,
    declare_in: Path,
    seed: int,
    fpir: float,
    gallery_size: int | None,
    meant: Any,
    network: str | None,
    worse: float | None,
    size: Any,
    grey: float,
    noise: Any,
    jpeg: Any,
    occlusion: float,
    processes: int,
    keep_crops: bool,
    **learns: Any,
) -> Improvement:
    """Train the network of the embedder in the settings, or DenseNet-121 from random weights.

    \b
    rollcall train embedder --tables ./tables --images ./labelled --name ours --set vision.embedder=mobilefacenet \\
        --size 16:40 --grey 0.5 --noise 2:10

    Photos are made worse as --size, --grey, --noise, --jpeg and --occlusion say, to be like those of the lake; then it
    is measured by such photos of other persons, searched for among good ones. A run that was killed goes on after its
    last pass when the same command is run again.
    """
    share = Imitation.share if worse is None else worse
    imitation = Imitation(share, size, grey, noise, jpeg, occlusion)
    trained = network or context.settings.vision.embedder
    plan = EmbedderPlan(trained, imitation=imitation, seed=seed, **learns)
    if worse is not None and plan.beside_parent:
        raise InputError(
            "--worse is for --good-pictures trained: beside its parent a network learns from pictures made worse alone"
        )
    at = MeasuredAt(fpir, gallery_size, meant)
    return train_embedder(context, images, Place(name, folder, declare_in), plan, at, How(processes, keep_crops))


@job("train detector")
@click.option("--images", metavar="FOLDER", required=True, help="The folder of the photos that --boxes names.")
@click.option(
    "--boxes",
    metavar="FILE",
    required=True,
    help="Where every face is: a table with the columns image, x, y, w and h, in pixels; or WIDER FACE's own list.",
)
@of_training
@click.option(
    "--part",
    type=click.Choice(DETECTOR_PARTS),
    default="heads",
    show_default=True,
    help="Train what computes heat map, sizes and places of the features; or the last layers; or the whole network.",
)
@click.option("--last", type=click.IntRange(min=1), default=8, show_default=True, help="Layers, of --part last.")
@click.option(
    "--passes",
    type=click.IntRange(min=1),
    default=DETECTING.passes,
    show_default=True,
    help="How often each photo is taken.",
)
@click.option("--batch", type=click.IntRange(min=1), default=DETECTING.batch, show_default=True, help="Photos a batch.")
@click.option(
    "--rate", type=Number(0, min_open=True), default=DETECTING.rate, show_default=True, help="The highest rate."
)
@click.option(
    "--zoom",
    type=Range(0.1, 10),
    metavar="LOW:HIGH",
    default=DETECTING.zoom,
    show_default=True,
    help="How much smaller or larger photos are seen than where the detector is used.",
)
@click.option(
    "--light", type=Number(0, 2), default=DETECTING.light, show_default=True, help="How much darker or brighter."
)
@click.option(
    "--landmarks",
    type=Number(0),
    default=DETECTING.landmarks,
    show_default=True,
    help="How strongly landmarks are held where they were seen before.",
)
@click.option(
    "--mix",
    type=Number(0, 1, min_open=True),
    default=DETECTING.mix,
    show_default=True,
    help="The share of what was learnt in the weights; the rest is what they were. Less forgets less.",
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    default=DETECTING.patience,
    show_default=True,
    help="Passes without an improvement, on photos it does not learn from, after which it stops.",
)
def detector(
    context: Context,
    *,
    images: str,
    boxes: str,
    name: str,
    folder: Path,
    declare_in: Path,
    seed: int,
    **learns: Any,
) -> DetectionChange:
    """Train the detector in the settings, which must be CenterFace's network, on photos with a box around every face.

    \b
    rollcall train detector --tables ./tables --images ./photos --boxes boxes.csv --name ours
    rollcall embed --tables ./tables --all-pending --config rollcall.toml --set vision.detector=ours

    It is measured on photos that it has not seen, by how many faces it misses and how many boxes are of no face. It has
    a contract of its own: all images are embedded again, and galleries enrolled beside. A run that was killed goes on
    after its last pass when the same command is run again.
    """
    return train_detector(context, images, boxes, Place(name, folder, declare_in), DetectorPlan(seed=seed, **learns))


command.add_command(adapter.command, "adapter")
command.add_command(embedder.command, "embedder")
command.add_command(detector.command, "detector")

if __name__ == "__main__":
    run_command(command)
