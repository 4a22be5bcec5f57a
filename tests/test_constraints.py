"""`constraints.txt` names the version of every package that an installation brings, so that two are alike."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def test_every_package_has_its_version() -> None:
    lines = (Path(__file__).parents[1] / "constraints.txt").read_text(encoding="utf-8").splitlines()
    named = {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line}
    assert brought("rollcall", "dev", "bench") - {"rollcall"} <= named


def brought(package: str, *extras: str) -> set[str]:
    """The names of a package and of all that it requires here."""
    found: set[str] = set()
    ahead = [(package, extras)]
    while ahead:
        name, wanted = ahead.pop()
        found.add(canonicalize_name(name))
        for text in distribution(name).requires or []:
            required = Requirement(text)
            marker = required.marker
            applies = marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *wanted))
            if applies and canonicalize_name(required.name) not in found and installed(required.name):
                ahead.append((required.name, tuple(required.extras)))
    return found


def installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
