"""train adapter, on made-up vectors that the tables say were found in real files; and what becomes of the adapter."""

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jobs.activate import activate
from jobs.embed import embed
from jobs.ingest import ingest
from jobs.run import settings
from jobs.run.context import Context
from jobs.train import adapter as train
from tests.labelled import put_photos
from tests.rows import normalised
from tests.support import EMBEDDER, MakeContext
from udfs.errors import InputError
from udfs.vision.adapter import Adapter
from udfs.vision.contract import contract

pytestmark = pytest.mark.slow

Array = np.ndarray

PERSONS, PHOTOS, DIMENSION = 100, 3, 128
TELLING, DIFFERING = 24, 8
PLAN = {"steps": 40, "batch": 64, "rate": 0.02, "gallery_size": 20, "fpir": 0.05}


def photos(folder: Path, noise: float, seed: int = 0) -> dict[Path, list[Array]]:
    """Persons differ in some of the values; in others the photos of one person differ by `noise`; the rest is 0."""
    random = np.random.default_rng(seed)
    vectors = np.zeros((PERSONS, PHOTOS, DIMENSION))
    vectors[..., :TELLING] = random.normal(size=(PERSONS, 1, TELLING))
    vectors[..., TELLING : TELLING + DIFFERING] = noise * random.normal(size=(PERSONS, PHOTOS, DIFFERING))
    vectors = normalised(vectors)
    found = {
        folder / f"p{person:02}" / f"{photo}.jpg": [vectors[person, photo]]
        for person in range(PERSONS)
        for photo in range(PHOTOS)
    }
    found[folder / "p07" / "1.jpg"] = []
    return found


