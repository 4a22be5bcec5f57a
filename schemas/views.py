"""The questions that people ask most, as views: each a query over the tables, or over other views."""

from dataclasses import dataclass

from schemas.literals import quoted

_NEWEST_NAMES = """(
  SELECT gallery_name, person_id, max_by(name, enrolled_at) AS name FROM {gallery} WHERE name IS NOT NULL GROUP BY ALL
)"""
_SEEN_FACES = f"""
FROM {{identifications}} i
JOIN {{faces}} f ON f.face_id = i.face_id AND f.run_date = i.run_date
JOIN {{image_outcomes}} o
  ON o.image_id = f.image_id AND o.run_date = f.run_date
  AND o.contract_id = f.contract_id AND o.settings_id = f.settings_id
JOIN {{images}} m ON m.image_id = f.image_id AND m.run_date = f.run_date
LEFT JOIN {_NEWEST_NAMES} g ON g.gallery_name = i.gallery_name AND g.person_id = i.person_id
LEFT JOIN {{reviewed}} r
  ON r.face_id = i.face_id AND r.gallery_name = i.gallery_name AND r.person_id = i.person_id
"""
"""Faces that were compared with a gallery, with their images, the newest name of the nearest person, and what people
have decided about the two."""

_OF_FACES = ("identifications", "faces", "image_outcomes", "images", "gallery", "reviewed")


@dataclass(frozen=True)
class View:
    """One view. `row` says what one row is; `columns` have their comments in the order in which `query` selects them.

    reads: the tables and views in `query`, each written as {name}.
    """

    name: str
    row: str
    columns: dict[str, str]
    reads: tuple[str, ...]
    query: str
    examples: tuple[tuple[str, str], ...] = ()

    def create(self, places: dict[str, str]) -> str:
        """The statement that makes it in a schema. places: the names there of all tables and views."""
        columns = ", ".join(f"{name} COMMENT {quoted(said)}" for name, said in self.columns.items())
        return (
            f"CREATE OR REPLACE VIEW {places[self.name]} ({columns}) COMMENT {quoted(f'One row is {self.row}.')}"
            f" AS {self.query.format(**places)}"
        )


_IMAGE = {
    "run_date": "the day the data belongs to",
    "captured_at": "when the picture was taken, as far as that is known",
    "source": "the camera or feed, if one was named",
    "case_id": "the case, if one was named",
    "uri": "where the image is, percent-encoded",
    "image_id": "the image; see images",
}
_OF_IMAGE = "i.run_date, o.captured_at, m.source, m.case_id, m.uri, i.image_id"

REVIEWED = View(
    name="reviewed",
    row="one face and person about whom people have decided, and what that comes to: the last word of each counts",
    columns={
        "gallery_name": "the gallery",
        "person_id": "the person",
        "face_id": "the face; see faces",
        "state": "confirmed; awaits_signature, if more people must confirm; rejected; disputed, if some confirm and"
        " some reject; or unsure",
        "confirmed_by": "who confirms, sorted",
        "rejected_by": "who rejects, sorted",
        "unsure_by": "who is unsure, sorted",
        "signatures": "how many people must confirm, by the settings of the last decision",
        "decisions": "number of decisions, those that were changed since included; see reviews",
        "last_reviewed_at": "when the last of them was made",
    },
    reads=("reviews",),
    query="""
WITH last_words AS (
  SELECT gallery_name, person_id, face_id, reviewed_by, max_by(decision, struct(reviewed_at, review_id)) AS decision,
    max(struct(reviewed_at, review_id, signatures)) AS newest, count(*) AS decisions
  FROM {reviews}
  GROUP BY gallery_name, person_id, face_id, reviewed_by
), counted AS (
  SELECT gallery_name, person_id, face_id,
    array_sort(collect_list(reviewed_by) FILTER (WHERE decision = 'confirm')) AS confirmed_by,
    array_sort(collect_list(reviewed_by) FILTER (WHERE decision = 'reject')) AS rejected_by,
    array_sort(collect_list(reviewed_by) FILTER (WHERE decision = 'unsure')) AS unsure_by,
    max(newest) AS newest, sum(decisions) AS decisions
  FROM last_words
  GROUP BY gallery_name, person_id, face_id
)
SELECT gallery_name, person_id, face_id,
  CASE
    WHEN size(confirmed_by) > 0 AND size(rejected_by) > 0 THEN 'disputed'
    WHEN size(rejected_by) > 0 THEN 'rejected'
    WHEN size(confirmed_by) >= newest.signatures THEN 'confirmed'
    WHEN size(confirmed_by) > 0 THEN 'awaits_signature'
    ELSE 'unsure'
  END AS state,
  confirmed_by, rejected_by, unsure_by, newest.signatures, decisions, newest.reviewed_at AS last_reviewed_at
FROM counted
""",
    examples=(
        (
            "On which faces do people disagree?",
            "SELECT face_id, person_id, confirmed_by, rejected_by FROM reviewed WHERE state = 'disputed'",
        ),
    ),
)

