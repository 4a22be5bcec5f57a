"""A network's weights as tensors by their names."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]
"""The weights of a network, by the names of its torch module's `state_dict`."""

Module = TypeVar("Module", bound="torch.nn.Module")


@dataclass(frozen=True)
class WeightsSource:
    """Weights that are read only where a network is built from them.

    digest: of the tensors that `read` gives; None for weights that nobody will need again.
    """

    digest: str | None
    read: Callable[[], Tensors]


def put(module: Module, tensors: Tensors) -> Module:
    """Give a module its weights, all of them and no others; returns the module.

    The counters of batch normalisations take no part in inference, and are not among the weights.

    Raises:
        RuntimeError: a tensor is missing, unknown to the module, or of another shape.
    """
    counters = {name: value for name, value in module.state_dict().items() if name.endswith("num_batches_tracked")}
    module.load_state_dict({**counters, **tensors}, strict=True)
    return module


def digest(tensors: Tensors) -> str:
    """SHA-256 over the tensors in the order of their names: name, dtype, shape, little-endian bytes."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name].detach().cpu().contiguous().numpy()
        sha.update(f"{name} {array.dtype} {array.shape}\n".encode())
        sha.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return sha.hexdigest()
