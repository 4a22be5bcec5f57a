"""Every way to scan gives what the definition says, bit by bit, on what is hardest for a filter."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.search.compiled import Compiled
from udfs.search.definition import Nearest, nearest_persons
from udfs.search.index import PATHS, Index, fastest
from udfs.search.portable import SAMPLES, Portable, PortableFloat, stride, tiles
from udfs.search.quantisation import Bounds, Quantised
from udfs.search.samples import SampleMatrix
from udfs.search.similarity import similarity
from udfs.search.speed import by_speed

Array = np.ndarray
Case = tuple[Array, Array, Array]
"""Queries, vectors, and the number of each vector's person."""
Pairs = Sequence[tuple[int, str]]
"""Rows of queries and names of samples."""


def unit(vectors: Array) -> Array:
    vectors = vectors.astype(np.float64)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def random_unit(seed: int, *shape: int) -> Array:
    return unit(np.random.default_rng(seed).normal(size=shape))


def gallery_of(vectors: Array, person: Array) -> SampleMatrix:
    return SampleMatrix.of(vectors, [f"p{p:06}" for p in person], [f"s{row:06}" for row in range(len(vectors))])


def expected(queries: Array, gallery: SampleMatrix, k: int, floor: float, left_out: Pairs = ()) -> Nearest:
    """By the definition."""
    return nearest_persons(queries, gallery.vectors, gallery.persons, gallery.samples, k, floor, left_out)


def in_parts(gallery: SampleMatrix, last_persons: list[int]) -> list[SampleMatrix]:
    """The same samples in parts, cut behind some of the persons."""
    edges = [0, *np.searchsorted(gallery.person_of, sorted(last_persons), side="right").tolist(), len(gallery.vectors)]
    return [
        SampleMatrix.of(gallery.vectors[a:b], gallery.persons[a:b].to_pylist(), gallery.samples[a:b].to_pylist())
        for a, b in pairwise(edges)
    ]


@pytest.fixture(params=PATHS, ids=[path.name for path in PATHS])
def path(request: pytest.FixtureRequest) -> type[Portable | Compiled]:
    if not request.param.works(512):
        pytest.skip(f"{request.param.name} does not work on this machine")
    return request.param


def clusters(seed: int) -> Case:
    """What galleries look like: ten samples a person, near each other."""
    centres = random_unit(seed, 701, 96)
    person = np.arange(7003) // 10
    return random_unit(seed + 1, 30, 96), unit(centres[person] + 0.8 * random_unit(seed + 2, 7003, 96)), person


def duplicates() -> Case:
    return random_unit(1, 30, 64), np.repeat(random_unit(2, 700, 64), 11, axis=0)[:7003], np.arange(7003) // 10


def all_equal() -> Case:
    one = random_unit(3, 1, 64)
    return np.concatenate([one, random_unit(4, 5, 64)]), np.repeat(one, 3001, axis=0), np.arange(3001)


def a_bit_apart() -> Case:
    """Thousands of neighbours that only the last bits tell apart: the buffers run over."""
    random = np.random.default_rng(5)
    vectors = np.repeat(random_unit(6, 1, 64), 5003, axis=0)
    up = np.where(random.random(vectors.shape) < 0.5, np.float32(-1), np.float32(1))
    vectors = np.where(random.random(vectors.shape) < 0.3, np.nextafter(vectors, up), vectors).astype(np.float32)
    return vectors[:13], vectors, random.permutation(5003) // 2


def growing() -> Case:
    """Sorted by likeness, the nearest last: each sample is nearer than all before."""
    queries, vectors, person = clusters(7)
    return queries, vectors[np.argsort(vectors @ queries[0])], person


def one_person() -> Case:
    """One person with 10,000 samples, and the others behind them."""
    centre = random_unit(8, 1, 64)
    many = unit(centre + 1e-3 * random_unit(9, 10_000, 64))
    others = random_unit(10, 50, 64)
    return (
        np.concatenate([centre, others[:3]]),
        np.concatenate([many, others]),
        np.concatenate([np.zeros(10_000, int), np.arange(1, 51)]),
    )


