"""Exact top-k against FAISS, torch and scikit-learn: one process, the same vectors, the same threads.

The ratio is against the fastest of them in the run; the kernels that their libraries took are named.

python -m benchmarks.search --data FOLDER [--samples N ...]

As on a processor with AVX2 alone:

ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 FAISS_OPT_LEVEL=AVX2 \\
OPENBLAS_CORETYPE=Haswell NUMBA_CPU_NAME=haswell python -m benchmarks.search --data FOLDER
"""

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
import faiss
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_info

from benchmarks import lfw
from benchmarks.data import data_option, facenet
from benchmarks.rounds import Timing, alternate, isa, save
from udfs.search.compiled import Compiled, CompiledAvx2
from udfs.search.definition import Nearest, nearest_persons
from udfs.search.index import Index
from udfs.search.portable import Portable, PortableFloat
from udfs.search.samples import SampleMatrix
from udfs.vision import weights
from udfs.vision.embed import embedder_of
from udfs.vision.models import embedder
from udfs.vision.spec import VisionSpec

Array = np.ndarray

DIMENSION, K = 512, 10
A_PERSON = 10
CHECKED = 50  # queries whose result is compared with the definition's
NOTHING = -2.0  # a floor below every similarity


@dataclass(frozen=True)
class Problem:
    """Vectors to search: float32 (n, d), of which `A_PERSON` in a row show one person; and queries, (m, d)."""

    name: str
    samples: Array
    queries: Array


def unit(vectors: Array) -> Array:
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def real_embeddings(data: Path, threads: int) -> tuple[Array, Array]:
    """Embeddings of LFW's faces, and the number of the person each shows."""
    files = (("facenet-vggface2", str(facenet(data))),)
    spec = VisionSpec(embedder="facenet-vggface2", threads=threads, weights=files)
    names = sorted({name for of in lfw.pairs(data).values() for pair in of for name in (pair.left, pair.right)})
    faces = lfw.faces(data, spec, names)
    made = embedder_of(embedder(spec.embedder), spec, lambda name: weights.source(name, str(facenet(data))))
    vectors = lfw.embed(made, [made.crop(face.image, face.found) for face in faces.values()], threads)
    persons = np.unique([name.partition("/")[0] for name in faces], return_inverse=True)[1]
    return vectors, persons


