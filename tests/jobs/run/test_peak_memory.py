"""What processes hold is known of all three kinds."""

import pyarrow as pa
from pyspark.sql import SparkSession

from jobs.run import peak_memory
from udfs.arrow import RecordBatches
from udfs.memory import peak_mib


def test_a_worker_that_holds_more_is_seen(spark: SparkSession) -> None:
    def hold(batches: RecordBatches) -> RecordBatches:
        for batch in batches:
            held = bytearray(b"x" * (300 << 20))
            yield pa.RecordBatch.from_pydict({"id": [len(held) >> 20] * batch.num_rows})

    frame = spark.range(1, numPartitions=1).mapInArrow(peak_memory.told(spark, hold), "id long")
    assert [row.id for row in frame.collect()] == [300]
    found = peak_memory.peaks(spark)
    assert set(found) == {"driver_peak_mib", "jvm_peak_mib", "worker_peak_mib"}
    assert found["worker_peak_mib"] >= 300
    assert found["driver_peak_mib"] <= (peak_mib() or 0)
    assert found["jvm_peak_mib"] > 100


def test_a_process_that_is_none() -> None:
    assert peak_mib(2**22 + 1) is None
