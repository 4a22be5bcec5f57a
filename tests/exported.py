"""Packaged networks as ONNX files, as a person would export them."""

import pkgutil
import warnings
from pathlib import Path

import torch

from udfs.vision import weights
from udfs.vision.models import NETWORKS
from udfs.vision.tensors import put


def exported(name: str, file: str, folder: Path) -> Path:
    """A packaged network with the weights of a file, written to a folder."""
    model = NETWORKS[name]
    module = put(pkgutil.resolve_name(model.network)(), weights.load(name, file)).eval()
    path = folder / f"{name}.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter without onnxscript, which is deprecated
        torch.onnx.export(
            module,
            (torch.zeros(1, 3, model.crop.side, model.crop.side),),
            str(path),
            dynamo=False,
            input_names=["pixels"],
            output_names=["vector"],
            dynamic_axes={"pixels": {0: "n"}, "vector": {0: "n"}},
        )
    return path
