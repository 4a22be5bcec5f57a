"""Enrolments of photos that are made: in the place of the networks, a file says which picture it is."""

import os
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa

from jobs.enroll import enroll
from jobs.registry import enrolment
from jobs.registry.register import Register
from jobs.registry.seeing import Faces, SeenPhotos
from jobs.run import ledger
from jobs.run.context import Context
from tests.rows import unit
from udfs import lake
from udfs.enrolment import SEEN, PhotoPolicy
from udfs.ids import sample_id
from udfs.vision.contract import Contract, contract

SHOWN = 3
"""Humans; each is shown in so many different pictures."""
PICTURES = 3
REFUSED = SHOWN * PICTURES
"""The picture of several faces."""
BOX = {"left": 1.0, "top": 2.0, "right": 51.0, "bottom": 52.0}
QUALITY = {field.name: 50.0 for field in SEEN.field("quality").type}

Listed = Mapping[tuple[str, str], int]
"""The picture that each file of each person is."""


def vectors() -> np.ndarray:
    """Of each picture: two of one human are alike, those of two are not."""
    apart = np.linalg.qr(unit(128, seed=1, dimension=128).astype(float))[0]
    made = [apart[human] + 0.2 * apart[10 + human * PICTURES + at] for human in range(SHOWN) for at in range(PICTURES)]
    return np.stack([vector / np.linalg.norm(vector) for vector in made]).astype(np.float32)


VECTORS = vectors()


class Looker:
    """In the place of the networks: a file says which picture it is."""

    def __init__(
        self, context: Context, register: Register, agreed: Contract, policy: PhotoPolicy, _: ledger.Run
    ) -> None:
        self._context, self._register, self._largest = context, register, policy.several_faces == "largest"

    def see(self, photos: pa.Table, _: int) -> SeenPhotos:
        rows = [self._row(photo) for photo in photos.select(["person_id", "uri", "photo_id"]).to_pylist()]
        seen = pa.Table.from_pylist(rows, SEEN)
        told = photos.select(["person_id", "uri", "photo_id"])
        for name in ("sample_id", "content_sha256", "reason", "detail"):
            told = told.append_column(name, seen[name])
        return SeenPhotos(told, Faces(self._context.spark, seen), few=True)

    def _row(self, photo: dict[str, str]) -> dict[str, object]:
        picture = len(lake.read_anything(photo["uri"]))
        will_do = picture != REFUSED or self._largest
        return {
            **{name: photo[name] for name in ("person_id", "photo_id")},
            "sample_id": sample_id(
                self._register.gallery_name, photo["person_id"], str(picture), self._register.contract_id
            ),
            "content_sha256": str(picture),
            "reason": "" if will_do else "several_faces",
            "detail": "",
            "box": BOX if will_do else None,
            "quality": QUALITY if will_do else None,
            "embedding": VECTORS[picture % REFUSED].tolist() if will_do else None,
        }


def written(listed: Listed, folder: Path) -> Path:
    """The manifest, and its files."""
    rows = []
    for (person, file), picture in sorted(listed.items()):
        path = folder / person / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * picture)
        os.utime(path, (picture, picture))  # whoever moves a file keeps its time
        rows.append(f"{person},{path}")
    manifest = folder / "people.csv"
    manifest.write_text("\n".join(["person_id,uri", *rows]))
    return manifest


def in_force(context: Context) -> set[str]:
    rows = context.tables.read_or_empty("gallery").where("withdrawn_at IS NULL").select("person_id").distinct()
    return {row.person_id for row in rows.collect()}


def enrolled(context: Context, listed: Listed, folder: Path, **arguments: object) -> dict[str, int]:
    """Enrol a list in the gallery g."""
    with patch.object(enrolment, "look_for", Looker), patch.object(enrolment, "verified_contract", contract):
        return enroll(context, gallery=str(written(listed, folder)), gallery_name="g", **arguments)
