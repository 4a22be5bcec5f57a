"""docs/scale.md, computed from what was measured: python -m benchmarks.scale_plan [--check].

All figures come from files in benchmarks/results; the text of the page is here.
"""

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path("docs/scale.md")
RESULTS = Path(__file__).parent / "results"
ISA = "avx512_bf16"

LARGEST_WHOLE = 1 << 32
"""`identify.largest_whole`, as packaged: bytes of a packed gallery that a task scans whole."""
SAMPLES_A_PART = 65_536
FACES_A_TASK = 65_536
EXECUTOR_CORES = 16
"""Of the executors in the tables of the page."""
DIMENSION = 704
"""Of the default embedder."""


def result(name: str) -> dict[str, Any]:
    """The figures that a benchmark wrote."""
    figures: dict[str, Any] = json.loads((RESULTS / f"{name}-{ISA}.json").read_text(encoding="utf-8"))["figures"]
    return figures


@dataclass(frozen=True)
class Constants:
    """What was measured, at `dimension` values an embedding; rates are of one core.

    face_shuffled, face_stored, sample_packed, sample_stored: bytes of one. candidate_shuffled: bytes of a person that a
    part proposes for a face. match_stored, decision_stored: bytes of a row. pack_seconds: of a core, a sample.
    """

    dimension: int
    images_a_second: float
    comparisons_a_second: float
    pack_seconds: float
    face_shuffled: float
    candidate_shuffled: float
    face_stored: float
    sample_stored: float
    sample_packed: float
    match_stored: float
    decision_stored: float

    @classmethod
    def measured(cls) -> "Constants":
        """Those of the files in benchmarks/results."""
        embed, identify, scale = result("embed"), result("identify"), result("scale")
        largest = max(identify["growth"], key=int)
        grown = identify["growth"][largest]
        case = scale["cases"][0]
        faces, samples = case["faces"], case["samples"]
        by_gallery = case["gallery"]["shuffled_bytes"] / faces
        return cls(
            scale["dimension"],
            embed["images_per_second"]["embed on Spark"] / embed["threads"],
            identify["faces"] * int(largest) / grown["search"] / identify["threads"],
            grown["pack"] * identify["threads"] / int(largest),
            by_gallery,
            (case["parts"]["shuffled_bytes"] / faces - by_gallery * case["parts_packed"])
            / (scale["k"] * case["parts_packed"]),
            case["faces_bytes"] / faces,
            case["gallery_bytes"] / samples,
            case["packed_bytes"] / samples,
            case["matches_bytes"] / case["candidates"],
            case["identifications_bytes"] / faces,
        )

    def of(self, measured: float, dimension: int) -> float:
        """Bytes at another dimension, of something that holds an embedding in float32."""
        return measured + 4 * (dimension - self.dimension)

    def packed(self, dimension: int) -> float:
        """Bytes of a packed sample at another dimension: float32 and int8."""
        return self.sample_packed + 5 * (dimension - self.dimension)


@dataclass(frozen=True)
class Estimate:
    """What identifying takes. Bytes, and seconds of one core."""

    plan: str
    parts: int
    packed_bytes: float
    shuffled_bytes: float
    stored_bytes: float
    embed_core_seconds: float
    pack_core_seconds: float
    search_core_seconds: float

    @property
    def core_seconds(self) -> float:
        """Of all."""
        return self.embed_core_seconds + self.pack_core_seconds + self.search_core_seconds


def estimate(constants: Constants, faces: float, samples: float, k: int = 5, dimension: int = DIMENSION) -> Estimate:
    """What it takes to embed so many faces, one an image, and to hold them against so many samples."""
    packed = samples * constants.packed(dimension)
    parts = math.ceil(samples / SAMPLES_A_PART)
    plan = "gallery" if packed <= LARGEST_WHOLE else "parts"
    face = constants.of(constants.face_shuffled, dimension)
    shuffled = faces * (face if plan == "gallery" else parts * (face + k * constants.candidate_shuffled))
    stored = faces * (constants.of(constants.face_stored, dimension) + constants.decision_stored)
    stored += faces * k * constants.match_stored + samples * constants.of(constants.sample_stored, dimension)
    return Estimate(
        plan,
        parts,
        packed,
        shuffled,
        stored,
        faces / constants.images_a_second,
        samples * constants.pack_seconds * dimension / constants.dimension,
        faces * samples / (constants.comparisons_a_second * constants.dimension / dimension),
    )


