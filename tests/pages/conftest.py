"""What tests of pages share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import browser
from udfs.errors import InputError


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    try:
        with browser() as started:
            yield started
    except InputError as missing:
        pytest.skip(f"needs npm: {missing}")
