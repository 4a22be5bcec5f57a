"""What jobs do with a session, once each, in a JVM that archives at its end the classes it has loaded.

python -m jobs.run.class_training ARCHIVE, started by `class_archive` with the class path of the session to come.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

from jobs.run import warehouse
from jobs.run.class_archive import option
from jobs.run.spark_properties import PACKAGES, properties
from schemas.catalog import RUNS
from schemas.names import Names
from schemas.store import Tables
from udfs.arrow import RecordBatches, local_frame


def main(archive: Path) -> None:
    """Write the archive."""
    java_options = f"-XX:TieredStopAtLevel=1 {option('ArchiveClassesAtExit', archive)}"
    given = properties("local") | {"spark.driver.extraJavaOptions": java_options}
    del given[PACKAGES]  # they are on the class path
    builder = SparkSession.builder.appName("rollcall classes").master("local[2]")
    for name, value in (given | warehouse.properties(given)).items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    gateway = SparkContext._gateway
    assert gateway is not None
    with tempfile.TemporaryDirectory() as folder:
        _use(spark, folder)
        spark.stop()
    # The JVM ends when its standard input does, and writes the archive then.
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


def _use(spark: SparkSession, folder: str) -> None:
    """A table is created, written in each way, and asked; a stage runs in a worker of Python."""
    tables = Tables(spark, folder)
    rows: list[tuple[object, ...]] = [
        (f"r{number}", "started", datetime.now(UTC), "none", {}, {}, {}, {}, 0.0, None) for number in range(3)
    ]
    frame = local_frame(spark, rows, RUNS.schema)
    tables.append("runs", frame)
    tables.append_new("runs", frame)
    tables.update("runs", frame)
    tables.delete_rows("runs", frame.select("run_id").limit(1))
    Names(spark, tables).register("runs")
    spark.sql(_QUESTION).collect()
    spark.sql("SELECT count(*) FROM runs").limit(10).collect()
    spark.range(2).mapInArrow(_unchanged, "id long").collect()


def _unchanged(batches: RecordBatches) -> RecordBatches:
    yield from batches


_QUESTION = """
SELECT r.job, count(*) AS runs, max_by(r.event, r.at) AS state, row_number() OVER (ORDER BY r.job) AS place
FROM runs r JOIN (SELECT DISTINCT run_id FROM runs WHERE event != 'failed') USING (run_id)
GROUP BY r.job ORDER BY runs DESC LIMIT 10
"""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
