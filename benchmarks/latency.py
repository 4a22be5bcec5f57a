"""How long a person waits for an answer, and a night with nothing to do takes: processes that start cold.

One is what a bare PySpark takes to count the rows of the same table, as Delta's documentation has it.

python -m benchmarks.latency --data FOLDER
"""

import csv
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click

from benchmarks.data import PhotoFile, data_option, facenet, lfw
from benchmarks.rounds import Timing, alternate, isa, save
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import opened

DAY = "2026-01-31"
STATEMENT = "SELECT count(*) FROM faces"


def put_day(lake: Path, day: str, photos: list[PhotoFile]) -> None:
    """The photos as those of a day."""
    (lake / day).mkdir(parents=True)
    for photo in photos:
        (lake / day / photo.name).write_bytes(photo.content)


def prepared(data: Path, folder: Path, photos: list[PhotoFile], persons: int) -> tuple[str, tuple[str, ...]]:
    """Tables in which all is done, and the options that all jobs had."""
    put_day(folder / "lake", DAY, photos)
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


def measured(
    tables: str, options: tuple[str, ...], lake: Path, nights: list[list[PhotoFile]], demo: tuple[str, ...]
) -> tuple[dict[str, Timing], float]:
    """All commands in turn; and the median of the seconds that a second statement takes.

    nights: the new photos of each round, that which is not timed included. demo: its arguments.
    """
    seconds: list[float] = []
    first = date.fromisoformat(DAY)
    days = iter([(str(first + timedelta(days=1 + at)), photos) for at, photos in enumerate(nights)])

    def new_night() -> None:
        day, photos = next(days)
        put_day(lake, day, photos)
        night(day)

    def night(day: str) -> None:
        program("-m", "jobs.night", *place, *options, "--source", f"{lake}/{{run_date}}/", "--run-date", day)

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
        "night, nothing new": lambda: night(DAY),
        "night, new images": new_night,
        "demo again": lambda: program("-m", "demo", *demo),
    }
    return alternate(candidates, len(nights) - 1), median(seconds[1:])


@click.command(help=__doc__)
@data_option
@click.option("--rounds", default=5, show_default=True, help="Timed rounds.")
@click.option("--images", default=60, show_default=True)
@click.option("--persons", default=20, show_default=True)
def main(data: Path, rounds: int, images: int, persons: int) -> None:
    photos = lfw(data, images * (rounds + 2))
    first, *nights = (photos[start : start + images] for start in range(0, images * (rounds + 2), images))
    with TemporaryDirectory() as name:
        tables, options = prepared(data.resolve(), Path(name), first, persons)
        demo = (f"{name}/demo", "--weights", str(facenet(data).resolve()))
        timings, second = measured(tables, options, Path(name) / "lake", nights, demo)
    bare = timings["bare count"].median
    ratios = {
        "sql": timings["sql"].median / bare,
        "embed": timings["embed, nothing pending"].median / bare,
        "nothing_new": timings["identify, nothing new"].median / bare,
        "night": timings["night, nothing new"].median / bare,
        "night60": timings["night, new images"].median / bare,
        "second": second / bare,
        "demo": timings["demo again"].median / bare,
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
