"""A cluster, a lake of two dates and a case, and tables at each step of the night: once a module."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.options import Context
from tests.accept.nights import DAYS, copied
from tests.standalone import Standalone, standalone
from tests.support import MakeContext


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with standalone(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, demo_photos: tuple[Path, Path]) -> Path:
    """Two dates, and a case."""
    root = tmp_path_factory.mktemp("photos") / "lake"
    shutil.copytree(demo_photos[0] / RUN_DATE, root / DAYS[0])
    for folder in (root / DAYS[1], root.parent / "case"):
        folder.mkdir()
        for name in ("speech.jpg", "astronaut.png", "group.jpg", "notes.jpg"):
            shutil.copy2(demo_photos[0] / RUN_DATE / name, folder / f"{folder.name}_{name}")
    return root


@pytest.fixture(scope="module")
def made(
    spark: SparkSession, dlib_weights: Path, centerface_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> MakeContext:
    return MakeContext(spark, tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def enrolled(made: MakeContext, lake: Path, demo_photos: tuple[Path, Path]) -> Context:
    """Tables with a gallery."""
    context = made("enrolled")
    enroll(context, gallery=str(demo_photos[1]), gallery_name="people")
    return context


@pytest.fixture(scope="module")
def ingested(made: MakeContext, enrolled: Context, lake: Path) -> Context:
    """The same, and an inventory of the first date."""
    context = copied(made, enrolled, "ingested")
    ingest(context, source=f"{lake}/{{run_date}}/", run_date=date.fromisoformat(DAYS[0]))
    return context


@pytest.fixture(scope="module")
def undisturbed(made: MakeContext, ingested: Context) -> Context:
    """The first date on this machine's threads."""
    context = copied(made, ingested, "undisturbed")
    embed(context, run_date=date.fromisoformat(DAYS[0]))
    identify(context, run_date=date.fromisoformat(DAYS[0]))
    return context
