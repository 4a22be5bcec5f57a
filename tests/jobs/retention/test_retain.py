"""What has been kept for longer than the settings say goes, with all that is kept of it; what is held stays."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from jobs.close import close
from jobs.ingest import ingest
from jobs.retain import retain
from jobs.retention.due import Due
from jobs.retention.limits import Limits
from jobs.run import ledger, settings
from jobs.run.context import Context
from schemas.catalog import TABLES
from tests.jobs.retention.made_nights import Nights, cluster, findings, investigation, review
from tests.rows import CONTRACT, NOW, Values, put, put_faces, unit
from tests.support import MakeContext, root_of
from udfs.errors import InputError

ON = date(2024, 6, 30)
OPTIONS = (
    "retention.matches=180",
    "retention.unknown_faces=30",
    "retention.rejected_images=7",
    "retention.sources.street.unknown_faces=10",
    "retention.sources.vault.unknown_faces=keep",
)


def ago(days: int) -> date:
    return ON - timedelta(days=days)


def ids(context: Context, table: str, column: str = "face_id") -> set[str]:
    return {row[0] for row in context.tables.read(table).select(column).collect()}


def put_lake(context: Context) -> None:
    nights = Nights()
    nights.image("new", ago(30), "unknown")  # the last day of its time
    nights.image("old", ago(31), "unknown", "too_small", "")
    nights.image("mixed", ago(31), "match", "unknown")
    nights.image("doubtful", ago(400), "review")  # which has no limit here
    nights.image("long known", ago(181), "match")
    nights.image("refused", ago(31), "match")  # by a person
    nights.image("agreed", ago(31), "unknown")  # to be somebody, by a person
    nights.image("street", ago(11), "unknown", source="street")
    nights.image("street too", ago(10), "unknown", source="street")
    nights.image("vault", ago(999), "unknown", source="vault")
    nights.image("no source", ago(31), "unknown", source=None)
    nights.image("found", ago(31), "unknown", "unknown")
    nights.image("found once", ago(31), "unknown")
    nights.image("asked with", ago(31), "unknown")
    nights.image("broken", ago(8), outcome="rejected:truncated")
    nights.image("broken too", ago(7), outcome="rejected:truncated")
    nights.image("empty", ago(900))  # without limit as well
    nights.put("images", {"image_id": "pending", "run_date": ago(900), "source": "gate"})
    put_more(nights)
    nights.write(context)


def put_more(nights: Nights) -> None:
    """What derives from faces and images."""
    nights.put(
        "reviews",
        review("refused 0", "refused", ago(31), "reject"),
        {**review("agreed 0", "agreed", ago(31), "confirm"), "person_id": "bob", "gallery_name": "h"},
    )
    known = {"face_id": "agreed 0", "image_id": "agreed", "run_date": ago(31), "person_id": "bob", "gallery_name": "h"}
    nights.put("identifications", {**known, "similarity": 0.3, "score": 0.3, "decision": "unknown"})
    here = ("image", ago(31))
    nights.put("investigations", investigation("open", findings=1), investigation("asked", findings=1))
    nights.put("investigations", investigation("shut", findings=2, closed_at=NOW, closed_by="eve"))
    nights.put(
        "findings",
        *findings("open", "photo.jpg", [("found 1", *here)]),
        *findings("asked", "asked with 0", [("new 0", "new", ago(30))]),
        *findings("shut", "photo.jpg", [("found once 0", *here), ("mixed 0", *here)]),
    )
    for rows in (
        cluster("both", [("old 0", *here), ("new 0", "new", ago(30))]),
        cluster("gone", [("old 1", *here), ("found once 0", *here)]),
    ):
        for table, of in rows.items():
            nights.put(table, *of)
    said: Values = {"grouping": "unknown", "decided_by": "eve", "decided_at": NOW, "reason": "", "other_faces": []}
    nights.put(
        "cluster_decisions",
        {**said, "decision_id": "d1", "decision": "name", "cluster_ids": ["gone"], "faces": ["old 1"], "name": "he"},
        {**said, "decision_id": "d2", "decision": "together", "cluster_ids": ["both"]}
        | {"faces": ["old 0", "new 0", "vault 0"]},
    )
    pair = {"contract_id": CONTRACT, "settings_id": "s", "face": "largest", "threshold_id": "t", "detail": ""}
    pair |= {"threshold": 0.6, "review_threshold": 0.5, "outcome": "left:no_face", "left_uri": "l", "right_uri": "r"}
    nights.put("verifications", {**pair, "pair_id": "of old", "left_image_id": "new", "right_image_id": "old"})
    nights.put("verifications", {**pair, "pair_id": "of new", "left_image_id": "new", "right_image_id": "mixed"})
    note: Values = {"gallery_name": "g", "contract_id": CONTRACT, "search_id": "q", "k": 1, "keep_floor": 0.1}
    note |= {"minimum_size": 40.0, "labels": [], "exclude_self": False, "gallery_samples": 1, "persons": 1}
    note |= {"threshold_id": "t", "threshold": 0.6, "review_threshold": 0.5}
    for day, digest in ((ago(181), "then"), (ago(31), "now"), (ago(30), "now")):
        nights.put("searches", {**note, "run_date": day, "gallery_digest": digest})
    for digest in ("then", "now"):
        sample = {"gallery_name": "g", "sample_id": "s", "person_id": "ann", "labels": [], "embedding_digest": 1}
        nights.put("searched_samples", {**sample, "gallery_digest": digest})


GONE = {"old 0", "old 1", "old 2", "mixed 1", "long known 0", "refused 0", "street 0", "no source 0", "found 0",
        "found once 0"}  # fmt: skip
GONE_IMAGES = {"old", "long known", "refused", "street", "no source", "found once", "broken"}


@pytest.fixture(scope="module")
def context(made: MakeContext) -> Context:
    context = made("retention", *OPTIONS)
    put_lake(context)
    packed = root_of(context) / "faces" / "_packed" / "seen"
    packed.mkdir(parents=True)
    (packed / "part").write_bytes(b"embeddings")
    return context


@pytest.fixture(scope="module")
def before(context: Context) -> dict[str, set[str]]:
    return {name: ids(context, name) for name in ("faces", "matches", "identifications", "reviews", "cluster_members")}


@pytest.fixture(scope="module")
def counts(context: Context, before: dict[str, set[str]]) -> dict[str, int]:
    return retain(context, on=ON, yes=True)


@pytest.mark.slow
def test_what_is_over_goes_and_all_else_stays(
    context: Context, before: dict[str, set[str]], counts: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, faces in before.items():
        assert ids(context, name) == faces - GONE, name
        assert faces & GONE, name
    left = ids(context, "images", "image_id")
    assert left.isdisjoint(GONE_IMAGES)
    assert left == ids(context, "image_outcomes", "image_id") | {"pending"}
    assert len(left) == 18 - len(GONE_IMAGES)
    assert counts["faces"] == len(GONE)
    assert counts["images"] == counts["image_outcomes"] == len(GONE_IMAGES)
    assert counts["held"] == 2
    run = context.tables.read("runs").where("job = 'retain' AND event = 'finished'").orderBy("at").first()
    assert run is not None
    assert run.arguments["on"] == str(ON)
    assert run.arguments["limits"].startswith("matches 180, unknown_faces 30, unknown_faces of street 10")
    assert not (root_of(context) / "faces" / "_packed").exists()


@pytest.mark.slow
def test_what_derives_from_it_is_as_if_it_had_never_been(context: Context, counts: dict[str, int]) -> None:
    (cluster_,) = context.tables.read("clusters").collect()
    assert (cluster_.cluster_id, cluster_.faces, cluster_.first_face_id) == ("both", 1, "new 0")
    assert ids(context, "cluster_changes", "cluster_id") == {"both"}
    (said,) = context.tables.read("cluster_decisions").collect()
    assert said.faces == ["new 0", "vault 0"]
    assert ids(context, "verifications", "pair_id") == {"of new"}
    assert ids(context, "findings") == {"found 1", "new 0", "mixed 0"}
    kept = {row.investigation: row.findings for row in context.tables.read("investigations").collect()}
    assert kept == {"open": 1, "asked": 1, "shut": 1}
    assert ids(context, "searches", "run_date") == {ago(31), ago(30)}
    assert ids(context, "searched_samples", "gallery_digest") == {"now"}


@pytest.mark.slow
def test_a_second_run_finds_nothing(context: Context, counts: dict[str, int]) -> None:
    versions = {name: context.tables.version(name) for name in TABLES if context.tables.exists(name) and name != "runs"}
    again = retain(context, on=ON, yes=True)
    assert again["held"] == 2
    assert sum(again.values()) == 2
    assert {name: context.tables.version(name) for name in versions} == versions


@pytest.mark.slow
def test_what_is_held_goes_once_the_investigation_is_closed(context: Context, counts: dict[str, int]) -> None:
    limits = Limits(context.settings.retention, ON)
    close(context, investigation="open", closed_by="ann")
    with pytest.raises(InputError, match="'open' was already closed by ann at 2"):
        close(context, investigation="open")
    assert Due.of(context, limits).faces_by_kind == {"unknown_faces": 1}
    close(context, investigation="open", reopen=True)
    assert Due.of(context, limits).is_empty


@pytest.mark.slow
def test_dates_whose_time_is_over_are_not_listed_again(
    context: Context, counts: dict[str, int], tmp_path: Path, made: MakeContext
) -> None:
    noted = {(row.run_date, row.source) for row in context.tables.read("expired_dates").collect()}
    assert noted == {
        (ago(31), "gate"), (ago(181), "gate"), (ago(8), "gate"), (ago(31), ""), (ago(11), "street")
    }  # fmt: skip
    for day in (ago(31), ago(10)):
        for source in ("gate", "street"):
            (tmp_path / str(day) / source).mkdir(parents=True)
            (tmp_path / str(day) / source / "a.jpg").write_bytes(b"x")
            os.utime(tmp_path / str(day) / source / "a.jpg", (1.7e9, 1.7e9))
    template = f"{tmp_path}/{{run_date}}/{{source}}/"
    listed = ingest(context, source=template)
    assert (listed["listed"], listed["new"], listed["expired"]) == (4, 3, 1)
    assert "1 files are of dates whose images were removed" in str(made.said)
    assert ingest(context, source=template, run_date=ago(31))["new"] == 0
    (tmp_path / str(ago(31)) / "gate" / "b.jpg").write_bytes(b"x")  # which is written now, so was never removed
    assert ingest(context, source=template, run_date=ago(31))["new"] == 1
    assert ingest(context, source=template, allow_expired=True)["new"] == 1


def test_nothing_is_removed_where_nothing_is_configured(make_context: MakeContext) -> None:
    context = make_context()
    assert retain(context, yes=True) == {}
    assert "the settings limit nothing" in str(make_context.said)
    assert not context.tables.exists("runs")


def test_a_day_to_come_is_for_looking_alone(make_context: MakeContext) -> None:
    context = make_context("tables", "retention.unknown_faces=30", "retention.sources.gaet.unknown_faces=3")
    put(context, "images", {"image_id": "i", "run_date": ON, "source": "gate"})
    put_faces(context, unit(2, seed=0), ON)
    assert retain(context, on=date(2999, 1, 1)) == {"faces": 2}
    assert "no image is of these sources, which the settings name: gaet" in str(make_context.said)
    with pytest.raises(InputError, match="--on 2999-01-01 has not come yet"):
        retain(context, on=date(2999, 1, 1), yes=True)
    assert context.tables.read("faces").count() == 2
    assert not context.tables.exists("runs")


def test_limits_by_source() -> None:
    limits = Limits(settings.load(None, OPTIONS).retention, ON)
    assert limits.days("unknown_faces", "street") == 10
    assert limits.days("matches", "street") == limits.days("matches", "elsewhere") == 180
    assert limits.days("unknown_faces", "vault") is limits.days("faces_in_review") is None
    assert limits.horizon == ago(7)
    assert limits.unlimited == ["faces_in_review", "unknown_faces of vault", "images_without_faces"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("retention.unknown_faces=0", 'retention.unknown_faces: .* must be a number of days from 1, or "keep"'),
        ("retention.matches=true", "retention.matches: .* must be a number of days"),
        ("retention.unknown=3", "there is no setting retention.unknown; did you mean retention.unknown_faces"),
        ("retention.sources.gate.matches=forever", "retention.sources.gate.matches: .* must be a number of days"),
    ],
)
def test_wrong_limits_are_refused(change: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        settings.load(None, (change,))


def test_earlier_versions_are_forgotten_only_where_nothing_runs(make_context: MakeContext) -> None:
    context = make_context("tables", "retention.unknown_faces=30")
    put(context, "images", {"image_id": "i", "run_date": ON})
    embed = Context(context.spark, context.tables, context.settings, context.log, job="embed")
    with ledger.run(embed), pytest.raises(InputError, match=r"--forget would remove what run \w+ \(embed, since 2"):
        retain(context, on=ON, yes=True, forgetting=True)
    assert retain(context, on=ON, yes=True, forgetting=True)["held"] == 0
    assert not list((root_of(context) / "images" / "_delta_log").glob("00000000000000000000.json"))
