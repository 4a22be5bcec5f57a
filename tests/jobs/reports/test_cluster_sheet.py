"""Pages on clusters, and what one does about what they show."""

from pathlib import Path

import pytest

from jobs.cluster import cluster
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.report import report
from jobs.run.context import Context
from tests.jobs.reports.test_contact_sheet import DAY, faces_on
from tests.support import MakeContext, copied
from udfs.errors import InputError


@pytest.fixture(scope="module")
def grouped(made: MakeContext, undisturbed: Context) -> Context:
    context = copied(made, undisturbed, "grouped")
    cluster(context)
    return context


@pytest.mark.slow
def test_an_overview_and_a_cluster(grouped: Context, tmp_path: Path) -> None:
    page = tmp_path / "unknown.html"
    report(grouped, clusters="unknown", output=page)
    cards = faces_on(page)
    clusters = {row.cluster_id: row for row in grouped.tables.read("clusters").collect()}
    assert len(cards) == len(clusters) == 1, "the astronaut, by herself and in a group"
    (card,) = cards
    assert card["weight"] == 2
    assert card["picture"] is not None
    assert card["other"] == "grace_hopper"
    (cluster_id,) = clusters
    one = tmp_path / "one.html"
    report(grouped, cluster_id=cluster_id, output=one)
    assert {face["image"] for face in faces_on(one)} == {"astronaut.png", "group.jpg"}
    assert "born" in one.read_text("utf-8")
    blackout = tmp_path / "blackout.html"
    report(grouped, clusters="unknown", output=blackout, blackout=True)
    assert "/9j/" not in blackout.read_text("utf-8")


@pytest.mark.slow
def test_a_person_is_registered_from_a_cluster(grouped: Context, made: MakeContext) -> None:
    context = copied(made, grouped, "registered")
    (cluster_id,) = [row.cluster_id for row in context.tables.read("clusters").collect()]
    counts = enroll(context, from_cluster=cluster_id, person="collins", gallery_name="people")
    assert counts["accepted"] == 1, "the image that shows her alone"
    identify(context, run_date=DAY)
    seen = context.tables.read("identifications").where("person_id = 'collins' AND decision = 'match'").count()
    assert seen == 2
    counts = cluster(context)
    assert counts["gone"] == 1, "nobody is unknown any more"
    assert context.tables.read("cluster_members").isEmpty()


def test_misuse(grouped: Context, tmp_path: Path) -> None:
    for asked, said in (
        ({"clusters": "nosuch"}, "no grouping 'nosuch'"),
        ({"cluster_id": "nosuch"}, "no cluster 'nosuch'"),
        ({}, "say what to show"),
    ):
        with pytest.raises(InputError, match=said):
            report(grouped, output=tmp_path / "page.html", **asked)
    for asked, said in (
        ({"from_cluster": "nosuch", "person": "p"}, "no cluster 'nosuch'"),
        ({"from_cluster": "nosuch"}, "--person ID"),
        ({"from_cluster": "nosuch", "person": "p", "sync": True}, "--sync"),
        ({"gallery": "x", "from_cluster": "nosuch"}, "--gallery and --from-cluster both say whom to enrol"),
        ({"gallery": "x", "person": "p"}, "--person and --person-name"),
        ({}, "say whom to enrol"),
    ):
        with pytest.raises(InputError, match=said):
            enroll(grouped, gallery_name="people", **asked)
