"""What the functions that run on executors take and give: Arrow batches of a stated schema."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, from_arrow_type, to_arrow_schema
from pyspark.sql.types import StructType

RecordBatches = Iterator[pa.RecordBatch]
BatchFunction = Callable[[RecordBatches], RecordBatches]
"""What `mapInArrow` takes."""


def spark_schema(schema: pa.Schema) -> StructType:
    """The same schema in Spark's terms; timestamps must carry a time zone."""
    return from_arrow_schema(schema)


def spark_type(kind: pa.DataType) -> str:
    """The same type as Spark DDL."""
    return from_arrow_type(kind).simpleString()


def local_frame(
    spark: SparkSession, rows: Sequence[Mapping[str, object] | Sequence[object]], schema: StructType
) -> DataFrame:
    """Rows of this process as a frame: by name, or in the order of the schema.

    Up to 48 MB they are part of the plan (Spark's `LocalRelation`): to read them takes no task, and joins with no rows
    are left out. `createDataFrame` on a list makes an RDD, whose every use is a job.
    """
    named = [row if isinstance(row, Mapping) else dict(zip(schema.names, row, strict=True)) for row in rows]
    return spark.createDataFrame(pa.Table.from_pylist(named, to_arrow_schema(schema, timezone="UTC")), schema)
