"""Every table of Rollcall."""

from schemas.table import Carries, Column, Table
from udfs.arrow import spark_type
from udfs.outcomes import OUTCOMES
from udfs.records import FACE

_UNIT = "abs(vector_norm(embedding) - 1.0) < 1e-3"  # refuses null and NaN as well
_ONE = "1.000001"  # the sum of products of two unit float32 vectors may pass 1 by 1e-7


def _any_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


_RUN_DATE = Column("run_date", "date", "the day the data belongs to, never the day a job ran")
_IMAGE_ID = Column(
    "image_id", "string", "one version of one file: hash of URI, size and modification time", carries="image"
)
_CONTRACT = Column(
    "contract_id", "string", "embeddings with the same contract can be compared; see contracts", carries="nothing"
)
_SETTINGS = Column(
    "settings_id",
    "string",
    "hash of the settings that decide which faces are found: smallest face, limits of images",
    carries="nothing",
)
_PERSON = Column("person_id", "string", "the person, as the owner of the gallery names them", carries="person")
_GALLERY = Column("gallery_name", "string", "the gallery", carries="nothing")
_RUN = Column("run_id", "string", "the run that wrote this row; see runs", carries="nothing")
_SAMPLE = Column(
    "sample_id", "string", "one photo of one person: hash of gallery, person, content, contract", carries="sample"
)

IMAGES = Table(
    name="images",
    row="one version of one file in the lake",
    written_by="ingest",
    columns=(
        _IMAGE_ID,
        Column(
            "uri",
            "string",
            "where the file is, percent-encoded; a name that is not UTF-8 is encoded byte by byte",
            carries="uri",
        ),
        Column("size", "bigint", "size of the file in bytes"),
        Column("modified_us", "bigint", "modification time, microseconds since 1970 UTC"),
        Column("regular", "boolean", "false for pipes, sockets and devices, which are never opened"),
        Column("run_date", "date", "from {run_date} in the source, else the modification date (UTC)"),
        Column("captured_at", "timestamp", "from {captured_at} in the source, if it names one", nullable=True),
        Column(
            "source",
            "string",
            "a camera or feed: --source-name, or {source} in the source",
            nullable=True,
            carries="place",
        ),
        Column("case_id", "string", "a case: --case-id, or {case_id} in the source", nullable=True, carries="place"),
        Column(
            "content_table",
            "string",
            "the table that holds the image's bytes; null if they are a file",
            nullable=True,
            carries="place",
        ),
        _RUN,
    ),
    key=("image_id",),
    partition_by=("run_date",),
    constraints={"size_not_negative": "size >= 0"},
    examples=(
        (
            "How many images each day brought",
            "SELECT run_date, count(*) FROM images GROUP BY run_date ORDER BY run_date",
        ),
    ),
)

IMAGE_OUTCOMES = Table(
    name="image_outcomes",
    row="what became of one image under one contract and settings",
    written_by="embed (last, after faces)",
    columns=(
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        _SETTINGS,
        Column("outcome", "string", "faces, no_face, or rejected:<reason>", carries="nothing"),
        Column(
            "detail",
            "string",
            "more about a rejection; of other outcomes, what was not as it should be; empty if there is nothing to add",
            carries="words",
        ),
        Column(
            "content_sha256",
            "string",
            "digest of the bytes; null if they were not read",
            nullable=True,
            carries="content",
        ),
        Column("width", "int", "pixels of the upright image; 0 if unknown"),
        Column("height", "int", "pixels of the upright image; 0 if unknown"),
        Column("captured_at", "timestamp", "when the picture was taken, as far as that is known"),
        Column(
            "captured_at_source",
            "string",
            "where captured_at comes from: path, exif, or modified (the modification time)",
            carries="nothing",
        ),
        Column("face_count", "int", "number of faces found"),
        Column("precision", "string", "fp32 or bf16: numeric precision of the embedder", carries="nothing"),
        Column(
            "detector_precision",
            "string",
            "the same of the detector; null in rows of older releases, where it was that of the embedder",
            nullable=True,
            carries="nothing",
        ),
        Column("attempts", "int", "how many times it was tried; only rejected:unreadable is tried again"),
        _RUN,
    ),
    key=("image_id", "contract_id", "settings_id"),
    partition_by=("run_date",),
    constraints={
        "known_outcome": _any_of("outcome", OUTCOMES),
        "faces_are_counted": "(outcome = 'faces') = (face_count > 0)",
        "known_captured_at_source": _any_of("captured_at_source", ("path", "exif", "modified")),
        "known_precision": _any_of("precision", ("fp32", "bf16")),
    },
    examples=(
        (
            "Why images were rejected",
            "SELECT outcome, count(*) FROM image_outcomes WHERE outcome LIKE 'rejected:%' GROUP BY outcome",
        ),
    ),
)


def _of_face(name: str, comment: str, carries: Carries | None = None) -> Column:
    return Column(name, spark_type(FACE.field(name).type), comment, carries=carries)


_FACE_COLUMNS = (
    _of_face(
        "ordinal",
        "number of the face in its image, from 0, in the order of the box's top and then left edge, both rounded",
        carries="nothing",
    ),
    _of_face("box", "where the face is, in pixels of the upright image", carries="features"),
    _of_face(
        "landmarks",
        "left eye, right eye, nose, left and right corner of the mouth, as a viewer sees them, in pixels",
        carries="features",
    ),
    _of_face("score", "how sure the detector is that this is a face, 0 to 1"),
    _of_face(
        "quality",
        "size: shorter side of the box in pixels; sharpness: variance of the Laplacian of the crop; brightness: 0 to"
        " 255; clipped: share of pixels that are nearly black or white; yaw: distance of the nose from the middle"
        " between the eyes, divided by the distance between the eyes; pitch: distance of the nose from half-way"
        " between eyes and mouth, divided by the distance from eyes to mouth; roll: degrees by which the line through"
        " the eyes is tilted",
        carries="features",
    ),
)
_EMBEDDING = _of_face(
    "embedding", "a vector of length 1, so that the inner product of two is their cosine", carries="embedding"
)

