"""What a task of the stages that compute is given: more processors than one that only moves rows, and a GPU's share."""

from pyspark.resource import ResourceProfile, ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import SparkSession

CPUS, GPUS = "spark.rollcall.task.cpus", "spark.rollcall.task.gpus"
"""Spark properties: processors, and GPUs or the share of one, of a task of `embed`, `enroll` and `identify`."""


def cpus(spark: SparkSession) -> int:
    """Processors of a task that computes."""
    return int(spark.conf.get(CPUS, "") or spark.conf.get("spark.task.cpus", "") or 1)


def on_cpus(spark: SparkSession) -> ResourceProfile | None:
    """For the search: CPUs; None where a task gets what any other does."""
    return _profile(spark, None)


def on_gpu(spark: SparkSession) -> ResourceProfile | None:
    """For the models: CPUs, and a GPU or the share of one where executors have them."""
    return _profile(spark, spark.conf.get(GPUS, "") or None)


def _profile(spark: SparkSession, gpus: str | None) -> ResourceProfile | None:
    """For the one stage it is given to, on the executors there are: the other stages keep a task a core."""
    if not spark.conf.get(CPUS, "") and not gpus:
        return None
    requests = TaskResourceRequests().cpus(cpus(spark))
    if gpus:
        requests.resource("gpu", float(gpus))
    return ResourceProfileBuilder().require(requests).build
