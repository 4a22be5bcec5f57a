"""Nights as rows: faces that are known, in doubt and unknown, and images without any, in three sources."""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np

from jobs.run.context import Context
from tests import rows
from tests.rows import CONTRACT, NOW, Values, unit

BOX = (0.0, 0.0, 50.0, 50.0)
DECISIONS = ("match", "review", "unknown", "too_small")


def face_id(image: str, ordinal: int) -> str:
    return f"{image} {ordinal}"


class Nights:
    """Gathers the rows of images, and writes them together."""

    def __init__(self, dimension: int = 8) -> None:
        self._dimension = dimension
        self._rows: dict[str, list[Values]] = {}

    def image(self, name: str, day: date, *decisions: str, source: str | None = "gate", outcome: str = "") -> None:
        """An image with a face for each decision; "" is a face that was not compared. outcome: of one without faces."""
        of: Values = {"image_id": name, "run_date": day}
        self._put("images", {**of, "uri": f"file:///lake/{day}/{name}.jpg", "source": source})
        outcome = "faces" if decisions else outcome or "no_face"
        self._put("image_outcomes", {**of, "outcome": outcome, "face_count": len(decisions)})
        for ordinal, decision in enumerate(decisions):
            self._face(of, face_id(name, ordinal), ordinal, decision)

    def _face(self, of: Values, face: str, ordinal: int, decision: str) -> None:
        number = len(self._rows.get("faces", ())) + 1
        vector = unit(1, seed=number, dimension=self._dimension)[0].tolist()
        self._put("faces", {**of, "face_id": face, "ordinal": ordinal, "embedding": vector})
        if not decision:
            return
        named: Values = {"person_id": "ann", "sample_id": "s", "similarity": 0.7, "score": 0.7}
        named = named if decision in ("match", "review") else {}
        self._put("identifications", {**of, "face_id": face, "decision": decision, **named})
        self._put(
            "matches",
            {
                **{**of, "face_id": face, "gallery_name": "g", "person_id": "ann", "contract_id": CONTRACT},
                **{"rank": 1, "sample_id": "s", "similarity": 0.2},
            },
        )

    def _put(self, table: str, row: Values) -> None:
        self._rows.setdefault(table, []).append(row)

    def put(self, table: str, *added: Values) -> None:
        for row in added:
            self._put(table, row)

    def put_all(self, other: "Nights") -> None:
        for table, added in other._rows.items():
            self.put(table, *added)

    def rows(self, table: str) -> list[Values]:
        return self._rows.get(table, [])

    def write(self, context: Context) -> None:
        for table, added in self._rows.items():
            rows.put(context, table, *added)
        self._rows = {}


def review(face: str, image: str, day: date, decision: str) -> Values:
    of = {"review_id": f"{decision} of {face}", "face_id": face, "image_id": image, "run_date": day, "person_id": "ann"}
    return {**of, "decision": decision, "reviewed_by": "eve", "reviewed_at": NOW, "signatures": 1}


def investigation(name: str, **more: object) -> Values:
    of = {"investigation": name, "kind": "search", "asked_by": "eve", "purpose": "", "asked_at": NOW, "question": {}}
    return {**of, "contract_id": CONTRACT, "settings_id": "s", "digests": {}, "searched": 9, "findings": 0, **more}


def findings(name: str, asked: str, faces: Iterable[tuple[str, str, date]]) -> list[Values]:
    of: Values = {"investigation": name, "asked": asked, "contract_id": CONTRACT, "similarity": 0.5}
    return [
        {**of, "face_id": face, "image_id": image, "run_date": day, "rank": rank}
        for rank, (face, image, day) in enumerate(faces, 1)
    ]


def cluster(name: str, faces: Iterable[tuple[str, str, date]]) -> dict[str, list[Values]]:
    """Rows by table."""
    members = list(faces)
    days = [day for _, _, day in members]
    of: Values = {"grouping": "unknown", "cluster_id": name, "contract_id": CONTRACT}
    counted = {"faces": len(members), "images": len(members), "days": len(set(days)), "first_run_date": min(days)}
    counted |= {"last_run_date": max(days), "first_face_id": min(face for face, _, _ in members)}
    change = {"change_id": f"of {name}", "change": "born", "faces_before": 0, "faces_after": len(members)}
    return {
        "clusters": [{**of, **counted}],
        "cluster_members": [
            {**of, "face_id": face, "image_id": image, "run_date": day} for face, image, day in members
        ],
        "cluster_changes": [{**of, **change, "changed_at": NOW}],
    }


def random_nights(days: int, first: date, images: int, seed: int) -> Iterable[tuple[date, "Nights"]]:
    """Nights of so many images each, with up to three faces; one in ten faces is known."""
    draw = np.random.default_rng(seed)
    for number in range(days):
        day, night = first + timedelta(days=number), Nights()
        for at in range(images):
            name, source = f"{day}-{at:02}", ("gate", "street", None)[at % 3]
            decided = draw.choice(DECISIONS, size=draw.integers(0, 4), p=(0.1, 0.1, 0.7, 0.1)).tolist()
            outcome = "" if decided or at % 2 else "rejected:truncated"
            night.image(name, day, *decided, source=source, outcome=outcome)
        yield day, night
