"""Weights of CenterFace that are one's own: a file in NumPy's format with its tensors, by the names of its module."""

import io

import numpy as np

from udfs.errors import InputError
from udfs.kept import Files, kept
from udfs.vision import own_file
from udfs.vision.own import DetectorDeclaration
from udfs.vision.tensors import Tensors, put

_COUNTERS = "num_batches_tracked"
"""Of batch normalisations; they take no part in finding."""


def content(tensors: Tensors) -> bytes:
    """Tensors as a file; the same ones are the same bytes."""
    file = io.BytesIO()
    held = {name: tensors[name].detach().numpy() for name in sorted(tensors) if not name.endswith(_COUNTERS)}
    np.savez(file, **held)  # type: ignore[arg-type]  # numpy says that one name has a meaning of its own
    return file.getvalue()


def load(own: DetectorDeclaration, explicit: str | None = None) -> Tensors:
    """The tensors of the declared file. explicit: the path or URI of a copy, which is read instead.

    Raises:
        InputError: it cannot be read, is another file than was declared, or holds no weights of CenterFace.
    """
    import torch

    from udfs.vision.centerface_net import CenterFaceNet

    given = own_file.read(own, explicit)
    try:
        with np.load(io.BytesIO(given), allow_pickle=False) as held:
            tensors = {name: torch.from_numpy(held[name].astype(np.float32)) for name in held.files}
        put(CenterFaceNet(), tensors)
    except Exception as error:  # numpy and torch may raise anything for a file of another kind
        reason = " ".join(str(error).split())[:120]
        raise InputError(
            f"{explicit or own.file}: holds no weights of CenterFace ({reason}); declare a file of `rollcall train"
            f" detector` in [models.{own.name}]"
        ) from error
    return tensors


def verify(own: DetectorDeclaration, explicit: str | None = None) -> None:
    """Make sure that `load` would give tensors. The file is read each time; whether the declared one holds weights of
    CenterFace is found out once a machine: afterwards no torch is needed.

    Raises:
        InputError: as of `load`.
    """
    own_file.read(own, explicit)

    def check() -> Files:
        load(own, explicit)
        return {}

    kept(__package__, {"weights in the file": own.sha256}, check)
