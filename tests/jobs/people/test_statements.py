"""What people have said, and what counts of it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from jobs.people.statements import Statement, Statements

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def said(*spoken: tuple[str, str]) -> Statements:
    """Each in its order: faces that are together; or, with others, apart from these."""
    return Statements(
        tuple(
            Statement(NOON + timedelta(minutes=at), f"s{at}", not others, tuple(faces), tuple(others))
            for at, (faces, others) in enumerate(spoken)
        )
    )


def sets(statements: Statements, there: str = "abcdefgh") -> set[str]:
    first, _, _ = statements.resolved(there)
    return {"".join(sorted(face for face in first if first[face] == of)) for of in set(first.values())}


def test_later_words_count() -> None:
    assert sets(said(("abc", ""), ("cd", ""))) == {"abcd"}
    assert sets(said(("abcd", ""), ("c", "abd"))) == {"abd", "c"}
    assert sets(said(("c", "abd"), ("abcd", ""))) == {"abcd"}
    assert said(("abcd", ""), ("c", "abd")).resolved("abcd")[2] == 1
    assert sets(said(("abx", "")), there="ab") == {"ab"}, "who is not there is not heard of"


def test_numbers() -> None:
    same, apart = said(("ab", ""), ("c", "d")).by_number({"a": 9, "b": 4, "c": 1, "d": 2})
    assert same == {9: 4, 4: 4}
    assert apart == [(frozenset({1}), frozenset({2}))]


faces = st.text("abcdef", min_size=1, max_size=4)
spoken = st.lists(st.tuples(faces, st.one_of(st.just(""), faces)), max_size=6)


@given(spoken)
def test_no_two_are_one_against_a_later_word(words: list[tuple[str, str]]) -> None:
    statements = said(*words)
    first, _, _ = statements.resolved("abcdef")
    for at, of in enumerate(statements.said):
        later = [each for each in statements.said[at + 1 :] if each.together]
        if not of.together and not later:
            assert not any(
                one != other and one in first and other in first and first[one] == first[other]
                for one in of.faces
                for other in of.others
            )


@given(spoken, st.randoms(use_true_random=False))
def test_the_order_in_which_they_are_read_does_not_show(words: list[tuple[str, str]], shuffled: object) -> None:
    statements = list(said(*words).said)
    shuffled.shuffle(statements)  # type: ignore[attr-defined]
    assert Statements(tuple(statements)).resolved("abcdef") == said(*words).resolved("abcdef")
