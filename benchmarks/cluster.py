"""Groups of faces against the persons they show, beside published ways to group; and what a million faces cost.

python -m benchmarks.cluster --data FOLDER [--scale] [--faces 1000000]

Faces of LFW's development view with the default models, each person's in one of two halves. `rollcall cluster` takes
its threshold as from a calibration on one half, and is measured on the other, both ways round. Peers get the same
embeddings, and what they have to be told is chosen on the one half by B-cubed F: HDBSCAN and DBSCAN (scikit-learn),
single linkage (SciPy), Chinese whispers (chinese-whispers); so is, for comparison, average linkage. Persons of LFW are
also in what the networks were trained on: see `rollcall models`.

--scale: real faces, completed by faces drawn around them and by strangers. The neighbours of all faces against the bare
kernel over the same vectors, linking, a night of 10,000 more; on one Spark session that stands.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import networkx
import numpy as np
import pyarrow as pa
from chinese_whispers import chinese_whispers
from pyspark.sql import Column
from pyspark.sql import functions as F
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.cluster import DBSCAN, HDBSCAN

from benchmarks.data import data_option, facenet
from benchmarks.identify import timed, watched
from benchmarks.rounds import isa, save
from benchmarks.tables import CONTRACT, append_faces, put_contract
from evaluation.grouping import bcubed, pairwise
from jobs.cluster import cluster
from jobs.decisions.linking import linking_rate
from jobs.people.neighbours import K
from jobs.run import peak_memory
from jobs.run.context import Context, opened
from schemas.catalog import TABLES
from schemas.store import Tables
from udfs.arrow import local_frame
from udfs.grouping.linkage import linked
from udfs.search.index import Index
from udfs.search.samples import SampleMatrix
from udfs.vision.pipeline import FacePipeline
from udfs.vision.spec import VisionSpec

Array = np.ndarray
Method = Callable[[Array, Any], Array]

SEEDS = (0, 1, 2)
CHOSEN = "average linkage"
RATE = 1e-5
"""The false-link rate that the benchmark's calibrations have at the similarity that was chosen."""
NIGHT = 10_000
_PUT_AT_ONCE = 20_000
SPREAD = 0.75
"""How far faces of one drawn person are from their middle: as similar to each other as LFW's of one person are."""
DAY = date(2026, 1, 1)


def lfw_faces(data: Path, embedder: str) -> tuple[Array, Array]:
    """Embeddings of the face nearest the middle of each image, float32 (n, d), and who it is said to be."""
    folder = data / "lfw-dev" / "images"
    spec = VisionSpec(threads=2, embedder=embedder, weights=(("facenet-vggface2", str(facenet(data))),))
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))
    vectors, persons = [], []
    for name, outcome in FacePipeline(spec).run((name, partial((folder / name).read_bytes)) for name in names):
        if outcome.faces:
            off = [np.abs(np.array(face.box).reshape(2, 2).mean(axis=0) - 125).sum() for face in outcome.faces]
            vectors.append(outcome.faces[int(np.argmin(off))].embedding)
            persons.append(str(name).partition("/")[0])
    return np.array(vectors, np.float32), np.array(persons)


def distances(vectors: Array) -> Array:
    """1 - cosine of all pairs, float64 (n, n)."""
    wide = vectors.astype(np.float64)
    found = np.clip(1 - wide @ wide.T, 0, None)
    np.fill_diagonal(found, 0)
    return found


def average_linkage(vectors: Array, similarity: float) -> Array:
    """What `rollcall cluster` does, all faces at once."""
    return linked(vectors, similarity, np.arange(len(vectors)), np.empty((0, 2), np.int64))


def single_linkage(vectors: Array, similarity: float) -> Array:
    """SciPy's."""
    return fcluster(linkage(squareform(distances(vectors), checks=False), "single"), 1 - similarity, "distance")


def dbscan(vectors: Array, similarity: float) -> Array:
    """scikit-learn's; with two faces a core, as most persons have few. What is noise to it is alone."""
    return alone(DBSCAN(eps=1 - similarity, min_samples=2, metric="precomputed").fit_predict(distances(vectors)))