FACES = Table(
    name="faces",
    row="one face found in one image",
    written_by="embed",
    columns=(
        Column("face_id", "string", "hash of image, contract, settings and ordinal", carries="face"),
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        _SETTINGS,
        *_FACE_COLUMNS,
        Column(
            "liveness",
            "double",
            "advice: how likely the face is that of a live person and no picture of one, by the network that the settings"
            " name ([liveness]); null where there was none. Nothing is decided by it",
            nullable=True,
            carries="features",
        ),
        _EMBEDDING,
        _RUN,
    ),
    key=("face_id",),
    partition_by=("run_date",),
    constraints={"embedding_has_unit_length": _UNIT, "five_landmarks": "size(landmarks) = 5"},
    examples=(
        (
            "The largest faces of a day",
            "SELECT face_id, quality.size FROM faces WHERE run_date = DATE'2026-01-31' ORDER BY quality.size DESC LIMIT 10",
        ),
    ),
)

STAGED = Table(
    name="staged",
    row="one image that `embed` has computed and not yet committed; the table is empty between runs, unless a killed run left rows for the next run with the same models and dates",
    written_by="embed",
    columns=(
        Column("slice_id", "string", "hash of the run and of the images in the slice", carries="nothing"),
        *IMAGE_OUTCOMES.columns,
        Column("faces", f"array<{spark_type(FACE)}>", "the faces found", carries="embedding"),
        Column(
            "liveness",
            "array<double>",
            "that of each of the faces; null without any",
            nullable=True,
            carries="features",
        ),
    ),
    key=("slice_id", "image_id"),
    partition_by=("slice_id",),
)

CONTRACTS = Table(
    name="contracts",
    row="one contract: everything that makes two embeddings comparable",
    written_by="embed, enroll",
    columns=(
        Column("contract_id", "string", "SHA-256 of the document's canonical JSON", carries="nothing"),
        Column("detector", "string", "the detector's name", carries="nothing"),
        Column("embedder", "string", "the embedder's name; every threshold is for one embedder", carries="nothing"),
        Column("dimension", "int", "number of values in one of its embeddings"),
        Column(
            "document",
            "string",
            "the components, their revisions and the digests of their weights, as JSON",
            carries="nothing",
        ),
    ),
    key=("contract_id",),
)

DECISIONS_ON_ENROLMENT = ("accepted", "review", "refused")
ENROLMENT_REASONS = (
    "",
    "no_face",
    "several_faces",
    "too_small",
    "too_blurred",
    "resembles_another_person",
    *(o for o in OUTCOMES if o.startswith("rejected:")),
)

ENROLLMENTS = Table(
    name="enrollments",
    row="what became of one enrolment photo",
    written_by="enroll",
    columns=(
        _SAMPLE,
        _GALLERY,
        _PERSON,
        Column("uri", "string", "the photo, percent-encoded", carries="uri"),
        Column(
            "photo_id",
            "string",
            "one version of the photo's file: hash of URI, size, modification time",
            carries="image",
        ),
        Column(
            "content_sha256",
            "string",
            "digest of the bytes; null if they were not read",
            nullable=True,
            carries="content",
        ),
        _CONTRACT,
        _SETTINGS,
        Column(
            "policy_id",
            "string",
            "hash of the rules for photos under which this was decided; null if an older release has decided",
            nullable=True,
            carries="nothing",
        ),
        Column("decision", "string", "accepted, review, or refused", carries="nothing"),
        Column("reason", "string", "why it was not accepted; empty if it was", carries="nothing"),
        Column("detail", "string", "more about the reason; empty if there is nothing to add", carries="words"),
        Column(
            "own_similarity",
            "double",
            "similarity to the nearest other sample of the same person; null if that was not looked for",
            nullable=True,
        ),
        Column(
            "other_person_id",
            "string",
            "the nearest other person; null if that was not looked for",
            nullable=True,
            carries="person",
        ),
        Column("other_similarity", "double", "similarity to the nearest sample of that other person", nullable=True),
        _RUN,
    ),
    key=("sample_id", "photo_id"),
    constraints={
        "known_decision": _any_of("decision", DECISIONS_ON_ENROLMENT),
        "known_reason": _any_of("reason", ENROLMENT_REASONS),
        "accepted_needs_no_reason": "(decision = 'accepted') = (reason = '')",
    },
    examples=(
        (
            "Photos that need a look",
            "SELECT person_id, uri, other_person_id, other_similarity FROM enrollments WHERE decision = 'review'",
        ),
    ),
)

SEEN_PHOTOS = Table(
    name="seen_photos",
    row="one photo of a person that `enroll` has looked at and not yet judged; no row of a gallery is left when an"
    " enrolment of it has ended, and rows that a killed run left are taken up by the next one",
    written_by="enroll",
    columns=(
        _GALLERY,
        _CONTRACT,
        _SETTINGS,
        Column(
            "policy_id",
            "string",
            "hash of what decides which face of a photo is taken, and what it must be",
            carries="nothing",
        ),
        _PERSON,
        Column(
            "photo_id",
            "string",
            "one version of the photo's file: hash of URI, size, modification time",
            carries="image",
        ),
        _SAMPLE,
        Column(
            "content_sha256",
            "string",
            "digest of the bytes; null if they were not read",
            nullable=True,
            carries="content",
        ),
        Column("reason", "string", "why the photo is refused; empty if it is not", carries="nothing"),
        Column("detail", "string", "more about the reason; empty if there is nothing to add", carries="words"),
        Column(
            "box",
            spark_type(FACE.field("box").type),
            "where the person's face is, as in faces; null if the photo is refused, or an older release has seen it",
            nullable=True,
            carries="features",
        ),
        Column(
            "quality",
            spark_type(FACE.field("quality").type),
            "quality of the person's face, as in faces; null if the photo is refused",
            nullable=True,
            carries="features",
        ),
        Column(
            "embedding",
            spark_type(FACE.field("embedding").type),
            "embedding of that face, as in faces; null if the photo is refused",
            nullable=True,
            carries="embedding",
        ),
        _RUN,
    ),
    key=("sample_id", "photo_id", "settings_id", "policy_id"),
    partition_by=("gallery_name",),
    constraints={
        "refused_or_a_face": "(reason = '') = (embedding IS NOT NULL)",
        "embedding_has_unit_length": f"embedding IS NULL OR {_UNIT}",
    },
)

_LABELS = Column("labels", "array<string>", "names of watch lists and similar groups, sorted", carries="labels")
_VALID_FROM = Column(
    "valid_from", "date", "first run_date on which it is searched; null if there is no first", nullable=True
)
_VALID_TO = Column("valid_to", "date", "last run_date on which it is searched; null if there is no last", nullable=True)
_EMBEDDING_DIGEST = Column(
    "embedding_digest",
    "bigint",
    "xxhash64(embedding): shows that an embedding has changed without reading embeddings",
    carries="embedding digest",
)