FACE_DECISIONS = View(
    name="face_decisions",
    row="one face that was compared with a gallery: whom it is nearest to, and what was decided and reviewed",
    columns={
        "gallery_name": "the gallery",
        "person_id": "the nearest person; null if nobody is near",
        "name": "that person's name, the newest that was given",
        **_IMAGE,
        "face_id": "the face; see faces",
        "box": "where the face is, in pixels of the upright image",
        "quality": "size, sharpness and so on; see faces",
        "liveness": "advice of a network of one's own, which decides nothing; see faces",
        "decision": "match, review, unknown, or too_small",
        "review_state": "what people have decided about the face and that person, see reviewed; null if nobody has",
        "similarity": "cosine of the face and the sample that is nearest; null if nobody is near",
        "score": "what was compared with the thresholds",
        "threshold_id": "which calibration or setting the thresholds come from",
        "threshold": "the decision is match at or above this value",
        "review_threshold": "the decision is review at or above this value and below threshold",
        "margin": "similarity minus that of the second nearest person; null without one",
        "runner_up_person_id": "the second nearest person; null without one",
        "sample_id": "the sample that is nearest; see gallery",
        "contract_id": "the contract; see contracts",
        "run_id": "the run that decided; see run_history",
    },
    reads=_OF_FACES,
    query=f"""
SELECT i.gallery_name, i.person_id, g.name, {_OF_IMAGE}, i.face_id, f.box, i.quality, f.liveness, i.decision,
  r.state AS review_state, i.similarity, i.score, i.threshold_id, i.threshold, i.review_threshold, i.margin,
  i.runner_up_person_id, i.sample_id, i.contract_id, i.run_id
{_SEEN_FACES}
""",
    examples=(
        (
            "How many faces of a day had which decision, by camera?",
            "SELECT source, decision, count(*) AS faces FROM face_decisions WHERE run_date = DATE'2026-01-31'"
            " GROUP BY source, decision",
        ),
    ),
)

SIGHTINGS = View(
    name="sightings",
    row="one face that shows a person, by its similarity or because people confirm it; none that people reject",
    columns={
        "gallery_name": "the gallery",
        "person_id": "the person",
        "name": "the person's name, the newest that was given",
        **_IMAGE,
        "face_id": "the face; see faces",
        "box": "where the face is, in pixels of the upright image",
        "similarity": "cosine of the face and the sample that is nearest",
        "score": "what was compared with the threshold",
        "threshold": "the decision is match at or above this value",
        "margin": "similarity minus that of the second nearest person; null without one",
        "runner_up_person_id": "the second nearest person; null without one",
        "decision": "match; or what else was found, and people have confirmed nevertheless",
        "review_state": "what people have decided, see reviewed; null if nobody has",
        "sample_id": "the sample that is nearest; see gallery",
        "contract_id": "the contract; see contracts",
        "run_id": "the run that decided; see run_history",
    },
    reads=_OF_FACES,
    query=f"""
SELECT i.gallery_name, i.person_id, g.name, {_OF_IMAGE}, i.face_id, f.box, i.similarity, i.score, i.threshold, i.margin,
  i.runner_up_person_id, i.decision, r.state AS review_state, i.sample_id, i.contract_id, i.run_id
{_SEEN_FACES}
WHERE r.state = 'confirmed' OR (i.decision = 'match' AND r.state IS DISTINCT FROM 'rejected')
""",
    examples=(
        (
            "Where and when was a person seen?",
            "SELECT captured_at, source, uri, similarity FROM sightings WHERE person_id = 'obama' ORDER BY captured_at",
        ),
    ),
)

