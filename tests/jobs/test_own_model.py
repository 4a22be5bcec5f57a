"""A night with an embedder of one's own, whose thresholds nobody knows before they are calibrated."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from demo.photos import RUN_DATE
from jobs.calibrate import calibrate
from jobs.decisions.thresholds import for_identification
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run import settings, settings_file
from jobs.run.context import Context
from jobs.verify import verify
from tests.jobs.test_evaluate import put_photos
from tests.onnx_files import DIMENSION, declared, graph, weights
from tests.rows import normalised
from tests.support import MakeContext
from udfs.errors import InputError
from udfs.vision.contract import contract


@pytest.fixture
def context(make_context: MakeContext, tmp_path: Path) -> Context:
    path = tmp_path / "rollcall.toml"
    settings_file.append(path, settings_file.section(declared(tmp_path / "a.onnx", crop="margin")))
    return replace(make_context("own"), settings=settings.load(str(path), ("vision.embedder=mine",)))


@pytest.fixture
def labelled(context: Context, tmp_path: Path) -> Path:
    """Sixty persons with two photos each, as the model might see them."""
    random = np.random.default_rng(0)
    faces = {
        tmp_path / "labelled" / f"p{person:02}" / f"{photo}.jpg": [
            normalised(centre + 0.4 * random.normal(size=DIMENSION))
        ]
        for person, centre in enumerate(random.normal(size=(60, DIMENSION)))
        for photo in range(2)
    }
    put_photos(context, faces)
    return tmp_path / "labelled"


def test_calibrate_comes_first(context: Context, labelled: Path, demo_photos: tuple[Path, Path]) -> None:
    people = demo_photos[1]
    with pytest.raises(
        InputError, match=r"no thresholds for 'mine'; run `rollcall calibrate`, or .*\[thresholds.mine\]"
    ):
        enroll(context, gallery=str(people), gallery_name="people")
    with pytest.raises(InputError, match=r"no thresholds for pairs of 'mine'; run `rollcall calibrate"):
        verify(context, images=(str(labelled / "p00" / "0.jpg"), str(labelled / "p00" / "1.jpg")))
    threshold_id = calibrate(context, images=str(labelled), target=0.05, gallery_size=30)
    assert for_identification(context, contract(context.settings.spec()).contract_id, "mine", 30).threshold_id == (
        threshold_id
    )


@pytest.mark.slow
def test_a_night_with_it(context: Context, labelled: Path, demo_photos: tuple[Path, Path]) -> None:
    lake, people = demo_photos
    threshold_id = calibrate(context, images=str(labelled), target=0.05, gallery_size=30)
    enroll(context, gallery=str(people), gallery_name="people")
    ingest(context, source=f"{lake}/{{run_date}}/", run_date=date.fromisoformat(RUN_DATE))
    embed(context, run_date=date.fromisoformat(RUN_DATE))
    identify(context, run_date=date.fromisoformat(RUN_DATE))
    rows = context.tables.read("identifications").select("threshold_id").distinct().collect()
    assert [row.threshold_id for row in rows] == [threshold_id]
    (row,) = context.tables.read("contracts").where("embedder = 'mine'").collect()
    assert row.dimension == DIMENSION


def test_another_file_stops_the_job_before_it_begins(
    context: Context, tmp_path: Path, demo_photos: tuple[Path, Path]
) -> None:
    ingest(context, source=f"{demo_photos[0]}/{{run_date}}/", run_date=date.fromisoformat(RUN_DATE))
    (tmp_path / "a.onnx").write_bytes(graph(matrix=weights() * 2).SerializeToString())
    with pytest.raises(InputError, match=r"a.onnx: not the file that \[models.mine\] declares"):
        embed(context, run_date=date.fromisoformat(RUN_DATE))
    assert context.tables.read("runs").where("job = 'embed'").isEmpty()
