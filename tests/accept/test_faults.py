"""Faults of disks and stores, and nights at once, on a cluster: the rows in the end are those of an undisturbed run.

Not part of `make accept`, as they take eight minutes: `make accept-faults`.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.embed import embed
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import Context
from tests.accept.nights import FOUND, MATCHED, job, night, seen
from tests.object_store import object_store
from tests.spark_submit import Conf
from tests.standalone import Standalone
from tests.support import DAYS, MakeContext, assert_same_tables, copied, root_of

pytestmark = [pytest.mark.apart, pytest.mark.timeout(900)]

CPU_ONLY = {"spark.executor.resource.gpu.amount": "0", "spark.rollcall.task.gpus": ""}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A file system of so many bytes; called again, its size changes."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def sized(size: int) -> Path:
        again = ["remount,"] if folder.is_mount() else [""]
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"{again[0]}size={size}", "tmpfs", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"needs the right to mount a small file system: {done.stderr.strip()}")
        return folder

    yield sized
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)


def test_the_disk_is_full(
    cluster: Standalone,
    spark: SparkSession,
    ingested: Context,
    undisturbed: Context,
    small_disk: Callable[[int], Path],
) -> None:
    disk = small_disk(64 << 20)
    shutil.copytree(root_of(ingested), disk / "tables")
    context = MakeContext(spark, disk)("tables")
    used = shutil.disk_usage(disk).used
    small_disk(used + (160 << 10))
    said = cluster.run("embed", *job(context, "--run-date", DAYS[0]), code=1)
    assert "No space left on device" in said.strip().splitlines()[-1]
    small_disk(64 << 20)
    cluster.run("embed", *job(context, "--run-date", DAYS[0]))
    assert_same_tables(context, undisturbed, *FOUND)


def test_the_source_fails_for_a_minute(
    cluster: Standalone, made: MakeContext, enrolled: Context, undisturbed: Context, lake: Path
) -> None:
    """Images come from an object store, and tables are here: names differ, and what was seen does not."""
    context = copied(made, enrolled, "outage")
    with object_store() as store:
        store.put(lake, "cctv")
        listed = job(context, "--source", "s3://lake/cctv/{run_date}/", "--run-date", DAYS[0])
        cluster.run("ingest", *listed, variables=store.environment)
        store.fail_for(60)
        cluster.run("embed", *job(context, "--run-date", DAYS[0]), variables=store.environment)
        assert store.refused > 10
    for table in ("image_outcomes", "faces"):
        assert seen(context, table) == seen(undisturbed, table)


def test_two_nights_and_an_investigation_at_once(
    cluster: Standalone, made: MakeContext, enrolled: Context, lake: Path
) -> None:
    together, alone = (copied(made, enrolled, name) for name in ("together", "alone"))
    source, case = f"{lake}/{{run_date}}/", f"{lake.parent}/case/"
    share = {"spark.cores.max": "1"}
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(night, cluster, together, source, day, share) for day in DAYS]
        running.append(pool.submit(investigation, cluster, together, case, share | CPU_ONLY))
        for each in running:
            each.result()
    assert most_at_once(together) > 1
    ingest(alone, source=source)
    ingest(alone, source=case, case_id="17")
    embed(alone, all_pending=True)
    identify(alone, all_dates=True)
    assert_same_tables(together, alone, *FOUND, *MATCHED)
    assert together.tables.read("staged").isEmpty()


def most_at_once(context: Context) -> int:
    """How many runs were under way at one time."""
    events = context.tables.read("runs").where("job != 'enroll'").select("at", "event").orderBy("at").collect()
    under_way = list(accumulate(1 if row.event == "started" else -1 for row in events))
    return max(under_way)


def investigation(cluster: Standalone, context: Context, source: str, conf: Conf) -> None:
    cluster.run("ingest", *job(context, "--source", source, "--case-id", "17"), conf=conf)
    cluster.run("embed", *job(context, "--all-pending"), conf=conf)
    cluster.run("identify", *job(context, "--all-dates"), conf=conf)
