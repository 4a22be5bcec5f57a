"""Begins and ends so many runs in the ledger of some tables, each by a commit: spark-submit s3_writer.py TABLES RUNS"""

import sys

from jobs.run import ledger
from jobs.run.context import opened


def main(tables: str, runs: int) -> None:
    with opened("writer", tables=tables) as context:
        for number in range(runs):
            with ledger.run(context, number=number):
                pass


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
