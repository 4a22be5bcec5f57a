"""Which Spark master a session has that `rollcall` starts itself."""

import os
import re
from collections.abc import Mapping

from udfs.errors import InputError

_ONE_PROCESS = r"local(\[(\*|[1-9]\d*)(\s*,\s*\d+)?\])?"
_LOCAL_CLUSTER = r"local-cluster\[\s*\d+\s*,\s*\d+\s*,\s*\d+\s*\]"
_MASTER = re.compile(rf"{_ONE_PROCESS}|{_LOCAL_CLUSTER}|spark://[^\s/]+:\d+(,[^\s/]+:\d+)*|yarn|k8s://\S+")
"""As Spark's `SparkContext` and `SparkSubmit` read it."""


def chosen_master(given: str | None, of_file: Mapping[str, str]) -> str:
    """The master that is given, else that of ROLLCALL_MASTER, else that of the properties, else all of this machine.

    Raises:
        InputError: Spark knows no such master; it would say so after seconds, in its log.
    """
    named = {
        "--master": given,
        "ROLLCALL_MASTER": os.environ.get("ROLLCALL_MASTER"),
        "the property spark.master": of_file.get("spark.master"),
    }
    for origin, master in named.items():
        if master:
            if not _MASTER.fullmatch(master):
                raise InputError(
                    f"{origin}: {master!r} is not a Spark master; write local[*], local[4], spark://HOST:7077, yarn or"
                    " k8s://https://HOST:443"
                )
            return master
    return "local[*]"


def is_one_process(master: str) -> bool:
    """Whether driver and executors are one JVM: `local[4]`, and not `local-cluster[2,1,1024]`."""
    return re.fullmatch(_ONE_PROCESS, master) is not None
