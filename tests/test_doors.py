"""Who may import whom: the rooms of the house and their doors."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("jobs", "udfs", "schemas", "evaluation", "pages", "demo")
SPARKLESS = (
    "udfs/lake.py",
    "udfs/template.py",
    "udfs/ids.py",
    "udfs/downloads.py",
    "udfs/errors.py",
    "udfs/vision",
    "udfs/search",
    "evaluation",
    "pages",
)

# Imported where a network is made, and only there.
NETWORKS = tuple(f"udfs/vision/{name}.py" for name in ("centerface", "dlib", "dlib_resnet", "facenet", "mtcnn"))


def modules() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imports(path: Path, *, top_level: bool = False) -> set[str]:
    """The modules a file imports: anywhere, or only when it is itself imported."""
    tree = ast.parse(path.read_text())
    nodes = _at_import(tree) if top_level else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _at_import(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


def uses(found: set[str], *packages: str) -> set[str]:
    return {name for name in found if name.split(".")[0] in packages}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_doors(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    room = name.split("/", maxsplit=1)[0]
    everything, on_import = imports(path), imports(path, top_level=True)
    if room in ("udfs", "schemas", "evaluation", "pages"):
        assert not uses(everything, "jobs", "demo")
    if name.startswith(SPARKLESS):
        assert not uses(everything, "pyspark", "delta", "schemas")
    if name not in NETWORKS:
        assert not uses(on_import, "torch", "torchvision", "facenet_pytorch")


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        (
            "jobs.cli, jobs.embed, jobs.identify, jobs.ingest, jobs.enroll",
            ("torch", "openvino", "facenet_pytorch", "numba"),
        ),
        ("udfs.vision.pipeline, udfs.lake, udfs.search.index, evaluation.lfw_pairs", ("pyspark", "delta")),
    ],
)
def test_what_an_import_brings_along(modules: str, absent: tuple[str, ...]) -> None:
    """Indirectly as well: a job's --help needs no torch, and vision runs without Spark."""
    code = f"import sys, {modules}; print(*[name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_a_closed_door_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("from jobs import embed\ndef f():\n    import torch\n")
    assert uses(imports(path), "jobs", "torch") == {"jobs", "jobs.embed", "torch"}
    assert uses(imports(path, top_level=True), "torch") == set()


def test_no_job_is_named_like_a_module_of_python() -> None:
    """spark-submit puts the folder of the job before all others on the path."""
    assert not {path.stem for path in (ROOT / "jobs").glob("*.py")} & sys.stdlib_module_names
