"""Why a run failed, in the line that says most."""

import pytest

from jobs.run.errors import one_line

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
  File "udfs/embedding.py", line 71, in run
ValueError: a mistake
"""


CALLED = """An error occurred while calling None.org.apache.spark.api.java.JavaSparkContext.
: org.apache.spark.SparkException: Asked to run locally with 0 threads
\tat org.apache.spark.SparkContext$.createTaskScheduler(SparkContext.scala:3293)
"""


CONSTRAINT = """An error occurred while calling o434.append.
: java.X: CHECK constraint embedding_has_unit_length violated by
 - embedding : [0.11,0.22,0.33]
\tat org.apache.spark.sql.X(X.scala:1)
"""
"""Of which the values of the row are no part: they may be an embedding."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError(JAVA), "java.io.IOException: No space left on device"),
        (
            RuntimeError(CONSTRAINT),
            "java.X: CHECK constraint embedding_has_unit_length violated by",
        ),
        (RuntimeError(WORKER), "ValueError: a mistake"),
        (RuntimeError(CALLED), "org.apache.spark.SparkException: Asked to run locally with 0 threads"),
        (RuntimeError("[TABLE_NOT_FOUND] no such table\nSQLSTATE: 42P01"), "[TABLE_NOT_FOUND] no such table"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (RuntimeError("x" * 1000), "x" * 500),
    ],
)
def test_the_line_that_says_most(error: BaseException, said: str) -> None:
    assert one_line(error) == said
