"""maintain: tables of this schema version, fewer files, the same rows."""

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.identify import identify
from jobs.maintain import maintain
from jobs.run import ledger
from schemas.catalog import MATCHES
from schemas.table import SCHEMA_VERSION
from tests.rows import CONTRACT, DAY, NEXT_DAY, NOW, put, put_contract, put_faces, put_samples, unit
from tests.support import MakeContext, rows_of
from udfs.errors import InputError


def parquet_files(root: Path, table: str) -> int:
    return sum("_delta_log" not in path.parts for path in (root / table).rglob("*.parquet"))


@pytest.mark.slow
def test_small_files_are_joined_and_old_ones_removed(make_context: MakeContext) -> None:
    context = make_context("tables", "thresholds.dlib-resnet-v1.keep_floor=0.1")
    with pytest.raises(InputError, match="there are no tables"):
        maintain(context)
    put_contract(context)
    put_samples(context, unit(6, seed=2), list("aabbcd"))
    put_faces(context, unit(2, seed=0), DAY)
    identify(context, run_date=DAY)
    for at, day in enumerate((NEXT_DAY, DAY), start=1):
        put_faces(context, unit(2, seed=at), day, first=2 * at)
        match = (f"f{2 * at:02}-{day}", "g", "a", f"i{2 * at:02}", day, CONTRACT, 1, "s00-a", 0.5, "r")
        context.tables.append("matches", context.spark.createDataFrame([match], MATCHES.schema))
    names = ("faces", "matches", "identifications", "gallery", "searches")
    before = {name: rows_of(context.tables.read(name)) for name in names}

    assert maintain(context, report=True)["faces"][0].count > 2
    found = maintain(context, retain=0)
    assert found["faces"][0].count > 2
    assert {name: found[name][1].count for name in ("faces", "matches")} == {"faces": 2, "matches": 2}
    root = Path(str(context.tables.root))
    assert parquet_files(root, "faces") == 2  # what earlier versions were made of is gone
    assert {name: rows_of(context.tables.read(name)) for name in names} == before
    again = maintain(context, retain=0)
    assert again["matches"][0] == again["matches"][1]


@pytest.mark.slow
def test_files_that_a_run_may_read_are_kept(make_context: MakeContext) -> None:
    context = make_context("tables")
    with (
        ledger.run(replace(context, job="embed")),
        pytest.raises(InputError, match=r"could remove files that run \w+ \(embed, since 2"),
    ):
        maintain(context, retain=1)
    assert maintain(context, retain=1)["runs"][1].count >= 1


@pytest.mark.slow
def test_tables_of_an_older_release_are_migrated(make_context: MakeContext, capsys: pytest.CaptureFixture[str]) -> None:
    context = make_context("tables")
    put_contract(context)
    put(context, "images", {"image_id": "i"})
    put(context, "runs", {"event": "finished", "at": NOW, "seconds": 1.0})
    for name in ("contracts", "runs"):
        of_table = f"delta.`{context.tables.root}/{name}`"
        context.spark.sql(f"ALTER TABLE {of_table} SET TBLPROPERTIES ('rollcall.schemaVersion' = '4')")

    maintain(make_context("tables"), report=True)
    told = f"contracts: schema version 4; `rollcall maintain` would migrate it to version {SCHEMA_VERSION}"
    assert told in capsys.readouterr().out
    assert make_context("tables").tables.outdated() == {"contracts": "4", "runs": "4"}

    for migrated in (2, 0):
        maintain(make_context("tables"))
        assert "would migrate" not in capsys.readouterr().out
        context = make_context("tables")
        assert not context.tables.outdated()
        counts = context.tables.read("runs").where("job = 'maintain' AND event = 'finished'").orderBy("at").collect()
        assert counts[-1].counts["tables_migrated"] == migrated