def spikes() -> Case:
    """Nearly all of a vector in one component, the rest denormal or lost in rounding."""
    random = np.random.default_rng(11)
    vectors = 1e-3 * random.normal(size=(2003, 512))
    vectors[np.arange(2003), random.integers(0, 40, 2003)] = 1
    vectors[::5, 100:] = 1e-41
    return unit(vectors[:40] + 1e-4), unit(vectors), np.arange(2003) // 3


def opposite() -> Case:
    return np.abs(random_unit(12, 20, 512)), -np.abs(random_unit(13, 999, 512)), np.arange(999)


CASES = (lambda: clusters(0), duplicates, all_equal, a_bit_apart, growing, one_person, spikes, opposite)
NAMES = ["clusters", "duplicates", "all equal", "a bit apart", "growing", "one person", "spikes", "opposite"]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
@pytest.mark.parametrize(("k", "floor"), [(1, -1.1), (10, -1.1), (10, 0.3), (70, -1.1)])
def test_what_is_hard_to_tell_apart(
    path: type[Portable | Compiled], case: Callable[[], Case], k: int, floor: float
) -> None:
    queries, vectors, person = case()
    gallery = gallery_of(vectors, person)
    found = Index([gallery], path).nearest(queries, k, floor)
    assert found.rows() == expected(queries, gallery, k, floor).rows()


