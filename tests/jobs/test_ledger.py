"""Why a run failed, in the line that says most."""

import pytest

from jobs import ledger
from jobs.ledger import one_line
from tests.support import MakeContext

JAVA = """An error occurred while calling o669.append.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 3.0 failed 4 times
\tat org.apache.spark.scheduler.DAGScheduler.abort(DAGScheduler.scala:1)
Caused by: org.apache.spark.SparkException: [TASK_WRITE_FAILED] Task failed while writing rows
\tat org.apache.spark.sql.X(X.scala:1)
Caused by: java.io.IOException: No space left on device
\tat java.base/java.io.FileOutputStream.writeBytes(Native Method)
\t... 14 more
"""
WORKER = """An exception was thrown from the Python worker:
Traceback (most recent call last):
  File "udfs/faces.py", line 71, in run
ValueError: a mistake
"""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError(JAVA), "java.io.IOException: No space left on device"),
        (RuntimeError(WORKER), "ValueError: a mistake"),
        (RuntimeError("[TABLE_NOT_FOUND] no such table\nSQLSTATE: 42P01"), "[TABLE_NOT_FOUND] no such table"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (RuntimeError("x" * 1000), "x" * 500),
    ],
)
def test_the_line_that_says_most(error: BaseException, said: str) -> None:
    assert one_line(error) == said


def test_a_ledger_that_cannot_be_written_does_not_hide_what_failed(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context()

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    def fail() -> None:
        with ledger.run(context.spark, context.tables, "embed", {}):
            monkeypatch.setattr(type(context.tables), "append", full)
            raise ValueError("the job's own")

    with pytest.raises(ValueError, match="the job's own"):
        fail()
    assert "could not be noted in `runs`: No space left on device" in capsys.readouterr().err
