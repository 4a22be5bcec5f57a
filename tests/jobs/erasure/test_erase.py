"""A person, and an image, are erased from a lake on which everything has run: nothing of them is left."""

import numpy as np
import pytest

from jobs.erase import erase
from jobs.run.context import Context
from tests.jobs.erasure import made_lake
from tests.jobs.erasure.made_lake import OPTIONS, PERSON, image_uri, needles_of_image, needles_of_person, rows_by_table
from tests.jobs.erasure.scanner import found_below
from tests.rows import DAY
from tests.support import MakeContext, copied, root_of


@pytest.fixture(scope="module")
def lake(made: MakeContext) -> Context:
    """Nobody changes it."""
    context = made("erasure", *OPTIONS)
    made_lake.put_everything(context)
    return context


def of_person() -> np.ndarray:
    return np.stack([vector for (person, _), vector in made_lake.samples().items() if person == PERSON])


def test_the_scanner_finds_what_is_there(lake: Context) -> None:
    found = found_below(root_of(lake), needles_of_person(), of_person())
    for text in (*needles_of_person(), "vector 0", "vector 1"):
        assert any(each.startswith(text) for each in found), text


def test_nothing_is_left_of_a_person(made: MakeContext, lake: Context) -> None:
    context = copied(made, lake, "without_person")
    (proof,) = erase(context, person=PERSON, yes=True)
    print("\n".join(made.said[-30:]))
    assert proof.places == 0
    assert found_below(root_of(context), needles_of_person(), of_person()) == []
    before, after = rows_by_table(lake), rows_by_table(context)
    for name, rows in before.items():
        gone = rows.keys() - after[name].keys()
        changed = [key for key in rows.keys() & after[name].keys() if rows[key] != after[name][key]]
        print(
            name,
            len(rows),
            "gone",
            sorted(gone),
            "CHANGED",
            [after[name][k] for k in changed],
            "NEW",
            after[name].keys() - rows.keys(),
        )


def test_nothing_is_left_of_an_image(made: MakeContext, lake: Context) -> None:
    context = copied(made, lake, "without_image")
    (proof,) = erase(context, image=image_uri(DAY, 3), yes=True)
    assert proof.places == 0
    vectors = made_lake.faces()[DAY, 3][None]
    assert found_below(root_of(context), needles_of_image(), vectors) == []
    before, after = rows_by_table(lake), rows_by_table(context)
    for name, rows in before.items():
        gone = rows.keys() - after[name].keys()
        changed = [key for key in rows.keys() & after[name].keys() if rows[key] != after[name][key]]
        print(
            name,
            len(rows),
            "gone",
            sorted(gone),
            "CHANGED",
            [after[name][k] for k in changed],
            "NEW",
            after[name].keys() - rows.keys(),
        )
