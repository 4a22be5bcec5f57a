"""How the fuzzers run: guided by coverage, by atheris (Google, libFuzzer)."""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

_MOST_SECONDS_AN_INPUT = 20


def fuzz(
    check: Callable[[bytes], object], corpus: Mapping[str, bytes], *, seconds: int, most_bytes: int, memory_mib: int
) -> None:
    """Give `check` the inputs of a corpus by name, and changes of them of at most so many bytes, for so many seconds;
    then, or once it raises, takes too long or more memory, this process ends.
    """
    import atheris  # type: ignore[import-not-found, unused-ignore]

    atheris.instrument_all()
    with tempfile.TemporaryDirectory() as folder:
        for name, content in corpus.items():
            (Path(folder) / name).write_bytes(content)
        flags = [
            f"-max_total_time={seconds}",
            f"-rss_limit_mb={memory_mib}",
            f"-timeout={_MOST_SECONDS_AN_INPUT}",
            f"-max_len={most_bytes}",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *flags, folder], lambda content: check(bytes(content)))
        atheris.Fuzz()
