"""Labelled photos with made-up vectors, which the tables say were found in real files."""

from pathlib import Path

import numpy as np
from PIL import Image

from jobs.faces.contracts import verified_contract
from jobs.faces.lookup import images_of, locate
from jobs.run.context import Context
from tests.rows import Values, put
from udfs import lake
from udfs.vision.contract import settings_id

Array = np.ndarray


def put_photos(context: Context, faces: dict[Path, list[Array]]) -> None:
    """Pictures, and rows that say which faces were found in them. Vectors are (d,); the first face is the largest, the
    last is nearest the middle."""
    for path in faces:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (200, 200), hash(str(path)) % 256).save(path, "PNG")
    agreed, settings = verified_contract(context.settings.spec()), settings_id(context.settings.spec())
    images = images_of(locate(context, [lake.uri_of(str(path)) for path in faces]))
    ids = dict(zip(images["uri"].to_pylist(), images["image_id"].to_pylist(), strict=True))
    of_all = {"contract_id": agreed.contract_id, "settings_id": settings}
    outcomes: list[Values] = []
    found: list[Values] = []
    for path, vectors in faces.items():
        of_image = {**of_all, "image_id": ids[lake.uri_of(str(path))]}
        outcome = "faces" if vectors else "no_face"
        size = {"width": 200, "height": 200}
        outcomes.append({**of_image, **size, "outcome": outcome, "face_count": len(vectors)})
        for at, vector in enumerate(vectors):
            side = 100.0 - 30 * at
            from_left = 100 - side / 2 if at == len(vectors) - 1 else 0.0
            face = {
                "face_id": f"{path.parent.name}-{path.name}-{at}",
                "ordinal": at,
                "box": (from_left, from_left, from_left + side, from_left + side),
                "quality": (side, *(50.0,) * 6),
            }
            found.append({**of_image, **face, "embedding": vector.tolist()})
    put(context, "image_outcomes", *outcomes)
    if found:
        put(context, "faces", *found)