GALLERY = Table(
    name="gallery",
    row="one accepted sample of one person",
    written_by="enroll",
    columns=(
        _SAMPLE,
        _GALLERY,
        _PERSON,
        Column("name", "string", "the person's name, for people to read", nullable=True, carries="name"),
        _LABELS,
        _VALID_FROM,
        _VALID_TO,
        Column("uri", "string", "the photo, percent-encoded", carries="uri"),
        _CONTRACT,
        Column(
            "box",
            spark_type(FACE.field("box").type),
            "where the face is in the photo, as in faces; null if an older release has enrolled it",
            nullable=True,
            carries="features",
        ),
        Column(
            "quality", spark_type(FACE.field("quality").type), "quality of the face, as in faces", carries="features"
        ),
        _EMBEDDING,
        _EMBEDDING_DIGEST,
        Column(
            "enrolled_at",
            "timestamp",
            "when it was enrolled, by the clock of the computer; never compared with run_date",
        ),
        Column(
            "withdrawn_at",
            "timestamp",
            "when it was withdrawn, by the clock of the computer; null if it was not",
            nullable=True,
        ),
        _RUN,
    ),
    key=("sample_id",),
    constraints={
        "embedding_has_unit_length": _UNIT,
        "embedding_has_its_digest": "embedding_digest = xxhash64(embedding)",
        "validity_is_a_span": "valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to",
    },
    examples=(
        (
            "Who is registered",
            "SELECT gallery_name, person_id, any_value(name), count(*) AS samples FROM gallery WHERE withdrawn_at IS NULL GROUP BY ALL",
        ),
    ),
)

SET_ASIDE, RESTORED = "set_aside", "restored"

SET_ASIDES = Table(
    name="set_asides",
    row="one decision of one person that a sample is set aside, and found by no search, or that it is restored; the last"
    " one counts",
    written_by="gallery; append-only",
    columns=(
        _SAMPLE,
        _GALLERY,
        _PERSON,
        Column("decision", "string", "set_aside, or restored", carries="nothing"),
        Column("reason", "string", "why, in the words of who decided; empty if nothing was said", carries="words"),
        Column("decided_by", "string", "who decided", carries="operator"),
        Column("decided_at", "timestamp", "when it was decided, by the clock of the computer"),
        _RUN,
    ),
    key=("sample_id", "run_id"),
    constraints={
        "known_decision": _any_of("decision", (SET_ASIDE, RESTORED)),
        "somebody_has_decided": "decided_by != ''",
    },
    examples=(
        (
            "Which samples are set aside now, and why?",
            "SELECT person_id, sample_id, max_by(reason, decided_at) AS reason FROM set_asides"
            " GROUP BY person_id, sample_id HAVING max_by(decision, decided_at) = 'set_aside'",
        ),
    ),
)

_SIMILARITY = "cosine of the two embeddings (their inner product): higher is more alike"

MATCHES = Table(
    name="matches",
    row="one of the persons nearest to one face, with the person's sample that is nearest",
    written_by="identify",
    columns=(
        Column("face_id", "string", "the face", carries="face"),
        _GALLERY,
        _PERSON,
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        Column("rank", "int", "1 is the nearest person"),
        Column("sample_id", "string", "the person's nearest sample", carries="sample"),
        Column("similarity", "double", _SIMILARITY),
        _RUN,
    ),
    key=("face_id", "gallery_name", "person_id"),
    order_by=("person_id",),
    partition_by=("run_date",),
    constraints={
        "similarity_is_a_cosine": f"similarity BETWEEN -{_ONE} AND {_ONE}",
        "rank_counts_from_one": "rank >= 1",
    },
    examples=(
        (
            "Where else was this person seen?",
            "SELECT m.run_date, i.uri, m.similarity FROM matches m JOIN images i USING (image_id)"
            " WHERE m.person_id = 'obama' AND m.rank = 1 ORDER BY m.similarity DESC",
        ),
    ),
)

DECISIONS = ("match", "review", "unknown", "too_small")
"""The most certain first."""

_THRESHOLD = (
    Column("threshold_id", "string", "which calibration or setting the thresholds come from", carries="nothing"),
    Column("threshold", "double", "the decision is match at or above this value"),
    Column("review_threshold", "double", "the decision is review at or above this value and below threshold"),
)

IDENTIFICATIONS = Table(
    name="identifications",
    row="the decision for one face against one gallery",
    written_by="identify (after matches)",
    columns=(
        Column("face_id", "string", "the face", carries="face"),
        _GALLERY,
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        Column(
            "quality", spark_type(FACE.field("quality").type), "quality of the face, as in faces", carries="features"
        ),
        Column(
            "decision",
            "string",
            "match, review, or unknown; too_small if the face was too small to search for",
            carries="nothing",
        ),
        Column(
            "person_id",
            "string",
            "the nearest person; null if nobody is at or above keep_floor (see searches)",
            nullable=True,
            carries="person",
        ),
        Column(
            "sample_id",
            "string",
            "that person's nearest sample; null without a person",
            nullable=True,
            carries="sample",
        ),
        Column("similarity", "double", _SIMILARITY, nullable=True),
        Column(
            "runner_up_person_id",
            "string",
            "the second nearest person; null if no second one is at or above keep_floor",
            nullable=True,
            carries="person",
        ),
        Column(
            "margin",
            "double",
            "similarity minus the similarity of the second nearest person; null without one",
            nullable=True,
        ),
        Column(
            "cohort_similarity",
            "double",
            "mean similarity to the nearest persons of the calibration's cohort (see cohorts); null without a cohort",
            nullable=True,
        ),
        Column(
            "score",
            "double",
            "similarity minus cohort_similarity, if there is one: the value that is compared with the thresholds",
            nullable=True,
        ),
        *_THRESHOLD,
        _RUN,
    ),
    key=("face_id", "gallery_name"),
    partition_by=("run_date",),
    constraints={
        "known_decision": _any_of("decision", DECISIONS),
        "similarity_is_a_cosine": f"similarity IS NULL OR similarity BETWEEN -{_ONE} AND {_ONE}",
        "score_is_what_is_decided_by": "score <=> similarity - coalesce(cohort_similarity, 0)",
        "a_match_names_someone": "decision IN ('unknown', 'too_small') OR person_id IS NOT NULL",
        "too_small_names_no_one": "decision != 'too_small' OR person_id IS NULL",
    },
    examples=(
        (
            "Who was seen on a day",
            "SELECT person_id, count(*) AS faces, max(similarity) AS best FROM identifications"
            " WHERE run_date = DATE'2026-01-31' AND decision = 'match' GROUP BY person_id",
        ),
    ),
)

