"""Which dates are packed together, and what of them is in a search."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from udfs.search.packed import Part
from udfs.search.packed_faces import FEW, SMALL_PACKS, DateOfFaces, FacesInScope, Pack, PackedFaces, arranged

FIRST = date(2026, 1, 1)
A_PART = 65_536


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def of(number: int, faces: int, limits: str = "s") -> DateOfFaces:
    return DateOfFaces(day(number), limits, faces, f"digest {number}")


def part(name: str) -> Part:
    return Part(name, "a", 1, 1, 0.0, 1.0, {})


def packed(*packs: Pack) -> PackedFaces:
    return PackedFaces("file:///p", "seen", packs, tuple((of.run_date, "f") for pack in packs for of in pack.dates))


def test_nights_of_a_small_lake() -> None:
    """2,000 nights of 100 faces: some parts, and each face is packed a few times in all its life."""
    packs: list[Pack] = []
    times: Counter[DateOfFaces] = Counter()
    for number in range(2_000):
        packs, together = arranged(packs, [of(number, 100)], A_PART)
        times.update(date for dates in together for date in dates)
        packs += [Pack(dates) for dates in together]
        assert len(packs) <= SMALL_PACKS + 2_000 * 100 / FEW + 1
    assert sum(pack.faces for pack in packs) == 200_000
    assert max(times.values()) <= 8


def test_dates_that_come_at_once() -> None:
    stay, together = arranged([], [of(number, 100) for number in range(2_000)], A_PART)
    assert stay == []
    assert len(together) == 4
    assert max(sum(of.faces for of in dates) for dates in together) <= A_PART


@given(st.lists(st.tuples(st.integers(1, 20_000), st.sampled_from("st"), st.booleans()), max_size=60))
def test_every_date_is_in_one_pack(dates: list[tuple[int, str, bool]]) -> None:
    there = [of(number, faces, limits) for number, (faces, limits, _) in enumerate(dates)]
    kept = [Pack((date,)) for date, (*_, known) in zip(there, dates, strict=True) if known]
    fresh = [date for date, (*_, known) in zip(there, dates, strict=True) if not known]
    stay, together = arranged(kept, fresh, A_PART)
    assert set(stay) <= set(kept)
    assert Counter([date for pack in stay for date in pack.dates] + [date for some in together for date in some]) == (
        Counter(there)
    )
    assert all(len({date.settings_id for date in some}) == 1 for some in together)
    for some in together:
        assert len(some) == 1 or sum(date.faces for date in some) <= A_PART


def test_scope() -> None:
    both = Pack((of(0, 3), of(1, 4)), (part("a"), None))
    other = Pack((of(1, 5, "other"), of(2, 6, "other")), (part("b"),))
    seen = packed(both, other)
    everything = FacesInScope.of(seen, None, None, "s")
    assert everything.faces == 3 + 4 + 6
    assert [(of.part.name, of.days) if of else None for of in everything.parts] == [
        *(("a", (day(0), day(1))), None, ("b", (day(2),)))
    ]
    of_others = FacesInScope.of(seen, day(1), day(1), "other")
    assert [of and of.days for of in of_others.parts] == [None, None, (day(1),)]
    assert of_others.faces == 5
    assert of_others.digest != everything.digest


def test_what_is_described_is_read() -> None:
    seen = packed(Pack((of(0, 3), of(1, 4)), (part("a"), None)))
    assert PackedFaces.from_json(seen.root, seen.name, seen.to_json()) == seen
    nothing = PackedFaces(seen.root, seen.name)
    assert PackedFaces.from_json(seen.root, seen.name, b'{"revision": 1, "packs"') == nothing
    assert PackedFaces.from_json(seen.root, seen.name, None) == nothing


def test_a_damaged_part_takes_its_pack_with_it() -> None:
    whole, damaged = Pack((of(0, 3),), (part("a"),)), Pack((of(1, 4), of(2, 4)), (part("b"), part("c")))
    left = packed(whole, damaged).without(["c"])
    assert left.packs == (whole,)
    assert left.files == ((day(0), "f"),)
