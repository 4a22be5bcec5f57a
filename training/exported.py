"""A trained network as a file in the format ONNX."""

import io
import warnings

import torch
from torch import nn


def onnx(network: nn.Module, side: int) -> bytes:
    """A network of crops float32 (n, 3, side, side) as an ONNX file, for batches of any size."""
    file = io.BytesIO()
    network = network.eval().to(memory_format=torch.contiguous_format)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this way to export is deprecated; the other one needs onnxscript
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, side, side),),
            file,  # type: ignore[arg-type]  # it takes files as well
            dynamo=False,
            input_names=["pixels"],
            output_names=["vector"],
            dynamic_axes={"pixels": {0: "n"}, "vector": {0: "n"}},
        )
    return file.getvalue()
