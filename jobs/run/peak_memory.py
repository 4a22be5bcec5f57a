"""What the processes of a session hold: the ledger keeps it, so that a leak is seen before it ends a night."""

from pyspark import Accumulator, AccumulatorParam
from pyspark.sql import SparkSession

from udfs.arrow import BatchFunction
from udfs.memory import peak_mib, telling


class _Largest(AccumulatorParam[int]):
    def zero(self, value: int) -> int:
        return value

    def addInPlace(self, value1: int, value2: int) -> int:  # noqa: N802 - Spark's name
        return max(value1, value2)


_workers: dict[str, Accumulator[int]] = {}
"""By Spark application."""


def told(spark: SparkSession, work: BatchFunction) -> BatchFunction:
    """A function for mapInArrow whose workers are counted among `peaks`."""
    return telling(work, _of_workers(spark).add)


def peaks(spark: SparkSession) -> dict[str, int]:
    """The most that each kind of process has held in this session, in MiB: `driver_peak_mib`, and where there are
    any, `jvm_peak_mib` (on the driver's machine) and `worker_peak_mib` (the largest of the Python workers that
    embed, pack or search).
    """
    jvm = spark.sparkContext._jvm
    assert jvm is not None  # a classic session has one
    found = {
        "driver_peak_mib": peak_mib(),
        "jvm_peak_mib": peak_mib(jvm.java.lang.ProcessHandle.current().pid()),
        "worker_peak_mib": _of_workers(spark).value or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _of_workers(spark: SparkSession) -> Accumulator[int]:
    application = spark.sparkContext.applicationId
    if application not in _workers:
        _workers[application] = spark.sparkContext.accumulator(0, _Largest())
    return _workers[application]
