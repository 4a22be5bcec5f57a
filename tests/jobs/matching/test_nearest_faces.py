"""All faces that were ever seen: found as the definition says, and packed once."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F

from jobs.matching import seen
from jobs.matching.nearest_faces import SearchScope, nearest_faces
from jobs.run.context import Context
from tests.rows import CONTRACT, DAY, NEXT_DAY, put_faces, unit
from tests.support import MakeContext
from udfs import lake
from udfs.search import packed_faces
from udfs.search.definition import nearest_persons
from udfs.vision.contract import settings_id

Array = np.ndarray
THIRD_DAY = date(2026, 2, 2)
QUERIES = unit(3, seed=9)
ALL = SearchScope()


@pytest.fixture
def context(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(seen, "FACES_A_PART", 7)
    return make_context()


def put(context: Context, day: date, count: int, seed: int, limits: str = "s") -> dict[str, Array]:
    vectors = unit(count, seed)
    put_faces(context, vectors, day, limits)
    return {f"f{at:02}-{day}{'' if limits == 's' else limits}": vector for at, vector in enumerate(vectors)}


def found(context: Context, k: int = 5, scope: SearchScope = ALL, left_out: tuple[tuple[int, str], ...] = ()) -> list:
    near = nearest_faces(context, CONTRACT, QUERIES, k, scope, left_out).near
    assert all(str(row["run_date"]) in row["face_id"] for row in near.to_pylist())
    return near.drop_columns("run_date").to_pylist()


def wanted(faces: dict[str, Array], k: int = 5, left_out: tuple[tuple[int, str], ...] = ()) -> list:
    names = list(faces)
    rows = nearest_persons(QUERIES, np.array(list(faces.values())), names, names, k, -1.0, left_out).rows()
    return [{"query": query, "face_id": face, "similarity": near} for query, face, _, near in rows]


def parts(context: Context) -> set[str]:
    """Folders of packed parts that there are."""
    root = lake.local_path(seen.place(context, "faces"))
    assert root is not None
    return {path.parent.name for path in Path(root.decode()).rglob("names.arrow")}


def test_the_nearest_are_those_of_the_definition(context: Context) -> None:
    faces = put(context, DAY, 40, 1) | put(context, NEXT_DAY, 3, 2)
    assert found(context) == wanted(faces)
    assert len(parts(context)) > 6
    best = wanted(faces)[0]["face_id"]
    assert found(context, left_out=((0, best),)) == wanted(faces, left_out=((0, best),))
    assert found(context, k=100) == wanted(faces, k=100)
    of_day = {name: vector for name, vector in faces.items() if str(NEXT_DAY) in name}
    assert found(context, scope=SearchScope(first=NEXT_DAY)) == wanted(of_day)
    assert found(context, scope=SearchScope(last=date(2020, 1, 1))) == []


def test_images_in_scope(context: Context) -> None:
    faces = put(context, DAY, 40, 1) | put(context, NEXT_DAY, 30, 2)
    some = context.spark.createDataFrame([(f"i{at}",) for at in (3, 8, 9)], "image_id string")
    of_these = {name: vector for name, vector in faces.items() if name[:3] in ("f03", "f08", "f09")}
    assert len(of_these) == 6
    assert found(context, scope=SearchScope(images=some)) == wanted(of_these)
    later = {name: vector for name, vector in of_these.items() if str(NEXT_DAY) in name}
    assert found(context, scope=SearchScope(first=NEXT_DAY, images=some)) == wanted(later)
    assert found(context, scope=SearchScope(images=some.limit(0))) == []


@pytest.mark.slow
def test_what_did_not_change_is_not_packed_again(context: Context) -> None:
    faces = put(context, DAY, 10, 1)
    found(context)
    first = parts(context)
    faces |= put(context, NEXT_DAY, 10, 2)
    put_faces(context, unit(5, 3), NEXT_DAY, contract_id="other")
    assert found(context) == wanted(faces)
    both = parts(context)
    assert first < both
    put_faces(context, unit(2, 4), DAY, first=10)  # the date has two files
    faces |= {f"f{at}-{DAY}": vector for at, vector in zip((10, 11), unit(2, 4), strict=True)}
    assert found(context) == wanted(faces)
    extended = parts(context)
    context.tables.compact("faces")  # other files with the same rows
    assert found(context) == wanted(faces)
    assert parts(context) == extended
    context.tables.delete_where("faces", F.col("run_date") == F.lit(DAY))
    context.tables.delete_where("faces", F.col("face_id") == f"f00-{NEXT_DAY}")
    assert found(context) == wanted(
        {name: v for name, v in faces.items() if str(DAY) not in name and "f00" not in name}
    )


@pytest.mark.slow
def test_small_dates_are_packed_together(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_faces, "SMALL_PACKS", 2)
    days = [DAY + timedelta(days=number) for number in range(4)]
    by_day = {day: put(context, day, 3, seed) for seed, day in enumerate(days[:3])}
    everything = {name: vector for faces in by_day.values() for name, vector in faces.items()}
    assert found(context, k=20) == wanted(everything, k=20)
    together = parts(context)
    assert len(together) == 2, "of 7 and of 2 faces"
    assert found(context, scope=SearchScope(first=days[1], last=days[1])) == wanted(by_day[days[1]])
    everything |= put(context, days[3], 3, 3)
    assert found(context, k=20) == wanted(everything, k=20)
    assert parts(context) > together
    context.tables.delete_where("faces", F.col("run_date") == F.lit(days[1]))
    left = {name: vector for name, vector in everything.items() if str(days[1]) not in name}
    assert found(context, k=20) == wanted(left, k=20)


@pytest.mark.parametrize("harm", ["changed", "missing", "undescribed"])
def test_what_is_damaged_is_packed_again(context: Context, harm: str) -> None:
    faces = put(context, DAY, 20, 1) | put(context, NEXT_DAY, 5, 2)
    assert found(context) == wanted(faces)
    root = lake.local_path(seen.place(context, "faces"))
    assert root is not None
    folder = next(Path(root.decode()).rglob("names.arrow")).parent
    if harm == "changed":
        vectors = folder / "vectors.npy"
        vectors.write_bytes(vectors.read_bytes()[:-1] + b"\x7f")
    elif harm == "missing":
        (folder / "scales.npy").unlink()
    else:
        (folder.parent / "packed.json").write_bytes(b'{"revision": 1, "da')
    assert found(context) == wanted(faces)


def test_each_face_is_found_once(context: Context) -> None:
    configured = settings_id(context.settings.spec())
    faces = put(context, DAY, 10, 1, limits="other")
    assert found(context) == wanted(faces), "of other limits, where there are no others"
    faces = put(context, DAY, 10, 1, limits=configured) | put(context, NEXT_DAY, 10, 2, limits="other")
    assert found(context) == wanted(faces)