_GALLERY_DIGEST = Column(
    "gallery_digest",
    "string",
    "hash of the gallery: its samples, persons, validity, labels and embeddings",
    carries="digest",
)

CLAIMED = ""
"""The search_id of a date while a run changes its rows. It stays if that run is killed."""

SEARCHES = Table(
    name="searches",
    row="how the identifications of one date against one gallery were made: contract, search settings, and gallery",
    written_by="identify (first and last)",
    columns=(
        _GALLERY,
        _RUN_DATE,
        _CONTRACT,
        Column(
            "search_id",
            "string",
            "hash of the contract and of the five columns that follow; empty while a run changes the date's rows",
            carries="nothing",
        ),
        Column("k", "int", "how many persons are kept for each face"),
        Column("keep_floor", "double", "similarity below which persons are not kept"),
        Column("minimum_size", "double", "size in pixels below which faces are not searched for"),
        Column(
            "labels",
            "array<string>",
            "only samples with one of these labels were searched; empty: all samples",
            carries="labels",
        ),
        Column("exclude_self", "boolean", "whether samples of a face's own photo were left out"),
        *_THRESHOLD,
        _GALLERY_DIGEST,
        Column("gallery_samples", "bigint", "number of samples in the gallery, whether valid on the date or not"),
        Column("persons", "bigint", "number of persons that were searched"),
        _RUN,
    ),
    key=("gallery_name", "run_date"),
    partition_by=("run_date",),
    examples=(
        (
            "Dates that were identified with another state of the gallery than the newest date",
            "SELECT gallery_name, run_date, persons FROM searches s WHERE gallery_digest !="
            " (SELECT max_by(gallery_digest, run_date) FROM searches n WHERE n.gallery_name = s.gallery_name)",
        ),
    ),
)

SEARCHED_SAMPLES = Table(
    name="searched_samples",
    row="one sample of a gallery as it was when a date was searched: a later run compares the gallery with these rows to find what has changed",
    written_by="identify",
    columns=(
        _GALLERY_DIGEST,
        _GALLERY,
        _SAMPLE,
        _PERSON,
        _VALID_FROM,
        _VALID_TO,
        _LABELS,
        _EMBEDDING_DIGEST,
    ),
    key=("gallery_digest", "sample_id"),
    partition_by=("gallery_digest",),
)

REVIEW_DECISIONS = ("confirm", "reject", "unsure")

REVIEWS = Table(
    name="reviews",
    row="one decision of one person about whether a face shows the person it was found to be nearest to; a decision that"
    " contradicts an earlier one stands beside it",
    written_by="review; append-only",
    columns=(
        Column("review_id", "string", "the decision", carries="nothing"),
        Column("face_id", "string", "the face", carries="face"),
        _GALLERY,
        _PERSON,
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        Column("similarity", "double", "of the face and that person, when it was decided", nullable=True),
        Column("decision", "string", "confirm, reject, or unsure", carries="nothing"),
        Column("reviewed_by", "string", "who decided", carries="operator"),
        Column("reviewed_at", "timestamp", "when it was decided, by the clock of the computer"),
        Column("reason", "string", "why, in the words of who decided; empty if nothing was said", carries="words"),
        Column("signatures", "int", "how many people had to confirm, by the settings of the time"),
        _RUN,
    ),
    key=("review_id",),
    constraints={
        "known_decision": _any_of("decision", REVIEW_DECISIONS),
        "somebody_has_signed": "reviewed_by != ''",
        "signatures_are_asked_for": "signatures >= 1",
    },
    examples=(
        (
            "Who has decided what, the newest first",
            "SELECT reviewed_at, reviewed_by, decision, person_id, face_id, reason FROM reviews"
            " ORDER BY reviewed_at DESC LIMIT 20",
        ),
    ),
)

INVESTIGATIONS = Table(
    name="investigations",
    row="one question that somebody has put to the lake under a name",
    written_by="search --investigation, identify --investigation (after findings); close",
    columns=(
        Column("investigation", "string", "the name that was given; there are no two of a name", carries="words"),
        Column("kind", "string", "search (of all faces ever seen), or identify (against a gallery)", carries="nothing"),
        Column("asked_by", "string", "who asked", carries="operator"),
        Column("purpose", "string", "why, in the words of who asked; empty if nothing was said", carries="words"),
        Column("case_id", "string", "the case, if one was named", nullable=True, carries="place"),
        Column("asked_at", "timestamp", "when it was asked, by the clock of the computer"),
        Column(
            "question",
            "map<string, string>",
            "what was asked: photos, faces or persons, dates, limits",
            carries="words",
        ),
        _CONTRACT,
        _SETTINGS,
        Column(
            "digests",
            "map<string, string>",
            "hashes of what was searched: faces, or gallery; and of each photo that was asked with",
            carries="digest",
        ),
        Column("searched", "bigint", "number of faces (search), or of samples (identify), that were compared with"),
        Column("findings", "bigint", "number of rows in findings"),
        Column(
            "closed_at",
            "timestamp",
            "when it was closed, by the clock of the computer; null while it is open, and holds the faces it has found"
            " beyond their time",
            nullable=True,
        ),
        Column("closed_by", "string", "who has closed it; null while it is open", nullable=True, carries="operator"),
        _RUN,
    ),
    key=("investigation",),
    constraints={
        "known_kind": _any_of("kind", ("search", "identify")),
        "somebody_has_asked": "asked_by != ''",
    },
    examples=(
        (
            "Which investigations are open, and hold what they have found?",
            "SELECT investigation, asked_by, purpose, findings, asked_at FROM investigations WHERE closed_at IS NULL"
            " ORDER BY asked_at",
        ),
        (
            "Who has searched for what, and why?",
            "SELECT asked_at, asked_by, purpose, case_id, question, findings FROM investigations ORDER BY asked_at DESC",
        ),
    ),
)