UNKNOWN_FACES = View(
    name="unknown_faces",
    row="one face that resembles nobody in a gallery, or is not who it resembles, as people say",
    columns={
        "gallery_name": "the gallery",
        **_IMAGE,
        "face_id": "the face; see faces",
        "box": "where the face is, in pixels of the upright image",
        "quality": "size, sharpness and so on; see faces",
        "nearest_person_id": "the nearest person, who is too far to be named; null if nobody is anywhere near",
        "similarity": "cosine of the face and that person's nearest sample; null without a person",
        "review_threshold": "from this value on a person would have looked",
        "contract_id": "the contract; see contracts",
        "run_id": "the run that decided; see run_history",
    },
    reads=_OF_FACES,
    query=f"""
SELECT i.gallery_name, {_OF_IMAGE}, i.face_id, f.box, i.quality, i.person_id AS nearest_person_id, i.similarity,
  i.review_threshold, i.contract_id, i.run_id
{_SEEN_FACES}
WHERE r.state = 'rejected' OR (i.decision = 'unknown' AND r.state IS DISTINCT FROM 'confirmed')
""",
    examples=(
        (
            "The largest unknown faces of a day",
            "SELECT face_id, uri, quality.size FROM unknown_faces WHERE run_date = DATE'2026-01-31'"
            " ORDER BY quality.size DESC LIMIT 10",
        ),
    ),
)

REVIEW_QUEUE = View(
    name="review_queue",
    row="one face or one enrolment photo that a person should look at",
    columns={
        "kind": "face or photo",
        "id": "the face_id of a face, the photo_id of a photo",
        "gallery_name": "the gallery",
        "person_id": "who the face may be; whose photo it is said to be",
        "name": "that person's name, if one was given",
        "other_person_id": "of a face, the second nearest person; of a photo, the other person it resembles",
        "similarity": "of a face, to that person; of a photo, to the other person",
        "threshold": "of a face, from where on it would be a match; null for a photo",
        "reason": "of a photo, why it was not accepted; of a face, between_thresholds, or what people have left open:"
        " awaits_signature, disputed, unsure",
        "run_date": "of a face, the day its image belongs to; null for a photo",
        "uri": "where the image or photo is, percent-encoded",
        "run_id": "the run that set it aside; see run_history",
    },
    reads=(*_OF_FACES, "enrollments"),
    query=f"""
SELECT 'face' AS kind, i.face_id AS id, i.gallery_name, i.person_id, g.name, i.runner_up_person_id AS other_person_id,
  i.similarity, i.threshold, coalesce(r.state, 'between_thresholds') AS reason, i.run_date, m.uri, i.run_id
{_SEEN_FACES}
WHERE r.state IN ('awaits_signature', 'disputed', 'unsure') OR (i.decision = 'review' AND r.state IS NULL)
UNION ALL
SELECT 'photo', e.photo_id, e.gallery_name, e.person_id, g.name, e.other_person_id, e.other_similarity, NULL, e.reason,
  NULL, e.uri, e.run_id
FROM {{enrollments}} e
LEFT JOIN {_NEWEST_NAMES} g ON g.gallery_name = e.gallery_name AND g.person_id = e.person_id
WHERE e.decision = 'review'
""",
    examples=(
        (
            "What is to be looked at, the likeliest first?",
            "SELECT kind, person_id, similarity, uri FROM review_queue ORDER BY similarity DESC",
        ),
    ),
)