def hdbscan(vectors: Array, choice: tuple[int, str]) -> Array:
    """scikit-learn's, of groups of two or more. choice: faces a core has, and how groups are selected; by a distance it
    fails with this NumPy (TypeError in epsilon_search)."""
    samples, selection = choice
    found = HDBSCAN(2, min_samples=samples, cluster_selection_method=selection, metric="precomputed", copy=True)
    return alone(found.fit_predict(distances(vectors)))


def whispers(vectors: Array, similarity: float) -> Array:
    """chinese-whispers', on the pairs that are as similar."""
    near = np.triu(1 - distances(vectors), 1)
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(vectors)))
    one, other = np.nonzero(near >= similarity)
    graph.add_weighted_edges_from(zip(one.tolist(), other.tolist(), near[one, other].tolist(), strict=True))
    chinese_whispers(graph, iterations=20, seed=0)
    return np.array([graph.nodes[node]["label"] for node in range(len(vectors))])


def alone(label: Array) -> Array:
    """Labels, with groups of one in the place of -1."""
    noise = label < 0
    label[noise] = label.max() + 1 + np.arange(noise.sum())
    return label


SIMILARITIES = np.arange(0.40, 0.75, 0.01).tolist()
PEERS: dict[str, tuple[Method, Sequence[Any]]] = {
    "HDBSCAN": (hdbscan, [(samples, selection) for samples in (1, 2, 3) for selection in ("eom", "leaf")]),
    "DBSCAN": (dbscan, SIMILARITIES),
    "Chinese whispers": (whispers, SIMILARITIES),
    "single linkage": (single_linkage, SIMILARITIES),
}
"""Each with what may be chosen."""


def halves(persons: Array, seed: int) -> tuple[Array, Array]:
    """Faces of one half of the persons, and of the other: bool (n,) each."""
    names, number = np.unique(persons, return_inverse=True)
    first = (np.random.default_rng(seed).permutation(len(names)) < len(names) // 2)[number]
    return first, ~first


def best(method: Method, choices: Sequence[Any], vectors: Array, persons: Array) -> Any:
    """The choice at which B-cubed F is highest."""
    return max(choices, key=lambda choice: bcubed(method(vectors, choice), persons).f)


def default_similarity(vectors: Array, persons: Array) -> float:
    """The one that `rollcall cluster` takes by itself for as many faces, if it was calibrated on these."""
    rate = linking_rate(len(vectors))
    one, other = np.triu_indices(len(vectors), 1)
    strangers = np.sort((1 - distances(vectors))[one, other][persons[one] != persons[other]])
    return float(strangers[-max(1, int(rate * len(strangers)))])


def by_job(context: Context, vectors: Array, similarity: float) -> Array:
    """The groups that `rollcall cluster` finds, on tables, with this similarity as a calibration's."""
    put_contract(context, vectors.shape[1])
    put_vectors(context, vectors, F.lit(DAY), 0)
    put_calibration(context, similarity)
    cluster(context, false_link_rate=RATE)
    rows = context.tables.read("cluster_members").select("image_id", "cluster_id").toArrow()
    number = np.argsort(rows["image_id"].to_numpy().astype(np.int64))
    return rows["cluster_id"].to_numpy(zero_copy_only=False)[number]


def put_calibration(context: Context, similarity: float) -> None:
    """A calibration by which RATE of all pairs of strangers reach a similarity."""
    rates = [{"similarity": similarity, "rate": RATE}, {"similarity": 1.0, "rate": RATE / 1e6}]
    row = dict.fromkeys(TABLES["thresholds"].names) | {
        **{"threshold_id": "t", "protocol": "open-set", "contract_id": CONTRACT, "target": 0.01, "threshold": 0.5},
        **{"threshold_low": 0.5, "threshold_high": 0.5, "rate_low": 0.0, "rate_high": 0.1, "review_target": 0.1},
        **{"review_threshold": 0.4, "method": "counted", "stranger_rates": rates, "data": "a benchmark"},
        **{"half": "both", "seed": 0, "persons": 1, "searches": 1, "run_id": "r", "created_at": datetime.now(UTC)},
    }
    context.tables.append("thresholds", local_frame(context.spark, [row], TABLES["thresholds"].schema))


def put_vectors(context: Context, vectors: Array, day: Column, first: int) -> None:
    """Faces with these embeddings, each in an image of its own, whose number is from `first` on."""
    flat = pa.array(np.ascontiguousarray(vectors).ravel())
    embedding = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]).cast(pa.list_(pa.float32()))
    rows = context.spark.createDataFrame(
        pa.table({"id": np.arange(first, first + len(vectors)), "embedding": embedding})
    )
    face_id = F.md5(F.concat(F.lit("face"), F.col("id").cast("string")))
    append_faces(context, rows, face_id=face_id, image_id=F.col("id").cast("string"), run_date=day)


