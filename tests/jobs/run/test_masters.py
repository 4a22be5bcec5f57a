"""Which masters Spark knows."""

import pytest

from jobs.run.masters import chosen_master
from udfs.errors import InputError


@pytest.mark.parametrize(
    "master",
    [
        *("local", "local[*]", "local[4]", "local[*, 3]", "local[2,3]", "local-cluster[2, 1, 1024]", "yarn"),
        *("spark://host:7077", "spark://one:7077,two:7077", "k8s://https://host:6443"),
    ],
)
def test_a_master_that_spark_knows(master: str) -> None:
    assert chosen_master(master, {}) == master


@pytest.mark.parametrize(
    "master",
    [
        "locl[2]",
        "local[",
        "local[0]",
        "local[two]",
        "Local[*]",
        "local[*] ",
        "spark://",
        "spark//host:7077",
        "yarm",
        "2",
    ],
)
def test_one_that_is_misspelt(master: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"^--master: .* is not a Spark master; write local\[\*\]"):
        chosen_master(master, {})
    monkeypatch.setenv("ROLLCALL_MASTER", master)
    with pytest.raises(InputError, match=r"^ROLLCALL_MASTER: "):
        chosen_master(None, {"spark.master": "local"})
    monkeypatch.delenv("ROLLCALL_MASTER")
    with pytest.raises(InputError, match=r"^the property spark.master: "):
        chosen_master(None, {"spark.master": master})


def test_without_one_it_is_this_machine() -> None:
    assert chosen_master(None, {}) == "local[*]"
    assert chosen_master("local[2]", {"spark.master": "yarn"}) == "local[2]"