PERSON_TIMELINE = View(
    name="person_timeline",
    row="one day on which one person was seen",
    columns={
        "gallery_name": "the gallery",
        "person_id": "the person",
        "name": "the person's name, the newest that was given",
        "run_date": "the day",
        "images": "number of images that show the person",
        "faces": "number of faces identified as the person",
        "first_captured_at": "the earliest picture of the day",
        "last_captured_at": "the latest picture of the day",
        "best_similarity": "the highest similarity of the day",
        "sources": "the cameras or feeds that saw the person, sorted",
    },
    reads=("sightings",),
    query="""
SELECT gallery_name, person_id, name, run_date, count(DISTINCT image_id) AS images, count(DISTINCT face_id) AS faces,
  min(captured_at) AS first_captured_at, max(captured_at) AS last_captured_at, max(similarity) AS best_similarity,
  sort_array(collect_set(source)) AS sources
FROM {sightings}
GROUP BY gallery_name, person_id, name, run_date
""",
    examples=(
        (
            "On which days was each person seen?",
            "SELECT person_id, run_date, images, best_similarity FROM person_timeline ORDER BY person_id, run_date",
        ),
    ),
)

CO_APPEARANCES = View(
    name="co_appearances",
    row="two persons who were seen in the same image, once",
    columns={
        "gallery_name": "the gallery",
        "person_id": "one of the two, the first in the order of ids",
        "other_person_id": "the other one",
        "images": "number of images that show both",
        "first_run_date": "the first day on which they were seen together",
        "last_run_date": "the last one",
    },
    reads=("sightings",),
    query="""
SELECT a.gallery_name, a.person_id, b.person_id AS other_person_id, count(DISTINCT a.image_id) AS images,
  min(a.run_date) AS first_run_date, max(a.run_date) AS last_run_date
FROM {sightings} a
JOIN {sightings} b
  ON b.image_id = a.image_id AND b.run_date = a.run_date AND b.gallery_name = a.gallery_name
  AND a.person_id < b.person_id
GROUP BY a.gallery_name, a.person_id, b.person_id
""",
    examples=(
        (
            "Who is seen with whom?",
            "SELECT person_id, other_person_id, images FROM co_appearances ORDER BY images DESC",
        ),
    ),
)

INVESTIGATION_FINDINGS = View(
    name="investigation_findings",
    row="one face that an investigation has found, with its image; none of faces that have been removed since",
    columns={
        "investigation": "the investigation; see investigations",
        "asked": "what the face is like: a face of a photo, a face of the lake, or a person",
        "asked_uri": "search: the photo that was asked with, percent-encoded",
        "asked_box": "search: where the face is in that photo",
        "rank": "1 is the most similar",
        "similarity": "cosine of the two faces",
        "strangers": "faces of strangers to be expected at this similarity or above; null if that is not known",
        "person_id": "identify: the person; search: who the face was identified as",
        "gallery_name": "the gallery, where a person of one is meant",
        "sample_id": "the sample of the gallery that is nearest",
        "decision": "of identify, at the time; null if the face was not identified",
        **_IMAGE,
        "face_id": "the face; see faces",
        "box": "where the face is, in pixels of the upright image",
        "contract_id": "the contract; see contracts",
        "run_id": "the run that found it; see run_history",
    },
    reads=("findings", "investigations", "faces", "image_outcomes", "images"),
    query="""
SELECT i.investigation, i.asked, i.asked_uri, i.asked_box, i.rank, i.similarity, i.strangers, i.person_id,
  i.gallery_name, i.sample_id, i.decision, i.run_date, o.captured_at, m.source, m.case_id, m.uri, i.image_id, i.face_id,
  f.box, i.contract_id, i.run_id
FROM {findings} i
JOIN {investigations} n ON n.investigation = i.investigation AND n.run_id = i.run_id
JOIN {faces} f ON f.face_id = i.face_id AND f.run_date = i.run_date
JOIN {image_outcomes} o
  ON o.image_id = f.image_id AND o.run_date = f.run_date
  AND o.contract_id = f.contract_id AND o.settings_id = f.settings_id
JOIN {images} m ON m.image_id = f.image_id AND m.run_date = f.run_date
""",
    examples=(
        (
            "What did an investigation find, and where?",
            "SELECT asked, rank, similarity, strangers, person_id, captured_at, source, uri FROM investigation_findings"
            " WHERE investigation = 'gate 3' ORDER BY asked, rank",
        ),
    ),
)

