"""Packaged networks as ONNX files, as a person would export them."""

import pkgutil
from pathlib import Path

from training.exported import onnx
from udfs.vision import weights
from udfs.vision.models import NETWORKS
from udfs.vision.tensors import put


def exported(name: str, file: str, folder: Path) -> Path:
    """A packaged network with the weights of a file, written to a folder."""
    model = NETWORKS[name]
    module = put(pkgutil.resolve_name(model.network)(), weights.load(name, file)).eval()
    path = folder / f"{name}.onnx"
    path.write_bytes(onnx(module, model.crop.side))
    return path
