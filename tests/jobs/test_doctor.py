"""What `rollcall doctor` says of this machine."""

from pathlib import Path

import pytest

from jobs.cli import rollcall
from jobs.reports import machine
from jobs.run.errors import run_command
from udfs.vision.spec import VisionSpec

DLIB = ("--set", "vision.detector=mtcnn", "--set", "vision.embedder=dlib-resnet-v1")


def test_what_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("udfs.kept.cache", lambda: tmp_path)  # where nothing was measured before
    with pytest.raises(SystemExit) as stopped:
        run_command(rollcall, ["doctor", *DLIB, "--set", f"weights.dlib-resnet-v1={tmp_path}/nothing.dat"])
    shown = capsys.readouterr()
    assert stopped.value.code == 2
    assert "dlib-resnet-v1 missing" in shown.err
    assert "nothing.dat" in shown.out
    assert "precision: measured once the weights are here" in shown.out


def test_int8_is_offered_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def speeds(specs: dict[str, VisionSpec]) -> dict[str, float]:
        return {name: 150.0 if spec.embedder.endswith("-int8") else 50.0 for name, spec in specs.items()}

    monkeypatch.setattr("udfs.vision.speed.crops_per_second", speeds)
    monkeypatch.setattr(machine, "weights_of", lambda *_: "there")
    for able in (True, False):
        monkeypatch.setattr(machine, "has_int8", lambda able=able: able)
        run_command(rollcall, ["doctor", "--set", "vision.embedder=facenet-vggface2"])
        shown = capsys.readouterr().out
        assert ("3.0 times as fast: --set vision.embedder=facenet-vggface2-int8" in shown) == able
