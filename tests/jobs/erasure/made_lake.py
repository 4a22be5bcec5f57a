"""A lake on which everything has run, as rows: every table says something of the same few people and images."""

from datetime import date

import numpy as np

from jobs.identify import identify
from jobs.run.context import Context
from tests import rows
from tests.rows import CONTRACT, DAY, NEXT_DAY, NOW, Values, normalised, put_contract, unit

Array = np.ndarray

PERSON, OTHER, THIRD = "anna-belle.o'hara", "bob-the-builder", "carl_gustav"
NAME = "Anna-Belle O'Hara, née Øst"
PEOPLE = (PERSON, OTHER, THIRD, "dora", "emil")
BOX = (0.0, 0.0, 50.0, 50.0)
OPTIONS = ("thresholds.dlib-resnet-v1.keep_floor=0.1", "thresholds.dlib-resnet-v1.review=0.5")
IMAGES = 8
"""Of each of two days; image 3 of the first is the one that is erased."""
K = 2


class Rows:
    """Rows of tables, which are written together in the end."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Values]] = {}

    def put(self, table: str, *added: Values) -> None:
        self._rows.setdefault(table, []).extend(added)

    def write(self, context: Context) -> None:
        for table, added in self._rows.items():
            rows.put(context, table, *added)


def image_uri(day: date, number: int) -> str:
    return f"file:///lake/{day}/gate%20{number}.jpg"


def image_id(day: date, number: int) -> str:
    return f"{number:02x}{day.day:02x}" * 8


def face_id(day: date, number: int) -> str:
    return f"{number:02x}{day.day:02x}" * 7 + "face"


def sample_id(person: str, number: int) -> str:
    return f"{PEOPLE.index(person):02x}{number:02x}" * 7 + "5a5a"


def photo_uri(person: str, number: int) -> str:
    return f"file:///people/{person.replace(chr(39), '%27')}/{number}.jpg"


def photo_id(person: str, number: int) -> str:
    return f"{PEOPLE.index(person):02x}{number:02x}" * 7 + "b0b0"


def samples() -> dict[tuple[str, int], Array]:
    vectors = unit(2 * len(PEOPLE), seed=5, dimension=16)
    return {(person, at): vectors[2 * number + at] for number, person in enumerate(PEOPLE) for at in range(2)}


def faces() -> dict[tuple[date, int], Array]:
    """Of each day: two of the person, two of another, the others of nobody."""
    strange = iter(unit(2 * IMAGES, seed=6, dimension=16))
    known, found = samples(), {}
    for day in (DAY, NEXT_DAY):
        for number in range(IMAGES):
            vector = next(strange)
            person = {0: PERSON, 1: PERSON, 2: OTHER, 3: OTHER}.get(number)
            found[day, number] = vector if person is None else normalised(known[person, number % 2] + 0.2 * vector)
    return found


def put_lake(into: Rows, days: tuple[date, ...] = (DAY, NEXT_DAY)) -> None:
    """Images and their faces."""
    vectors = faces()
    for day in days:
        every = [{"image_id": image_id(day, at), "run_date": day} for at in range(IMAGES)]
        into.put("images", *[{**row, "uri": image_uri(day, at), "source": "gate"} for at, row in enumerate(every)])
        into.put(
            "faces",
            *[
                {**row, "face_id": face_id(day, at), "embedding": vectors[day, at].tolist()}
                for at, row in enumerate(every)
            ],
        )
        into.put("image_outcomes", *[{**row, "content_sha256": f"{at}{day}"} for at, row in enumerate(every)])


def put_people(into: Rows, people: tuple[str, ...] = PEOPLE) -> None:
    samples_of: list[Values] = []
    for (person, at), vector in samples().items():
        if person in people:
            samples_of.append(
                {
                    "sample_id": sample_id(person, at),
                    "person_id": person,
                    "name": NAME if person == PERSON else person,
                    "uri": photo_uri(person, at),
                    "embedding": vector.tolist(),
                }
            )
    into.put("gallery", *samples_of)
    into.put(
        "enrollments",
        *[
            {
                **{name: row[name] for name in ("sample_id", "person_id", "uri")},
                "photo_id": photo_id(str(row["person_id"]), int(str(row["uri"])[-5])),
                "content_sha256": f"sha of {row['sample_id']}",
                **_nearest(row, people),
            }
            for row in samples_of
        ],
    )


def _nearest(row: Values, people: tuple[str, ...]) -> Values:
    """Two photos are like the person: one of another is accepted all the same, one of a third is set aside."""
    if PERSON not in people or row["sample_id"] not in (sample_id(OTHER, 0), sample_id(THIRD, 1)):
        return {}
    near: Values = {"other_person_id": PERSON, "other_similarity": 0.4}
    if row["sample_id"] == sample_id(OTHER, 0):
        return near
    return {**near, "decision": "review", "reason": "resembles_another_person"}


def put_nights(context: Context, first: Rows | None = None, days: tuple[date, ...] = (DAY, NEXT_DAY)) -> None:
    """Images, people, and who was found; first: what else there is before that."""
    into = first or Rows()
    put_lake(into)
    put_people(into)
    put_contract(context)
    into.write(context)
    for day in days:
        identify(context, run_date=day, k=K)


def put_everything(context: Context) -> None:
    """Nights, decisions, investigations, clusters, calibrations; and rows that a killed run has left."""
    first, into = Rows(), Rows()
    first.put(
        "set_asides",
        *[
            {
                "sample_id": sample_id(person, 1),
                "gallery_name": "g",
                "person_id": person,
                "decision": "restored",
                "reason": reason,
                "decided_by": "eve",
                "decided_at": NOW,
            }
            for person, reason in ((PERSON, "it is they"), (THIRD, f"not {NAME}, as I thought"))
        ],
    )
    put_nights(context, first)
    put_decisions(into)
    put_investigations(into)
    put_clusters(into)
    put_calibration(into)
    put_unfinished(into)
    put_runs(into)
    into.write(context)


def put_decisions(into: Rows) -> None:
    of = {"reviewed_by": "eve", "reviewed_at": NOW, "signatures": 1}
    into.put(
        "reviews",
        {"review_id": "r1", "face_id": face_id(DAY, 0), "image_id": image_id(DAY, 0), "person_id": PERSON}
        | {"decision": "confirm", **of},
        {"review_id": "r2", "face_id": face_id(DAY, 2), "image_id": image_id(DAY, 2), "person_id": OTHER}
        | {"decision": "confirm", "reason": f"looks like {PERSON}. But is not.", **of},
        {"review_id": "r3", "face_id": face_id(DAY, 3), "image_id": image_id(DAY, 3), "person_id": OTHER}
        | {"decision": "unsure", **of},
    )
    pair = {"contract_id": CONTRACT, "settings_id": "s", "face": "largest", "threshold_id": "t"}
    pair |= {
        "threshold": 0.6,
        "review_threshold": 0.5,
        "outcome": "compared",
        "similarity": 0.1,
        "decision": "non_match",
    }
    compared = [(f"pair{at}", image_uri(DAY, at), image_id(DAY, at)) for at in (3, 4)]
    compared.append(("pair of them", photo_uri(PERSON, 0), photo_id(PERSON, 0)))
    into.put(
        "verifications",
        *[
            {
                "pair_id": name,
                "left_uri": uri,
                "left_image_id": image,
                "right_uri": image_uri(NEXT_DAY, 0),
                "right_image_id": image_id(NEXT_DAY, 0),
                "detail": "",
                **pair,
            }
            for name, uri, image in compared
        ],
    )


def put_investigations(into: Rows) -> None:
    of = {"asked_by": "eve", "purpose": "", "asked_at": NOW, "contract_id": CONTRACT, "settings_id": "s", "digests": {}}
    of |= {"searched": 9}
    questions = {
        "for them": {"person": PERSON},
        "with the image": {"photo": "gate 3.jpg"},
        "of the other": {"person": OTHER},
    }
    for name, question in questions.items():
        row = {"investigation": name, "kind": "search", "question": question, "findings": 2, **of}
        into.put("investigations", {**row, "purpose": f"is it {NAME}?" if name == "of the other" else ""})
    into.put(
        "investigations",
        {"investigation": "of a date", "kind": "identify", "question": {"run_date": str(DAY)}, "findings": 3, **of},
    )
    found = {"run_date": DAY, "contract_id": CONTRACT, "similarity": 0.5}

    def finding(investigation: str, asked: str, at: int, rank: int, **more: object) -> Values:
        face: Values = {"face_id": face_id(DAY, at), "image_id": image_id(DAY, at), "rank": rank}
        return {"investigation": investigation, "asked": asked, **face, **found, **more}

    into.put(
        "findings",
        finding("for them", PERSON, 0, 1, person_id=PERSON, decision="match", asked_uri=photo_uri(PERSON, 0)),
        finding("for them", PERSON, 5, 2),
        finding("with the image", "gate 3.jpg", 2, 1, person_id=OTHER, decision="match", asked_uri=image_uri(DAY, 3)),
        finding("of the other", OTHER, 3, 1, person_id=OTHER, decision="match", asked_uri=photo_uri(OTHER, 0)),
        finding("of the other", OTHER, 0, 2, person_id=PERSON, decision="match", asked_uri=photo_uri(OTHER, 0)),
        finding("of a date", PERSON, 0, 1, person_id=PERSON, gallery_name="g", sample_id=sample_id(PERSON, 0)),
        finding("of a date", OTHER, 0, 2, person_id=OTHER, gallery_name="g", sample_id=sample_id(OTHER, 0)),
        finding("of a date", OTHER, 3, 1, person_id=OTHER, gallery_name="g", sample_id=sample_id(OTHER, 1)),
    )


def put_clusters(into: Rows) -> None:
    """Two of faces of the image that is erased, one of which has no other face."""
    clusters = {"c0": (3,), "c1": (3 + IMAGES, 4, 5), "c2": (6, 7)}
    for name, numbers in clusters.items():
        members = [(NEXT_DAY if at >= IMAGES else DAY, at % IMAGES) for at in numbers]
        if name == "c1":
            members[0] = (DAY, 2)
        of = {"grouping": "unknown", "cluster_id": name, "contract_id": CONTRACT}
        into.put(
            "clusters",
            {
                **of,
                "faces": len(members),
                "images": len(members),
                "days": 1,
                "first_run_date": DAY,
                "last_run_date": DAY,
                "first_face_id": min(face_id(*at) for at in members),
            },
        )
        into.put(
            "cluster_members",
            *[{**of, "face_id": face_id(*at), "image_id": image_id(*at), "run_date": at[0]} for at in members],
        )
        change = {"change_id": f"of {name}", "faces_before": 0, "faces_after": len(members), "changed_at": NOW}
        other = "c0" if name == "c1" else None
        into.put(
            "cluster_changes",
            {**of, **change, "change": "split" if other else "born", "other_cluster_id": other},
        )
    said = {"grouping": "unknown", "decided_by": "eve", "decided_at": NOW, "reason": "", "other_faces": []}
    into.put(
        "cluster_decisions",
        {**said, "decision_id": "d1", "decision": "name", "cluster_ids": ["c0"], "faces": [face_id(DAY, 3)]}
        | {"name": "the man at the gate"},
        {**said, "decision_id": "d2", "decision": "together", "cluster_ids": ["c1"]}
        | {"faces": [face_id(DAY, 3), face_id(DAY, 4), face_id(DAY, 5)]},
        {**said, "decision_id": "d3", "decision": "name", "cluster_ids": ["c2"], "faces": [face_id(DAY, 6)]}
        | {"name": NAME},
    )


def put_calibration(into: Rows) -> None:
    vectors = samples()
    for name, people in (("with them", (PERSON, OTHER)), ("without", (OTHER, THIRD))):
        into.put(
            "cohorts",
            *[
                {
                    "cohort_id": name,
                    "person_id": person,
                    "size": 2,
                    "contract_id": CONTRACT,
                    "uri": photo_uri(person, 1),
                    "embedding": vectors[person, 1].tolist(),
                }
                for person in people
            ],
        )
        into.put("thresholds", {"threshold_id": f"by {name}", "cohort_id": name, "gallery_size": 1})
    into.put(
        "evaluations",
        {
            **{"evaluation_id": "e", "protocol": "pairs", "contract_id": CONTRACT, "settings_id": "s", "half": "both"},
            **{"data": f"/photos/{PERSON}/pairs.txt", "seed": 0, "metric": "accuracy", "grouped_by": "", "group": ""},
            **{"value": 0.5, "count": 9, "measured_at": NOW},
        },
    )


def put_unfinished(into: Rows) -> None:
    """What killed runs have left."""
    vectors = faces()
    face = {"ordinal": 0, "box": BOX, "landmarks": [(0.0, 0.0)] * 5, "score": 1.0, "quality": (50.0, *(0.0,) * 6)}
    into.put(
        "staged",
        *[
            {
                "slice_id": f"slice {at}",
                "image_id": image_id(DAY, at),
                "run_date": DAY,
                "contract_id": CONTRACT,
                "settings_id": "other",
                "outcome": "faces",
                "detail": "",
                "width": 9,
                "height": 9,
                "captured_at": NOW,
                "captured_at_source": "path",
                "face_count": 1,
                "precision": "fp32",
                "attempts": 1,
                "faces": [{**face, "face_id": face_id(DAY, at)[::-1], "embedding": vectors[DAY, at].tolist()}],
            }
            for at in (3, 4)
        ],
    )
    known = samples()
    into.put(
        "seen_photos",
        *[
            {
                "gallery_name": "g",
                "contract_id": CONTRACT,
                "settings_id": "s",
                "policy_id": "p",
                "person_id": person,
                "photo_id": photo_id(person, 0),
                "sample_id": sample_id(person, 0),
                "reason": "",
                "detail": "",
                "embedding": known[person, 0].tolist(),
            }
            for person in (PERSON, OTHER)
        ],
    )


def put_runs(into: Rows) -> None:
    for at, (job, arguments, error) in enumerate(
        [
            ("search", {"person": PERSON, "k": "5"}, None),
            ("show", {"name": f"/lake/{DAY}/gate 3.jpg"}, f"there is no image {image_uri(DAY, 3)}: look again"),
            ("explain", {"face_id": face_id(DAY, 3)}, None),
            ("search", {"person": OTHER}, f"nobody called {PERSON!r} is in force"),
        ]
    ):
        row = {"run_id": f"run {at}", "at": NOW, "job": job, "arguments": arguments, "seconds": 1.0}
        into.put("runs", {**row, "event": "started"}, {**row, "event": "failed", "error": error})


def needles_of_person() -> list[str]:
    return [
        *(PERSON, NAME),
        *[each(PERSON, at) for each in (sample_id, photo_uri, photo_id) for at in range(2)],
    ]


def needles_of_image() -> list[str]:
    here = (DAY, 3)
    return [image_uri(*here), f"/lake/{DAY}/gate 3.jpg", image_id(*here), face_id(*here), face_id(*here)[::-1]]


def rows_by_table(context: Context) -> dict[str, dict[str, str]]:
    """All rows of all tables but those of runs and erasures, by their keys, in full."""
    from schemas.catalog import TABLES

    found: dict[str, dict[str, str]] = {}
    for name, table in TABLES.items():
        if name in ("runs", "erasures", "erased") or not context.tables.exists(name):
            continue
        rows = context.tables.read(name).select(*sorted(table.names)).collect()
        found[name] = {repr(tuple(row[key] for key in table.key)): repr(row) for row in rows}
    return found
