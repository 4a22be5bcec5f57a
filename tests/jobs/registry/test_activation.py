import numpy as np
import pytest

from jobs.activate import activate
from jobs.identify import identify
from jobs.registry.activation import activate_standing, activated, coverage
from jobs.registry.register import Register
from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from tests.rows import DAY, put, put_contract
from tests.support import MakeContext
from udfs.errors import InputError


def put_all(context: Context, contract: str, samples: list[str], images: int = 2) -> None:
    """Outcomes and faces of images, and samples of persons, under one contract."""
    vector = np.eye(8)[0].tolist()
    names = [f"i{at}" for at in range(images)]
    put_contract(context, contract)
    put(context, "image_outcomes", *[{"image_id": name, "contract_id": contract} for name in names])
    faces = [{"face_id": f"f{name}-{contract}", "image_id": name, "contract_id": contract} for name in names]
    put(context, "faces", *[{**face, "embedding": vector} for face in faces])
    people = [{"sample_id": f"s-{person}-{contract}", "person_id": person} for person in samples]
    put(context, "gallery", *[{**sample, "contract_id": contract, "embedding": vector} for sample in people])


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    made = make_context()
    put(made, "images", *[{"image_id": f"i{at}", "uri": "u", "modified_us": 1} for at in range(2)])
    put_all(made, "old", ["ada", "bob"])
    return made


def contracts_of(context: Context) -> set[str]:
    return {row.contract_id for row in context.tables.read("identifications").collect()}


@pytest.mark.slow
def test_a_choice_and_the_way_back(context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    identify(context, run_date=DAY)
    activate_standing(context, "g")
    assert activated(context) == "old"

    put_all(context, "new", ["ada", "bob"])
    identify(context, run_date=DAY)
    assert contracts_of(context) == {"old"}, "what is made beside it changes nothing"
    activate(context, contract="n")
    assert GallerySnapshot.open(context, None).contract_id == "new"
    identify(context, run_date=DAY)
    assert contracts_of(context) == {"new"}
    activate(context, contract="old")
    identify(context, run_date=DAY)
    assert contracts_of(context) == {"old"}

    activate(context)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["new", "d,"], ["*", "old"]]


def test_gaps_are_refused_and_named(context: Context) -> None:
    put_all(context, "new", ["ada"], images=1)
    (new, old) = coverage(context)
    assert (new.images, new.of_images, new.persons, new.of_persons) == (1, 2, 1, 2)
    assert not old.gaps
    with pytest.raises(InputError, match=r"1 of 2 images have no outcome; 1 of 2 registered persons have no sample"):
        activate(context, contract="new")
    assert activated(context) is None
    activate(context, contract="new", allow_gaps=True)
    assert activated(context) == "new"


def test_a_choice_must_be_made_and_must_be_clear(context: Context) -> None:
    put_all(context, "older", ["ada", "bob"])
    with pytest.raises(InputError, match="rollcall activate"):
        GallerySnapshot.open(context, None)
    with pytest.raises(InputError, match="2 contracts begin with 'ol'"):
        activate(context, contract="ol")
    with pytest.raises(InputError, match="0 contracts begin with 'x'"):
        activate(context, contract="x")


def test_a_second_contract_comes_into_a_gallery_only_when_that_is_meant(context: Context) -> None:
    with pytest.raises(InputError, match="--beside"):
        Register.open(context.tables, "g", "new")
    beside = Register.open(context.tables, "g", "new", beside=True).in_force
    assert beside is not None
    assert beside.isEmpty()
