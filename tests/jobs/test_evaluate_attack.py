"""evaluate --protocol attack: a list of scores becomes figures, lines, a page and rows."""

import json
from pathlib import Path

import pytest

from jobs.evaluate import evaluate
from jobs.run.context import Context
from tests.support import MakeContext
from udfs.errors import InputError


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    return make_context()


def written(path: Path, *rows: str, columns: str = "presentation,species,score") -> str:
    path.write_text("\n".join([columns, *rows]) + "\n")
    return str(path)


def test_scores_become_figures(context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"bona_fide,,{score}" for score in (0.9, 0.8, 0.3)] + ["Bona_Fide,,"]
    rows += [f"attack,{species},{at / 100}" for species, most in (("print", 40), ("mask", 80)) for at in range(most)]
    file = written(tmp_path / "scores.csv", *rows)
    found = evaluate(context, protocol="attack", attacks=file, threshold=0.6, output=tmp_path / "report")
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["APCER", "of", "the", "worst", "species", "0.2500", "0.1599", "to", "0.3594", "of", "80"]
    assert said[1].split()[:2] == ["BPCER", "0.5000"]
    assert any(line.startswith("BPCER at APCER 5%") and "not supported" in line for line in said)
    assert any(line.startswith("APCER of print") and "0.0000   0.0000 to 0.0881" in line for line in said)
    html = (tmp_path / "report" / "report.html").read_text()
    assert "Presentation attacks" in html
    assert "least that can be shown" in html
    assert "ACER)" not in html
    document = json.loads((tmp_path / "report" / "figures.json").read_text())
    assert len(document["figures"]) == sum(map(len, found.values()))
    kept = context.tables.read("evaluations").where("metric = 'apcer'").collect()
    assert {(row.group, row.value, row.protocol) for row in kept} == {
        ("", 0.25, "attack"),
        ("mask", 0.25, "attack"),
        ("print", 0.0, "attack"),
    }


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("attack,,0.5", "line 3: an attack needs its species"),
        ("bona_fide,print,0.5", "line 3: a bona fide presentation has no species, and this has 'print'"),
        ("fake,print,0.5", "line 3: presentation is 'fake'; write bona_fide or attack"),
        ("attack,print,high", "line 3: score is 'high'; write a number"),
        ("attack,print,nan", "line 3: score is 'nan'; write a number"),
        ("bona_fide,,0.5", "there are no attacks"),
    ],
)
def test_a_list_that_is_wrong_leaves_no_trace(context: Context, tmp_path: Path, row: str, said: str) -> None:
    file = written(tmp_path / "scores.csv", "bona_fide,,0.9", row)
    with pytest.raises(InputError, match=said):
        evaluate(context, protocol="attack", attacks=file)
    assert not context.tables.exists("runs")


def test_options_of_other_protocols_are_refused(context: Context) -> None:
    with pytest.raises(InputError, match="takes --attacks, --threshold and --output alone"):
        evaluate(context, protocol="attack", attacks="a.csv", check=True)
    with pytest.raises(InputError, match="--attacks is for --protocol attack"):
        evaluate(context, protocol="pairs", attacks="a.csv")
    with pytest.raises(InputError, match="say what to measure on: --attacks FILE"):
        evaluate(context, protocol="attack")
