"""Two runs begin while something is erased: nothing comes back, and nothing of theirs is lost."""

import os
import threading
import time
from pathlib import Path

import pytest

from jobs.erase import erase
from jobs.erasure import carrying_out
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run import under_way
from tests.jobs.erasure import made_lake
from tests.jobs.erasure.made_lake import OPTIONS, PERSON, K, Rows
from tests.jobs.erasure.scanner import found_below
from tests.jobs.erasure.test_erase import of_person
from tests.rows import DAY, NEXT_DAY, put_contract
from tests.support import MakeContext, root_of
from udfs import lake


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_runs_during_two_erasures(
    make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context("tables", *OPTIONS)
    put_contract(context)
    rows = Rows()
    made_lake.put_lake(rows)
    made_lake.put_people(rows)
    rows.write(context)
    source = tmp_path / "new"
    source.mkdir()
    for name in ("erased.jpg", "other.jpg"):
        (source / name).write_bytes(b"x")
    identify(context, run_date=DAY, k=K)
    ingest(context, source=str(source))
    uri = lake.uri_of(str(source / "erased.jpg"))
    os.utime(source / "erased.jpg", (1e9, 1e9))  # another version, which the next run would take in
    (source / "third.jpg").write_bytes(b"x")

    threads = [
        threading.Thread(target=lambda: ingest(context, source=str(source))),
        threading.Thread(target=lambda: identify(context, run_date=NEXT_DAY, k=K)),
    ]
    carry_out = carrying_out._carry_out

    def meanwhile(*given: object) -> None:
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 300
        waiting = 0
        while waiting < len(threads):  # both have noted that they begin, and wait
            assert time.monotonic() < deadline
            waiting = context.tables.read("runs").where("event = 'failed' AND error LIKE '%erasure has begun%'").count()
            time.sleep(1)
        carry_out(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(carrying_out, "_carry_out", meanwhile)
        (proof,) = erase(context, image=uri, yes=True)
    assert proof.places == 0
    for thread in threads:
        thread.join()
    assert under_way.runs(context.tables) == []
    listed = {
        lake.file_name(row.uri) for row in context.tables.read("images").where(f"uri LIKE '{uri[:-11]}%'").collect()
    }
    assert listed == {"other.jpg", "third.jpg"}
    assert context.tables.read("identifications").where(f"run_date = DATE'{NEXT_DAY}'").count() == made_lake.IMAGES
    assert found_below(root_of(context), ["erased.jpg"], of_person()[:0]) == []

    (proof,) = erase(context, person=PERSON, yes=True)
    assert proof.places == 0
    assert found_below(root_of(context), [PERSON], of_person()) == []
