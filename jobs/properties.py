"""properties: Spark properties for a cluster, put together from the files in `conf`."""

import click

from jobs.run.commands import Command
from jobs.run.errors import run_command
from jobs.run.jars import with_kept_jars
from jobs.run.spark_properties import text


@click.command(name="properties", cls=Command)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--kept-jars",
    is_flag=True,
    help="Name the jars as files in this machine's cache, where they are kept: spark-submit then asks no repository.",
)
def command(names: tuple[str, ...], kept_jars: bool) -> None:
    """Print the Spark properties for a cluster manager, its GPUs and its stores, for --properties-file.

    \b
    rollcall properties local > spark.conf
    rollcall properties yarn gpu s3 > spark.conf
    spark-submit --master yarn --properties-file spark.conf jobs/embed.py ...
    ROLLCALL_PROPERTIES=spark.conf rollcall sql --tables s3a://lake/rollcall ...

    First one of local, standalone, yarn, kubernetes; then gpu, where executors have one; then the stores of images
    and tables: s3, gcs, adls, hdfs. What a file says later stands; the jars of all are joined.
    """
    said = text(*names)
    click.echo(with_kept_jars(said) if kept_jars else said, nl=False)


if __name__ == "__main__":
    run_command(command)