FINDINGS = Table(
    name="findings",
    row="one face that an investigation has found, and whom or what it is like; of the run that made the investigation",
    written_by="search --investigation, identify --investigation",
    columns=(
        Column("investigation", "string", "the investigation; see investigations", carries="words"),
        Column(
            "asked",
            "string",
            "what the face is like: a face of a photo, a face of the lake, or a person",
            carries="words",
        ),
        Column(
            "asked_uri",
            "string",
            "search: the photo that was asked with; percent-encoded",
            nullable=True,
            carries="uri",
        ),
        Column(
            "asked_box",
            spark_type(FACE.field("box").type),
            "search: where the face is in that photo",
            nullable=True,
            carries="features",
        ),
        Column("face_id", "string", "the face that was found; see faces", carries="face"),
        Column("rank", "int", "search: 1 is the face most like what was asked; identify: 1 is the nearest person"),
        Column("similarity", "double", _SIMILARITY),
        Column(
            "strangers",
            "double",
            "number of faces of strangers that are to be expected among those searched at this similarity or above;"
            " null if that is not known",
            nullable=True,
        ),
        Column(
            "gallery_name", "string", "the gallery, where a person of one is meant", nullable=True, carries="nothing"
        ),
        Column(
            "person_id",
            "string",
            "identify: the person; search: who the face was identified as",
            nullable=True,
            carries="person",
        ),
        Column("sample_id", "string", "the sample of the gallery that is nearest", nullable=True, carries="sample"),
        Column(
            "decision",
            "string",
            "of identify, at the time; null if it was not identified",
            nullable=True,
            carries="nothing",
        ),
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        _RUN,
    ),
    key=("investigation", "asked", "face_id", "rank", "run_id"),
    constraints={
        "similarity_is_a_cosine": f"similarity BETWEEN -{_ONE} AND {_ONE}",
        "rank_counts_from_one": "rank >= 1",
    },
    examples=(
        (
            "What was found?",
            "SELECT asked, rank, similarity, strangers, person_id, run_date, face_id FROM findings"
            " WHERE investigation = 'gate 3' ORDER BY asked, rank",
        ),
    ),
)

VERIFICATIONS = Table(
    name="verifications",
    row="two images that were compared under one contract and settings",
    written_by="verify",
    columns=(
        Column(
            "pair_id", "string", "hash of both images, contract, settings, and the choice of face", carries="nothing"
        ),
        Column("left_uri", "string", "the left image, percent-encoded", carries="uri"),
        Column("right_uri", "string", "the right image, percent-encoded", carries="uri"),
        Column("left_image_id", "string", "one version of the left file, as in images", carries="image"),
        Column("right_image_id", "string", "one version of the right file, as in images", carries="image"),
        _CONTRACT,
        _SETTINGS,
        Column(
            "face",
            "string",
            "which face is compared if an image shows several: largest, middle, or only (then none is)",
            carries="nothing",
        ),
        Column(
            "outcome",
            "string",
            "compared; or which side has no face to compare and why, such as left:no_face",
            carries="nothing",
        ),
        Column("detail", "string", "more about the outcome; empty if there is nothing to add", carries="words"),
        Column("similarity", "double", _SIMILARITY, nullable=True),
        Column(
            "decision", "string", "match, review, or non_match; null if not compared", nullable=True, carries="nothing"
        ),
        Column(
            "probability",
            "double",
            "probability that both show the same person, if that is as likely as not beforehand",
            nullable=True,
        ),
        Column(
            "probability_source",
            "string",
            "which calibration or setting the probability comes from",
            nullable=True,
            carries="nothing",
        ),
        *_THRESHOLD,
        _RUN,
    ),
    key=("pair_id",),
    constraints={
        "known_decision": "decision IS NULL OR " + _any_of("decision", ("match", "review", "non_match")),
        "decided_if_compared": "(outcome = 'compared') = (decision IS NOT NULL AND similarity IS NOT NULL)",
        "probability_is_one": "probability IS NULL OR probability BETWEEN 0 AND 1",
    },
    examples=(
        (
            "Pairs that could not be compared",
            "SELECT outcome, count(*) FROM verifications WHERE outcome != 'compared' GROUP BY outcome",
        ),
    ),
)

THRESHOLDS = Table(
    name="thresholds",
    row="one threshold that keeps an error rate that was asked for, and how certain the threshold is",
    written_by="calibrate; append-only",
    columns=(
        Column("threshold_id", "string", "the threshold; rows that were decided by it name it", carries="nothing"),
        Column(
            "protocol",
            "string",
            "open-set (1:N, the error rate is FPIR) or pairs (1:1, the error rate is FMR)",
            carries="nothing",
        ),
        _CONTRACT,
        Column("gallery_size", "int", "persons in the gallery; null for pairs", nullable=True),
        Column("target", "double", "the error rate that was asked for"),
        Column("threshold", "double", "the decision is match at or above this value"),
        Column("threshold_low", "double", "lower end of the threshold's 95% interval, over samples of as many persons"),
        Column("threshold_high", "double", "upper end of that interval"),
        Column(
            "rate_low",
            "double",
            "lower end of a 95% interval: if counted, of what other evaluations would find as the error rate; if extrapolated, of the error rate itself",
        ),
        Column("rate_high", "double", "upper end of that interval"),
        Column("review_target", "double", "the error rate at which a person should look"),
        Column("review_threshold", "double", "the decision is review at or above this value and below threshold"),
        Column(
            "cohort_id",
            "string",
            "the cohort by which similarities are normalised; null: they are not normalised",
            nullable=True,
            carries="nothing",
        ),
        Column(
            "method",
            "string",
            "counted (on galleries drawn from the data), or extrapolated (from the highest similarities in them)",
            carries="nothing",
        ),
        Column(
            "intercept",
            "double",
            "pairs only: the logit of the probability is this value plus slope times similarity",
            nullable=True,
        ),
        Column("slope", "double", "pairs only: see intercept", nullable=True),
        Column(
            "stranger_rates",
            "array<struct<similarity: double, rate: double>>",
            "open-set only: the share of comparisons of two strangers' faces that reach a similarity, counted, and beyond"
            " the data extrapolated; null if there were too few, or an older release has calibrated",
            nullable=True,
            carries="nothing",
        ),
        Column("data", "string", "what it was measured on", carries="words"),
        Column("half", "string", "which half of the persons: first, second, or both", carries="nothing"),
        Column("seed", "int", "seed of the random choice of the halves and of the photos that are enrolled"),
        Column("persons", "int", "number of persons it was measured on"),
        Column(
            "searches",
            "bigint",
            "number of searches (open-set), or of pairs of different persons (pairs), it was measured on",
        ),
        Column("created_at", "timestamp", "when it was measured, by the clock of the computer"),
        _RUN,
    ),
    key=("threshold_id",),
    constraints={
        "known_protocol": _any_of("protocol", ("open-set", "pairs")),
        "known_method": _any_of("method", ("counted", "extrapolated")),
        "known_half": _any_of("half", ("first", "second", "both")),
        "review_is_not_above_match": "review_threshold <= threshold",
        "rates_are_shares": "target > 0 AND target < 1 AND rate_low >= 0 AND rate_high <= 1",
    },
    examples=(
        (
            "The calibration in force by contract and size",
            "SELECT contract_id, gallery_size, max_by(threshold, created_at) AS threshold FROM thresholds"
            " WHERE protocol = 'open-set' GROUP BY contract_id, gallery_size",
        ),
    ),
)

