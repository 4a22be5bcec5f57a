"""Several writers at once: no row lost, none doubled."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import Context
from tests.support import MakeContext, assert_same_tables, copied

DAYS = (date(2026, 1, 31), date(2026, 2, 1))
PHOTOS = ("speech.jpg", "astronaut.png", "coffee.png", "notes.jpg")


@pytest.mark.slow
def test_two_dates_and_one_ad_hoc(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path], tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    for day in DAYS:
        (lake / day.isoformat()).mkdir(parents=True)
        for name in PHOTOS:
            shutil.copy2(demo_photos[0] / RUN_DATE / name, lake / day.isoformat() / name)

    together, alone = (copied(make_context, enrolled, name) for name in ("together", "alone"))

    def night(day: date) -> None:
        ingest(together, source=f"{lake}/{{run_date}}/", run_date=day)
        embed(together, run_date=day)
        identify(together, run_date=day)

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(night, day) for day in (*DAYS, DAYS[0])]:  # the last is the ad hoc run
            future.result()

    ingest(alone, source=f"{lake}/{{run_date}}/")
    embed(alone, all_pending=True)
    for day in DAYS:
        identify(alone, run_date=day)
    assert_same_tables(together, alone, "images", "image_outcomes", "faces", "matches", "identifications", "contracts")
    assert together.tables.read("image_outcomes").count() == len(DAYS) * len(PHOTOS)
    assert together.tables.read("staged").isEmpty()
