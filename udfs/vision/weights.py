"""Model weights: where their files are, and whether a file holds the right ones. `udfs/downloads.py` fetches them."""

import hashlib
import pkgutil

from udfs import lake
from udfs.cache import cache
from udfs.errors import InputError
from udfs.kept import Files, kept
from udfs.vision import own_detector_file
from udfs.vision.declaration import Model
from udfs.vision.models import MODELS, model, own_detector
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import Tensors, WeightsSource, digest


def load(name: str, explicit: str | None = None) -> Tensors:
    """The verified tensors of the weights called `name`, from `explicit` (a path or URI) or the cache.

    Raises:
        InputError: no such weights, no such file, not a file of these weights, or another digest.
    """
    return verified(model(name), *_file(model(name), explicit))


def verify(name: str, explicit: str | None = None) -> None:
    """Make sure that `load` would give tensors. Whether a file holds them is found out once a machine: afterwards the
    file is read, and no torch is needed.

    Raises:
        InputError: as of `load`.
    """
    of = model(name)
    content, where, remedy = _file(of, explicit)

    def check() -> Files:
        verified(of, content, where, remedy)
        return {}

    if of.weights.file is None:
        check()
    else:
        kept(__package__, {"weights": of.weights.tensors_sha256, "in": hashlib.sha256(content).hexdigest()}, check)


def _file(of: Model, explicit: str | None) -> tuple[bytes, str, str]:
    """The content of the weights' file, and for messages where it is, and what to do if it is wrong."""
    name, file = of.name, of.weights.file
    if file is None:
        return b"", of.weights.origin, "install facenet-pytorch again"
    remedy = f"run `rollcall weights fetch {name}`, or name a copy of the right file: --set weights.{name}=PATH"
    if explicit is not None:
        return lake.read_anything(explicit), explicit, remedy
    path = cache() / file.name
    if not path.exists():
        raise InputError(f"the weights {name!r} are not in {cache()}; {remedy}")
    return path.read_bytes(), str(path), remedy


def source(name: str, explicit: str | None = None) -> WeightsSource:
    """The weights called `name`, to be read as of `load` where a network is built from them.

    Raises:
        InputError: no such weights.
    """
    return WeightsSource(model(name).weights.tensors_sha256, lambda: load(name, explicit))


def source_of(spec: VisionSpec, name: str) -> WeightsSource:
    """The weights called `name`, as a specification has them.

    Raises:
        InputError: no such weights.
    """
    own = own_detector(name, spec.models)
    if own is not None:
        return WeightsSource(own.digest, lambda: own_detector_file.load(own.declared, named_in(spec, name)))
    return source(name, named_in(spec, name))


def named_in(spec: VisionSpec, name: str) -> str | None:
    """The path or URI that a specification names for the weights of a model: for the model itself, or for another of
    the same weights, such as the one in 8 bits."""
    same = [other.name for other in MODELS.values() if name in MODELS and other.weights == MODELS[name].weights]
    given = dict(spec.weights)
    return next((given[other] for other in (name, *same) if other in given), None)


def verified(of: Model, content: bytes, where: str, remedy: str) -> Tensors:
    """The tensors in the content of a file, if they are those of a model.

    where, remedy: for the message: what the content was read from, and what to do if it is wrong.

    Raises:
        InputError: not a file of these weights, or another digest.
    """
    read = pkgutil.resolve_name(of.weights.read)
    try:
        tensors: Tensors = read(content)
    except Exception as error:  # a reader may raise anything for a file of another kind
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{where}: not a weights file of {of.name!r} ({reason}); {remedy}") from error
    found, expected = digest(tensors), of.weights.tensors_sha256
    if found != expected:
        raise InputError(
            f"{where}: not the weights of {of.name!r}: the digest of its tensors is {found[:12]}...,"
            f" expected {expected[:12]}...; {remedy}"
        )
    return tensors