COHORTS = Table(
    name="cohorts",
    row="one face of one person of a cohort: people with whom faces are compared, to normalise the faces' similarities",
    written_by="calibrate; append-only",
    columns=(
        Column("cohort_id", "string", "the cohort; all its rows have the same", carries="nothing"),
        Column("person_id", "string", "the person; evaluations leave this person out", carries="person"),
        Column(
            "size", "int", "number of persons in the cohort; it can be used only while all of them are in the table"
        ),
        _CONTRACT,
        Column("uri", "string", "the photo", carries="uri"),
        _EMBEDDING,
        _RUN,
    ),
    key=("cohort_id", "person_id"),
    constraints={"embedding_has_unit_length": _UNIT},
)

EVALUATIONS = Table(
    name="evaluations",
    row="one measured figure with its interval",
    written_by="evaluate; append-only",
    columns=(
        Column("evaluation_id", "string", "the evaluation; all its rows have the same", carries="nothing"),
        Column(
            "protocol",
            "string",
            "pairs (1:1), open-set (1:N), or attack (of a score that comes from elsewhere: without contract and settings)",
            carries="nothing",
        ),
        _CONTRACT,
        _SETTINGS,
        Column("data", "string", "what it was measured on", carries="words"),
        Column("half", "string", "which half of the persons: first, second, or both", carries="nothing"),
        Column("seed", "int", "seed of the random choice of the halves and of the photos that are enrolled"),
        Column(
            "metric",
            "string",
            "accuracy, tar, fnmr, fmr, auc, eer, fpir, fnir, identified, apcer, bpcer, and others",
            carries="nothing",
        ),
        Column(
            "at", "double", "the rate, threshold or rank at which it is measured; null if there is none", nullable=True
        ),
        Column("gallery_size", "int", "persons in the gallery; null for pairs", nullable=True),
        Column(
            "grouped_by",
            "string",
            "the column by which the data were split into groups; empty if they were not",
            carries="nothing",
        ),
        Column("group", "string", "the value of that column in the group; empty for all data", carries="labels"),
        Column("value", "double", "the figure; null if there are too few data for one", nullable=True),
        Column("low", "double", "lower end of its 95% interval", nullable=True),
        Column("high", "double", "upper end of its 95% interval", nullable=True),
        Column("count", "bigint", "number of pairs or searches that the figure is a share of"),
        Column("measured_at", "timestamp", "when it was measured, by the clock of the computer"),
        _RUN,
    ),
    key=("evaluation_id", "metric", "at", "gallery_size", "grouped_by", "group"),
    constraints={
        "known_protocol": _any_of("protocol", ("open-set", "pairs", "attack")),
        "no_nan": "NOT isnan(coalesce(value, 0)) AND NOT isnan(coalesce(low, 0)) AND NOT isnan(coalesce(high, 0))",
    },
    examples=(
        (
            "Accuracy over time",
            "SELECT measured_at, contract_id, data, value, low, high FROM evaluations"
            " WHERE metric = 'accuracy' AND `group` = '' ORDER BY measured_at",
        ),
    ),
)

ACTIVATIONS = Table(
    name="activations",
    row="a choice of contract: the newest is in force",
    written_by="activate; append-only",
    columns=(
        _CONTRACT,
        Column("activated_at", "timestamp", "when it was chosen, by the clock of the computer"),
        Column(
            "instead_of",
            "string",
            "the contract that was in force before; null if none had been chosen",
            nullable=True,
            carries="nothing",
        ),
        Column(
            "although",
            "string",
            "why it was chosen although its model was not found to be better than the one it was trained from; null if"
            " it was, or is not a trained one",
            nullable=True,
            carries="words",
        ),
        _RUN,
    ),
    key=("run_id",),
    examples=(("Which contract is in force", "SELECT max_by(contract_id, activated_at) FROM activations"),),
)

TRAINED_KINDS = ("adapter", "embedder", "detector")

MODELS = Table(
    name="models",
    row="one model that was trained on photos of one's own, and whether it is better than what it was trained from, on"
    " persons, or for a detector photos, that it was not trained on",
    written_by="train; append-only",
    columns=(
        Column("model_id", "string", "the training", carries="nothing"),
        Column("name", "string", "the model's name in the settings", carries="nothing"),
        Column("kind", "string", "adapter, embedder, or detector", carries="nothing"),
        Column("parent", "string", "the model that it was trained from, as the settings name it", carries="nothing"),
        Column("parent_contract_id", "string", "the contract of the parent; see contracts", carries="nothing"),
        Column(
            "contract_id",
            "string",
            "the contract of the model, in the settings that it was trained in",
            carries="nothing",
        ),
        Column("file", "string", "where its file was written", carries="words"),
        Column("sha256", "string", "digest of that file; a contract's document has it", carries="nothing"),
        Column("declaration", "string", "its section of the settings, as TOML", carries="words"),
        Column("loss", "string", "the loss that it was trained with", carries="nothing"),
        Column("plan", "string", "everything else that decides what is learnt, as JSON", carries="nothing"),
        Column("data", "string", "the labelled photos; for a detector the list of boxes", carries="words"),
        Column(
            "data_digest",
            "string",
            "hash of which photos of which persons it was trained on; see model_photos",
            carries="digest",
        ),
        Column(
            "seed",
            "int",
            "seed of all draws: of the halves of the persons or photos, of batches, of pictures made worse",
        ),
        Column("persons", "int", "persons it was trained on; null for a detector", nullable=True),
        Column("photos", "int", "photos it was trained on"),
        Column(
            "held_out_persons",
            "int",
            "the persons it was measured on, of whom it has seen no photo; null for a detector",
            nullable=True,
        ),
        Column(
            "fpir",
            "double",
            "the share of searches for strangers that find somebody, at which it was measured; null for a detector",
            nullable=True,
        ),
        Column("gallery_size", "int", "persons in the gallery that was measured; null for a detector", nullable=True),
        Column(
            "missed_before",
            "double",
            "the share of searches that miss their person (FNIR), of a detector the share of faces that it does not find,"
            " by the parent",
        ),
        Column("missed", "double", "the same by this model"),
        Column(
            "difference_low",
            "double",
            "lower end of the 95% interval of missed - missed_before, over persons or pictures",
        ),
        Column("difference_high", "double", "its upper end; below 0, this model misses fewer"),
        Column(
            "better",
            "boolean",
            "whether it misses fewer beyond doubt; a detector also if it has fewer boxes that are no face, and none if it"
            " is worse in one of both beyond doubt; activate asks",
        ),
        Column("measured", "map<string, double>", "what else was measured", carries="nothing"),
        Column("trained_at", "timestamp", "when it was trained, by the clock of the computer"),
        _RUN,
    ),
    key=("model_id",),
    constraints={"known_kind": _any_of("kind", TRAINED_KINDS), "better_is_shown": "better = (difference_high < 0)"},
    examples=(
        (
            "What has training gained?",
            "SELECT name, parent, loss, missed_before, missed, difference_low, difference_high, better FROM models"
            " ORDER BY trained_at DESC",
        ),
    ),
)

