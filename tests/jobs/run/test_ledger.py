"""What the ledger keeps of a run."""

from dataclasses import replace

import pytest

from jobs.run import ledger
from tests.support import MakeContext


def test_a_ledger_that_cannot_be_written_does_not_hide_what_failed(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context()

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    def fail() -> None:
        with ledger.run(replace(context, job="embed")):
            monkeypatch.setattr(type(context.tables), "append", full)
            raise ValueError("the job's own")

    with pytest.raises(ValueError, match="the job's own"):
        fail()
    assert "could not be noted in `runs`: No space left on device" in make_context.said[-1]


def test_no_secret_is_kept(make_context: MakeContext) -> None:
    context = make_context()
    given = {
        "names": ("5f2c=Ann",),
        "person_name": "Ann",
        "person": "p17",
        "source": "s3://AKIA:wJalr@lake/x",
        "images": ("https://a/b.jpg?sig=0f3e", "c.jpg"),
    }

    def fail() -> None:
        with ledger.run(replace(context, job="embed", arguments=given), digest="spark.ssl.keyPassword=hunter2"):
            raise OSError("no answer of https://lake/a.jpg?X-Amz-Signature=0f3e")

    with pytest.raises(OSError, match="no answer"):
        fail()
    started, failed = context.tables.read("runs").orderBy("at").collect()
    noted = {
        "names": "***",
        "person_name": "***",
        "person": "p17",
        "source": "s3://***@lake/x",
        "images": "https://a/b.jpg?***, c.jpg",
        "digest": "spark.ssl.keyPassword=***",
    }
    assert started.arguments == failed.arguments == noted
    assert failed.error == "no answer of https://lake/a.jpg?***"
