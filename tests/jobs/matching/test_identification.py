"""identify on made-up vectors, held against its definition."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.identify import identify
from jobs.matching import claims, dates, identification, packing
from jobs.matching.claims import Claims
from jobs.run.context import Context
from jobs.sweep import sweep
from schemas.catalog import ENROLLMENTS, GALLERY, IMAGE_OUTCOMES
from schemas.store import Tables
from tests.rows import CONTRACT, DAY, NEXT_DAY, NOW, Values, frame, put_contract, put_faces, put_samples, unit
from tests.support import MakeContext, rows_of
from udfs import lake
from udfs.errors import InputError
from udfs.search.definition import Nearest, nearest_persons
from udfs.vision.contract import settings_id

K = 3


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    made = make_context("tables", "thresholds.dlib-resnet-v1.keep_floor=0.1", "thresholds.dlib-resnet-v1.review=0.5")
    put_contract(made)
    return made


def matches_of(context: Context) -> list[tuple[str, int, str, str, float]]:
    rows = context.tables.read("matches").orderBy("face_id", "rank").collect()
    return [(row.face_id, row.rank, row.person_id, row.sample_id, row.similarity) for row in rows]


def ranked(faces: list[str], found: Nearest) -> list[tuple[str, int, str, str, float]]:
    """What the definition finds for faces, in the form of `matches_of`."""
    rank = 1 + np.arange(len(found.query)) - np.searchsorted(found.query, found.query)
    return [
        (faces[query], int(at), person, sample, score)
        for at, (query, person, sample, score) in zip(rank, found.rows(), strict=True)
    ]


def test_the_rows_are_what_the_definition_says(context: Context) -> None:
    faces, samples = unit(7, seed=1), unit(20, seed=2)
    samples[5:8] = samples[0]  # ties, between persons and within one
    persons = [f"p{at % 6}" for at in range(20)]
    put_faces(context, faces)
    put_samples(context, samples, persons)
    identify(context, run_date=DAY, k=K)

    names = [f"s{number:02}-{person}" for number, person in enumerate(persons)]
    found = nearest_persons(faces, samples, persons, names, K, 0.1)
    wanted = ranked([f"f{at:02}-{DAY}" for at in range(7)], found)
    assert matches_of(context) == wanted

    for row in context.tables.read("identifications").collect():
        near = [match for match in wanted if match[0] == row.face_id]
        similar = near[0][4] if near else None
        assert (row.person_id, row.similarity) == (near[0][2] if near else None, similar)
        assert row.margin == (near[0][4] - near[1][4] if len(near) > 1 else None)
        decision = "unknown" if similar is None or similar < 0.5 else "match" if similar >= 0.941 else "review"
        assert row.decision == decision


@pytest.mark.slow
def test_validity_is_held_against_the_run_date_and_withdrawal_is_not(context: Context) -> None:
    (face,) = unit(1, seed=3)
    put_faces(context, face[None])
    put_faces(context, face[None], NEXT_DAY)
    put_samples(context, np.stack([face, face]), ["until", "since"], valid_to=DAY)
    context.tables.update(
        "gallery",
        context.tables.read("gallery")
        .where("person_id = 'since'")
        .selectExpr(
            *[name for name in GALLERY.names if name not in ("valid_from", "valid_to")],
            f"DATE'{NEXT_DAY}' AS valid_from",
            "CAST(NULL AS date) AS valid_to",
        ),
    )
    identify(context, run_date=DAY)
    identify(context, run_date=NEXT_DAY)
    found = {row.run_date: row.person_id for row in context.tables.read("identifications").collect()}
    assert found == {DAY: "until", NEXT_DAY: "since"}

    # A person who is registered today is found in yesterday's image, and one withdrawn today is not.
    put_samples(context, np.stack([face]), ["added"], sample_id="added")
    context.tables.update(
        "gallery",
        context.tables.read("gallery")
        .where("person_id = 'until'")
        .selectExpr(*[name for name in GALLERY.names if name != "withdrawn_at"], "current_timestamp() AS withdrawn_at"),
    )
    identify(context, run_date=DAY)
    assert [match[2] for match in matches_of(context) if match[0].endswith(str(DAY))] == ["added"]


@pytest.mark.slow
def test_what_was_decided_is_not_decided_again_until_something_changes(context: Context) -> None:
    faces = unit(3, seed=4)
    put_faces(context, faces)
    put_samples(context, faces[:2], ["a", "b"])
    assert identify(context, run_date=DAY)["searched"] == 3
    before = rows_of(context.tables.read("identifications"))
    assert identify(context, run_date=DAY)["searched"] == 0
    assert identify(context, run_date=DAY, k=1)["searched"] == 3  # another question
    put_samples(context, faces[2:], ["c"], sample_id="c")
    assert identify(context, run_date=DAY)["searched"] == 3
    assert rows_of(context.tables.read("identifications")) != before


@pytest.mark.slow
def test_several_galleries_do_not_disturb_each_other(context: Context) -> None:
    faces = unit(2, seed=5)
    put_faces(context, faces)
    put_samples(context, faces[:1], ["a"])
    put_samples(context, faces[1:], ["b"], gallery_name="h", sample_id="b")
    with pytest.raises(InputError, match="several galleries; say --gallery-name g or h"):
        identify(context, run_date=DAY)
    with pytest.raises(InputError, match="there is no gallery 'x'; there are: g, h"):
        identify(context, run_date=DAY, gallery_name="x")
    for name in ("g", "h", "g"):
        identify(context, run_date=DAY, gallery_name=name)
    rows = context.tables.read("identifications").where("decision = 'match'").collect()
    assert {(row.gallery_name, row.person_id) for row in rows} == {("g", "a"), ("h", "b")}
    assert context.tables.read("identifications").count() == 4


@pytest.mark.slow
def test_faces_found_under_other_limits_are_not_counted_twice(context: Context) -> None:
    """Of an image that was searched under several limits, those of the settings count."""
    (face,) = unit(1, seed=6)
    put_samples(context, face[None], ["a"])
    put_faces(context, face[None])
    assert identify(context, run_date=DAY)["searched"] == 1
    put_faces(context, face[None], limits="other")
    with pytest.raises(InputError, match="several limits"):
        identify(context, run_date=DAY)
    put_faces(context, face[None], limits=settings_id(context.settings.spec()))
    counts = identify(context, run_date=DAY)
    assert (counts["searched"], counts["dropped"]) == (1, 1)
    assert context.tables.read("identifications").count() == context.tables.read("matches").count() == 1


@pytest.mark.slow
def test_another_vector_of_the_same_sample_is_another_gallery(context: Context) -> None:
    faces = unit(2, seed=7)
    put_faces(context, faces[:1])
    put_samples(context, faces[1:], ["a"])
    identify(context, run_date=DAY)
    gallery = context.tables.read("gallery")
    columns = [name for name in GALLERY.names if not name.startswith("embedding")]
    vector = f"array({', '.join(f'CAST({value!r} AS float)' for value in faces[0].tolist())})"
    context.tables.update(
        "gallery", gallery.selectExpr(*columns, f"{vector} AS embedding", f"xxhash64({vector}) AS embedding_digest")
    )
    counts = identify(context, run_date=DAY)
    assert (counts["samples_added"], counts["samples_removed"], counts["match"]) == (1, 1, 1)


@pytest.mark.slow
def test_faces_under_the_identifiable_size_are_recorded_and_not_searched_for(context: Context) -> None:
    faces = unit(2, seed=8)
    put_samples(context, faces, ["a", "b"])
    put_faces(context, faces, sizes=[39.9, 40.0])
    counts = identify(context, run_date=DAY)
    assert (counts["searched"], counts["match"], counts["too_small"]) == (1, 1, 1)
    rows = context.tables.read("identifications").orderBy("quality.size").collect()
    assert [(row.decision, row.person_id, row.quality.size) for row in rows] == [
        ("too_small", None, 39.9),
        ("match", "b", 40.0),
    ]
    assert [match[2] for match in matches_of(context)] == ["b"]
    assert identify(context, run_date=DAY)["searched"] == 0
    assert identify(context, run_date=DAY, minimum_size=39)["match"] == 2
    assert identify(context, run_date=DAY, minimum_size=60)["too_small"] == 2
    assert matches_of(context) == []


@pytest.mark.slow
def test_a_gallery_is_packed_once_and_again_when_it_is_damaged(context: Context, make_context: MakeContext) -> None:
    put_faces(context, unit(3, seed=9))
    put_samples(context, unit(5, seed=10), ["a", "b", "b", "c", "d"])
    identify(context, run_date=DAY)
    before = matches_of(context)
    said = make_context.said
    assert sum("5 samples packed" in line for line in said) == 1
    identify(context, run_date=DAY, k=2)
    assert sum("5 samples checked" in line for line in said) == 1
    (folder,) = Path(lake.local_path(packing.place(context)).decode()).iterdir()  # type: ignore[union-attr]
    (panels,) = folder.rglob("panels.npy")
    panels.write_bytes(panels.read_bytes()[:-1] + b"x")
    identify(context, run_date=DAY)
    assert any("panels.npy is not what was written; the gallery is packed again" in line for line in said)
    assert matches_of(context) == before
    assert sweep(context, older_than=1) == []
    assert sweep(context, older_than=0) == [folder.name]


@pytest.mark.slow
def test_only_samples_with_a_label_are_searched(context: Context) -> None:
    faces = unit(2, seed=11)
    put_faces(context, faces)
    put_samples(context, faces[:1], ["a"], labels=["staff"])
    put_samples(context, faces[1:], ["b"], labels=["staff", "wanted"], sample_id="b")
    counts = identify(context, run_date=DAY, labels=("wanted",))
    assert counts["match"] == 1
    assert {match[2] for match in matches_of(context)} == {"b"}
    assert identify(context, run_date=DAY, labels=("wanted", "wanted"))["searched"] == 0
    assert identify(context, run_date=DAY, labels=("staff",))["match"] == 2
    with pytest.raises(InputError, match="has the label 'nobody'; there are: staff, wanted"):
        identify(context, run_date=DAY, labels=("nobody",))


@pytest.mark.slow
def test_a_face_is_not_held_against_its_own_photo(context: Context) -> None:
    faces = unit(2, seed=12)
    put_faces(context, faces)
    put_samples(context, np.stack([faces[0], faces[0], faces[1]]), ["a", "a", "b"])
    outcomes = [
        {
            **{"image_id": f"i{at}", "run_date": DAY, "contract_id": CONTRACT, "settings_id": "s", "outcome": "faces"},
            **{"detail": "", "content_sha256": f"sha{at}", "width": 9, "height": 9, "captured_at": datetime.now(UTC)},
            **{
                "captured_at_source": "path",
                "face_count": 1,
                "precision": "fp32",
                "detector_precision": None,
                "attempts": 1,
                "run_id": "r",
            },
        }
        for at in range(2)
    ]
    context.tables.append("image_outcomes", context.spark.createDataFrame(outcomes, IMAGE_OUTCOMES.schema))
    enrolled = [
        {
            **dict.fromkeys(ENROLLMENTS.names),
            **{"sample_id": sample, "gallery_name": "g", "person_id": "p", "uri": "u", "photo_id": "p"},
            **{"content_sha256": content, "contract_id": CONTRACT, "settings_id": "s", "decision": "accepted"},
            **{"reason": "", "detail": "", "run_id": "r"},
        }
        for sample, content in (("s00-a", "sha0"), ("s01-a", "other"), ("s02-b", "sha1"))
    ]
    context.tables.append("enrollments", context.spark.createDataFrame(enrolled, ENROLLMENTS.schema))
    identify(context, run_date=DAY)
    first = {match[0][:3]: match[3] for match in matches_of(context) if match[1] == 1}
    assert first == {"f00": "s00-a", "f01": "s02-b"}
    identify(context, run_date=DAY, exclude_self=True)
    kept = [match[3] for match in matches_of(context)]
    assert "s00-a" not in kept
    assert "s02-b" not in [match[3] for match in matches_of(context) if match[0].startswith("f01")]
    assert ("f00", "s01-a") in [(match[0][:3], match[3]) for match in matches_of(context)]


class World:
    """A small world of faces and samples that changes at random, and what the definition says of it."""

    def __init__(self, context: Context, seed: int) -> None:
        self.context = context
        self.random = np.random.default_rng(seed)
        self.directions = unit(5, seed)
        self.samples: dict[str, dict[str, object]] = {}
        self.faces: dict[date, dict[str, np.ndarray]] = {DAY: {}, NEXT_DAY: {}}

    def vectors(self, count: int) -> np.ndarray:
        """Of few directions, so that ties are the rule, and lists of three are full or not."""
        near = self.directions[self.random.integers(0, 5, count)] + 0.2 * unit(count, int(self.random.integers(1e9)))
        exact = self.random.random(count) < 0.3
        near[exact] = self.directions[self.random.integers(0, 5, int(exact.sum()))]
        return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)

    def more_faces(self) -> None:
        day = (DAY, NEXT_DAY)[self.random.integers(2)]
        begun = len(self.faces[day])
        vectors = self.vectors(4)
        rows = [(f"f{begun + at:02}-{day}", vector) for at, vector in enumerate(vectors)]
        put_faces(self.context, np.stack([vector for _, vector in rows]), day, first=begun)
        self.faces[day].update(rows)

    def more_samples(self) -> None:
        chosen = [
            str(sample) for sample in self.random.choice(60, 4, replace=False) if f"s{sample}" not in self.samples
        ]
        for name, vector in zip(chosen, self.vectors(len(chosen)), strict=True):
            self.samples[f"s{name}"] = {
                "person_id": f"p{int(name) % 9}",
                "embedding": vector,
                "withdrawn": False,
                "valid_to": None,
                "labels": [],
            }
        self.write()

    def change_samples(self) -> None:
        for name in self.random.permutation(sorted(self.samples))[:3]:
            sample = self.samples[name]
            what = self.random.integers(4)
            if what == 0:
                sample["embedding"] = self.vectors(1)[0]
            elif what == 1:
                sample["valid_to"] = DAY if sample["valid_to"] is None else None
            else:
                sample["withdrawn"] = not sample["withdrawn"]
        self.write()

    def write(self) -> None:
        rows: list[Values] = [
            {
                "sample_id": name,
                "person_id": sample["person_id"],
                "embedding": sample["embedding"].tolist(),  # type: ignore[attr-defined]
                "valid_to": sample["valid_to"],
                "withdrawn_at": NOW if sample["withdrawn"] else None,
            }
            for name, sample in self.samples.items()
        ]
        self.context.tables.update("gallery", frame(self.context.spark, "gallery", rows))

    def expected(self, day: date) -> list[tuple[str, int, str, str, float]]:
        standing = {
            name: sample
            for name, sample in self.samples.items()
            if not sample["withdrawn"] and (sample["valid_to"] is None or sample["valid_to"] >= day)  # type: ignore[operator]
        }
        faces = sorted(self.faces[day])
        if not faces or not standing:
            return []
        queries = np.stack([self.faces[day][face] for face in faces])
        vectors = np.stack([sample["embedding"] for sample in standing.values()])
        persons = [str(sample["person_id"]) for sample in standing.values()]
        return ranked(faces, nearest_persons(queries, vectors, persons, list(standing), K, 0.6))

    def check(self, day: date) -> None:
        here = [match for match in matches_of(self.context) if match[0].endswith(str(day))]
        wanted = self.expected(day)
        assert here == wanted
        first = {match[0]: match[2] for match in wanted if match[1] == 1}
        decided = self.context.tables.read("identifications").where(F.col("run_date") == day).collect()
        assert {row.face_id: row.person_id for row in decided} == {face: first.get(face) for face in self.faces[day]}
        for row in decided:
            similar = [match[4] for match in wanted if match[0] == row.face_id]
            assert row.similarity == (similar[0] if similar else None)
            assert row.margin == (similar[0] - similar[1] if len(similar) > 1 else None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_what_is_brought_up_to_date_is_what_a_full_run_gives(make_context: MakeContext, seed: int) -> None:
    """Random sequences of enrolments, withdrawals, changes, new faces, in any order of dates."""
    context = make_context("tables", "thresholds.dlib-resnet-v1.keep_floor=0.6")
    put_contract(context)
    world = World(context, seed)
    for _ in range(4):
        world.more_samples()
        world.more_faces()
    said: dict[str, int] = {}
    asked: set[date] = set()
    for step in range(8):
        day = (DAY, NEXT_DAY)[world.random.integers(2)]
        for change in world.random.choice(4, 2, replace=False):
            (world.more_faces, world.more_samples, world.change_samples, lambda: None)[change]()
        plan = ("gallery", "parts")[step % 2]
        days = {DAY, NEXT_DAY} if world.random.integers(2) else {day}
        if days == {day}:
            counts = identify(context, run_date=day, k=K, plan=plan)
        else:
            counts = identify(context, all_dates=True, k=K, plan=plan)
        for each in days:
            world.check(each)
        if days <= asked:
            for name, count in counts.items():
                said[name] = said.get(name, 0) + count
        asked |= days
    # It did what is to be tested: samples came and went, and only some faces were searched for again.
    assert said["samples_added"] > 0
    assert said["samples_removed"] > 0
    assert said["searched"] > said["fresh"]
    assert said["comparisons"] < said["faces"] * sum(not sample["withdrawn"] for sample in world.samples.values())


@pytest.mark.slow
def test_dates_that_need_the_same_are_brought_up_to_date_together(context: Context) -> None:
    """Of four dates one is new, and on the oldest a sample is not yet valid: three runs."""
    days = [date(2026, 1, day) for day in (2, 3, 4, 5)]
    faces = unit(4, seed=16)
    for day, face in zip(days, faces, strict=True):
        put_faces(context, face[None], day, first=day.day)
    put_samples(context, faces[:1], ["a"])
    counts = identify(context, all_dates=True)
    assert (counts["faces"], counts["match"], counts["unknown"]) == (4, 1, 3)
    assert context.tables.read("searches").select("run_id").distinct().count() == 1
    put_samples(context, faces[1:], ["b", "c", "d"], valid_from=days[1])
    put_faces(context, faces[:1], date(2026, 1, 6), first=6)
    identify(context, all_dates=True)
    matches = context.tables.read("matches").where("rank = 1").collect()
    assert {(row.run_date, row.person_id) for row in matches} == {
        *zip(days, "abcd", strict=True),
        (date(2026, 1, 6), "a"),
    }
    notes = {row.run_date: row.run_id for row in context.tables.read("searches").collect()}
    assert [len(set(runs)) for runs in ([notes[day] for day in days[1:]], notes.values())] == [1, 3]
    asked = {row.arguments.get("run_dates") for row in context.tables.read("runs").collect()}
    assert asked - {None} == {"3 dates from 2026-01-03 to 2026-01-05", "4 dates from 2026-01-02 to 2026-01-05"}


@pytest.fixture
def adaptive(spark: SparkSession) -> Iterator[None]:
    """Queries are adapted while they run, as in every session but that of the tests."""
    name = "spark.sql.adaptive.enabled"
    before = spark.conf.get(name)
    spark.conf.set(name, "true")
    yield
    spark.conf.set(name, str(before))


@pytest.mark.slow
def test_many_dates_are_written_as_a_file_each(context: Context, adaptive: None) -> None:
    """And not as one for each date and task."""
    days = [date(2026, 1, day) for day in range(2, 8)]
    faces = unit(6, seed=19)
    for at, day in enumerate(days):
        put_faces(context, faces, day, first=10 * at)
    put_samples(context, faces, list("abcdef"))
    assert identify(context, all_dates=True)["match"] == 36
    for table in ("matches", "identifications"):
        files = context.tables.files(table)
        assert (files.count, files.most) == (6, 1)


@pytest.mark.slow
def test_dates_of_other_models_do_not_stop_the_ones_before_them(context: Context) -> None:
    faces = unit(3, seed=18)
    days = [date(2026, 1, day) for day in (2, 3, 4)]
    for at, day in enumerate(days):
        put_faces(context, faces[at : at + 1], day, first=at, contract_id="other" if at == 1 else CONTRACT)
    put_samples(context, faces, ["a", "b", "c"])
    with pytest.raises(InputError, match="the faces of 2026-01-03 are of contract other"):
        identify(context, all_dates=True)
    assert {row.run_date for row in context.tables.read("searches").collect()} == {days[0], days[2]}


@pytest.mark.slow
def test_other_thresholds_are_other_decisions_and_no_search(make_context: MakeContext, context: Context) -> None:
    faces = unit(2, seed=13)
    put_faces(context, faces)
    put_samples(context, faces, ["a", "b"])
    assert identify(context, run_date=DAY)["match"] == 2
    strict = make_context("tables", "thresholds.dlib-resnet-v1.keep_floor=0.1", "thresholds.dlib-resnet-v1.match=1.0")
    counts = identify(strict, run_date=DAY)
    assert (counts["searched"], counts["comparisons"]) == (0, 0)
    rows = context.tables.read("identifications").collect()
    assert {row.threshold for row in rows} == {1.0}


@pytest.mark.slow
def test_two_runs_of_one_date_do_not_pass_for_one(
    context: Context, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample is enrolled, and another run finds it, while a run that does not know it is writing."""
    faces = unit(3, seed=15)
    put_faces(context, faces)
    put_samples(context, faces[:1], ["a"])
    written = Tables.overwrite
    monkeypatch.setattr(claims, "LONGEST_WRITE", 0)  # the one that writes cannot go on meanwhile

    def another_run_first(tables: Tables, name: str, *arguments: object) -> None:
        if name == "matches":
            monkeypatch.setattr(Tables, "overwrite", written)
            put_samples(context, faces[1:], ["b", "c"], uri="more")
            identify(context, run_date=DAY)
        written(tables, name, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Tables, "overwrite", another_run_first)
    counts = identify(context, run_date=DAY)
    assert (counts["searched"], counts["match"]) == (3, 3)
    assert any(
        "another run has begun, or finished, to identify 2026-01-31 against 'g' meanwhile" in line
        for line in make_context.said
    )
    rows = context.tables.read("matches").where("rank = 1").collect()
    assert {row.person_id for row in rows} == {"a", "b", "c"}
    (note,) = context.tables.read("searches").collect()
    assert {row.run_id for row in rows} == {note.run_id}