def page() -> str:
    """The whole page."""
    constants = Constants.measured()
    return _TEXT.format(
        constants=_constants(constants),
        estimates=_estimates(constants),
        held=_held(constants),
        split=_split(),
        commits=_commits(),
        dimension=DIMENSION,
        cores=EXECUTOR_CORES,
        whole=f"{LARGEST_WHOLE / constants.packed(DIMENSION):,.0f}",
        log=_log_a_year(),
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _constants(of: Constants) -> str:
    rows = [
        ["images embedded, a second and core", f"{of.images_a_second:.1f}", "`embed`"],
        ["comparisons of 512 values, a second and core", f"{of.comparisons_a_second / 1e6:,.0f} million", "`identify`"],
        ["packing a sample, of a core", f"{of.pack_seconds * 1e6:.0f} µs", "`identify`"],
        ["bytes shuffled, a face (`gallery`)", f"{of.face_shuffled:,.0f}", "`scale`"],
        ["more, a face and part and person kept (`parts`)", f"{of.candidate_shuffled:,.0f}", "`scale`"],
        ["bytes stored, a face", f"{of.face_stored:,.0f}", "`scale`"],
        ["... a sample", f"{of.sample_stored:,.0f}", "`scale`"],
        ["... a packed sample", f"{of.sample_packed:,.0f}", "`scale`"],
        ["... a row of `matches`", f"{of.match_stored:,.0f}", "`scale`"],
        ["... a row of `identifications`", f"{of.decision_stored:,.0f}", "`scale`"],
    ]
    return _table(["", "measured", "by"], rows)


def _estimates(of: Constants) -> str:
    rows = []
    for faces in (1e6, 1e8, 1e10):
        for samples in (1e4, 1e6, 1e8):
            found = estimate(of, faces, samples)
            rows.append(
                [
                    _power(faces),
                    _power(samples),
                    f"`{found.plan}`",
                    _bytes(found.packed_bytes),
                    _bytes(found.shuffled_bytes),
                    _bytes(found.stored_bytes),
                    _hours(found.embed_core_seconds),
                    _hours(found.pack_core_seconds + found.search_core_seconds),
                    *[_hours(found.core_seconds / (executors * EXECUTOR_CORES)) for executors in (4, 64, 1000)],
                ]
            )
    head = ["faces", "samples", "plan", "packed", "shuffled", "stored", "core-hours to embed", "to search"]
    return _table([*head, "hours on 4 executors", "on 64", "on 1,000"], rows)


def _held(of: Constants) -> str:
    """Bytes shuffled, as computed and as measured."""
    rows = []
    for case in result("scale")["cases"]:
        parts = case["parts_packed"]
        computed = {
            "gallery": case["faces"] * of.face_shuffled,
            "parts": case["faces"] * parts * (of.face_shuffled + 5 * of.candidate_shuffled),
        }
        for plan, expected in computed.items():
            there = case[plan]["shuffled_bytes"]
            rows.append(
                [
                    f"{case['executors']}",
                    f"{case['faces']:,}",
                    f"{parts}",
                    f"`{plan}`",
                    f"{expected / 1e6:,.1f} MB",
                    f"{there / 1e6:,.1f} MB",
                    f"{there / expected:.3f}",
                ]
            )
    return _table(["executors", "faces", "parts", "plan", "computed", "measured", "ratio"], rows)


def _split() -> str:
    rows = []
    for case in result("scale")["cases"]:
        for step in ("gallery", "parts", "identify"):
            found = case[step]
            rows.append(
                [
                    f"{case['executors']}",
                    f"{case['faces']:,}",
                    f"{case['samples']:,}",
                    f"`{step}`",
                    f"{found['tasks']}",
                    f"{found['largest_share']:.2f}",
                    f"{1 / case['executors']:.2f}",
                    f"{found['collected_bytes'] / 1e3:,.0f} KB",
                ]
            )
    head = ["executors", "faces", "samples", "step", "tasks", "the busiest executor's share", "an equal share"]
    return _table([*head, "the driver collected"], rows)


def _commits() -> str:
    commits = result("scale")["cases"][0]["commits"]
    rows = [
        [f"`{name}`", f"{of['count']}", f"{of['bytes'] / of['count'] / 1e3:.1f} KB"] for name, of in commits.items()
    ]
    return _table(["table", "commits of the first run, its creation included", "bytes of one in the log"], rows)


def _log_a_year() -> str:
    commits = result("scale")["cases"][0]["commits"]
    mean = sum(of["bytes"] for of in commits.values()) / sum(of["count"] for of in commits.values())
    return f"{365 * 4 * 20 * mean / 1e6:,.0f} MB"


def _power(value: float) -> str:
    return f"10^{math.log10(value):.0f}"


def _bytes(value: float) -> str:
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value / 1e3:,.1f} KB"


