"""docs/queries.md: each question's query gives the answer that stands there."""

import re
from datetime import date
from pathlib import Path

import pytest

from jobs.cluster import cluster
from jobs.embed import embed
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.queries.functions import DESCRIBED
from jobs.queries.questions import Questions
from jobs.review import review
from jobs.run.context import Context
from jobs.search import search
from schemas.functions import FUNCTIONS
from schemas.views import VIEWS
from tests.support import DAYS, MakeContext, copied, forget_names

PAGE = Path(__file__).parents[3] / "docs" / "queries.md"
_ASKED = re.compile(r"^## (?P<question>[^\n]+)\n.*?```sql\n(?P<query>.*?)```\n\n```\n(?P<answer>.*?)```$", re.M | re.S)
ASKED = [
    pytest.param(*found.group("query", "answer"), id=found["question"]) for found in _ASKED.finditer(PAGE.read_text())
]


@pytest.fixture(scope="module")
def two_days(made: MakeContext, undisturbed: Context, lake: Path) -> Context:
    context = copied(made, undisturbed, "two_days")
    second = date.fromisoformat(DAYS[1])
    ingest(context, source=f"{lake}/{{run_date}}/", run_date=second)
    embed(context, run_date=second)
    identify(context, run_date=second)
    group = context.tables.read("images").where(f"run_date = DATE'{second}' AND uri LIKE '%group.jpg'")
    seen = context.tables.read("identifications").join(group, "image_id").where("person_id = 'barack_obama'").first()
    assert seen is not None
    for decision, reader in (("confirm", "first reader"), ("reject", "second reader")):
        review(context, face_id=seen.face_id, person_id="barack_obama", decision=decision, reviewed_by=reader)
    photo = f"{lake}/{DAYS[0]}/astronaut.png"
    search(context, photo=photo, k=4, investigation="the astronaut", purpose="a try", asked_by="first reader")
    cluster(context)
    astronaut = context.tables.read("images").where("uri LIKE '%/astronaut.png'")
    (member,) = context.tables.read("cluster_members").join(astronaut, ["image_id", "run_date"], "left_semi").collect()
    cluster(context, names=(f"{member.cluster_id}=the astronaut",), decided_by="first reader")
    return context


@pytest.mark.slow
@pytest.mark.parametrize(("query", "answer"), ASKED)
def test_what_is_answered(two_days: Context, capsys: pytest.CaptureFixture[str], query: str, answer: str) -> None:
    Questions(two_days, "table", 100, write=False).ask(query)
    printed = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines()).strip("\n")
    assert printed == answer.rstrip("\n")
    forget_names(two_days.spark)


def test_every_view_and_function_is_asked() -> None:
    page = PAGE.read_text()
    assert [name for name in [*VIEWS, *FUNCTIONS, *DESCRIBED] if name not in page] == []
    assert len(ASKED) == page.count("```sql")
