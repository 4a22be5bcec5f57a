"""What the demo shows."""

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from pyspark.sql import SparkSession

from demo.__main__ import show


def test_names_with_brackets_are_shown_whole(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "image": "[1].jpg",
        "outcome": "faces",
        "ordinal": 0,
        "pixels": 80.0,
        "decision": "match",
        "person_id": "Bob [retired]",
    }
    row |= {"similarity": 0.9, "runner_up_person_id": "Eve [b]", "runner_up": 0.5}
    made = MagicMock()
    made.spark.sql.return_value.where.return_value.collect.return_value = [SimpleNamespace(**row)]
    made.settings.vision.embedder = "any"
    show(made)
    shown = capsys.readouterr().out
    for whole in ("[1].jpg", "Bob [retired]", "Eve [b] 0.500"):
        assert whole in shown
