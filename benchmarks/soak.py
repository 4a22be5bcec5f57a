"""Thirty nights in one session: the lake and the gallery grow, and a night should cost what is new in it.

python -m benchmarks.soak --data FOLDER
"""

import csv
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from matplotlib.figure import Figure

from benchmarks.data import data_option, facenet, lfw
from benchmarks.rounds import RESULTS, isa, save
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.maintain import maintain
from jobs.reports.health import health
from jobs.run.context import Context, opened
from jobs.summary import summary
from schemas.catalog import TABLES

FIRST = date(2026, 1, 1)
GALLERY_EVERY, MAINTAIN_EVERY = 3, 7


@dataclass
class Night:
    """What one night took, and what there was after it."""

    night: int
    seconds: dict[str, float] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def timed(self, step: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        self.seconds[step] = round(time.monotonic() - began, 2)

    @property
    def nightly(self) -> float:
        """Seconds of what runs every night."""
        return sum(self.seconds[step] for step in ("ingest", "embed", "identify", "summary"))


class Lake:
    """Portraits, of which some come each night; and a manifest of persons, of whom some come and some go."""

    def __init__(self, data: Path, folder: Path, images: int, persons: int) -> None:
        self.folder = folder
        self.images = images
        # In an order of no meaning: whoever is registered is also met.
        order = np.random.default_rng(0)
        photos = lfw(data, 4000)
        self._photos = iter([photos[at] for at in order.permutation(len(photos))])
        people = sorted(path for path in (data / "lfw-dev" / "images").iterdir() if path.is_dir())
        self._people = [people[at] for at in order.permutation(len(people))]
        self._persons = persons
        self.manifest = folder / "people.csv"

    def night(self, day: date) -> None:
        """The portraits of a date."""
        to = self.folder / "lake" / day.isoformat()
        to.mkdir(parents=True)
        for _ in range(self.images):
            photo = next(self._photos)
            (to / photo.name).write_bytes(photo.content)

    def gallery(self, change: int) -> None:
        """The persons after so many changes: each brings some, and the one who was there longest leaves."""
        mine = self._people[change : (change + 1) * self._persons]
        with self.manifest.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("person_id", "uri"))
            rows.writerows((path.name, min(path.iterdir())) for path in mine)


def simulate(made: Context, lake: Lake, nights: int) -> list[Night]:
    """All nights, one after the other."""
    done: list[Night] = []
    for number in range(nights):
        day = FIRST + timedelta(days=number)
        lake.night(day)
        night = Night(number + 1)
        if number % GALLERY_EVERY == 0:
            lake.gallery(number // GALLERY_EVERY)
            night.timed(
                "enroll",
                lambda: enroll(made, gallery=str(lake.manifest), gallery_name="people", sync=True, max_withdraw=0.1),
            )
            if number:
                night.timed("identify all dates", lambda: identify(made, all_dates=True))
        night.timed("ingest", lambda: ingest(made, source=f"{lake.folder}/lake/{{run_date}}/", run_date=day))  # noqa: B023
        night.timed("embed", lambda: embed(made, run_date=day))  # noqa: B023
        night.timed("identify", lambda: identify(made, run_date=day))  # noqa: B023
        night.timed("summary", lambda: summary(made, run_date=day, output=lake.folder / "page.html"))  # noqa: B023
        night.timed("status", lambda: health(made))
        if (number + 1) % MAINTAIN_EVERY == 0:
            night.timed("maintain", lambda: maintain(made, retain=0))
        night.files = {name: made.tables.files(name).count for name in TABLES if made.tables.exists(name)}
        night.rows = {name: made.tables.read(name).count() for name in ("images", "faces", "matches", "gallery")}
        last = made.tables.read("runs").where("event = 'finished'").orderBy("at", ascending=False).first()
        assert last is not None
        night.memory = {name: value for name, value in last.counts.items() if name.endswith("_mib")}
        done.append(night)
        click.echo(f"night {number + 1}: {night.nightly:.1f} s, {sum(night.files.values()):,} files, {night.memory}")
    return done


def drawn(nights: list[Night], path: Path) -> None:
    """Seconds, files and memory by night."""
    figure = Figure(figsize=(8, 9), layout="constrained")
    seconds, files, memory = figure.subplots(3, sharex=True)
    at = [night.night for night in nights]
    below = np.zeros(len(nights))
    for step in ("ingest", "embed", "identify", "summary", "status", "enroll", "identify all dates", "maintain"):
        taken = np.array([night.seconds.get(step, 0) for night in nights])
        seconds.bar(at, taken, bottom=below, label=step)
        below += taken
    seconds.set_ylabel("seconds")
    files.plot(at, [sum(night.files.values()) for night in nights], marker="o", label="all tables")
    for name in ("runs", "images", "matches"):
        files.plot(at, [night.files.get(name, 0) for night in nights], label=name)
    files.set_ylabel("files")
    for name in nights[-1].memory:
        memory.plot(at, [night.memory.get(name, 0) for night in nights], label=name)
    memory.set_ylabel("MiB at most so far")
    memory.set_xlabel("night")
    for axes in (seconds, files, memory):
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper left", ncols=4, fontsize=7)
    figure.savefig(path, metadata={"Date": None})


@click.command(help=__doc__)
@data_option
@click.option("--nights", default=30, show_default=True)
@click.option("--images", default=60, show_default=True, help="New images a night.")
@click.option("--persons", default=20, show_default=True, help="New persons with each change of the gallery.")
def main(data: Path, nights: int, images: int, persons: int) -> None:
    changes = (f"weights.facenet-vggface2={facenet(data)}",)
    with TemporaryDirectory() as name, opened("soak", tables=f"{name}/tables", changes=changes) as made:
        done = simulate(made, Lake(data.resolve(), Path(name), images, persons), nights)
        shutil.rmtree(Path(name) / "lake")
    early, late = (float(np.median([night.nightly for night in part])) for part in (done[3:10], done[-7:]))
    plot = RESULTS / f"soak-{isa()}.svg"
    drawn(done, plot)
    figures = {
        "images_a_night": images,
        "nightly_seconds": {"nights 4 to 10": early, "last seven": late, "ratio": round(late / early, 3)},
        "most_files": max(sum(night.files.values()) for night in done),
        "files_after_maintenance": [sum(n.files.values()) for n in done if "maintain" in n.seconds],
        "memory": {"night 10": done[min(9, len(done) - 1)].memory, "last": done[-1].memory},
        "nights": [vars(night) for night in done],
    }
    click.echo(f"ratio={late / early:.2f}; {save('soak', figures)}, {plot}")


if __name__ == "__main__":
    main()
