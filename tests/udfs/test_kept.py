"""What takes long to make is made once a machine, and what is kept is what was made."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from udfs import kept as module
from udfs.kept import Files, kept

MADE = {"a": b"one", "b": b"two"}


class Maker:
    """Counts how often it had to work."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Files:
        self.calls += 1
        return MADE


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], list[Path]]:
    monkeypatch.setenv("ROLLCALL_CACHE", str(tmp_path / "cache"))
    return lambda: sorted((tmp_path / "cache" / "made").iterdir())


def test_it_is_made_once(folders: Callable[[], list[Path]]) -> None:
    make = Maker()
    assert kept("udfs.search", {"of": 1}, make) == kept("udfs.search", {"of": 1}, make) == MADE
    assert make.calls == 1
    kept("udfs.search", {"of": 2}, make)
    assert (make.calls, len(folders())) == (2, 2)


def test_other_code_makes_it_anew(folders: Callable[[], list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()
    kept("udfs.search", {"of": 1}, make)
    monkeypatch.setattr(module, "_code", lambda package: "another")
    kept("udfs.search", {"of": 1}, make)
    assert make.calls == 2


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "a").write_bytes(b"onf"),
        lambda folder: (folder / "a").unlink(),
        lambda folder: (folder / "sha256.json").write_text("{"),
        lambda folder: (folder / "sha256.json").unlink(),
    ],
    ids=["a bit", "a file", "half of the digests", "the digests"],
)
def test_what_is_damaged_is_made_again(folders: Callable[[], list[Path]], harm: Callable[[Path], object]) -> None:
    make = Maker()
    kept("udfs.search", {"of": 1}, make)
    (folder,) = folders()
    harm(folder)
    assert kept("udfs.search", {"of": 1}, make) == MADE
    assert kept("udfs.search", {"of": 1}, make) == MADE
    assert make.calls == 2, "once more, and then it is whole"


def test_without_a_cache_it_is_made_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("ROLLCALL_CACHE", str(tmp_path / "file"))
    make = Maker()
    assert kept("udfs.search", {"of": 1}, make) == kept("udfs.search", {"of": 1}, make) == MADE
    assert make.calls == 2


def test_the_code_of_the_package_counts(folders: Callable[[], list[Path]]) -> None:
    make = Maker()
    for package in ("udfs.search", "udfs.vision", "udfs.search"):
        kept(package, {"of": 1}, make)
    assert make.calls == 2


def test_what_was_not_used_for_long_is_removed(folders: Callable[[], list[Path]]) -> None:
    kept("udfs.search", {"of": "old"}, Maker())
    kept("udfs.search", {"of": "used"}, Maker())
    long_ago = time.time() - 40 * 24 * 3600
    for folder in folders():
        os.utime(folder, (long_ago, long_ago))
    kept("udfs.search", {"of": "used"}, Maker())
    kept("udfs.search", {"of": "new"}, Maker())
    assert len(folders()) == 2
    make = Maker()
    kept("udfs.search", {"of": "used"}, make)
    assert make.calls == 0


def test_a_process_that_finds_its_networks_needs_no_torch(dlib_weights: Path, centerface_weights: Path) -> None:
    script = (
        "import sys; from udfs.vision.pipeline import FacePipeline; from udfs.vision.spec import VisionSpec\n"
        "FacePipeline(VisionSpec(embedder='dlib-resnet-v1'))\n"
        "print([name for name in ('torch', 'torchvision', 'facenet_pytorch', 'onnx') if name in sys.modules])"
    )
    outputs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert outputs[-1] == "[]\n"
