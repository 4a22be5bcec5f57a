"""The rows of a Delta table, as Delta's documentation has it: what `benchmarks.latency` compares with.

python -m benchmarks.bare_count TABLE
"""

import sys

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

if __name__ == "__main__":
    builder = (
        SparkSession.builder.appName("count")
        .master("local[*]")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    )
    spark = configure_spark_with_delta_pip(builder).getOrCreate()
    print(spark.read.format("delta").load(sys.argv[1]).count())
    spark.stop()
