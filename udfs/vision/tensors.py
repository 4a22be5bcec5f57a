"""A network's weights as tensors by their names."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]
"""The weights of a network, by the names of its torch module's `state_dict`."""


def put(module: "torch.nn.Module", tensors: Tensors) -> None:
    """Give a module its weights, all of them and no others.

    The counters of batch normalisations take no part in inference, and are not among the weights.

    Raises:
        RuntimeError: a tensor is missing, unknown to the module, or of another shape.
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
