"""CenterFace with weights from a file of one's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from jobs.faces.contracts import verify
from udfs.errors import InputError
from udfs.vision import own_detector_file, weights
from udfs.vision.detect import detector_class
from udfs.vision.models import detector
from udfs.vision.own import DetectorDeclaration
from udfs.vision.own_file import digest
from udfs.vision.spec import VisionSpec


@pytest.fixture
def spec(tmp_path: Path, centerface_weights: Path) -> VisionSpec:
    """With CenterFace's own weights, and with others that are sure of nothing."""
    packaged = weights.load("centerface")
    blind = {**packaged, "outputs.0.bias": torch.full((1,), -50.0)}
    declared = []
    for name, tensors, of in (
        ("same", packaged, "centerface"),
        ("twice", packaged, "centerface-twice"),
        ("blind", blind, "centerface"),
    ):
        content = own_detector_file.content(tensors)
        (tmp_path / f"{name}.npz").write_bytes(content)
        declared.append(DetectorDeclaration(name, of, str(tmp_path / f"{name}.npz"), digest(content)))
    return VisionSpec(models=tuple(declared))


@pytest.mark.slow
def test_it_finds_what_its_weights_find(spec: VisionSpec, demo_photos: tuple[Path, Path]) -> None:
    (lake,) = demo_photos[0].iterdir()
    pictures = np.asarray(Image.open(lake / "astronaut.png").convert("RGB").reduce(2))[None]

    def found(name: str) -> list[bytes]:
        made = detector_class(detector(name, spec.models))(spec, weights.source_of(spec, name))
        return [face.box.tobytes() for face in made.detect(pictures)[0]]

    assert len(found("same")) == 1
    assert found("same") == found("centerface")
    assert found("twice") == found("centerface-twice")
    assert found("blind") == []


def test_the_same_weights_are_the_same_file(spec: VisionSpec, tmp_path: Path) -> None:
    assert spec.models[0].sha256 == spec.models[1].sha256  # type: ignore[union-attr]
    tensors = own_detector_file.load(spec.models[0])  # type: ignore[arg-type]
    assert own_detector_file.content(tensors) == (tmp_path / "same.npz").read_bytes()
    assert np.array_equal(tensors["outputs.0.bias"], weights.load("centerface")["outputs.0.bias"])


def test_files_that_will_not_do(spec: VisionSpec, tmp_path: Path) -> None:
    own = detector("blind", spec.models)
    verify(spec, own)
    whole = (tmp_path / "blind.npz").read_bytes()
    (tmp_path / "blind.npz").write_bytes(whole[:-1])
    for use in (lambda: verify(spec, own), lambda: weights.source_of(spec, "blind").read()):
        with pytest.raises(
            InputError, match=r"blind.npz: not the file that \[models.blind\] declares: .*`rollcall train"
        ):
            use()
    # A copy elsewhere does.
    (tmp_path / "copy.npz").write_bytes(whole)
    verify(replace(spec, weights=(("blind", str(tmp_path / "copy.npz")),)), own)
    (tmp_path / "blind.npz").unlink()
    with pytest.raises(InputError, match=r"blind.npz.*cannot be read"):
        verify(spec, own)
    for content, reason in ((b"no weights", ""), (own_detector_file.content({"a": torch.zeros(1)}), "Missing key")):
        (tmp_path / "blind.npz").write_bytes(content)
        other = replace(
            spec, models=(DetectorDeclaration("blind", "centerface", str(tmp_path / "blind.npz"), digest(content)),)
        )
        with pytest.raises(
            InputError, match=rf"blind.npz: holds no weights of CenterFace \(.*{reason}.*\[models.blind\]"
        ):
            verify(other, detector("blind", other.models))
