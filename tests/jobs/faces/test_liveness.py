"""What a network says of liveness is kept with the faces by embed, and shown; nothing else changes."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from jobs.embed import embed
from jobs.report import report
from jobs.run import settings
from jobs.run.context import Context
from jobs.show import show
from tests.support import DAYS, EMBEDDER, MakeContext, assert_same_tables, copied, rows_of
from tests.udfs.vision.test_liveness import declared
from udfs.errors import InputError


def section(path: Path, **changes: object) -> str:
    said = {**vars(declared(path)), **changes}
    values = {name: str(value).lower() if isinstance(value, bool) else repr(value) for name, value in said.items()}
    return "\n".join(["", "[liveness]", *(f"{name} = {value}" for name, value in values.items())])


@pytest.mark.slow
def test_it_is_kept_and_shown(
    made: MakeContext, ingested: Context, undisturbed: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = settings.packaged_text() + section(tmp_path / "live.onnx")
    own = settings.of_text(text, "own.toml", (f"vision.embedder={EMBEDDER}",))
    context = replace(copied(made, ingested, "live"), settings=own)
    embed(context, run_date=date.fromisoformat(DAYS[0]), partitions=1)
    assert rows_of(context.tables.read("faces"), "liveness") == rows_of(undisturbed.tables.read("faces"), "liveness")
    assert_same_tables(context, undisturbed, "image_outcomes", "contracts")
    faces = context.tables.read("faces").collect()
    assert faces
    assert all(0 < face.liveness < 1 for face in faces)
    assert all(face.liveness is None for face in undisturbed.tables.read("faces").collect())
    show(context, what="face", name=faces[0].face_id, as_json=True)
    (said,) = json.loads(capsys.readouterr().out)["Face"]
    assert said["liveness"] == faces[0].liveness

    seen = copied(made, undisturbed, "live and identified")
    of_faces = context.spark.createDataFrame(
        [(face.face_id, face.liveness) for face in faces], "face_id string, live double"
    )
    rows = seen.tables.read("faces").join(of_faces, "face_id").drop("liveness").withColumnRenamed("live", "liveness")
    seen.tables.change("faces", rows.localCheckpoint())
    report(seen, run_date=date.fromisoformat(DAYS[0]), blackout=True, output=tmp_path / "day.html")
    page = (tmp_path / "day.html").read_text()
    assert all(f"liveness {face.liveness:.3f}, advice alone" in page for face in faces)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"margin": 90, "side": 80}, "must have a margin below side, 80"),
        ({"crop": "eyes"}, 'must have a margin only with crop = "margin"'),
        ({"live": -1}, "liveness.live: Input should be greater than or equal to 0"),
    ],
)
def test_a_wrong_section_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    text = settings.packaged_text() + section(tmp_path / "live.onnx", **changes)
    with pytest.raises(InputError, match=said):
        settings.of_text(text, "own.toml")
    right = settings.packaged_text() + section(tmp_path / "live.onnx")
    found = settings.of_text(right, "own.toml", ("liveness.live=0",)).liveness
    assert found is not None
    assert found.live == 0
    assert found.declaration() == replace(declared(tmp_path / "live.onnx"), live=0)
