"""Seconds that a statement takes when the session has answered it once: what follows in the shell.

python -m benchmarks.second_statement TABLES STATEMENT
"""

import sys
import time

from jobs.queries.questions import Questions
from jobs.run.context import opened

if __name__ == "__main__":
    tables, statement = sys.argv[1:]
    with opened("sql", tables=tables, short=True) as context:
        questions = Questions(context, "csv", limit=1000, write=False)
        questions.ask(statement)
        began = time.perf_counter()
        questions.ask(statement)
        print(time.perf_counter() - began)
