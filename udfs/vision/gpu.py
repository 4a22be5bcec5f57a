"""Runs networks of torch on a GPU: each shape of its input recorded once (a CUDA graph), and replayed from then on.

One thread of a process does all its work on GPUs. Threads come and go with the images of a task, and what CUDA's
libraries keep, they keep for a thread; and who launches hundreds of kernels one by one waits as often for Python's
lock, which the threads that decode and cut out hold. A replay is one call.
"""

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from udfs.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch.cuda import _POOL_HANDLE

Array = np.ndarray

_RECORDINGS = 64  # shapes that a network keeps: more than a detector has canvases


def on_gpu(module: "torch.nn.Module", device: str, precision: str, *, one_shape: bool) -> "Recorded":
    """A network as a function of pixels, which any number of threads may call at once.

    module: of (n, h, w, 3), on the CPU; it is moved. device: cuda:INDEX. precision: fp32 or bf16, of its weights and
    of what is between its layers. one_shape: that of all its inputs is the same. cuDNN, which plans each convolution
    for its shape, then computes it; else torch's own kernels do, as a plan takes longer than thousands of pictures
    (CenterFace on an H200: about 2 s a canvas).

    The same pixels give the same bits each time: only algorithms of which that is true are taken, and fp32 is no TF32.

    Raises:
        InputError: there is no GPU.
    """
    import torch

    if not torch.cuda.is_available():
        raise InputError(
            "vision.device is cuda, and this executor has no GPU; set it to cpu, or run on nodes with a GPU"
        )
    return Recorded(module, device, torch.bfloat16 if precision == "bf16" else torch.float32, planned=one_shape)


class Recorded:
    """A network on a GPU, with the shapes that it has seen."""

    def __init__(self, module: "torch.nn.Module", device: str, dtype: "torch.dtype", planned: bool) -> None:
        import torch

        self._device = device
        self._planned = planned
        self._recordings: OrderedDict[tuple[int, ...], _Recording] = OrderedDict()
        layout = torch.channels_last if planned else torch.contiguous_format
        # By the thread: while a recording is made, nobody else may ask the GPU for memory.
        self._module = _thread().submit(lambda: module.to(device, dtype).to(memory_format=layout)).result()

    def __call__(self, pixels: Array) -> list[Array]:
        """uint8 or float32 (n, h, w, 3) -> the network's outputs, each float32 (n, ...)."""
        return _thread().submit(self._run, np.ascontiguousarray(pixels)).result()

    def _run(self, pixels: Array) -> list[Array]:
        recording = self._recordings.pop(pixels.shape, None) or self._recorded(pixels)
        self._recordings[pixels.shape] = recording
        if len(self._recordings) > _RECORDINGS:
            self._recordings.popitem(last=False)
        return recording.replay(pixels)

    def _recorded(self, pixels: Array) -> "_Recording":
        from torch.backends import cudnn

        # As one is replayed at a time, what is between their layers may lie in the same memory.
        memory = next((recording.graph.pool() for recording in self._recordings.values()), None)
        with cudnn.flags(enabled=self._planned, benchmark=False, deterministic=True, allow_tf32=False):
            return _Recording.of(self._module, pixels, self._device, memory)


@dataclass
class _Recording:
    """A network's work on pixels of one shape."""

    graph: "torch.cuda.CUDAGraph"
    waiting: "torch.Tensor"  # pixels in memory that the GPU reads by itself
    given: "torch.Tensor"
    outputs: list["torch.Tensor"]

    @classmethod
    def of(cls, module: "torch.nn.Module", pixels: Array, device: str, memory: "_POOL_HANDLE | None") -> "_Recording":
        import torch

        waiting = torch.from_numpy(pixels).pin_memory()
        with torch.inference_mode(), torch.cuda.device(device):
            given = waiting.to(device)
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                module(given)  # plans are made and memory is taken outside of the recording
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=memory):
                found = module(given)
                outputs = [output.float() for output in (found if isinstance(found, tuple) else (found,))]
        return cls(graph, waiting, given, outputs)

    def replay(self, pixels: Array) -> list[Array]:
        import torch

        np.copyto(self.waiting.numpy(), pixels)
        with torch.inference_mode(), torch.cuda.device(self.given.device):
            self.given.copy_(self.waiting, non_blocking=True)
            self.graph.replay()
            return [output.cpu().numpy() for output in self.outputs]


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="gpu")
