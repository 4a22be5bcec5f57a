from importlib.resources import files
from pathlib import Path

import pytest

from jobs.run import settings
from udfs.errors import InputError
from udfs.vision.models import DETECTORS, EMBEDDERS


def test_the_packaged_settings_are_whole() -> None:
    loaded = settings.load()
    assert loaded.vision.detector in DETECTORS
    assert set(loaded.thresholds) == set(EMBEDDERS)


def test_single_values_can_be_changed() -> None:
    loaded = settings.load(None, ("vision.minimum_face=60", "vision.embedder=dlib-resnet-v1", "weights.mtcnn=/a b"))
    spec = loaded.spec()
    assert (spec.minimum_face, spec.embedder, spec.weights) == (60, "dlib-resnet-v1", (("mtcnn", "/a b"),))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("vision.minimum_face=5", "--set vision.minimum_face=5: vision.minimum_face: Input should be greater"),
        (
            "vision.minimum_fase=50",
            "^--set vision.minimum_fase=50: there is no setting vision.minimum_fase; did you mean vision.minimum_face",
        ),
        ("visoin.flip=true", r"^--set visoin.flip=true: there is no setting .* did you mean vision.flip\?"),
        ("identify.minimum_face=50", "did you mean identify.minimum_size"),
        (
            "weights.dlib-resnet-v2=/w",
            "there is no setting weights.dlib-resnet-v2; did you mean weights.dlib-resnet-v1",
        ),
        ("weights.fused=/w", "there is no setting weights.fused"),
        ("thresholds.mobilefacent.match=0.5", "did you mean thresholds.mobilefacenet.match"),
        ("pairs.fused.matches=0.5", "did you mean pairs.fused.match"),
        ("sections.of.nothing=1", "conf/rollcall.toml shows which there are"),
        ("vision.flip.x=1", "'flip' is a value, not a section"),
        ("vision.device=tpu", "vision.device"),
        ("vision.precision=fp8", "vision.precision"),
        ("thresholds.facenet-vggface2.review=0.9", "must have keep_floor <= review <= match"),
        ("thresholds.facenet-vggface2.match=nan", "thresholds.facenet-vggface2.match"),
        ("minimum_face=50", "section.name=value"),
        ("vision.minimum_face", "section.name=value"),
    ],
)
def test_wrong_values_are_named(change: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        settings.load(None, (change,))


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[vision\n")
    with pytest.raises(InputError, match=r"mine.toml: is not a TOML file"):
        settings.load(str(tmp_path / "mine.toml"))
    packaged = files("conf").joinpath("rollcall.toml").read_text("utf-8")
    for content, said in (("thresholds = 3", "thresholds"), ("pairs.mobilefacenet = 3", "pairs.mobilefacenet")):
        (tmp_path / "mine.toml").write_text(f"{content}\n{packaged}")
        with pytest.raises(InputError, match=f"mine.toml: {said}: Input should be a valid dictionary"):
            settings.load(str(tmp_path / "mine.toml"))
    misspelt = {
        "vision.minimum_fase; did you mean vision.minimum_face": packaged.replace("minimum_face", "minimum_fase"),
        "weights.mtcn; did you mean weights.mtcnn": f"weights.mtcn = '/w'\n{packaged}",
    }
    for said, content in misspelt.items():
        (tmp_path / "mine.toml").write_text(content)
        with pytest.raises(InputError, match=f"mine.toml: there is no setting {said}"):
            settings.load(str(tmp_path / "mine.toml"))
    with pytest.raises(InputError, match=r"none.toml: cannot be read"):
        settings.load(str(tmp_path / "none.toml"))