CLUSTER_NAMES = View(
    name="cluster_names",
    row="one cluster that people have named: the newest of its names; a name goes with most of the faces that it was"
    " given to",
    columns={
        "grouping": "which faces were grouped",
        "cluster_id": "the cluster; see clusters",
        "name": "the name",
        "named_by": "who gave it",
        "named_at": "when",
    },
    reads=("cluster_decisions", "cluster_members"),
    query="""
WITH named AS (
  SELECT grouping, decision_id, name, decided_by, decided_at, explode(faces) AS face_id
  FROM {cluster_decisions}
  WHERE decision = 'name'
), held AS (
  SELECT d.grouping, d.decision_id, d.name, d.decided_by, d.decided_at, m.cluster_id, count(*) AS faces,
    min(d.face_id) AS first
  FROM named d
  JOIN {cluster_members} m ON m.grouping = d.grouping AND m.face_id = d.face_id
  GROUP BY d.grouping, d.decision_id, d.name, d.decided_by, d.decided_at, m.cluster_id
), now AS (
  SELECT grouping, decision_id, name, decided_by, decided_at, min_by(cluster_id, struct(-faces, first)) AS cluster_id
  FROM held
  GROUP BY grouping, decision_id, name, decided_by, decided_at
)
SELECT grouping, cluster_id, max_by(name, struct(decided_at, decision_id)) AS name,
  max_by(decided_by, struct(decided_at, decision_id)) AS named_by, max(decided_at) AS named_at
FROM now
GROUP BY grouping, cluster_id
""",
    examples=(("Who has a name?", "SELECT name, cluster_id, named_by FROM cluster_names ORDER BY name"),),
)

CLUSTER_FACES = View(
    name="cluster_faces",
    row="one face in a cluster, with its image",
    columns={
        "grouping": "which faces were grouped",
        "cluster_id": "the cluster; see clusters",
        "name": "the name that people have given to the cluster",
        **_IMAGE,
        "face_id": "the face; see faces",
        "box": "where the face is, in pixels of the upright image",
        "quality": "size, sharpness and so on; see faces",
        "faces_in_image": "number of faces in the image",
        "contract_id": "the contract; see contracts",
        "run_id": "the run that put the face there; see run_history",
    },
    reads=("cluster_members", "faces", "image_outcomes", "images", "cluster_names"),
    query=f"""
SELECT i.grouping, i.cluster_id, n.name, {_OF_IMAGE}, i.face_id, f.box, f.quality, o.face_count AS faces_in_image,
  i.contract_id, i.run_id
FROM {{cluster_members}} i
JOIN {{faces}} f ON f.face_id = i.face_id AND f.run_date = i.run_date
JOIN {{image_outcomes}} o
  ON o.image_id = f.image_id AND o.run_date = f.run_date
  AND o.contract_id = f.contract_id AND o.settings_id = f.settings_id
JOIN {{images}} m ON m.image_id = f.image_id AND m.run_date = f.run_date
LEFT JOIN {{cluster_names}} n ON n.grouping = i.grouping AND n.cluster_id = i.cluster_id
""",
    examples=(
        (
            "In which images is somebody unknown?",
            "SELECT captured_at, source, uri FROM cluster_faces WHERE cluster_id = 'c' ORDER BY captured_at",
        ),
    ),
)

