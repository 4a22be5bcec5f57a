"""Which detectors and embedders there are, by the names the settings use."""

import pkgutil

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
    "dlib-resnet-v1": "udfs.vision.dlib:Dlib",
}


def detector(name: str) -> type[Detector]:
    """The detector of this name.

    Raises:
        InputError: there is none.
    """
    if name not in DETECTORS:
        raise InputError(f"no detector is called {name!r}; use one of: {', '.join(DETECTORS)}")
    return pkgutil.resolve_name(DETECTORS[name])


def embedder(name: str) -> type[Embedder]:
    """The embedder of this name.

    Raises:
        InputError: there is none.
    """
    if name not in EMBEDDERS:
        raise InputError(f"no embedder is called {name!r}; use one of: {', '.join(EMBEDDERS)}")
    return pkgutil.resolve_name(EMBEDDERS[name])
