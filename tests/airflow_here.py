"""Airflow in its own environment, with a home of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from jobs.run.spark_properties import properties
from tests.conftest import ROOT
from tests.processes import said_to_the_end
from tests.spark_submit import PROGRAM, environment, written
from tests.support import EMBEDDER, QUICK

AIRFLOW = ROOT / ".venv-airflow" / "bin" / "airflow"


class Airflow:
    """Airflow with a home of its own; its variables name the tables and the lake."""

    def __init__(self, home: Path, tables: str, lake: Path, pages: Path) -> None:
        if not AIRFLOW.exists():
            pytest.skip("needs Airflow's environment: make .venv-airflow/.installed")
        home.mkdir()
        conf = written(home / "spark.conf", properties("local") | QUICK)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYSPARK")},
            "JDK_JAVA_OPTIONS": environment()["JDK_JAVA_OPTIONS"],
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow_dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_ROLLCALL_SPARK": json.dumps({"conn_type": "spark", "host": "local[2]"}),
            "AIRFLOW_VAR_ROLLCALL_HOME": str(ROOT),
            "AIRFLOW_VAR_ROLLCALL_SPARK_SUBMIT": str(PROGRAM),
            "AIRFLOW_VAR_ROLLCALL_PROPERTIES": str(conf),
            "AIRFLOW_VAR_ROLLCALL_TABLES": tables,
            "AIRFLOW_VAR_ROLLCALL_OPTIONS": f"--set vision.embedder={EMBEDDER}",
            "AIRFLOW_VAR_ROLLCALL_SOURCE": f"{lake}/{{run_date}}/",
            "AIRFLOW_VAR_ROLLCALL_GALLERY_NAME": "people",
            "AIRFLOW_VAR_ROLLCALL_PAGES": str(pages),
        }
        self("db", "migrate")
        self("pools", "import", str(ROOT / "airflow_dags" / "pools.json"))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of Airflow in its own process session, so that all it starts can be killed."""
        return subprocess.Popen(
            [str(AIRFLOW), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *arguments: str) -> str:
        process = self.start(*arguments)
        said = said_to_the_end(process)
        assert process.returncode == 0, said
        return said
