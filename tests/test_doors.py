"""Who may import whom: the rooms of the house and their doors."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("jobs", "udfs", "schemas", "evaluation", "training", "pages", "demo")
SPARKLESS = (
    "udfs/lake.py",
    "udfs/template.py",
    "udfs/ids.py",
    "udfs/downloads.py",
    "udfs/errors.py",
    "udfs/outcomes.py",
    "udfs/records.py",
    "udfs/vision",
    "udfs/search",
    "udfs/grouping",
    "evaluation",
    "training",
    "pages",
)

# Imported where a network is made, and only there.
NETWORKS = tuple(
    f"udfs/vision/{name}.py" for name in ("centerface_net", "dlib_resnet", "facenet_net", "inside", "mobilefacenet_net")
)

ROOMS = (
    "run",
    "inputs",
    "faces",
    "registry",
    "decisions",
    "matching",
    "people",
    "learning",
    "investigations",
    "reports",
    "queries",
    "erasure",
    "retention",
)
"""Of jobs/, the lowest first: each may import those before it."""
APART = (
    {"registry", "decisions"},
    {"matching", "reports"},
    {"people", "learning", "investigations", "reports", "queries", "erasure"},
)
"""Rooms on one floor: neither imports the other."""
DOWNLOADS = "udfs.downloads"
MAY_DOWNLOAD = ("jobs/weights.py", "demo/")


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


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
    return {name for name in found if any(f"{name}.".startswith(f"{package}.") for package in packages)}


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The modules of a circle of imports, if there is one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def wrong_doors(name: str, found: set[str]) -> set[str]:
    """The imports of a file of jobs/ that its room does not allow."""
    room = name.split(".")[1] if name.count(".") > 1 else None
    if name == "jobs.night":  # it is other commands, one after the other
        return set()
    if room is None:  # a command imports rooms, and no other command
        commands = {other for other in found if other.count(".") == 1 and other.startswith("jobs.")}
        return commands - {f"jobs.{each}" for each in ROOMS}
    floor = ROOMS.index(room)
    above = {f"jobs.{each}" for each in ROOMS[floor + 1 :]}
    beside = {f"jobs.{each}" for floor_mates in APART if room in floor_mates for each in floor_mates - {room}}
    commands = {other for other in found if other.count(".") == 1 and other.split(".")[1] not in ROOMS}
    return uses(found, *above, *beside) | uses(commands, "jobs")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_doors(path: Path) -> None:
    place, name = str(path.relative_to(ROOT)), name_of(path)
    package = name.split(".", maxsplit=1)[0]
    everything, on_import = imports(path), imports(path, top_level=True)
    if package in ("udfs", "schemas", "evaluation", "training", "pages"):
        assert not uses(everything, "jobs", "demo")
    if package == "schemas":
        assert not uses(everything, "udfs.vision", "udfs.embedding")
    if place.startswith(SPARKLESS):
        assert not uses(everything, "pyspark", "delta", "schemas")
    if place not in NETWORKS and not (package == "training" and place != "training/plans.py"):
        assert not uses(on_import, "torch", "torchvision", "facenet_pytorch")
    if package == "jobs" and name not in ("jobs", "jobs.cli"):
        assert not wrong_doors(name, everything)
    if package == "jobs" and name.count(".") > 1 and not name.startswith("jobs.run."):
        assert not uses(everything, "click", "rich")
    if not place.startswith("jobs/queries/"):
        assert not uses(everything, "prompt_toolkit")
    if not place.startswith((*MAY_DOWNLOAD, "udfs/downloads.py")):
        assert not uses(everything, DOWNLOADS, "urllib.request", "http", "requests")


def test_there_is_no_circle() -> None:
    """Of imports anywhere in a file, those inside functions as well."""
    names = {name_of(path): path for path in modules()}
    graph = {name: imports(path) & set(names) - {name} for name, path in names.items()}
    # `from package import module` imports the package too, whose own file is empty.
    assert circle(graph) == []


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        (
            "jobs.cli, jobs.embed, jobs.identify, jobs.ingest, jobs.enroll",
            ("torch", "openvino", "facenet_pytorch", "numba"),
        ),
        ("schemas.catalog", ("udfs.vision", "torch", "numba")),
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
    assert wrong_doors("jobs.faces.slices", {"jobs.run.ledger", "jobs.matching.dates"}) == {"jobs.matching.dates"}
    assert wrong_doors("jobs.registry.snapshot", {"jobs.decisions.cohort", "jobs.faces"}) == {"jobs.decisions.cohort"}
    assert wrong_doors("jobs.queries.shell", {"jobs.run.errors", "jobs.reports.health"}) == {"jobs.reports.health"}
    assert wrong_doors("jobs.matching.dates", {"jobs.embed"}) == {"jobs.embed"}
    assert wrong_doors("jobs.embed", {"jobs.faces.slices", "jobs.identify"}) == {"jobs.identify"}
    assert circle({"a": ["b"], "b": ["c"], "c": ["a"]}) != []


def test_no_file_of_a_job_is_named_like_another_module() -> None:
    """spark-submit puts the folder of the job before all others on the path."""
    here = {path.stem for path in (ROOT / "jobs").iterdir()}
    assert not here & sys.stdlib_module_names
    assert not here & (set(PACKAGES) | {"conf", "tests", "benchmarks"})


def test_no_room_is_called_like_a_command() -> None:
    """Python would find the room, and never the command."""
    assert not {path.stem for path in (ROOT / "jobs").glob("*.py")} & set(ROOMS)
