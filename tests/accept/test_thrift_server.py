"""Spark's Thrift server, asked by a plain client that knows nothing of Rollcall: JDBC, as BI tools do."""

import csv
import io
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest

from jobs.run.context import Context
from jobs.run.jars import kept_jars
from jobs.run.spark_properties import properties
from schemas.catalog import TABLES
from tests.processes import free_port, wait_until
from tests.spark_submit import PROGRAM, ended, environment, submit, written
from tests.support import QUICK, SHORT_LIVED, MakeContext, copied, root_of

BEELINE = Path(pyspark.__file__).parent / "bin" / "beeline"
JAVA = {"JDK_JAVA_OPTIONS": SHORT_LIVED}
"""Hive takes no file system without checksums."""


class ThriftServer:
    """A server on this machine, over a catalog schema that holds tables and published views."""

    def __init__(self, folder: Path, context: Context) -> None:
        self._port = free_port()
        of_local = properties("local")
        conf = {
            **of_local,
            # Not as spark.jars: the server's own threads do not know what the main one has loaded of these.
            "spark.driver.extraClassPath": ":".join(map(str, kept_jars(of_local))),
            "spark.sql.catalogImplementation": "hive",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder}/metastore;create=true",
            "spark.hadoop.hive.metastore.warehouse.dir": str(folder / "warehouse"),
            **QUICK,
            "spark.master": "local[2]",
        }
        self._conf = {name: value for name, value in conf.items() if name != "spark.jars.packages"}
        self._properties = written(folder / "spark.conf", self._conf)
        self._register(folder, context)
        ended(submit(self._properties, "maintain", "--database", "lake", variables=JAVA))  # which publishes the views
        self._process = self._started(folder)

    def _register(self, folder: Path, context: Context) -> None:
        """Name the tables in a schema."""
        there = [name for name in TABLES if context.tables.exists(name)]
        tables = [f"CREATE TABLE lake.{name} USING delta LOCATION '{root_of(context)}/{name}';" for name in there]
        script = folder / "register.sql"
        script.write_text("\n".join(["CREATE SCHEMA lake;", *tables]), encoding="utf-8")
        program = [PROGRAM.with_name("spark-sql"), "--properties-file", self._properties, "-f", script]
        subprocess.run(program, env=environment() | JAVA, check=True, capture_output=True, cwd=folder)

    def _started(self, folder: Path) -> "subprocess.Popen[bytes]":
        port = [
            "--hiveconf",
            f"hive.server2.thrift.port={self._port}",
            "--hiveconf",
            "hive.server2.thrift.bind.host=127.0.0.1",
        ]
        server = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
        with (folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [PROGRAM, "--properties-file", self._properties, "--class", server, "spark-internal", *port],
                env=environment() | JAVA,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
            )
        wait_until(self._listens, process)
        return process

    def _listens(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self._port)) == 0

    def ask(self, query: str) -> list[dict[str, str]]:
        """The answer, as a client of JDBC has it."""
        url = f"jdbc:hive2://127.0.0.1:{self._port}/lake"
        program = [BEELINE, "-u", url, "--silent=true", "--outputformat=csv2", "-e", query]
        done = subprocess.run(program, env=environment() | JAVA, check=True, capture_output=True, text=True)
        # Its prompt stands before the answer.
        return list(csv.DictReader(io.StringIO(done.stdout.partition("> ")[2].replace("\0", ""))))

    def stop(self) -> None:
        """End the server."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)


@pytest.fixture(scope="module")
def server(made: MakeContext, undisturbed: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThriftServer]:
    started = ThriftServer(tmp_path_factory.mktemp("thrift"), copied(made, undisturbed, "served"))
    yield started
    started.stop()


@pytest.mark.slow
def test_tables_views_and_functions_are_there(server: ThriftServer, undisturbed: Context) -> None:
    ((counted,)) = server.ask("SELECT count(*) AS faces FROM faces")
    assert int(counted["faces"]) == undisturbed.tables.read("faces").count()
    seen = server.ask("SELECT person_id, count(*) AS images FROM sightings GROUP BY person_id ORDER BY person_id")
    assert [row["person_id"] for row in seen] == ["barack_obama", "grace_hopper", "joe_biden"]
    columns = server.ask("DESCRIBE lake.sightings")
    assert {row["col_name"]: row["comment"] for row in columns}["margin"].startswith("similarity minus that of")
    ((same,)) = server.ask("SELECT max(face_similarity(embedding, embedding)) AS one FROM faces")
    assert float(same["one"]) == pytest.approx(1)