def _hours(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.1f}" if hours >= 0.1 else f"{hours:.3f}"


_TEXT = """# What larger runs take

Generated by `make docs` from files in `benchmarks/results`. Counts were measured on clusters of one machine
(`make bench-scale DATA=FOLDER`); a cluster of many machines was not at hand. What is computed for one says so.

## What was measured

On two cores of an AMD EPYC (Zen 4), with Spark 4.2. Each line names its file,
`benchmarks/results/NAME-avx512_bf16.json`.

{constants}

## What follows

Faces are embedded, one an image, and identified against a gallery in which no one was known before; k is 5, embeddings
have {dimension} values (the default, `fused`), and an executor has {cores} cores as fast as those that were measured.
Multiply core-hours by what one costs.

{estimates}

- **A night** is a row of its own: its new faces against the gallery. Faces that were searched before cost nothing
  while the gallery stays as it is, and after a change of a hundredth they are compared with that hundredth alone
  (`make bench-identify DATA=FOLDER`: comparisons 0.01 of all; seconds are another matter, see its figures).
- **Where to change plans.** A task of plan `gallery` scans all of the packed gallery, from its machine's page cache:
  up to `identify.largest_whole` (4 GiB), which is {whole} samples of {dimension} values. Beyond, `parts` sends all
  faces to each part of 65,536 samples, which shuffles in proportion to the gallery. Where executors have the memory for
  the packed gallery beside their workers, a larger `largest_whole` is cheaper.
- **Memory of a worker**: its models and `vision.memory` while it embeds; 65,536 faces and what it found for them while
  it searches (at {dimension} values 185 MB), and the part of the gallery that it scans, mapped and shared by the
  workers of a machine. It grows with neither faces nor samples.
- **Memory of the driver**: a page of pending images (200,000, some 50 MB); what the join of small tables needs, at most
  `spark.sql.autoBroadcastJoinThreshold` each. `docs/operations.md`, "Large inputs", has what was tried.

## Held against clusters of 1, 2 and 4 executors

Of one core each, with parts of 12,000 samples, so that four executors have several each. The constants above come from
the first case; the others show whether they hold. With plan `gallery` what is shuffled grows with the faces alone; with
`parts` with the faces and the parts; with executors neither.

{held}

How the work was split, by run time of tasks, and what tasks returned to the driver, the statistics of each task
included:

{split}

## Commits and logs

{commits}

`embed` writes four commits a slice (`--commit-every` images), `ingest` one, each job two in `runs`. At twenty commits
of this size for each of four jobs, nights leave {log} a year in Delta's logs. An entry names files, so that it grows
with the files of a commit, and with neither faces nor samples.

## What limits it

- **10^10 faces against 10^8 samples** are 10^18 comparisons. Exact search does each of them: see the table for what
  that takes. Nothing here is approximate, so nothing is cheaper; labels and several galleries are the way to ask less.
- **One date.** Faces of a date are shuffled by their ids and ranked in windows; 600,000 of a date were tried
  (`large-faces`). A night of more than some millions is better listed as several dates or sources.
- **Listing.** A million files of one folder took 81 s (`large-files`). Of an object store, pyarrow hands over a folder
  as a whole, at some 300 bytes a file: 10^8 new files a night belong in many folders.
- **Executors read the packed gallery** from the lake when they first need it: 10^8 samples of {dimension} values are a
  third of a terabyte, which each machine reads once, or, with `parts`, its share of it.
- **Delta's MERGE** reads the rows of a date and gallery to replace some of them, so that a change of the gallery costs
  at least that for each date on which somebody is affected.
- Stragglers, lost machines, throttled stores and slow networks are not in these figures. Executors that are lost cost
  what they had computed, and a run goes on (`tests/accept`).
"""


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is up to date."""
    text = page()
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE} is not up to date; run: make docs", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
