"""What a task of the stages that compute is given: more processors than one that only moves rows, and a GPU's share."""

from functools import lru_cache

from pyspark.resource import ResourceProfile, ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import SparkSession

CPUS, GPUS = "spark.rollcall.task.cpus", "spark.rollcall.task.gpus"
"""Spark properties: processors, and GPUs or the share of one, of a task of `embed`, `enroll` and `identify`."""


def cpus(spark: SparkSession) -> int:
    """Processors of a task that computes."""
    return int(spark.conf.get(CPUS, "") or spark.conf.get("spark.task.cpus", "") or 1)


def on_cpus(spark: SparkSession) -> ResourceProfile | None:
    """For the search: CPUs; None where a task gets what any other does."""
    return _profile(spark.sparkContext.applicationId, spark.conf.get(CPUS, ""), "")


def on_gpu(spark: SparkSession) -> ResourceProfile | None:
    """For the models: CPUs, and a GPU or the share of one where executors have them."""
    return _profile(spark.sparkContext.applicationId, spark.conf.get(CPUS, ""), spark.conf.get(GPUS, ""))


@lru_cache(maxsize=4)
def _profile(_application: str, cpus: str | None, gpus: str | None) -> ResourceProfile | None:
    """For the stages it is given to: the others keep a task a core. One in an application, as executors that are
    allocated dynamically serve the profile they were started for and no other.
    """
    if not cpus and not gpus:
        return None
    requests = TaskResourceRequests()
    if cpus:
        requests.cpus(int(cpus))
    if gpus:
        requests.resource("gpu", float(gpus))
    return ResourceProfileBuilder().require(requests).build
