"""A cluster, once a module."""

from collections.abc import Iterator

import pytest

from tests.standalone import Standalone, standalone


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with standalone(tmp_path_factory.mktemp("cluster")) as started:
        yield started