def dying_before_decisions(write: Callable[..., None]) -> Callable[..., None]:
    """A way of writing tables, for a run that is killed between its matches and its decisions."""

    def written(tables: Tables, name: str, *arguments: object) -> None:
        if name == "identifications":
            raise KeyboardInterrupt
        write(tables, name, *arguments)

    return written


@pytest.mark.slow
def test_no_note_stands_for_the_rows_of_a_run_that_came_second_and_was_killed(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks something else, begins when there is no note, and writes when another run has ended."""
    faces = unit(3, seed=19)
    put_faces(context, faces)
    put_samples(context, faces, ["a", "b", "c"])
    claim = Claims.claim

    def another_run_first(*arguments: object) -> object:
        monkeypatch.setattr(Claims, "claim", claim)
        identify(context, run_date=DAY)
        monkeypatch.setattr(Tables, "overwrite", dying_before_decisions(Tables.overwrite))
        return claim(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Claims, "claim", another_run_first)
    with pytest.raises(KeyboardInterrupt):
        identify(context, run_date=DAY, k=1)
    monkeypatch.undo()
    assert len(matches_of(context)) == 3  # of the run that was killed
    assert identify(context, run_date=DAY)["searched"] == 3
    found = matches_of(context)
    assert len(found) > 3
    assert identify(context, run_date=DAY)["searched"] == 0
    assert matches_of(context) == found


@pytest.mark.slow
def test_who_is_enrolled_while_all_dates_are_identified_is_found_where_valid(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dates that needed the same when they were put together need other things by the time they are searched."""
    face = unit(1, seed=20)
    put_faces(context, face, DAY)
    put_faces(context, face, NEXT_DAY)
    put_samples(context, face, ["a"])
    put_together = dates.batches

    def then_enrolled(*arguments: object) -> list[list[date]]:
        found = put_together(*arguments)  # type: ignore[arg-type]
        put_samples(context, face, ["b"], uri="more", valid_from=NEXT_DAY)
        return found

    monkeypatch.setattr(dates, "batches", then_enrolled)
    identify(context, all_dates=True)
    monkeypatch.undo()
    assert {match[2] for match in matches_of(context)} == {"a"}
    identify(context, all_dates=True)
    found = {(match[0][-10:], match[2]) for match in matches_of(context)}
    assert found == {(str(DAY), "a"), (str(NEXT_DAY), "a"), (str(NEXT_DAY), "b")}


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_writes_is_made_good(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = unit(4, seed=14)
    put_faces(context, faces)
    put_samples(context, faces[:2], ["a", "b"])
    identify(context, run_date=DAY)
    put_samples(context, faces[2:], ["c", "d"], uri="more")
    monkeypatch.setattr(Tables, "replace", dying_before_decisions(Tables.replace))
    with pytest.raises(KeyboardInterrupt):
        identify(context, run_date=DAY)
    monkeypatch.undo()
    counts = identify(context, run_date=DAY)
    assert counts["match"] == 4
    assert counts["searched"] == 4  # no one knows how far the other came


@pytest.mark.slow
def test_what_a_lost_executor_held_is_searched_for_again(
    context: Context, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what Spark says of a lost executor: another failure ends the run."""
    faces = unit(3, seed=21)
    put_faces(context, faces)
    put_samples(context, faces[:2], ["a", "b"])
    say = ["[CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND] Checkpoint block rdd_19_0 not found! SQLSTATE: 56000"]
    search = identification.nearest

    def once_lost(*arguments: object) -> DataFrame:
        if say:
            raise RuntimeError(say.pop(0))
        return search(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(identification, "nearest", once_lost)
    counts = identify(context, run_date=DAY)
    assert any("an executor was lost" in line for line in make_context.said)
    assert (counts["faces"], counts["searched"], counts["match"]) == (3, 3, 2)
    say.append("a mistake")
    put_faces(context, unit(1, seed=22), first=3)
    with pytest.raises(RuntimeError, match="a mistake"):
        identify(context, run_date=DAY)
