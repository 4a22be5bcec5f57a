"""Sections [models.NAME] of the settings, and how they are written."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.run import settings, settings_file
from tests.onnx_files import declared
from udfs.errors import InputError
from udfs.vision.contract import contract
from udfs.vision.models import embedder, networks_of, with_weights
from udfs.vision.own import DetectorDeclaration, FusedDeclaration, OnnxDeclaration, PartDeclaration

FUSED = """
[models.both]
parts = [{ model = "mobilefacenet", share = 0.3 }, { model = "mine", share = 0.7, flip = true }]
"""


@pytest.fixture
def own(tmp_path: Path) -> OnnxDeclaration:
    return declared(tmp_path / "a.onnx", licence='MIT, "as is"', trained_on="nobody \\ no one")


def loaded(*sections: str, changes: tuple[str, ...] = ()) -> settings.Settings:
    return settings.of_text("\n".join([settings.packaged_text(), *sections]), "mine.toml", changes)


def test_what_is_written_is_what_is_read(own: OnnxDeclaration) -> None:
    assert loaded(settings_file.section(own)).spec().models == (own,)


def test_a_specification_with_own_models_can_be_sent(own: OnnxDeclaration) -> None:
    spec = loaded(settings_file.section(own), FUSED).spec()
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert hash(pickle.loads(pickle.dumps(spec))) == hash(spec)
    assert spec.models[0] == FusedDeclaration(
        "both", (PartDeclaration("mobilefacenet", 0.3), PartDeclaration("mine", 0.7, flip=True))
    )


def test_own_models_are_found_by_name(own: OnnxDeclaration) -> None:
    given = loaded(settings_file.section(own), FUSED, changes=("vision.embedder=both",))
    spec = given.spec()
    assert [model.name for model in with_weights(spec)] == ["centerface-twice", "mobilefacenet", "mine"]
    assert networks_of("both", spec.models) == ["mobilefacenet", "mine"]
    assert networks_of("mine", spec.models) == ["mine"]
    assert embedder("both", spec.models).dimension == 192 + own.dimension
    assert contract(spec).dimension == 192 + own.dimension
    with pytest.raises(InputError, match=r"no embedder is called 'yours'; use one of: .*mine"):
        embedder("yours", spec.models)


def test_what_makes_embeddings_comparable_is_in_the_contract(own: OnnxDeclaration) -> None:
    def document(*changes: str, **values: Any) -> object:
        section = settings_file.section(OnnxDeclaration(**{**vars(own), **values}))
        return contract(loaded(section, changes=("vision.embedder=mine", *changes)).spec()).document["embedder"]

    assert document() == {
        "name": "onnx",
        "revision": 1,
        "crop": "arcface",
        "side": 56,
        "colour": "rgb",
        "shift": 127.5,
        "scale": 127.5,
        "file": own.sha256,
    }
    others = [
        document("vision.flip=true"),
        document(colour="bgr"),
        document(shift=0.0),
        document(scale=128.0),
        document(crop="eyes"),
        document(crop="margin"),
        document(crop="margin", margins=(("centerface", 26),)),
        document(sha256="0" * 64),
    ]
    assert all(other != document() for other in others)
    assert len({str(other) for other in others}) == len(others)
    assert document(name="mine", licence="another", file="/elsewhere.onnx") == document()
    with pytest.raises(InputError, match=r"mine takes no vision.margin"):
        document("vision.margin=10")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"file": "a.onnx"}, "models.mine.file: String should match pattern"),
        ({"sha256": "abc"}, "models.mine.sha256: String should match pattern"),
        ({"crop": "square"}, "models.mine.crop: Input should be 'margin', 'eyes' or 'arcface'"),
        ({"margins": (("mtcnn", 14),)}, 'models.mine: .*must have margins only with crop = "margin"'),
        ({"crop": "margin", "margins": (("haar", 14),)}, "models.mine.margins.haar"),
        ({"colour": "grey"}, "models.mine.colour"),
        ({"layout": "chw"}, "models.mine.layout"),
        ({"scale": 0.0}, "models.mine.scale: Input should be greater than 0"),
        ({"shift": float("nan")}, "models.mine.shift"),
        ({"answer": ()}, "models.mine.answer"),
        ({"name": "facenet-vggface2"}, r"\[models.facenet-vggface2\]: a packaged model has this name"),
        ({"name": "mtcnn"}, r"\[models.mtcnn\]: a packaged model has this name"),
        ({"name": "fused"}, r"\[models.fused\]: a packaged model has this name"),
        ({"name": '"two words"'}, "models.two words"),
    ],
)
def test_wrong_values_are_named(own: OnnxDeclaration, change: dict[str, Any], said: str) -> None:
    section = settings_file.section(OnnxDeclaration(**{**vars(own), **change}))
    with pytest.raises(InputError, match=f"mine.toml: {said}"):
        loaded(section)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ('{ model = "mobilefacenet", share = 1.0 }', "models.both.parts: List should have at least 2 items|share"),
        ("", "models.both.parts: List should have at least 2 items"),
        (
            '{ model = "mobilefacenet", share = 0.5 }, { model = "facenet-vggface2", share = 0.6 }',
            "models.both.parts: .*must have shares that sum to 1, not to 1.1",
        ),
        (
            '{ model = "mobilefacenet", share = -0.5 }, { model = "facenet-vggface2", share = 1.5 }',
            "models.both.parts.0.share: Input should be greater than 0",
        ),
        (
            '{ model = "fused", share = 0.5 }, { model = "mobilefacenet", share = 0.5 }',
            r"\[models.both\]: 'fused' cannot be a part; use facenet-vggface2, .*no fused one",
        ),
        (
            '{ model = "centerface", share = 0.5 }, { model = "mobilefacenet", share = 0.5 }',
            r"\[models.both\]: 'centerface' cannot be a part",
        ),
        (
            '{ model = "both", share = 0.5 }, { model = "mobilefacenet", share = 0.5 }',
            r"\[models.both\]: 'both' cannot be a part",
        ),
        (
            '{ model = "mobilefacenet" }, { model = "mobilefacenet", share = 0.5 }',
            "models.both.parts.0.share: Field req",
        ),
    ],
)
def test_wrong_parts_are_named(parts: str, said: str) -> None:
    with pytest.raises(InputError, match=f"mine.toml: {said}"):
        loaded(f"[models.both]\nparts = [{parts}]")


def test_something_else_than_a_section() -> None:
    for content in ("models = 3", "models.mine = 3"):
        with pytest.raises(InputError, match=r"mine.toml: models"):
            settings.of_text(f"{content}\n{settings.packaged_text()}", "mine.toml")
    with pytest.raises(InputError, match=r"models.mine.sha256: Field required"):
        loaded('[models.mine]\nfile = "/a.onnx"')


def test_without_thresholds_the_error_says_what_to_do(own: OnnxDeclaration) -> None:
    given = loaded(settings_file.section(own))
    with pytest.raises(
        InputError, match=r"no thresholds for 'mine'; run `rollcall calibrate`, or .*\[thresholds.mine\]"
    ):
        given.threshold("mine")
    with pytest.raises(InputError, match=r"no thresholds for pairs of 'mine'; run `rollcall calibrate"):
        given.pair_threshold("mine")
    assert given.keep_floor("mine") == 0.1
    assert given.keep_floor("dlib-resnet-v1") == 0.8


def test_a_section_is_appended(tmp_path: Path, own: OnnxDeclaration) -> None:
    path = tmp_path / "rollcall.toml"
    settings_file.refuse_taken(path, "mine")
    settings_file.append(path, settings_file.section(own))
    assert path.read_text("utf-8").startswith(settings.packaged_text().rstrip()), "with its comments"
    assert settings.load(str(path)).own_models() == (own,)
    with pytest.raises(InputError, match=r"already has a section \[models.mine\]"):
        settings_file.refuse_taken(path, "mine")
    settings_file.refuse_taken(path, "another")


def test_a_settings_file_stays_as_it_was_if_the_section_does_not_fit(tmp_path: Path, own: OnnxDeclaration) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"models = {{}}\n{settings.packaged_text()}")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"mine.toml with the new section: is not a TOML file"):
        settings_file.append(path, settings_file.section(own))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".toml"] == ["mine.toml"]
    with pytest.raises(InputError, match=r"cannot be written: .*; choose another --config"):
        settings_file.append(tmp_path / "absent" / "mine.toml", settings_file.section(own))


@pytest.mark.parametrize("name", ["two words", "", "-a", "a.b", "a\n"])
def test_names_that_will_not_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="use letters, digits, - and _ only"):
        settings_file.refuse_taken(tmp_path / "rollcall.toml", name)
    with pytest.raises(InputError, match="a packaged model is called 'mtcnn'"):
        settings_file.refuse_taken(tmp_path / "rollcall.toml", "mtcnn")


DETECTOR = """
[models.ours]
of = "centerface-twice"
file = "/models/ours.centerface.npz"
sha256 = "{}"
""".format("ab" * 32)


def test_a_detector_with_weights_of_ones_own() -> None:
    spec = loaded(DETECTOR, changes=("vision.detector=ours", "vision.embedder=facenet-vggface2")).spec()
    own = DetectorDeclaration("ours", "centerface-twice", "/models/ours.centerface.npz", "ab" * 32)
    assert spec.models == (own,)
    assert settings_file.section(own).split() == DETECTOR.split()
    assert [model.name for model in with_weights(spec)] == ["ours", "facenet-vggface2"]
    agreed = contract(spec)
    packaged = contract(replace(spec, detector="centerface-twice"))
    assert agreed.detector == "ours"
    assert agreed.document["detector"] == {**packaged.document["detector"], "weights": "ab" * 32}  # type: ignore[dict-item]
    # Its boxes are CenterFace's, and so are the margins around them.
    assert agreed.document["embedder"] == packaged.document["embedder"]
    assert agreed.document["embedder"]["margin"] == 26  # type: ignore[index]
    once = contract(loaded(DETECTOR.replace("-twice", ""), changes=("vision.detector=ours",)).spec())
    assert once.document["detector"]["revision"] == 1  # type: ignore[index]
    with pytest.raises(InputError, match=r"no detector is called 'yours'; use one of: mtcnn, .*ours"):
        contract(replace(spec, detector="yours"))
    with pytest.raises(InputError, match=r"no embedder is called 'ours'"):
        contract(replace(spec, embedder="ours"))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            DETECTOR.replace("centerface-twice", "mtcnn"),
            r"\[models.ours\]: 'mtcnn' takes no other weights; use one of: c",
        ),
        (
            DETECTOR.replace("centerface-twice", "centreface"),
            "cannot be adapted; .* a detector of your own, centerface",
        ),
        (DETECTOR.replace("ab" * 32, "ab"), "models.ours.sha256: String should match pattern"),
        (DETECTOR.replace("/models", "models"), "models.ours.file: String should match pattern"),
        (DETECTOR.replace("models.ours", "models.centerface"), "a packaged model has this name"),
        (f"{DETECTOR}score = 3", "there is no setting models.ours.score"),
    ],
)
def test_wrong_detectors_are_named(section: str, said: str) -> None:
    with pytest.raises(InputError, match=f"mine.toml: .*{said}"):
        loaded(section)