MODEL_PHOTOS = Table(
    name="model_photos",
    row="one photo that a model was trained on; photo and person by their digests alone",
    written_by="train; append-only",
    columns=(
        Column("model_id", "string", "the training; see models", carries="nothing"),
        Column(
            "person_digest",
            "string",
            "SHA-256 of the id of the person it shows; null for a detector, which is trained on faces, whoever they are",
            nullable=True,
            carries="hashed",
        ),
        Column("photo_digest", "string", "SHA-256 of where the photo is", carries="hashed"),
        _IMAGE_ID,
        _RUN,
    ),
    key=("model_id", "image_id", "person_digest"),
    examples=(
        (
            "Which models were trained on photos of a person?",
            "SELECT DISTINCT model_id FROM model_photos WHERE person_digest = sha2('grace_hopper', 256)",
        ),
    ),
)

RUNS = Table(
    name="runs",
    row="one event of one run: it started, finished, or failed",
    written_by="every job; append-only",
    columns=(
        _RUN,
        Column("event", "string", "started, finished, or failed", carries="nothing"),
        Column("at", "timestamp", "when it happened"),
        Column("job", "string", "the job", carries="nothing"),
        Column("arguments", "map<string, string>", "what it was asked to do", carries="words"),
        Column(
            "versions",
            "map<string, string>",
            "rollcall, python, spark, and the libraries that compute",
            carries="nothing",
        ),
        Column(
            "digests",
            "map<string, string>",
            "hashes of the contract, the settings and the gallery, as far as the job uses them",
            carries="digest",
        ),
        Column(
            "counts",
            "map<string, bigint>",
            "how much it did, and the most memory its processes have used (driver_peak_mib, jvm_peak_mib, worker_peak_mib)",
            carries="nothing",
        ),
        Column("seconds", "double", "seconds since the run started"),
        Column("error", "string", "why it failed, in one line", nullable=True, carries="words"),
    ),
    key=("run_id", "event"),
    constraints={"known_event": _any_of("event", ("started", "finished", "failed"))},
    examples=(
        (
            "The last state of each run",
            "SELECT run_id, job, max_by(event, at) AS state, max(seconds) AS seconds FROM runs GROUP BY ALL",
        ),
    ),
)

UNKNOWN_FACES = "unknown"
"""The grouping of all faces that show nobody who is registered."""

_GROUPING = Column(
    "grouping",
    "string",
    "which faces were grouped: unknown (all that show nobody registered), or a name that was given",
    carries="labels",
)
_CLUSTER = Column(
    "cluster_id",
    "string",
    "the cluster; it stays the same as long as most of its faces do, whatever comes later",
    carries="cluster",
)

CLUSTERS = Table(
    name="clusters",
    row="one group of faces that may be of one person, as it is now",
    written_by="cluster",
    columns=(
        _GROUPING,
        _CLUSTER,
        Column("faces", "bigint", "number of faces"),
        Column("images", "bigint", "number of images that show one of them"),
        Column("days", "bigint", "number of days on which there was one"),
        Column("first_run_date", "date", "the first of these days"),
        Column("last_run_date", "date", "the last of them"),
        Column("first_face_id", "string", "the first of the faces by id", carries="face"),
        _CONTRACT,
        _RUN,
    ),
    key=("grouping", "cluster_id"),
    constraints={"nobody_is_no_cluster": "faces > 0"},
    examples=(
        (
            "Who is seen most often?",
            "SELECT cluster_id, faces, days, first_run_date, last_run_date FROM clusters WHERE grouping = 'unknown'"
            " ORDER BY faces DESC LIMIT 10",
        ),
    ),
)

CLUSTER_MEMBERS = Table(
    name="cluster_members",
    row="one face that is in a cluster",
    written_by="cluster (last)",
    columns=(
        _GROUPING,
        Column("face_id", "string", "the face; see faces", carries="face"),
        _CLUSTER,
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        _RUN,
    ),
    key=("grouping", "face_id"),
    examples=(
        (
            "In which images is a cluster seen?",
            "SELECT m.run_date, i.uri FROM cluster_members m JOIN images i USING (image_id) WHERE m.cluster_id = 'c' ORDER BY 1",
        ),
    ),
)

CLUSTER_STATES = ("born", "grew", "shrank", "joined", "split", "gone")

CLUSTER_CHANGES = Table(
    name="cluster_changes",
    row="one cluster that has changed in one run, and how",
    written_by="cluster (first); append-only",
    columns=(
        Column("change_id", "string", "the change", carries="nothing"),
        _GROUPING,
        _CLUSTER,
        Column(
            "change",
            "string",
            "born; grew (it has new faces); shrank; joined (another one); split (from another one); or gone (none of its"
            " faces is left)",
            carries="nothing",
        ),
        Column(
            "other_cluster_id",
            "string",
            "the cluster that it has joined, or was split from",
            nullable=True,
            carries="cluster",
        ),
        Column("faces_before", "bigint", "its faces before; 0 if it is new"),
        Column("faces_after", "bigint", "its faces after; 0 if it is no more"),
        Column("changed_at", "timestamp", "when that was found, by the clock of the computer"),
        _RUN,
    ),
    key=("change_id",),
    constraints={"known_change": _any_of("change", CLUSTER_STATES)},
    examples=(
        (
            "Which clusters were found to be one person?",
            "SELECT changed_at, cluster_id, other_cluster_id, faces_before FROM cluster_changes WHERE change = 'joined'",
        ),
    ),
)