CLUSTER_TIMELINE = View(
    name="cluster_timeline",
    row="one day on which one cluster was seen",
    columns={
        "grouping": "which faces were grouped",
        "cluster_id": "the cluster; see clusters",
        "name": "the name that people have given to the cluster",
        "run_date": "the day",
        "images": "number of images that show one of its faces",
        "faces": "number of its faces",
        "first_captured_at": "the earliest picture of the day",
        "last_captured_at": "the latest picture of the day",
        "sources": "the cameras or feeds that saw it, sorted",
    },
    reads=("cluster_faces",),
    query="""
SELECT grouping, cluster_id, name, run_date, count(DISTINCT image_id) AS images, count(DISTINCT face_id) AS faces,
  min(captured_at) AS first_captured_at, max(captured_at) AS last_captured_at,
  sort_array(collect_set(source)) AS sources
FROM {cluster_faces}
GROUP BY grouping, cluster_id, name, run_date
""",
    examples=(
        (
            "On which days was somebody unknown seen?",
            "SELECT run_date, faces, sources FROM cluster_timeline WHERE cluster_id = 'c' ORDER BY run_date",
        ),
    ),
)

FREQUENT_STRANGERS = View(
    name="frequent_strangers",
    row="one cluster of faces that show nobody registered, which was seen on two days or more",
    columns={
        "cluster_id": "the cluster; see clusters",
        "name": "the name that people have given to it",
        "days": "number of days on which it was seen",
        "images": "number of images that show one of its faces",
        "faces": "number of its faces",
        "sources": "the cameras or feeds that saw it, sorted",
        "first_run_date": "the first of the days",
        "last_run_date": "the last of them",
        "nearest_person_id": "the registered person that one of its faces comes nearest to; null if nobody is near",
        "nearest_similarity": "how near",
        "contract_id": "the contract; see contracts",
    },
    reads=("cluster_faces", "identifications"),
    query="""
WITH near AS (
  SELECT face_id, max_by(person_id, similarity) AS person_id, max(similarity) AS similarity
  FROM {identifications} WHERE person_id IS NOT NULL GROUP BY face_id
)
SELECT c.cluster_id, c.name, count(DISTINCT c.run_date) AS days, count(DISTINCT c.image_id) AS images,
  count(DISTINCT c.face_id) AS faces, sort_array(collect_set(c.source)) AS sources, min(c.run_date) AS first_run_date,
  max(c.run_date) AS last_run_date, max_by(n.person_id, n.similarity) AS nearest_person_id,
  max(n.similarity) AS nearest_similarity, c.contract_id
FROM {cluster_faces} c
LEFT JOIN near n ON n.face_id = c.face_id
WHERE c.grouping = 'unknown'
GROUP BY c.cluster_id, c.name, c.contract_id
HAVING count(DISTINCT c.run_date) >= 2
""",
    examples=(
        (
            "Who comes again and again, and is not registered?",
            "SELECT cluster_id, name, days, sources FROM frequent_strangers WHERE days >= 3 ORDER BY days DESC",
        ),
    ),
)

REJECTED_IMAGES = View(
    name="rejected_images",
    row="one image that could not be searched for faces",
    columns={
        "reason": "why: truncated, too_large and so on",
        "detail": "more about the reason",
        "run_date": "the day the data belongs to",
        "source": "the camera or feed, if one was named",
        "case_id": "the case, if one was named",
        "uri": "where the image is, percent-encoded",
        "size": "size of the file in bytes",
        "attempts": "how many times it was tried; only what is unreadable is tried again",
        "image_id": "the image; see images",
        "contract_id": "the contract; see contracts",
        "settings_id": "the settings that decide which faces are found",
        "run_id": "the run that rejected it; see run_history",
    },
    reads=("image_outcomes", "images"),
    query="""
SELECT substr(o.outcome, length('rejected:') + 1) AS reason, o.detail, o.run_date, m.source, m.case_id, m.uri, m.size,
  o.attempts, o.image_id, o.contract_id, o.settings_id, o.run_id
FROM {image_outcomes} o
JOIN {images} m ON m.image_id = o.image_id AND m.run_date = o.run_date
WHERE o.outcome LIKE 'rejected:%'
""",
    examples=(("Why are images rejected?", "SELECT reason, count(*) FROM rejected_images GROUP BY reason"),),
)

