"""The way that is fastest here is measured once a machine, and taken if it works and is right."""

from pathlib import Path

import pytest

from udfs.search import index, speed
from udfs.search.compiled import Compiled
from udfs.search.portable import Portable, PortableFloat

PATHS = (Compiled, Portable, PortableFloat)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.kept.cache", lambda: tmp_path)
    index.fastest.cache_clear()


def test_they_stand_in_the_order_of_their_seconds_and_are_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def measure(paths: object, dimension: int) -> dict[str, float]:
        measured.append(dimension)
        return {"compiled": 0.2, "portable": 0.1, "portable-float": 0.3}

    monkeypatch.setattr(speed, "measured", measure)
    assert speed.by_speed(PATHS, 64) == speed.by_speed(PATHS, 64) == [Portable, Compiled, PortableFloat]
    assert measured == [64]
    monkeypatch.setattr(speed, "processor", lambda: ["another"])
    speed.by_speed(PATHS, 64)
    assert measured == [64, 64], "the cache is that of several machines"


def test_what_does_not_work_here_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "measured", lambda paths, dimension: {"compiled": 0.1, "portable-float": 0.2})
    monkeypatch.setattr(Compiled, "works", lambda dimension: False)
    assert index.fastest(64) is PortableFloat
    index.fastest.cache_clear()


def test_real_paths_are_timed() -> None:
    seconds = speed.measured([PortableFloat], 16)
    assert list(seconds) == ["portable-float"]
    assert seconds["portable-float"] > 0