CLUSTER_SAID = ("together", "apart", "name")

CLUSTER_DECISIONS = Table(
    name="cluster_decisions",
    row="one thing that a person has said about clusters: that some are one person, that faces of one are another"
    " person's, or whose they are; every later run respects it, and of two that contradict each other the later one",
    written_by="cluster --merge, --split, --name; append-only",
    columns=(
        Column("decision_id", "string", "the decision", carries="nothing"),
        _GROUPING,
        Column(
            "decision",
            "string",
            "together (faces show one person), apart (faces show none of whom others show), name",
            carries="nothing",
        ),
        Column(
            "cluster_ids", "array<string>", "the clusters that it was said of, as they were then", carries="cluster"
        ),
        Column("faces", "array<string>", "face_id of the faces that are meant", carries="face"),
        Column(
            "other_faces",
            "array<string>",
            "apart: face_id of the faces from which they are apart; else empty",
            carries="face",
        ),
        Column("name", "string", "the name that was given; null if none was", nullable=True, carries="words"),
        Column("reason", "string", "why, in the words of who decided; empty if nothing was said", carries="words"),
        Column("decided_by", "string", "who decided", carries="operator"),
        Column("decided_at", "timestamp", "when it was decided, by the clock of the computer"),
        _RUN,
    ),
    key=("decision_id",),
    constraints={
        "known_decision": _any_of("decision", CLUSTER_SAID),
        "somebody_has_decided": "decided_by != ''",
        "a_name_is_given": "(decision = 'name') = (name IS NOT NULL)",
    },
    examples=(
        (
            "What have people said about clusters?",
            "SELECT decided_at, decided_by, decision, cluster_ids, name, reason FROM cluster_decisions"
            " ORDER BY decided_at DESC",
        ),
    ),
)

ERASURE_EVENTS = ("begun", "withdrawn", "planned", "finished", "verified", "allowed")

ERASURES = Table(
    name="erasures",
    row="one event of one erasure of a person or of images; whom it is of is said by a keyed hash alone",
    written_by="erase; append-only",
    columns=(
        Column("erasure_id", "string", "the erasure; carried on after a kill, it keeps its id", carries="nothing"),
        Column(
            "event",
            "string",
            "begun (from here on no other run begins until the end); withdrawn (a run was under way); planned; finished;"
            " verified (all files were searched for what was erased); or allowed (some of it may be taken in again)",
            carries="nothing",
        ),
        Column("kind", "string", "person, image, source, or before (all images of earlier dates)", carries="nothing"),
        Column("who", "string", "keyed hash of what was asked to be erased", carries="keyed"),
        Column("tables", "array<string>", "planned: that held something; finished: that forgot", carries="nothing"),
        Column(
            "counts",
            "map<string, bigint>",
            "planned, finished: rows by table, what is beside the tables, and values that others have as well; verified:"
            " files and bytes that were searched, what was looked for by kind, and what was found",
            carries="nothing",
        ),
        Column("found", "bigint", "verified: in how many places something of it was found; else null", nullable=True),
        Column(
            "digest", "string", "hash of all keyed hashes that this erasure has in the table erased", carries="keyed"
        ),
        Column("at", "timestamp", "when it happened, by the clock of the computer"),
        _RUN,
    ),
    key=("erasure_id", "event", "run_id"),
    constraints={
        "known_event": _any_of("event", ERASURE_EVENTS),
        "known_kind": _any_of("kind", ("person", "image", "source", "before")),
        "verified_counts": "(event = 'verified') = (found IS NOT NULL)",
    },
    examples=(
        (
            "Which erasures were proven, and when?",
            "SELECT erasure_id, kind, at, found FROM erasures WHERE event = 'verified' ORDER BY at DESC",
        ),
    ),
)

ERASED_KINDS = ("person", "name", "image", "face", "sample", "uri", "embedding", "lake uri")

ERASED = Table(
    name="erased",
    row="one value that was erased, by its keyed hash: what proves that it is nowhere left, and keeps it from coming back",
    written_by="erase",
    columns=(
        Column("erasure_id", "string", "the erasure; see erasures", carries="nothing"),
        Column(
            "kind",
            "string",
            "what the value was, as docs/privacy.md has it; lake uri: of an image, which is not ingested again",
            carries="nothing",
        ),
        Column("hash", "string", "keyed hash of the value", carries="keyed"),
        _RUN,
    ),
    key=("erasure_id", "kind", "hash"),
    constraints={"known_kind": _any_of("kind", ERASED_KINDS)},
)

EXPIRED_DATES = Table(
    name="expired_dates",
    row="one date of one source of which `retain` has removed images, as their time was over: `ingest` leaves out its files"
    " that were last written before, unless that is said",
    written_by="retain (first)",
    columns=(
        _RUN_DATE,
        Column("source", "string", "the camera or feed, as in images; empty: images that name none", carries="place"),
        Column("expired_at", "timestamp", "when the last of them were removed, by the clock of the computer"),
        _RUN,
    ),
    key=("run_date", "source"),
    examples=(
        (
            "Up to which date has the time of each source's images been over?",
            "SELECT source, max(run_date) FROM expired_dates GROUP BY source",
        ),
    ),
)

TABLES = {
    table.name: table
    for table in (
        IMAGES,
        IMAGE_OUTCOMES,
        FACES,
        STAGED,
        CONTRACTS,
        SEEN_PHOTOS,
        ENROLLMENTS,
        GALLERY,
        SET_ASIDES,
        MATCHES,
        IDENTIFICATIONS,
        SEARCHES,
        SEARCHED_SAMPLES,
        REVIEWS,
        INVESTIGATIONS,
        FINDINGS,
        CLUSTERS,
        CLUSTER_MEMBERS,
        CLUSTER_CHANGES,
        CLUSTER_DECISIONS,
        VERIFICATIONS,
        THRESHOLDS,
        COHORTS,
        EVALUATIONS,
        ACTIVATIONS,
        MODELS,
        MODEL_PHOTOS,
        RUNS,
        ERASURES,
        ERASED,
        EXPIRED_DATES,
    )
}