RUN_HISTORY = View(
    name="run_history",
    row="one run of one job",
    columns={
        "job": "the job",
        "state": "finished, failed, or open: it runs, or was killed",
        "started_at": "when it started",
        "ended_at": "when it ended; null if it is open",
        "seconds": "how long it took; null if it is open",
        "arguments": "what it was asked to do",
        "counts": "how much it did, and the most memory its processes have used",
        "error": "why it failed, in one line; null if it did not",
        "run_id": "the run",
    },
    reads=("runs",),
    query="""
SELECT any_value(job) AS job, coalesce(max(event) FILTER (WHERE event != 'started'), 'open') AS state,
  min(at) FILTER (WHERE event = 'started') AS started_at, max(at) FILTER (WHERE event != 'started') AS ended_at,
  max(seconds) FILTER (WHERE event != 'started') AS seconds,
  any_value(arguments) FILTER (WHERE event = 'started') AS arguments,
  any_value(counts) FILTER (WHERE event != 'started') AS counts, max(error) AS error, run_id
FROM {runs}
GROUP BY run_id
""",
    examples=(
        (
            "What ran last, and how did it end?",
            "SELECT job, state, started_at, seconds, error FROM run_history ORDER BY started_at DESC LIMIT 10",
        ),
    ),
)

GALLERY_NOW = View(
    name="gallery_now",
    row="one person in force in one gallery",
    columns={
        "gallery_name": "the gallery",
        "person_id": "the person",
        "name": "the person's name, the newest that was given",
        "labels": "watch lists and similar groups that any of the samples is in, sorted",
        "samples": "number of samples in force, less those that are set aside",
        "valid_from": "first run_date on which any of them is searched; null if there is no first",
        "valid_to": "last run_date on which any of them is searched; null if there is no last",
        "first_enrolled_at": "when the oldest of them was enrolled",
        "last_enrolled_at": "when the newest of them was enrolled",
        "contract_id": "the contract; see contracts",
    },
    reads=("gallery", "set_asides"),
    query="""
WITH aside AS (
  SELECT sample_id FROM {set_asides} GROUP BY sample_id
  HAVING max_by(decision, struct(decided_at, run_id)) = 'set_aside'
)
SELECT gallery_name, person_id, max_by(name, enrolled_at) FILTER (WHERE name IS NOT NULL) AS name,
  array_sort(array_distinct(flatten(collect_list(labels)))) AS labels, count(*) AS samples,
  CASE WHEN count_if(valid_from IS NULL) = 0 THEN min(valid_from) END AS valid_from,
  CASE WHEN count_if(valid_to IS NULL) = 0 THEN max(valid_to) END AS valid_to,
  min(enrolled_at) AS first_enrolled_at, max(enrolled_at) AS last_enrolled_at, contract_id
FROM {gallery} g
LEFT ANTI JOIN aside a ON a.sample_id = g.sample_id
WHERE withdrawn_at IS NULL
GROUP BY gallery_name, person_id, contract_id
""",
    examples=(
        (
            "Who has only one photo?",
            "SELECT person_id, name FROM gallery_now WHERE samples = 1 ORDER BY person_id",
        ),
    ),
)

VIEWS = {
    view.name: view
    for view in (
        REVIEWED,
        FACE_DECISIONS,
        SIGHTINGS,
        UNKNOWN_FACES,
        REVIEW_QUEUE,
        PERSON_TIMELINE,
        CO_APPEARANCES,
        INVESTIGATION_FINDINGS,
        CLUSTER_NAMES,
        CLUSTER_FACES,
        CLUSTER_TIMELINE,
        FREQUENT_STRANGERS,
        REJECTED_IMAGES,
        RUN_HISTORY,
        GALLERY_NOW,
    )
}