@pytest.fixture
def context(make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.chdir(tmp_path)
    return make_context()


def used(context: Context, tmp_path: Path, name: str = "ours") -> Context:
    """With the settings that training has written, and the model of this name."""
    loaded = settings.load(str(tmp_path / "rollcall.toml"), (f"vision.embedder={name}",))
    return replace(context, settings=loaded)


def test_what_is_learnt_is_measured_on_others_and_used_without_opening_an_image(
    context: Context, make_context: MakeContext, tmp_path: Path
) -> None:
    people = tmp_path / "people"
    put_photos(context, photos(people, noise=1.8))
    ingest(context, source=str(people))

    found = train(context, images=str(people), name="ours", **PLAN)
    assert found.better
    assert found.after < 0.7 * found.before
    (row,) = context.tables.read("models").collect()
    assert (row["name"], row.kind, row.parent, row.better) == ("ours", "adapter", EMBEDDER, True)
    assert (row.missed_before, row.missed, row.gallery_size) == (found.before, found.after, 20)
    assert json.loads(row.plan)["steps"] == 40
    assert row.persons + row.held_out_persons == PERSONS
    assert context.tables.read("model_photos").count() == row.photos
    assert "1 photos show no face" in " ".join(make_context.said)
    page = (tmp_path / "models" / "ours.html").read_text()
    assert "is better than dlib-resnet-v1 (95% interval)" in page

    # Whose photos it was trained on can be asked for without their names being kept.
    asked = context.spark.sql("SELECT sha2('p00', 256) AS digest").first()
    assert asked is not None
    digests = {each.person_digest for each in context.tables.read("model_photos").collect()}
    assert len(digests) == row.persons
    assert "p00" not in str(context.tables.read("model_photos").collect())

    mine = used(context, tmp_path)
    assert contract(mine.settings.spec()).contract_id == row.contract_id
    (threshold,) = context.tables.read("thresholds").collect()
    assert (threshold.contract_id, threshold.half, threshold.target) == (row.contract_id, "second", 0.05)

    # The images are away: all that is known of them comes from the tables.
    shutil.rmtree(people)
    counts = embed(mine, all_pending=True)
    assert counts["adapted"] == counts["images"] == PERSONS * PHOTOS
    learnt = Adapter.of((tmp_path / "models" / "ours.adapter.npz").read_bytes(), "file")
    faces = context.tables.read("faces").collect()
    of = {(face.contract_id == row.contract_id, face.image_id): np.float32(face.embedding) for face in faces}
    before = [image for adapted, image in of if not adapted]
    assert len(before) == PERSONS * PHOTOS - 1
    for image in before[:20]:
        assert np.array_equal(of[True, image], learnt(of[False, image][None])[0])
    assert len({face.face_id for face in faces}) == len(faces)
    assert embed(mine, all_pending=True)["pending"] == 0

    activate(mine, contract=row.contract_id, allow_gaps=True)
    assert context.tables.read("activations").collect()[0].although is None


def test_what_is_no_better_is_refused_unless_a_reason_is_given(
    context: Context, make_context: MakeContext, tmp_path: Path
) -> None:
    """With persons who are told apart perfectly already, nothing can be gained."""
    people = tmp_path / "people"
    put_photos(context, photos(people, noise=0.1))
    found = train(context, images=str(people), name="ours", **PLAN)
    assert not found.better
    assert "not better beyond doubt" in " ".join(make_context.said)
    (row,) = context.tables.read("models").collect()
    refused = f"contract {row.contract_id} is not better than what it was trained from: ours misses"
    with pytest.raises(InputError, match=refused):
        activate(context, contract=row.contract_id, allow_gaps=True)
    assert not context.tables.exists("activations")
    activate(context, contract=row.contract_id, allow_gaps=True, although="for the trial of May")
    assert context.tables.read("activations").collect()[0].although == "for the trial of May"


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_misuse(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = tmp_path / "people"
    found = photos(people, noise=1.8)
    put_photos(context, found)
    assert not (tmp_path / "models").exists()
    said = {
        "one photo of each": (lambda path: path.stem == "0", "nobody has two photos to learn from"),
        "one person": (
            lambda path: path.parent.name == "p00",
            "lists no photos of persons of the|1 person to learn from",
        ),
    }
    for case, (taken, message) in said.items():
        folder = tmp_path / case
        for path in found:
            if taken(path):
                (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / path.parent.name)
        with pytest.raises(InputError, match=message):
            train(context, images=str(folder), name="ours", **PLAN)
    assert not (tmp_path / "models").exists()
    with pytest.raises(InputError, match="a packaged model is called 'fused'"):
        train(context, images=str(people), name="fused", **PLAN)
    with pytest.raises(InputError, match="no number any more at step"):
        train(context, images=str(people), name="ours", **{**PLAN, "loss": "softmax", "rate": 1e30})
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match=r"taken: cannot be written \(.*taken is no folder\); choose another --output"):
        train(context, images=str(people), name="ours", folder=tmp_path / "taken", **PLAN)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(InputError, match=r"cannot be written \(No space left on device\); choose another --output"):
            train(context, images=str(people), name="ours", **PLAN)
    assert list((tmp_path / "models").iterdir()) == []
    put_photos(context, {tmp_path / "nobody" / f"p{at // 2}" / f"{at}.jpg": [] for at in range(18)})
    with pytest.raises(InputError, match="of 18 photos 0 show a face: 0 person to learn from"):
        train(context, images=str(tmp_path / "nobody"), name="ours", **PLAN)
    assert not (tmp_path / "rollcall.toml").exists()
    assert not context.tables.exists("models")

    train(context, images=str(people), name="ours", **PLAN)
    with pytest.raises(InputError, match=r"rollcall\.toml already has a section"):
        train(context, images=str(people), name="ours", **PLAN)
    with pytest.raises(InputError, match="ours has an adapter already"):
        train(used(context, tmp_path), images=str(people), name="more", **PLAN)
    file = tmp_path / "models" / "ours.adapter.npz"
    whole = file.read_bytes()
    for content, message in ((whole[:-9], r"not the file that \[models.ours\] declares"), (b"", "declares")):
        file.write_bytes(content)
        with pytest.raises(InputError, match=message):
            embed(used(context, tmp_path), all_pending=True)
