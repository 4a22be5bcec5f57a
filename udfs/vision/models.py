"""Which detectors and embedders there are, by the names the settings use."""

import pkgutil
from typing import Any

from udfs.errors import InputError
from udfs.vision.detect import Detector
from udfs.vision.embed import Embedder

# Named, not imported: the networks need torch, which is loaded where they run.
DETECTORS = {
    "mtcnn": "udfs.vision.mtcnn:Mtcnn",
    "centerface": "udfs.vision.centerface:CenterFace",
}
EMBEDDERS = {
    "facenet-vggface2": "udfs.vision.facenet:FaceNet",
    "facenet-vggface2-int8": "udfs.vision.facenet:FaceNetInt8",
    "mobilefacenet": "udfs.vision.mobilefacenet:MobileFaceNet",
    "dlib-resnet-v1": "udfs.vision.dlib:Dlib",
}


def detector(name: str) -> type[Detector]:
    """The detector of this name.

    Raises:
        InputError: no such model.
    """
    return _named("detector", name, DETECTORS)


def embedder(name: str) -> type[Embedder]:
    """The embedder of this name.

    Raises:
        InputError: no such model.
    """
    return _named("embedder", name, EMBEDDERS)


def _named(kind: str, name: str, known: dict[str, str]) -> Any:
    if name not in known:
        raise InputError(f"no {kind} is called {name!r}; use one of: {', '.join(known)}")
    return pkgutil.resolve_name(known[name])