@pytest.mark.parametrize("rows", [1, 2, 31, 32, 33, 63, 255, 257, 1023, 1025])
@pytest.mark.parametrize("asked", [1, 11, 12, 13, 25])
def test_counts_that_fill_no_panel(path: type[Portable | Compiled], rows: int, asked: int) -> None:
    gallery = gallery_of(random_unit(rows, rows, 20), np.arange(rows) // 2)
    queries = random_unit(1000 + asked, asked, 20)
    found = Index([gallery], path).nearest(queries, 3, -1.1)
    assert found.rows() == expected(queries, gallery, 3, -1.1).rows()


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    last_persons=st.lists(st.integers(0, 3000), max_size=3),
    rows=st.integers(1, 9000),
    asked=st.integers(1, 30),
    dimension=st.sampled_from([3, 64, 65, 130, 512]),
    k=st.integers(1, 12),
    threads=st.integers(1, 3),
    spread=st.sampled_from([0.0, 1e-7, 1e-4, 0.3, 3.0]),
)
def test_all_paths_and_threads_agree(
    seed: int, last_persons: list[int], rows: int, asked: int, dimension: int, k: int, threads: int, spread: float
) -> None:
    random = np.random.default_rng(seed)
    centres = random_unit(seed, 5, dimension)
    vectors = unit(centres[random.integers(0, 5, rows)] + spread * random_unit(seed + 1, rows, dimension))
    gallery = gallery_of(vectors, random.integers(0, max(1, rows // 3), rows))
    queries = unit(centres[random.integers(0, 5, asked)] + spread * random_unit(seed + 2, asked, dimension))
    wanted = expected(queries, gallery, k, 0.1).rows()
    for path in PATHS:
        if path.works(dimension):
            assert Index([gallery], path).nearest(queries, k, 0.1, threads).rows() == wanted
            parts = Index(in_parts(gallery, last_persons), path)
            assert parts.nearest(queries, k, 0.1, threads).rows() == wanted


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    last_persons=st.lists(st.integers(0, 300), max_size=2),
    rows=st.integers(1, 2500),
    k=st.integers(1, 6),
    share=st.sampled_from([0.001, 0.1, 1.0]),
    floor=st.sampled_from([-0.5, -np.inf]),
)
def test_pairs_that_do_not_count(
    seed: int, last_persons: list[int], rows: int, k: int, share: float, floor: float
) -> None:
    """The nearest samples of a query left out: as if they were not in the gallery, for that query alone."""
    random = np.random.default_rng(seed)
    gallery = gallery_of(random_unit(seed, rows, 20), np.arange(rows) // 3)
    queries = np.concatenate([gallery.vectors[:: max(1, rows // 7)], random_unit(seed + 1, 6, 20)])
    out = random.random((len(queries), rows)) < share
    out[np.arange(len(queries)), np.argmax(queries @ gallery.vectors.T, axis=1)] = True
    names = gallery.samples.to_pylist()
    left_out = [(query, names[row]) for query, row in random.permutation(np.argwhere(out)).tolist()]
    wanted = expected(queries, gallery, k, floor, left_out).rows()
    for path in PATHS:
        if path.works(20):
            index = Index(in_parts(gallery, last_persons), path)
            assert index.nearest(queries, k, floor, 2, [*left_out, (0, "nobody's")]).rows() == wanted


def test_queries_beyond_a_block(path: type[Portable | Compiled]) -> None:
    gallery = gallery_of(random_unit(20, 500, 16), np.arange(500))
    queries = random_unit(21, 4097, 16)
    found = Index([gallery], path).nearest(queries, 2, -1.1, 2)
    assert found.rows() == expected(queries, gallery, 2, -1.1).rows()


@pytest.mark.parametrize(("rows", "asked"), [(0, 3), (3, 0), (0, 0)])
def test_nothing_to_search(path: type[Portable | Compiled], rows: int, asked: int) -> None:
    gallery = gallery_of(np.empty((rows, 8), np.float32) + unit(np.ones((1, 8))), np.arange(rows))
    assert Index([gallery], path).nearest(np.ones((asked, 8), np.float32), 3, -1.1).rows() == []


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 64, 512, 1024]), st.sampled_from([0.2, 1.0, 3.0, 9.0]))
def test_the_bound_holds(seed: int, dimension: int, power: float) -> None:
    """Also for vectors of a few large components, of which rounding loses most."""
    random = np.random.default_rng(seed)
    queries, samples = (
        unit(np.sign(x) * np.abs(x) ** power + 1e-30)
        for x in (random.normal(size=(20, dimension)), random.normal(size=(30, dimension)))
    )
    gallery = gallery_of(samples, np.arange(30))
    of_queries, of_samples = Quantised.of(queries), Quantised.of(gallery.vectors)
    assert np.array_equal(gallery.codes(0, 30), of_samples.codes)
    bounds = Bounds.between(of_queries, gallery.kept, gallery.loss)
    score = of_queries.codes.astype(np.int64) @ of_samples.codes.T.astype(np.int64)
    total = score + bounds.offset[:, None].astype(np.int64)
    assert np.abs(total).max() < 2**24
    i, j = np.indices((20, 30)).reshape(2, -1)
    exact = similarity(queries[i], gallery.vectors[j]).reshape(20, 30)
    scale = bounds.scale[:, None]
    high = scale * (total.astype(np.float32) * of_samples.scales) + bounds.slack[:, None]
    apart = scale * bounds.offset[:, None] * of_samples.scales + bounds.slack[:, None]
    assert (exact <= high).all()
    assert (exact >= high - np.float32(2) * apart).all()


def test_tiles_visit_every_row_once() -> None:
    for rows in (0, 1, 255, 256, 1024, 1025, 5 * SAMPLES + 17, 12 * SAMPLES):
        seen = np.concatenate([np.arange(*tile) for tile in tiles(rows)]) if rows else np.empty(0)
        assert np.array_equal(np.sort(seen), np.arange(rows))


@given(st.integers(1, 10_000))
def test_the_stride_visits_all(count: int) -> None:
    assert np.gcd(stride(count), count) == 1


def test_a_path_that_is_wrong_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start-up test finds a filter that loses a sample, and goes on to the next path."""
    monkeypatch.setattr("udfs.search.samples.Quantised", SimpleNamespace(of=lambda vectors: Quantised.of(-vectors)))
    fastest.cache_clear()
    assert fastest(512) is PortableFloat
    monkeypatch.undo()
    fastest.cache_clear()
    assert fastest(512) is next(path for path in by_speed(PATHS, 512) if path.works(512))
