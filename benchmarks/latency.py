"""How long a person waits for an answer, and a night with nothing to do takes: processes that start cold.

One is what a bare PySpark takes to count the rows of the same table, as Delta's documentation has it.

python -m benchmarks.latency --data FOLDER
"""

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click

from benchmarks.data import data_option, facenet, lfw
from benchmarks.rounds import Timing, alternate, isa, save
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import opened

DAY = "2026-01-31"
STATEMENT = "SELECT count(*) FROM faces"


def prepared(data: Path, folder: Path, images: int, persons: int) -> tuple[str, tuple[str, ...]]:
    """Tables in which all is done, and the options that all jobs had."""
    day = folder / "lake" / DAY
    day.mkdir(parents=True)
    for photo in lfw(data, images):
        (day / photo.name).write_bytes(photo.content)
    people = sorted(path for path in (data / "lfw-dev" / "images").iterdir() if path.is_dir())[:persons]
    manifest = folder / "people.csv"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("person_id", "uri"))
        rows.writerows((path.name, min(path.iterdir())) for path in people)
    changes = (f"weights.facenet-vggface2={facenet(data).resolve()}",)
    with opened("latency", tables=f"{folder}/tables", changes=changes) as made:
        ingest(made, source=f"{folder}/lake/{{run_date}}/")
        embed(made, all_pending=True)
        enroll(made, gallery=str(manifest), gallery_name="people")
        identify(made, all_dates=True)
    return f"{folder}/tables", ("--set", changes[0])


def program(*arguments: str) -> str:
    """What a process printed; its end is waited for, and that it ends well."""
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout


def measured(tables: str, options: tuple[str, ...], rounds: int) -> tuple[dict[str, Timing], float]:
    """All commands in turn; and the median of the seconds that a second statement takes."""
    seconds: list[float] = []

    def second() -> None:
        seconds.append(float(program("-m", "benchmarks.second_statement", tables, STATEMENT).split()[-1]))

    place = ("--tables", tables)
    nothing_new = ("-m", "jobs.identify", *place, *options, "--run-date", DAY)
    candidates: dict[str, Callable[[], object]] = {
        "bare count": lambda: program("-m", "benchmarks.bare_count", f"{tables}/faces"),
        "sql": lambda: program("-m", "jobs.sql", *place, STATEMENT),
        "embed, nothing pending": lambda: program("-m", "jobs.embed", *place, *options, "--all-pending"),
        "identify, nothing new": lambda: program(*nothing_new),
        "shell, two statements": second,
    }
    return alternate(candidates, rounds), median(seconds[1:])


@click.command(help=__doc__)
@data_option
@click.option("--rounds", default=5, show_default=True, help="Timed rounds.")
@click.option("--images", default=60, show_default=True)
@click.option("--persons", default=20, show_default=True)
def main(data: Path, rounds: int, images: int, persons: int) -> None:
    with TemporaryDirectory() as name:
        timings, second = measured(*prepared(data.resolve(), Path(name), images, persons), rounds)
    bare = timings["bare count"].median
    ratios = {
        "sql": timings["sql"].median / bare,
        "embed": timings["embed, nothing pending"].median / bare,
        "nothing_new": timings["identify, nothing new"].median / bare,
        "second": second / bare,
    }
    figures: dict[str, object] = {
        "images": images,
        "persons": persons,
        "seconds": {name: [round(value, 2) for value in timing.seconds] for name, timing in timings.items()},
        "second_statement_seconds": round(second, 3),
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
    }
    print(f"written to {save('latency', figures)}")
    print("latency:", *(f"{name}={value:.2f}" for name, value in ratios.items()), f"isa={isa()}")


if __name__ == "__main__":
    main()