def accuracy(context: Callable[[str], Context], vectors: Array, persons: Array) -> list[dict[str, object]]:
    """Figures of each method, on the half that it has not been chosen on."""
    found = []
    for seed in SEEDS:
        for turn, (chosen_on, measured_on) in enumerate((halves(persons, seed), halves(persons, seed)[::-1])):

            def note(
                name: str, choice: Any, label: Array, seed: int = seed, others: Array = persons[measured_on]
            ) -> None:
                found.append(agreement(name, seed, choice, label, others))
                print(found[-1], flush=True)

            similarity = default_similarity(vectors[chosen_on], persons[chosen_on])
            note("Rollcall", similarity, by_job(context(f"{seed}-{turn}"), vectors[measured_on], similarity))
            for name, (method, choices) in {CHOSEN: (average_linkage, SIMILARITIES), **PEERS}.items():
                choice = best(method, choices, vectors[chosen_on], persons[chosen_on])
                note(name, choice, method(vectors[measured_on], choice))
    return found


def agreement(name: str, seed: int, choice: Any, label: Array, persons: Array) -> dict[str, object]:
    """Figures of one method."""
    faces, pairs = bcubed(label, persons), pairwise(label, persons)
    return {
        "method": name,
        "seed": seed,
        "choice": round(choice, 3) if isinstance(choice, float) else choice,
        "bcubed": round(faces.f, 4),
        "bcubed_precision": round(faces.precision, 4),
        "bcubed_recall": round(faces.recall, 4),
        "pairwise": round(pairs.f, 4),
        "pairwise_precision": round(pairs.precision, 4),
        "pairwise_recall": round(pairs.recall, 4),
    }


def mean(found: Sequence[dict[str, object]], name: str, figure: str) -> float:
    """Of one method, over all halves."""
    return float(np.mean([row[figure] for row in found if row["method"] == name]))


def drawn_around(vectors: Array, faces: int, seed: int) -> Array:
    """Faces of so many that are like these: each person is one of them, and has twenty; one in twenty is a stranger."""
    random = np.random.default_rng(seed)
    dimension = vectors.shape[1]
    strangers = faces // 20
    persons = (faces - strangers) // 20
    # Other persons than the real ones: mixtures of two, which keep what all faces have in common.
    one, other = random.integers(len(vectors), size=(2, persons + strangers))
    centre = (
        vectors[one]
        + vectors[other]
        + 0.5 * random.standard_normal((persons + strangers, dimension), np.float32) / np.sqrt(dimension)
    )
    centre /= np.linalg.norm(centre, axis=1, keepdims=True)
    of = np.concatenate([np.arange(faces - strangers) % persons, persons + np.arange(strangers)])
    made = np.empty((faces, dimension), np.float32)
    for begin in range(0, faces, 65_536):
        some = of[begin : begin + 65_536]
        noise = random.standard_normal((len(some), dimension), np.float32) / np.sqrt(dimension)
        made[begin : begin + 65_536] = centre[some] + SPREAD * noise
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made[random.permutation(faces)]


