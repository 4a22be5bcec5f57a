"""What decides what is learnt; and the losses there are, by name. Without torch: command lines know these."""

from dataclasses import dataclass
from typing import Literal, get_args

Shape = Literal["linear", "low-rank", "two-layer"]
SHAPES: tuple[str, ...] = get_args(Shape)


@dataclass(frozen=True)
class LossName:
    """A loss. paper: where it is from. several: whether its batches must have several photos of a person."""

    name: str
    paper: str
    several: bool = False


LOSSES = {
    each.name: each
    for each in (
        LossName("softmax", "cross entropy of a linear classifier"),
        LossName("center", "Wen et al. 2016, A Discriminative Feature Learning Approach for Deep Face Recognition"),
        LossName("l-softmax", "Liu et al. 2016, Large-Margin Softmax Loss"),
        LossName("normface", "Wang et al. 2017, NormFace"),
        LossName("cosface", "Wang et al. 2018, CosFace; Wang et al. 2018, Additive Margin Softmax"),
        LossName("arcface", "Deng et al. 2019, ArcFace"),
        LossName("contrastive", "Hadsell et al. 2006, Dimensionality Reduction by an Invariant Mapping", several=True),
        LossName("triplet", "Schroff et al. 2015, FaceNet; a triplet drawn for each photo", several=True),
        LossName("semi-hard", "Schroff et al. 2015, FaceNet; semi-hard triplets", several=True),
        LossName("trihard", "Hermans et al. 2017, In Defense of the Triplet Loss", several=True),
        LossName("lifted", "Song et al. 2016, Lifted Structured Feature Embedding", several=True),
        LossName("margin", "Wu et al. 2017, Sampling Matters in Deep Embedding Learning", several=True),
    )
}


@dataclass(frozen=True)
class AdapterPlan:
    """How an adapter is learnt.

    shape: of the map. rank: of one of low rank; what a network of two layers has between them. loss: by its name.
    steps, batch: batches, and photos in each. rate: the highest rate of Adam, reached a third of the way (Smith 2018,
    one cycle). pull: times the sum of the squares of what the map adds to the identity.
    """

    shape: Shape = "linear"
    rank: int = 64
    loss: str = "cosface"
    steps: int = 100
    batch: int = 512
    rate: float = 0.01
    pull: float = 1e-3
    seed: int = 0


Part = Literal["whole", "last", "low-rank"]
PARTS: tuple[str, ...] = get_args(Part)
Good = Literal["parent", "trained"]
GOOD: tuple[str, ...] = get_args(Good)
SIAMESE = "densenet121"
"""DenseNet-121 (Huang et al. 2017) with a head of 32 values, to be trained from random weights."""


@dataclass(frozen=True)
class Imitation:
    """How a picture is made worse, so as to be like those of a lake. Of a range each picture draws a value, evenly.

    share: of the pictures of a batch that are made worse; the others stay as they are, unless the parent is kept for
    such pictures (`EmbedderPlan.good`): then all are made worse. size: pixels of the side of the
    crop before it is enlarged again. grey: how likely the colours are lost. noise: standard deviation, of 255 levels.
    jpeg: quality. occlusion: how likely a grey square covers up to half of the side.
    """

    share: float = 0.75
    size: tuple[int, int] | None = None
    grey: float = 0.0
    noise: tuple[float, float] | None = None
    jpeg: tuple[int, int] | None = None
    occlusion: float = 0.0

    @property
    def anything(self) -> bool:
        """Whether it changes a picture at all."""
        return self.share > 0 and bool(self.size or self.grey or self.noise or self.jpeg or self.occlusion)


@dataclass(frozen=True)
class EmbedderPlan:
    """How a network is trained.

    network: its name among the models, or `SIAMESE`. part: what of it is trained: all of it, the `last` convolutions
    and linear layers, or updates of rank `rank` to all of them (Hu et al. 2021, LoRA). loss, first: by their names;
    `first` is learnt by before the other one takes over, for `first_share` of the steps. passes: how often each photo
    is taken. batch: photos. rate: the highest rate of AdamW (one cycle, its momentum cycled the other way). keep: times
    1 - cosine to what the parent makes of the picture as it was: what it knows already is not to be forgotten.
    average: how much of the average of the weights so far is left after a step; the average is what is kept (Polyak and
    Juditsky 1992). mix: the share of it in the weights that are written; the rest is the parent's (Wortsman et al.
    2022, "Robust fine-tuning of zero-shot models"), so that less of what was known is lost. precision: in which it is
    computed. patience: passes without an improvement, on the persons by whom that is decided, after which it stops.
    good: which network sees pictures that are not like those of `imitation`: the parent, which stays beside the one
    that is trained, or that one.
    """

    network: str
    part: Part = "whole"
    last: int = 8
    rank: int = 8
    loss: str = "cosface"
    first: str | None = None
    first_share: float = 0.3
    passes: int = 10
    batch: int = 64
    rate: float = 1e-3
    keep: float = 20.0
    average: float = 0.98
    mix: float = 0.75
    precision: Literal["fp32", "bf16"] = "fp32"
    patience: int = 4
    good: Good = "parent"
    imitation: Imitation = Imitation()
    seed: int = 0

    @property
    def beside_parent(self) -> bool:
        """Whether the parent stays beside the trained network, and sees the good pictures."""
        return self.good == "parent" and self.imitation.anything and self.network != SIAMESE


DetectorPart = Literal["heads", "last", "whole"]
DETECTOR_PARTS: tuple[str, ...] = get_args(DetectorPart)


@dataclass(frozen=True)
class DetectorPlan:
    """How CenterFace is trained.

    scale: of the pictures that it sees, as a share of their pixels, where it is used. part: what of it is trained: the
    heads (what is computed of the features: heat map, sizes, offsets, landmarks), the `last` convolutions, or all of
    it. passes: how often each photo is taken. batch: photos, of each of which a square of `side` pixels is seen.
    zoom: how much smaller or larger than at `scale` a photo is seen. light: how much darker or brighter. smallest:
    pixels of the shorter side, as seen, from which on a face is learnt; what is smaller is neither face nor
    background. rate, average, mix, patience: as of `EmbedderPlan`. landmarks: times how far landmarks are from where
    the parent sees them: photos have none marked, and those that are known are to stay.
    """

    scale: float = 0.5
    part: DetectorPart = "heads"
    last: int = 8
    passes: int = 8
    batch: int = 8
    side: int = 320
    zoom: tuple[float, float] = (0.6, 1.6)
    light: float = 0.3
    smallest: int = 12
    rate: float = 1e-4
    average: float = 0.98
    mix: float = 0.5
    landmarks: float = 1.0
    patience: int = 5
    seed: int = 0
