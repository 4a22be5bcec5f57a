"""train detector, from photos with boxes to a detector of the settings: real networks, Spark and files, on made-up
photos without a face; and on WIDER's, where they are at hand."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.activate import activate
from jobs.learning import detector as learning
from jobs.learning.photos_divided import divide_photos
from jobs.run import settings
from jobs.run.context import Context
from jobs.train import detector as train
from tests.support import MakeContext
from tests.training.marked import squares
from udfs.errors import InputError
from udfs.vision import weights
from udfs.vision.contract import contract
from udfs.vision.marked import MarkedPhoto

QUICK = {"name": "ours", "passes": 1, "batch": 8}


def write_boxes(path: Path, photos: list[MarkedPhoto]) -> str:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "x", "y", "w", "h"])
        for photo in photos:
            for left, top, right, bottom in photo.boxes:
                rows.writerow([photo.name, left, top, right - left, bottom - top])
    return str(path)


@pytest.fixture
def context(make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.chdir(tmp_path)
    return make_context("tables", "vision.minimum_face=20")


@pytest.fixture
def photos(tmp_path: Path) -> list[MarkedPhoto]:
    return squares(tmp_path / "photos", 32)


@pytest.mark.slow
def test_from_boxes_to_a_detector(
    context: Context,
    make_context: MakeContext,
    photos: list[MarkedPhoto],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = {**QUICK, "images": str(tmp_path / "photos"), "boxes": write_boxes(tmp_path / "boxes.csv", photos)}

    # Killed when it had begun to learn: nothing is declared.
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(learning, "_declared", killed)
        with pytest.raises(KeyboardInterrupt):
            train(context, **asked)
    assert not (tmp_path / "rollcall.toml").exists()
    work = tmp_path / "models" / ".ours.training"
    assert (work / "trained.pt").exists()

    found = train(context, **asked)
    said = " ".join(make_context.said)
    assert "goes on where an earlier run was killed" in said
    assert "use it with --config rollcall.toml --set vision.detector=ours" in said
    assert "`rollcall activate` will refuse ours" in said
    assert not work.exists()
    (row,) = context.tables.read("models").collect()
    assert (row.kind, row.parent, row.loss, row.better) == ("detector", "centerface-twice", "focal", found.better)
    assert (row.persons, row.held_out_persons, row.fpir, row.gallery_size) == (None,) * 4
    assert row.measured["held_out_photos"] + row.photos < len(photos), "some decide when to stop"
    assert json.loads(row.plan)["part"] == "heads"
    learnt = context.tables.read("model_photos").collect()
    assert (len(learnt), {photo.person_digest for photo in learnt}) == (row.photos, {None})
    page = (tmp_path / "models" / "ours.html").read_text()
    assert "was not found to be better than centerface-twice (95% interval)" in page

    # What was declared is used by its name, under a contract of its own.
    loaded = settings.load("rollcall.toml", ("vision.detector=ours", "vision.embedder=dlib-resnet-v1"))
    assert contract(loaded.spec()).contract_id == row.contract_id
    tensors = weights.source_of(loaded.spec(), "ours").read()
    assert tensors.keys() == weights.load("centerface").keys()
    with pytest.raises(InputError, match=f"contract {row.contract_id} is not better .* boxes that are no face: "):
        activate(context, contract=row.contract_id, allow_gaps=True)
    activate(context, contract=row.contract_id, allow_gaps=True, although="it is quicker")
    assert context.tables.read("activations").collect()[0].although == "it is quicker"

    # It can be trained on; a name is taken once.
    mine = replace(context, settings=loaded)
    with pytest.raises(InputError, match=r"already has a section \[models.ours\]; choose another --name"):
        train(mine, **asked)
    (tmp_path / "models" / "ours.centerface.npz").write_bytes(b"")
    with pytest.raises(InputError, match=r"ours.centerface.npz.*not the file that \[models.ours\] declares"):
        train(mine, **{**asked, "name": "more"})


def test_misuse(context: Context, photos: list[MarkedPhoto], tmp_path: Path) -> None:
    images, boxes = str(tmp_path / "photos"), tmp_path / "boxes.csv"

    def refused(said: str, given: list[MarkedPhoto] = photos, at: Context = context, **more: object) -> None:
        asked = {**QUICK, "images": images, "boxes": write_boxes(boxes, given), **more}
        with pytest.raises(InputError, match=said) as raised:
            train(at, **asked)
        assert "\n" not in str(raised.value)

    def with_settings(*changes: str) -> Context:
        return replace(context, settings=settings.load(None, changes))

    other = MarkedPhoto("none.png", "", photos[0].boxes)
    refused(
        r"1 of the 33 images that .*boxes.csv names are not there, or are empty, such as none.png", [*photos, other]
    )
    refused("1 photos are too few: after they are divided", photos[:1])
    beyond = MarkedPhoto(photos[0].name, "", photos[0].boxes + 60)
    refused("is not inside the picture, which has 80 x 72 pixels", [beyond, *photos[1:]])
    refused(
        "mtcnn cannot be trained; use one of: --set vision.detector=centerface",
        at=with_settings("vision.detector=mtcnn"),
    )
    refused("no face of 40 pixels or more is marked in the .* photos to measure on", at=with_settings())
    refused("a packaged model is called 'centerface'", name="centerface")
    refused("cannot be read", boxes=str(tmp_path / "no.csv"))
    refused("the loss 'heat map' was no number any more at step", rate=1e30, passes=4)
    assert not (tmp_path / "rollcall.toml").exists()
    assert not context.tables.exists("models")


def test_photos_are_divided_by_their_names(photos: list[MarkedPhoto]) -> None:
    divided = divide_photos(photos, 0)
    parts = [[photo.name for photo in part] for part in (divided.learnt, divided.chosen, divided.held_out)]
    assert sorted(name for part in parts for name in part) == sorted(photo.name for photo in photos)
    assert all(parts)
    moved = [replace(photo, uri=f"s3://elsewhere/{photo.name}") for photo in photos]
    assert [photo.name for photo in divide_photos(moved, 0).held_out] == parts[2]
    assert [photo.name for photo in divide_photos(photos, 1).held_out] != parts[2]


@pytest.mark.slow
def test_on_photos_of_wider(context: Context, shared: Path, tmp_path: Path) -> None:
    """Half of the photos are learnt from; on the other half it is not worse."""
    wider = shared / "wider-dev"
    of_40 = replace(context, settings=settings.load(None, ("vision.embedder=dlib-resnet-v1",)))
    found = train(of_40, images=str(wider / "images"), boxes=str(wider / "boxes.csv"), name="ours", passes=4)
    assert not found.worse
    assert found.before == pytest.approx(0.0909, abs=0.01)
    assert found.after <= found.before + 0.03
    (row,) = context.tables.read("models").collect()
    assert row.measured["landmarks_apart"] < 0.05