def scale(context: Context, vectors: Array, faces: int, similarity: float, threads: int) -> dict[str, object]:
    """What many faces cost, and a night of more."""
    everyone = np.concatenate([vectors, drawn_around(vectors, faces - len(vectors) + NIGHT, 1)])
    put_contract(context, vectors.shape[1])
    put_calibration(context, similarity)
    for begin in range(0, faces, _PUT_AT_ONCE):
        day = F.date_add(F.lit(DAY), (F.col("id") / 10_000).cast("int"))
        put_vectors(context, everyone[begin : min(faces, begin + _PUT_AT_ONCE)], day, begin)
    said: list[str] = []
    context.log.addHandler(Remembering(said))
    with watched() as memory:
        whole, counts = timed(lambda: cluster(context, false_link_rate=RATE))
    steps = dict(telling.split(" s: ", 1)[::-1] for telling in said if " s: " in telling)
    put_vectors(context, everyone[faces:], F.lit(DAY + timedelta(days=10_000)), faces)
    night, _ = timed(lambda: cluster(context, false_link_rate=RATE))
    nothing, _ = timed(lambda: cluster(context, false_link_rate=RATE))
    bare = bare_kernel(everyone[:faces], similarity, threads)
    return {
        "faces": faces,
        "dimension": vectors.shape[1],
        "similarity": round(similarity, 3),
        "whole": round(whole, 1),
        "bare_kernel": round(bare, 1),
        "said": said,
        "steps": steps,
        "night": round(night, 1),
        "nothing_new": round(nothing, 1),
        "night_share": round((night - nothing) / whole, 4),
        "worker_mib": round(memory["mib"]),
        "driver_mib": peak_memory.peaks(context.spark)["driver_peak_mib"],
        "counts": counts,
    }


def bare_kernel(vectors: Array, similarity: float, threads: int) -> float:
    """Seconds to find the K nearest of all, in this process, less what the same faces cost to lay out: a sixteenth of
    all queries is timed."""
    names = [f"{row:08}" for row in range(len(vectors))]
    parts = [
        SampleMatrix.of(vectors[begin : begin + 65_536], some := names[begin : begin + 65_536], some)
        for begin in range(0, len(vectors), 65_536)
    ]
    index = Index(parts)
    asked = vectors[::16]
    index.nearest_rows(asked[:1000], K, similarity, threads)
    seconds, _ = timed(lambda: index.nearest_rows(asked, K, similarity, threads))
    return seconds * len(vectors) / len(asked)


class Remembering(logging.Handler):
    """Keeps what a job says."""

    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage())


@click.command(help=__doc__)
@data_option
@click.option("--scale", "at_scale", is_flag=True, help="What a million faces cost, instead of accuracy.")
@click.option("--faces", default=1_000_000, show_default=True, help="Of --scale.")
@click.option("--embedder", default=VisionSpec().embedder, show_default=True)
@click.option("--threads", default=2, show_default=True, help="Cores of Spark.")
def main(data: Path, at_scale: bool, faces: int, embedder: str, threads: int) -> None:
    vectors, persons = lfw_faces(data, embedder)
    with (
        TemporaryDirectory() as folder,
        opened("bench", tables=f"{folder}/tables", master=f"local[{threads}]") as opened_context,
    ):

        def context(name: str) -> Context:
            tables = Tables(opened_context.spark, f"{folder}/{name}", None)
            return replace(opened_context, tables=tables, log=logging.Logger("benchmark", logging.INFO))

        if at_scale:
            measured = scale(context("scale"), vectors, faces, default_similarity(vectors, persons), threads)
            print(measured)
            print(f"written to {save('cluster-scale', {'threads': threads, **measured})}")
            return
        found = accuracy(context, vectors, persons)
    for name in dict.fromkeys(str(row["method"]) for row in found):
        print(f"{name:20} bcubed={mean(found, name, 'bcubed'):.4f} pairwise={mean(found, name, 'pairwise'):.4f}")
    print(f"written to {save('cluster', {'faces': len(vectors), 'measured': found})}")
    best_peer = max(mean(found, name, "bcubed") for name in PEERS)
    print(
        f"cluster: bcubed={mean(found, 'Rollcall', 'bcubed'):.4f} pairwise={mean(found, 'Rollcall', 'pairwise'):.4f}"
        f" best_peer={best_peer:.4f} isa={isa()}"
    )


if __name__ == "__main__":
    main()
