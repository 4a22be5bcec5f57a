"""What a gallery says of itself when it is opened."""

from datetime import date

import pytest

from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from tests.rows import CONTRACT, put, put_samples, unit
from tests.support import MakeContext
from udfs.vision.contract import contract


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    return make_context()


def test_its_embedder_is_named_as_the_settings_name_it(context: Context) -> None:
    of_settings = contract(context.settings.spec())
    for name, contract_id in (("renamed", of_settings.contract_id), ("another", CONTRACT)):
        put(context, "contracts", {"contract_id": contract_id, "embedder": "noted"})
        put_samples(context, unit(2, seed=1), ["a", "b"], gallery_name=name, contract_id=contract_id)
    assert GallerySnapshot.open(context, "renamed").embedder == of_settings.embedder
    assert GallerySnapshot.open(context, "another").embedder == "noted"


def test_whether_its_samples_are_the_same_on_all_dates(context: Context) -> None:
    put(context, "contracts", {"contract_id": CONTRACT})
    put_samples(context, unit(2, seed=1), ["a", "b"])
    put_samples(context, unit(1, seed=2), ["c"], gallery_name="h", valid_to=date(2026, 1, 31))
    assert not GallerySnapshot.open(context, "g").bounded
    assert GallerySnapshot.open(context, "h").bounded
