"""In which precision a machine is fastest: measured once, and the same for all tasks of a job."""

from pathlib import Path

import pytest

from udfs.errors import InputError
from udfs.vision import speed
from udfs.vision.spec import VisionSpec
from udfs.vision.speed import MeasuredSpeeds, settled

SPEC = VisionSpec(detector="mtcnn", embedder="dlib-resnet-v1", precision="fastest")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.kept.cache", lambda: tmp_path)
    monkeypatch.setattr(speed, "cpu_precisions", lambda: ["fp32", "bf16"])


@pytest.mark.parametrize(
    ("fp32", "bf16", "fastest"), [(0.2, 0.1, "bf16"), (0.1, 0.2, "fp32"), (0.105, 0.1, "fp32"), (0.115, 0.1, "bf16")]
)
def test_the_more_precise_is_taken_unless_the_other_is_clearly_faster(fp32: float, bf16: float, fastest: str) -> None:
    assert MeasuredSpeeds.fastest({"fp32": fp32, "bf16": bf16}) == fastest


def test_detector_and_embedder_are_settled_apart_and_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def measure(spec: VisionSpec) -> dict[str, dict[str, float]]:
        measured.append(spec)
        return {"detector": {"fp32": 1.0, "bf16": 0.5}, "embedder": {"fp32": 1.0, "bf16": 1.7}}

    monkeypatch.setattr(speed, "_measured", measure)
    spec = settled(SPEC)
    assert (spec.precision, spec.for_detector().precision) == ("fp32", "bf16")
    assert settled(SPEC) == spec
    assert len(measured) == 1, "kept"
    monkeypatch.setattr(speed, "processor", lambda: ["another"])
    settled(SPEC)
    assert len(measured) == 2, "the cache is that of several machines"


def test_what_is_configured_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_measured", lambda spec: pytest.fail("measured"))
    for precision in ("fp32", "bf16"):
        spec = VisionSpec(precision=precision)  # type: ignore[arg-type]
        assert settled(spec) == spec
        assert spec.for_detector() == spec
    monkeypatch.setattr(speed, "cpu_precisions", lambda: ["fp32"])
    assert settled(SPEC).precision == "fp32"


def test_a_gpu_is_not_measured() -> None:
    with pytest.raises(InputError, match="only measured for a CPU; set it to bf16 or fp32"):
        settled(VisionSpec(device="cuda", precision="fastest"))


def test_real_networks_are_timed(monkeypatch: pytest.MonkeyPatch, dlib_weights: Path) -> None:
    monkeypatch.undo()
    seconds = speed._measured(VisionSpec(detector="mtcnn", embedder="dlib-resnet-v1", batch_size=1))
    assert set(seconds) == {"detector", "embedder"}
    assert all(taken > 0 for of in seconds.values() for taken in of.values())
