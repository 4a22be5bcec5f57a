"""Lists of photos changed at random, each enrolled with --sync: whoever has a photo that will do is in force."""

import os
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.jobs.registry.made_photos import PICTURES, REFUSED, enrolled, in_force
from tests.support import MakeContext

NAMES, FILES = ("ann", "bob", "cat", "dan"), ("1.jpg", "2.jpg", "3.jpg")

Listed = dict[tuple[str, str], int]
Change = tuple[str, int, int, int]


def changed(listed: Listed, change: Change) -> Listed:
    """The list after one change. Numbers choose among what there is."""
    kind, first, second, third = change
    people = sorted({person for person, _ in listed})
    photo = sorted(listed)[first % len(listed)] if listed else None
    name, file, picture = NAMES[second % len(NAMES)], FILES[third % len(FILES)], third % (REFUSED + 1)
    added = {**listed, (name, FILES[first % len(FILES)]): picture}
    if kind == "add" or photo is None:
        return added if kind == "add" else listed
    others = {place: each for place, each in listed.items() if place != photo}
    one = people[first % len(people)]
    renamed = {one: name, name: one}  # two are swapped, if the name is somebody's
    outcomes: dict[str, Listed] = {
        "replace": {**listed, photo: picture},
        "take": others,
        "leave": {place: each for place, each in listed.items() if place[0] != one},
        "move": {**others, (photo[0], file): listed[photo]},
        "give": {**others, (name, photo[1]): listed[photo]},
        "rename": {(renamed.get(person, person), each): listed[person, each] for person, each in listed},
    }
    return outcomes[kind]


def names_of(listed: Listed) -> dict[int, set[str]]:
    """The names under which each human is listed."""
    found: dict[int, set[str]] = {}
    for (person, _), picture in listed.items():
        if picture != REFUSED:
            found.setdefault(picture // PICTURES, set()).add(person)
    return found


KINDS = ("add", "add", "replace", "take", "leave", "move", "give", "rename", "rename")
CHANGES = st.tuples(st.sampled_from(KINDS), *[st.integers(0, 11)] * 3)
NIGHTS = st.lists(st.lists(CHANGES, min_size=0, max_size=3), min_size=2, max_size=4)
"""The changes before each night; without one it is the same list again."""
NUMBERS = count()
"""Each example has tables of its own."""
EVERYONE: Listed = {("ann", "1.jpg"): 0, ("ann", "2.jpg"): 1, ("bob", "1.jpg"): 3, ("cat", "1.jpg"): 6}


ANN, BOB = {("ann", "1.jpg"): 0}, {("bob", "1.jpg"): 1}
OTHER = {("ann", "1.jpg"): PICTURES}
"""Ann, who is another human now."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("nights", "sync"),
    [
        ([{("bob", "2.jpg"): 1}], True),  # moved in the night in which Ann leaves
        ([OTHER, {**OTHER, **BOB}], True),  # away in the night in which Ann changes
        ([{**OTHER, **BOB}], False),
    ],
)
def test_who_was_set_aside_for_somebody_who_has_changed(
    make_context: MakeContext, tmp_path: Path, nights: list[Listed], sync: bool
) -> None:
    context = make_context()
    for listed in (ANN, {**ANN, **BOB}):
        enrolled(context, listed, tmp_path)
    assert in_force(context) == {"ann"}
    for listed in nights:
        enrolled(context, listed, tmp_path, sync=sync, max_withdraw=1.0)
    assert "bob" in in_force(context)
    # What was decided stands from now on: nothing is looked at again.
    assert "accepted" not in enrolled(context, nights[-1], tmp_path, sync=sync, max_withdraw=1.0)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("ROLLCALL_EXAMPLES", "5")),
    phases=(Phase.generate,),  # making a failure smaller takes as long as hundreds of nights
    suppress_health_check=list(HealthCheck),
)
@given(nights=NIGHTS)
def test_whoever_has_a_photo_that_will_do_is_in_force(
    make_context: MakeContext, tmp_path: Path, nights: list[list[Change]]
) -> None:
    name = f"example {next(NUMBERS)}"
    context, folder = make_context(name), tmp_path / f"people of {name}"
    listed = EVERYONE
    for night in [[], *nights]:
        for change in night:
            listed = changed(listed, change)
        enrolled(context, listed, folder, sync=True, max_withdraw=1.0)
        found = in_force(context)
        for names in names_of(listed).values():
            # Of several who say they are the same human, one is believed; the others are for a person to look at.
            assert names & found
            assert len(names) > 1 or names <= found
        assert found <= {person for person, _ in listed}
