"""What the functions that run on executors take and give: Arrow batches of a stated schema."""

from collections.abc import Callable, Iterator

import pyarrow as pa
from pyspark.sql.pandas.types import from_arrow_schema, from_arrow_type
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
