"""How much memory processes hold."""

from collections.abc import Callable
from pathlib import Path

from udfs.arrow import BatchFunction, RecordBatches


def peak_mib(pid: int | str = "self") -> int | None:
    """The most that a process of this machine has held so far, in MiB; None if the system does not say
    (it is `VmHWM` in Linux's /proc)."""
    try:
        status = (Path("/proc") / str(pid) / "status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) // 1024 if found else None


def telling(work: BatchFunction, tell: Callable[[int], None]) -> BatchFunction:
    """The same function on Arrow batches; in the end it calls `tell` with the most its process has held, in MiB."""

    def run(batches: RecordBatches) -> RecordBatches:
        yield from work(batches)
        if (held := peak_mib()) is not None:
            tell(held)

    return run
