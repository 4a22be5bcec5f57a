"""A network that says how likely a face is live: it says it beside the embedding, whose bits stay what they are."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.onnx_files import CELLS, SIDE, graph
from udfs.errors import InputError
from udfs.vision.contract import contract, settings_id
from udfs.vision.liveness import Liveness
from udfs.vision.own import LivenessDeclaration
from udfs.vision.pipeline import FacePipeline, ImageOutcome
from udfs.vision.spec import VisionSpec

Array = np.ndarray


def declared(path: Path, outputs: int = 2, **changes: object) -> LivenessDeclaration:
    """A network whose outputs are the mean of a crop's first channel times 0, 1, 2 and so on."""
    mean = np.concatenate([np.full(CELLS**2, 1 / CELLS**2), np.zeros(2 * CELLS**2)])
    matrix = np.outer(mean, np.arange(outputs)).astype(np.float32)
    content = graph(matrix=matrix, outputs=(("vector", ("n", outputs)),)).SerializeToString()
    path.write_bytes(content)
    of_file = {"file": str(path), "sha256": hashlib.sha256(content).hexdigest()}
    made = LivenessDeclaration(
        **of_file, crop="margin", side=SIDE, margin=SIDE // 2, colour="rgb", shift=0.0, scale=255.0, layout="nchw",
        live=1, softmax=False,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def crops(*levels: int) -> list[Array]:
    return [np.full((SIDE, SIDE, 3), level, np.uint8) for level in levels]


SPEC = VisionSpec(embedder="dlib-resnet-v1", batch_size=4)


def test_what_its_outputs_say(tmp_path: Path) -> None:
    levels = (0, 51, 255, 102, 204)  # more than a batch
    plain = Liveness(declared(tmp_path / "a.onnx"), SPEC)(crops(*levels))
    assert plain == pytest.approx([level / 255 for level in levels], abs=1e-4)
    alone = [Liveness(declared(tmp_path / "a.onnx"), SPEC)(crops(level))[0] for level in levels]
    assert alone == plain  # whatever stands beside it in a batch
    of_two = Liveness(declared(tmp_path / "a.onnx", softmax=True), SPEC)(crops(255))
    assert of_two == pytest.approx([1 / (1 + np.exp(-1))], abs=1e-4)
    of_one = Liveness(declared(tmp_path / "b.onnx", outputs=1, live=0, softmax=True), SPEC)(crops(255))
    assert of_one == pytest.approx([0.5], abs=1e-6)
    assert Liveness(declared(tmp_path / "a.onnx", scale=1e-39), SPEC)(crops(255)) == [None]  # no number


def test_a_wrong_declaration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"live = 2, and its network has 2 outputs a face, counted from 0"):
        Liveness(declared(tmp_path / "a.onnx", live=2), SPEC)
    with pytest.raises(InputError, match=r"not the file that \[liveness\] declares"):
        Liveness(declared(tmp_path / "a.onnx", sha256="0" * 64), SPEC)


def test_no_id_and_no_bit_depends_on_it(tmp_path: Path, demo_photos: tuple[Path, Path], dlib_weights: Path) -> None:
    watched = replace(SPEC, liveness=declared(tmp_path / "a.onnx"))
    assert contract(watched).contract_id == contract(SPEC).contract_id
    assert settings_id(watched) == settings_id(SPEC)
    photos = sorted(path for path in demo_photos[0].rglob("*") if path.name in ("group.jpg", "speech.jpg", "notes.jpg"))
    without, with_it = (found(FacePipeline(spec), photos) for spec in (SPEC, watched))
    assert len(photos) == 3
    assert [outcome.outcome for outcome in with_it] == [outcome.outcome for outcome in without]
    pairs = [
        (one, other)
        for left, right in zip(without, with_it, strict=True)
        for one, other in zip(left.faces, right.faces, strict=True)
    ]
    assert len(pairs) == 4
    for one, other in pairs:
        assert one.embedding.tobytes() == other.embedding.tobytes()
        assert one.box.tobytes() == other.box.tobytes()
        assert one.quality == other.quality
        assert one.liveness is None
        assert other.liveness is not None
        assert 0 < other.liveness < 1


def found(pipeline: FacePipeline, photos: list[Path]) -> list[ImageOutcome]:
    return [outcome for _, outcome in pipeline.run((path.name, path.read_bytes) for path in photos)]
