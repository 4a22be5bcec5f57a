"""The processes that this one has started, the JVM and its Python workers among them."""

import os
from pathlib import Path


def own_processes() -> dict[int, list[str]]:
    """This process and all that descend from it: by number what /proc/NUMBER/stat says behind the name."""
    stats = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            stats[int(status.parent.name)] = status.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
    mine, found = set[int](), {os.getpid()}
    while found:
        mine |= found
        found = {pid for pid, fields in stats.items() if int(fields[1]) in mine} - mine
    return {pid: stats[pid] for pid in mine if pid in stats}