def like_real(count: int, asked: int, vectors: Array, persons: Array, seed: int = 0) -> Problem:
    """Real embeddings, completed by persons drawn from their spread, and samples from the spread within persons."""
    random = np.random.default_rng(seed)
    centres = np.stack([vectors[persons == person].mean(0) for person in range(persons.max() + 1)])
    between = np.cov(centres.T)
    several = np.isin(persons, np.flatnonzero(np.bincount(persons) > 1))
    within = np.cov((vectors - centres[persons])[several].T) * 2  # a mean of two hides half of the spread
    roots = {name: _root(matrix) for name, matrix in (("between", between), ("within", within))}

    def around(centre: Array) -> Array:
        return unit(centre + random.standard_normal(centre.shape, np.float32) @ roots["within"])

    drawn = count // A_PERSON
    people = random.standard_normal((drawn, vectors.shape[1]), np.float32) @ roots["between"]
    people += vectors.mean(0).astype(np.float32)
    samples = np.empty((count, vectors.shape[1]), np.float32)
    for begin in range(0, drawn, 10_000):
        part = np.repeat(people[begin : begin + 10_000], A_PERSON, axis=0)
        samples[begin * A_PERSON : begin * A_PERSON + len(part)] = around(part)
    samples[: len(vectors) // 2] = vectors[::2][: len(vectors) // 2]
    known = people[random.integers(0, drawn, asked - asked // 2)]
    return Problem("like real faces", samples, np.concatenate([vectors[1::2][: asked // 2], around(known)]))


def _root(covariance: Array) -> Array:
    values, directions = np.linalg.eigh(covariance)
    return (directions * np.sqrt(np.maximum(values, 0))).T.astype(np.float32)


def uniform(count: int, asked: int, seed: int = 0) -> Problem:
    """Directions drawn evenly: nothing is near anything."""
    random = np.random.default_rng(seed)
    samples = random.standard_normal((count, DIMENSION), np.float32)
    samples /= np.linalg.norm(samples, axis=1, keepdims=True)
    return Problem("uniform", samples, unit(random.standard_normal((asked, DIMENSION), np.float32)))


def by_faiss(problem: Problem) -> Callable[[], Array]:
    index = faiss.IndexFlatIP(problem.samples.shape[1])
    index.add(problem.samples)
    return lambda: index.search(problem.queries, K)[1]


def by_torch(problem: Problem, queries: int = 2048, samples: int = 8192) -> Callable[[], Array]:
    """Products and `topk` of tiles, merged: what one writes without a library."""
    left, right = torch.from_numpy(problem.queries), torch.from_numpy(problem.samples)

    def run() -> Array:
        rows = []
        for part in left.split(queries):
            best, row = torch.empty(len(part), 0), torch.empty(len(part), 0, dtype=torch.long)
            for begin in range(0, len(right), samples):
                near, at = (part @ right[begin : begin + samples].T).topk(K)
                best, chosen = torch.cat([best, near], 1).topk(K)
                row = torch.cat([row, at + begin], 1).gather(1, chosen)
            rows.append(row)
        return torch.cat(rows).numpy()

    return run


def by_sklearn(problem: Problem) -> Callable[[], Array]:
    """Brute force by distance, which for unit vectors is the same order."""
    index = NearestNeighbors(n_neighbors=K, algorithm="brute", metric="sqeuclidean").fit(problem.samples)
    return lambda: index.kneighbors(problem.queries, return_distance=False)


PEERS: dict[str, Callable[[Problem], Callable[[], Array]]] = {
    "FAISS flat": by_faiss,
    "torch topk": by_torch,
    "scikit-learn": by_sklearn,
}


def kernels() -> dict[str, str]:
    """What the peers multiply with: each library for linear algebra in this process, and the processor it takes this
    to be; torch's own says so itself.
    """
    found = {
        f"{library['internal_api']} {library['version']} ({Path(library['filepath']).name})": library.get(
            "architecture", "unknown"
        )
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    return {**found, "FAISS": faiss.get_compile_options().strip(), "torch": torch.backends.cpu.get_cpu_capability()}


def with_best_blas() -> None:
    """Start again where FAISS's OpenBLAS would not use AVX-512: it is older than some processors, and takes those that
    it does not know for others.
    """
    if "OPENBLAS_CORETYPE" not in os.environ and isa() in ("amx", "avx512", "avx512_bf16"):
        environment = {**os.environ, "OPENBLAS_CORETYPE": "SkylakeX"}
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.search", *sys.argv[1:]], environment)


def galleries(problem: Problem) -> dict[str, SampleMatrix]:
    """The samples as each its own person, and as `A_PERSON` a person. Rows stay in their order."""
    number = np.arange(len(problem.samples), dtype=np.int32)
    named = pc.utf8_lpad(pa.array(number).cast(pa.string()), 8, "0")
    alone = SampleMatrix.in_order(problem.samples, named, named, number)
    person_of = number // A_PERSON
    return {"samples": alone, "persons": replace(alone, persons=named.take(person_of), person_of=person_of)}


def exact(problem: Problem, found: Nearest, level: str) -> bool:
    """Whether the first queries have what the definition says, to the bit."""
    group = A_PERSON if level == "persons" else 1
    for at in range(CHECKED):
        query = problem.queries[at : at + 1]
        fast = problem.samples @ query[0]
        near = np.sort(np.argpartition(-fast, 40 * K)[: 40 * K])  # far more than float32 can confuse
        persons, samples = ([f"{row:08}" for row in rows] for rows in (near // group, near))
        wanted = nearest_persons(query, problem.samples[near], persons, samples, K, NOTHING)
        mine = found.query == at
        same_samples = np.array_equal(found.sample[mine], wanted.sample)
        if not (same_samples and np.array_equal(found.similarity[mine], wanted.similarity)):
            return False
    return True


def paths() -> list[type[Compiled | Portable]]:
    """The compiled kernel, where there is one, and the portable path."""
    portable = Portable if Portable.works(DIMENSION) else PortableFloat
    compiled = CompiledAvx2 if isa() == "avx2" else Compiled
    return [compiled, portable] if compiled.works(DIMENSION) else [portable]


def peak(threads: int) -> float | None:
    """8-bit GFLOP/s of all threads on registers alone; None where the processor has no AVX-512 VNNI."""
    if Compiled not in paths():
        return None
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "peak.so"
        source = Path(__file__).with_name("peak.cpp")
        subprocess.run(["g++", "-O2", "-shared", "-fPIC", str(source), "-o", str(built)], check=True)
        call = ctypes.CDLL(str(built)).multiply_adds_per_second
        call.restype, call.argtypes = ctypes.c_double, [ctypes.c_long]
        with ThreadPoolExecutor(threads) as pool:
            return max(sum(pool.map(call, [20_000_000] * threads)) * 2 / 1e9 for _ in range(3))


def measure(problem: Problem, rounds: int, threads: int) -> dict[str, object]:
    """Time all on one problem; best of the rounds of each."""
    flops = 2.0 * len(problem.queries) * problem.samples.size / 1e9
    print(f"\n{problem.name}: {len(problem.queries):,} queries x {len(problem.samples):,} samples", flush=True)
    candidates: dict[str, Callable[[], object]] = {name: make(problem) for name, make in PEERS.items()}
    for level, gallery in galleries(problem).items():
        for path in paths():
            index = Index([gallery], path)
            candidates[f"{path.name} {level}"] = partial(index.nearest, problem.queries, K, NOTHING, threads)
    timings = alternate(candidates, rounds)
    best = {name: min(timing.seconds) for name, timing in timings.items()}
    peer = min(PEERS, key=lambda name: best[name])
    figures: dict[str, object] = {"queries": len(problem.queries), "samples": len(problem.samples), "peer": peer}
    for name, seconds in best.items():
        ratio = best[peer] / seconds
        print(f"{name:20} {seconds:8.2f} s {flops / seconds:8.1f} GFLOP/s {ratio:6.2f} x {peer}")
        figures[name] = {"seconds": round(seconds, 3), "gflops": round(flops / seconds, 1), "ratio": round(ratio, 2)}
    figures["exact"] = all(_is_exact(problem, name, timing) for name, timing in timings.items())
    return figures


def _is_exact(problem: Problem, name: str, timing: Timing) -> bool:
    return not isinstance(timing.result, Nearest) or exact(problem, timing.result, name.rpartition(" ")[2])


@click.command(help=__doc__)
@data_option
@click.option("--samples", multiple=True, type=int, default=(100_000, 1_000_000), show_default=True)
@click.option("--queries", default=4000, show_default=True)
@click.option("--rounds", default=3, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Threads each candidate computes on.")
def main(data: Path, samples: tuple[int, ...], queries: int, rounds: int, threads: int) -> None:
    with_best_blas()
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    vectors, persons = real_embeddings(data, threads)
    most = peak(threads)
    print(f"{threads} threads, {isa()}, k = {K}; 8-bit peak {most or 0:.0f} GFLOP/s")
    figures: dict[str, object] = {
        "threads": threads,
        "k": K,
        "peak_gflops": most and round(most, 1),
        "kernels": kernels(),
    }
    for name, kernel in kernels().items():
        print(f"{name}: {kernel}")
    measured = []
    for count in samples:
        for make in (partial(like_real, vectors=vectors, persons=persons), uniform):
            problem = make(count, queries)
            measured.append(measure(problem, rounds, threads))
            figures[f"{problem.name}, {count:,}"] = measured[-1]
            del problem
    print(f"written to {save('search', figures)}")
    last = [of for of in measured if of["samples"] == samples[-1]]
    fast, portable = (f"{path.name} samples" for path in (paths()[0], paths()[-1]))
    ratio = min(of[fast]["ratio"] for of in last)  # type: ignore[index]
    plain = min(of[portable]["ratio"] for of in last)  # type: ignore[index]
    gflops = min(of[fast]["gflops"] for of in last)  # type: ignore[index]
    share = f"{gflops / most:.2f}" if most else "unknown"
    said = "yes" if all(of["exact"] for of in measured) else "NO"
    peers = "/".join(sorted({str(of["peer"]).split(" ")[0] for of in last}))
    print(
        f"search: ratio={ratio} peer={peers} portable={plain} gflops={gflops} peak_share={share} exact={said}"
        f" isa={isa()}"
    )


if __name__ == "__main__":
    main()
