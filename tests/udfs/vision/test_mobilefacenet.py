"""MobileFaceNet: the module computes what the file says."""

from pathlib import Path

import numpy as np
import openvino
import pytest
import torch

from udfs.errors import InputError
from udfs.vision import weights
from udfs.vision.mobilefacenet_net import MobileFaceNetModule, read_tflite
from udfs.vision.tensors import put


def test_the_module_computes_what_the_file_says(mobilefacenet_weights: Path) -> None:
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(mobilefacenet_weights), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, 112, 112, 3)).astype(np.float32)
    module = put(MobileFaceNetModule(), read_tflite(mobilefacenet_weights.read_bytes())).eval()
    with torch.inference_mode():
        found = module(torch.from_numpy(pixels.transpose(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(found, compiled(pixels)[0], atol=1e-3)


def test_a_file_of_another_kind_is_refused(mobilefacenet_weights: Path, tmp_path: Path) -> None:
    for content in (b"", b"just words", mobilefacenet_weights.read_bytes()[:100_000]):
        (tmp_path / "file.tflite").write_bytes(content)
        with pytest.raises(InputError, match="not a weights file of 'mobilefacenet'"):
            weights.load("mobilefacenet", str(tmp_path / "file.tflite"))
