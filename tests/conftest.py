"""What tests share: one Spark session a run, real photos, real weights."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from demo import photos
from tests.support import EMBEDDER, QUICK, MakeContext
from udfs.cache import cache
from udfs.vision import weights

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    from jobs.session import spark_session

    session = spark_session("tests", "local[2]")
    for name, value in QUICK.items():  # clusters that tests start have the usual session
        session.conf.set(name, value)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def dlib_weights() -> Path:
    return weights.fetch(EMBEDDER)


@pytest.fixture(scope="session")
def centerface_weights() -> Path:
    return weights.fetch("centerface")


@pytest.fixture(scope="session")
def demo_photos() -> tuple[Path, Path]:
    """The lake and the people of the demo, fetched once a machine."""
    return photos.prepare(cache() / "test-photos")


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.exists():
        pytest.skip("needs the development data, which is not beside this checkout; see CONTRIBUTING.md")
    return SHARED


@pytest.fixture(scope="session")
def facenet_weights(shared: Path) -> Path:
    return shared / "weights" / "inception_resnet_v1-vggface2.pt"


@pytest.fixture
def make_context(spark: SparkSession, tmp_path: Path, dlib_weights: Path, centerface_weights: Path) -> MakeContext:
    return MakeContext(spark, tmp_path)
