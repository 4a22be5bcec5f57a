"""Every table of Rollcall."""

from schemas.table import Column, Table
from udfs.arrow import spark_type
from udfs.outcomes import OUTCOMES
from udfs.records import FACE

_UNIT = "abs(vector_norm(embedding) - 1.0) < 1e-3"  # refuses null and NaN as well
_ONE = "1.000001"  # the sum of products of two unit float32 vectors may pass 1 by 1e-7


def _any_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


_RUN_DATE = Column("run_date", "date", "the day the data belongs to, never the day a job ran")
_IMAGE_ID = Column("image_id", "string", "one version of one file: hash of URI, size and modification time")
_CONTRACT = Column("contract_id", "string", "what makes embeddings comparable; see contracts")
_SETTINGS = Column("settings_id", "string", "what decided which faces were found: minimum face, limits")
_PERSON = Column("person_id", "string", "the person as the gallery's owner calls them")
_GALLERY = Column("gallery_name", "string", "the gallery")
_RUN = Column("run_id", "string", "the run that wrote this row; see runs")
_SAMPLE = Column("sample_id", "string", "one photo of one person: hash of gallery, person, content, contract")

IMAGES = Table(
    name="images",
    row="one version of one file in the lake",
    written_by="ingest",
    columns=(
        _IMAGE_ID,
        Column("uri", "string", "percent-encoded; names that are not UTF-8 by their bytes"),
        Column("size", "bigint", "bytes"),
        Column("modified_us", "bigint", "modification time, microseconds since 1970 UTC"),
        Column("regular", "boolean", "false for pipes, sockets and devices, which are never opened"),
        Column("run_date", "date", "from {run_date} in the source, else the modification date (UTC)"),
        Column("captured_at", "timestamp", "from {captured_at} in the source, if it names one", nullable=True),
        Column("source", "string", "a camera or feed: --source-name, or {source} in the source", nullable=True),
        Column("case_id", "string", "a case: --case-id, or {case_id} in the source", nullable=True),
        Column("content_table", "string", "the table that holds the bytes, if no store does", nullable=True),
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
        Column("outcome", "string", "faces, no_face, or rejected:<reason>"),
        Column("detail", "string", "more about a rejection, else empty"),
        Column("content_sha256", "string", "digest of the bytes; null if they were not read", nullable=True),
        Column("width", "int", "pixels of the upright image; 0 if unknown"),
        Column("height", "int", "pixels of the upright image; 0 if unknown"),
        Column("captured_at", "timestamp", "when the picture was taken, as well as it is known"),
        Column("captured_at_source", "string", "path, exif, or modified"),
        Column("face_count", "int", "faces found"),
        Column("precision", "string", "fp32 or bf16: numeric precision of the embedder"),
        Column("attempts", "int", "how often it was tried; only rejected:unreadable is tried again"),
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


def _of_face(name: str, comment: str) -> Column:
    return Column(name, spark_type(FACE.field(name).type), comment)


_FACE_COLUMNS = (
    _of_face("ordinal", "place among the faces of the image by rounded box top, then left; from 0"),
    _of_face("box", "pixels of the upright image"),
    _of_face("landmarks", "left eye, right eye, nose, mouth corners, as seen"),
    _of_face("score", "the detector's, 0 to 1"),
    _of_face(
        "quality",
        "size: shorter box side in pixels; sharpness: variance of the Laplacian of the crop; brightness: 0 to"
        " 255; clipped: share of pixels nearly black or white; yaw: nose from the middle of the eyes in eye"
        " distances; pitch: nose from half-way between eyes and mouth in shares of that way; roll: degrees",
    ),
)
_EMBEDDING = _of_face("embedding", "unit length, so that the inner product is the cosine")

FACES = Table(
    name="faces",
    row="one face found in one image",
    written_by="embed",
    columns=(
        Column("face_id", "string", "hash of image, contract, settings and ordinal"),
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        _SETTINGS,
        *_FACE_COLUMNS,
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
    row="one image of a slice that `embed` has computed and not yet committed: empty between runs, but for what a killed one left to the next of its models and dates",
    written_by="embed",
    columns=(
        Column("slice_id", "string", "hash of the run and of the images in the slice"),
        *IMAGE_OUTCOMES.columns,
        Column("faces", f"array<{spark_type(FACE)}>", "the faces found"),
    ),
    key=("slice_id", "image_id"),
    partition_by=("slice_id",),
)

CONTRACTS = Table(
    name="contracts",
    row="one contract: everything that makes two embeddings comparable",
    written_by="embed, enroll",
    columns=(
        Column("contract_id", "string", "SHA-256 of the document's canonical JSON"),
        Column("detector", "string", "the detector's name"),
        Column("embedder", "string", "the embedder's name; thresholds belong to it"),
        Column("dimension", "int", "length of its embeddings"),
        Column("document", "string", "components, revisions and weight digests, as JSON"),
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
        Column("uri", "string", "the photo, percent-encoded"),
        Column("photo_id", "string", "one version of the photo's file: hash of URI, size, modification time"),
        Column("content_sha256", "string", "digest of the bytes; null if they were not read", nullable=True),
        _CONTRACT,
        _SETTINGS,
        Column("decision", "string", "accepted, review, or refused"),
        Column("reason", "string", "why it was not accepted, else empty"),
        Column("detail", "string", "more about the reason, else empty"),
        Column(
            "own_similarity",
            "double",
            "to the person's nearest other sample, if it was looked for",
            nullable=True,
        ),
        Column("other_person_id", "string", "the nearest other person, if it was looked for", nullable=True),
        Column("other_similarity", "double", "to that person's nearest sample", nullable=True),
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

_LABELS = Column("labels", "array<string>", "watch lists and the like, sorted")
_VALID_FROM = Column("valid_from", "date", "first run_date it is searched for; null is always", nullable=True)
_VALID_TO = Column("valid_to", "date", "last run_date it is searched for; null is always", nullable=True)
_EMBEDDING_DIGEST = Column("embedding_digest", "bigint", "xxhash64(embedding): what has changed is seen without it")

GALLERY = Table(
    name="gallery",
    row="one accepted sample of one person",
    written_by="enroll",
    columns=(
        _SAMPLE,
        _GALLERY,
        _PERSON,
        Column("name", "string", "the person's name, for people to read", nullable=True),
        _LABELS,
        _VALID_FROM,
        _VALID_TO,
        Column("uri", "string", "the photo, percent-encoded"),
        _CONTRACT,
        Column("quality", spark_type(FACE.field("quality").type), "as in faces"),
        _EMBEDDING,
        _EMBEDDING_DIGEST,
        Column("enrolled_at", "timestamp", "system time; not compared with run_date"),
        Column("withdrawn_at", "timestamp", "system time; null while it is searched for", nullable=True),
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

_SIMILARITY = "inner product of the two unit vectors: the cosine; higher is closer"

MATCHES = Table(
    name="matches",
    row="one person among the nearest of one face, with the sample that carried it",
    written_by="identify",
    columns=(
        Column("face_id", "string", "the face"),
        _GALLERY,
        _PERSON,
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        Column("rank", "int", "1 is the nearest person"),
        Column("sample_id", "string", "the person's nearest sample"),
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
    deletion_vectors=True,
    examples=(
        (
            "Where else was this person seen?",
            "SELECT m.run_date, i.uri, m.similarity FROM matches m JOIN images i USING (image_id)"
            " WHERE m.person_id = 'obama' AND m.rank = 1 ORDER BY m.similarity DESC",
        ),
    ),
)

DECISIONS = ("match", "review", "unknown", "too_small")

_THRESHOLD = (
    Column("threshold_id", "string", "where the thresholds come from"),
    Column("threshold", "double", "match at or above"),
    Column("review_threshold", "double", "review at or above"),
)

IDENTIFICATIONS = Table(
    name="identifications",
    row="the decision for one face against one gallery",
    written_by="identify (after matches)",
    columns=(
        Column("face_id", "string", "the face"),
        _GALLERY,
        _IMAGE_ID,
        _RUN_DATE,
        _CONTRACT,
        Column("quality", spark_type(FACE.field("quality").type), "the face's, as in faces"),
        Column("decision", "string", "match, review, unknown; or too_small to be searched for"),
        Column("person_id", "string", "the best person at or above keep_floor", nullable=True),
        Column("sample_id", "string", "that person's nearest sample", nullable=True),
        Column("similarity", "double", _SIMILARITY, nullable=True),
        Column("runner_up_person_id", "string", "the second person at or above keep_floor", nullable=True),
        Column("margin", "double", "similarity less the runner-up's; null without one", nullable=True),
        Column(
            "cohort_similarity",
            "double",
            "mean similarity to the nearest of the calibration's cohort; null without one",
            nullable=True,
        ),
        Column("score", "double", "similarity less cohort_similarity: what is held against threshold", nullable=True),
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
    deletion_vectors=True,
    examples=(
        (
            "Who was seen on a day",
            "SELECT person_id, count(*) AS faces, max(similarity) AS best FROM identifications"
            " WHERE run_date = DATE'2026-01-31' AND decision = 'match' GROUP BY person_id",
        ),
    ),
)

_GALLERY_DIGEST = Column("gallery_digest", "string", "samples, persons, validity, labels and embeddings")

CLAIMED = ""
"""The search_id of a date whose rows are being changed, or were when their run was killed."""

SEARCHES = Table(
    name="searches",
    row="what the identifications of one date against one gallery stand for",
    written_by="identify (first and last)",
    columns=(
        _GALLERY,
        _RUN_DATE,
        _CONTRACT,
        Column(
            "search_id",
            "string",
            "hash of the contract and of the five columns that follow; empty while rows are changed",
        ),
        Column("k", "int", "persons kept for each face"),
        Column("keep_floor", "double", "similarity below which persons are not kept"),
        Column("minimum_size", "double", "pixels below which faces are not searched for"),
        Column("labels", "array<string>", "only samples with one of these were searched; empty is all"),
        Column("exclude_self", "boolean", "whether samples of a face's own photo were left out"),
        *_THRESHOLD,
        _GALLERY_DIGEST,
        Column("gallery_samples", "bigint", "samples of the gallery, valid on the date or not"),
        Column("persons", "bigint", "persons that were searched"),
        _RUN,
    ),
    key=("gallery_name", "run_date"),
    partition_by=("run_date",),
    examples=(
        (
            "Dates whose identifications stand for an older gallery than the newest",
            "SELECT gallery_name, run_date, persons FROM searches s WHERE gallery_digest !="
            " (SELECT max_by(gallery_digest, run_date) FROM searches n WHERE n.gallery_name = s.gallery_name)",
        ),
    ),
)

SEARCHED_SAMPLES = Table(
    name="searched_samples",
    row="one sample of a gallery as it was when a date was searched: what a later run finds its difference from",
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

VERIFICATIONS = Table(
    name="verifications",
    row="two images that were compared under one contract and settings",
    written_by="verify",
    columns=(
        Column("pair_id", "string", "hash of both images, contract, settings, and which face is meant"),
        Column("left_uri", "string", "percent-encoded"),
        Column("right_uri", "string", "percent-encoded"),
        Column("left_image_id", "string", "one version of the left file, as in images"),
        Column("right_image_id", "string", "one version of the right file"),
        _CONTRACT,
        _SETTINGS,
        Column("face", "string", "which of several faces is meant: largest, middle, or only (of several none)"),
        Column("outcome", "string", "compared; else the sides without a face and why, such as left:no_face"),
        Column("detail", "string", "more about that, else empty"),
        Column("similarity", "double", _SIMILARITY, nullable=True),
        Column("decision", "string", "match, review, non_match; null if not compared", nullable=True),
        Column("probability", "double", "that both show one person, at even odds beforehand", nullable=True),
        Column("probability_source", "string", "where the probability comes from", nullable=True),
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
    row="the similarity that holds a stated error rate, and how sure that is",
    written_by="calibrate; append-only",
    columns=(
        Column("threshold_id", "string", "what rows say that were decided by it"),
        Column("protocol", "string", "open-set (1:N, the rate is FPIR) or pairs (1:1, FMR)"),
        _CONTRACT,
        Column("gallery_size", "int", "persons in the gallery; null for pairs", nullable=True),
        Column("target", "double", "the error rate that was asked for"),
        Column("threshold", "double", "match at or above"),
        Column("threshold_low", "double", "95% interval, over samples of as many persons"),
        Column("threshold_high", "double", "95% interval, over samples of as many persons"),
        Column("rate_low", "double", "where 95% of other evaluations would find the error rate (if counted): from"),
        Column("rate_high", "double", "to; of an extrapolated one, where the rate itself lies"),
        Column("review_target", "double", "the error rate at which a person should look"),
        Column("review_threshold", "double", "review at or above"),
        Column("cohort_id", "string", "by what scores are normalised; null: similarities are not", nullable=True),
        Column("method", "string", "counted on galleries drawn from the data, or extrapolated by their tail"),
        Column("intercept", "double", "of the logit of the probability; pairs only", nullable=True),
        Column("slope", "double", "of the same, a unit of similarity; pairs only", nullable=True),
        Column("data", "string", "what it was measured on"),
        Column("half", "string", "which half of the persons: first, second, or both"),
        Column("seed", "int", "draws the halves and the photos that are enrolled"),
        Column("persons", "int", "persons measured on"),
        Column("searches", "bigint", "probes, or non-mated pairs, measured on"),
        Column("created_at", "timestamp", "system time"),
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
    row="one face of one stranger, to whom faces are compared so that their scores can be normalised",
    written_by="calibrate; append-only",
    columns=(
        Column("cohort_id", "string", "one cohort: all its rows have it"),
        Column("person_id", "string", "the person; left out of what is evaluated"),
        Column("size", "int", "persons in the cohort; it is of use while all are there"),
        _CONTRACT,
        Column("uri", "string", "the photo"),
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
        Column("evaluation_id", "string", "one evaluation: all its rows have it"),
        Column("protocol", "string", "pairs (1:1) or open-set (1:N)"),
        _CONTRACT,
        _SETTINGS,
        Column("data", "string", "what it was measured on"),
        Column("half", "string", "which half of the persons: first, second, or both"),
        Column("seed", "int", "draws the halves and the photos that are enrolled"),
        Column("metric", "string", "accuracy, tar, fnmr, fmr, auc, eer, fpir, fnir, identified, and others"),
        Column("at", "double", "the rate, threshold or rank it is measured at; null if at none", nullable=True),
        Column("gallery_size", "int", "persons in the gallery; null for pairs", nullable=True),
        Column("grouped_by", "string", "the column the data were split by; empty is not"),
        Column("group", "string", "the value of that column; empty is all"),
        Column("value", "double", "the figure; null where the data do not support one", nullable=True),
        Column("low", "double", "95% interval", nullable=True),
        Column("high", "double", "95% interval", nullable=True),
        Column("count", "bigint", "pairs or searches it is a share of"),
        Column("measured_at", "timestamp", "system time"),
        _RUN,
    ),
    key=("evaluation_id", "metric", "at", "gallery_size", "grouped_by", "group"),
    constraints={
        "known_protocol": _any_of("protocol", ("open-set", "pairs")),
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
        Column("activated_at", "timestamp", "system time"),
        Column("instead_of", "string", "the contract that was in force before; null if none was chosen", nullable=True),
        _RUN,
    ),
    key=("run_id",),
    examples=(("Which contract is in force", "SELECT max_by(contract_id, activated_at) FROM activations"),),
)

RUNS = Table(
    name="runs",
    row="one event of one run: started, finished, failed",
    written_by="every job; append-only",
    columns=(
        _RUN,
        Column("event", "string", "started, finished, or failed"),
        Column("at", "timestamp", "when"),
        Column("job", "string", "the job"),
        Column("arguments", "map<string, string>", "what it was asked to do"),
        Column("versions", "map<string, string>", "rollcall, python, spark, and the libraries that compute"),
        Column("digests", "map<string, string>", "contract, settings, gallery, as far as the job has them"),
        Column(
            "counts",
            "map<string, bigint>",
            "what it did, and the most its processes have held (driver_peak_mib, jvm_peak_mib, worker_peak_mib)",
        ),
        Column("seconds", "double", "since it started"),
        Column("error", "string", "why it failed, in one line", nullable=True),
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

TABLES = {
    table.name: table
    for table in (
        IMAGES,
        IMAGE_OUTCOMES,
        FACES,
        STAGED,
        CONTRACTS,
        ENROLLMENTS,
        GALLERY,
        MATCHES,
        IDENTIFICATIONS,
        SEARCHES,
        SEARCHED_SAMPLES,
        VERIFICATIONS,
        THRESHOLDS,
        COHORTS,
        EVALUATIONS,
        ACTIVATIONS,
        RUNS,
    )
}
