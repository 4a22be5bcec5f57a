"""verify, evaluate and calibrate on made-up vectors, which the tables say were found in real files."""

import json
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F

from evaluation.figures import Figure
from jobs.calibrate import calibrate
from jobs.evaluate import evaluate
from jobs.faces.contracts import verified_contract
from jobs.faces.lookup import meant_faces
from jobs.identify import identify
from jobs.run.context import Context
from jobs.verify import verify
from tests.labelled import put_photos
from tests.rows import DAY, normalised
from tests.support import MakeContext
from udfs import lake
from udfs.errors import InputError
from udfs.search.similarity import similarity

Array = np.ndarray

DIMENSION = 128


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    return make_context("tables", "thresholds.dlib-resnet-v1.keep_floor=0.1", "thresholds.dlib-resnet-v1.review=0.5")


@pytest.fixture
def people(context: Context, tmp_path: Path) -> Path:
    """Sixty persons with three photos each: near their person, and never quite the same. One photo has no face."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(60, DIMENSION))
    faces = {
        tmp_path / "people" / f"p{person:02}" / f"{photo}.jpg": [
            normalised(centre + 0.6 * random.normal(size=DIMENSION) * (1 + (person % 3)))
        ]
        for person, centre in enumerate(centres)
        for photo in range(3)
    }
    faces[tmp_path / "people" / "p07" / "1.jpg"] = []
    put_photos(context, faces)
    return tmp_path / "people"


def the(figures: list[Figure], metric: str, at: float | None = None, size: int | None = None) -> Figure:
    (found,) = [f for f in figures if f.metric == metric and at in (None, f.at) and size in (None, f.gallery_size)]
    return found


def write_pairs(path: Path, rows: list[str]) -> str:
    path.write_text("\n".join(["left,right,mated,left_person,right_person,camera", *rows]) + "\n")
    return str(path)


@pytest.fixture
def pairs(people: Path) -> str:
    rows = [f"p{p:02}/0.jpg,p{p:02}/1.jpg,true,p{p:02},p{p:02},gate" for p in range(60)]
    rows += [f"p{p:02}/0.jpg,p{(p + 1) % 60:02}/2.jpg,false,p{p:02},p{(p + 1) % 60:02},door" for p in range(60)]
    rows += [f"p{p:02}/1.jpg,p{(p + 9) % 60:02}/2.jpg,false,p{p:02},p{(p + 9) % 60:02},gate" for p in range(60)]
    return write_pairs(people / "pairs.csv", rows)


def test_which_of_several_faces_is_meant(context: Context, tmp_path: Path) -> None:
    largest, middle = normalised(np.eye(DIMENSION)[:2])
    put_photos(context, {tmp_path / "two.jpg": [largest, middle], tmp_path / "none.jpg": []})
    uris = [lake.uri_of(str(tmp_path / name)) for name in ("two.jpg", "none.jpg")]
    agreed = verified_contract(context.settings.spec())
    for meant, expected in (("largest", largest), ("middle", middle)):
        seen = meant_faces(context, uris, agreed, meant)  # type: ignore[arg-type]
        assert seen["outcome"].to_pylist() == ["no_face", "faces"]
        np.testing.assert_array_equal(seen["embedding"][1].as_py(), expected)
    seen = meant_faces(context, uris, agreed, "only")
    assert seen["outcome"].to_pylist() == ["no_face", "several_faces"]
    assert seen["detail"].to_pylist() == ["", "2 faces"]
    assert seen["embedding"].null_count == 2


def test_every_pair_has_an_outcome(context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = normalised(np.eye(DIMENSION)[:2])
    near = normalised(one + 0.1 * other)
    put_photos(
        context,
        {tmp_path / "a.jpg": [one], tmp_path / "b.jpg": [near], tmp_path / "c.jpg": [other], tmp_path / "n.jpg": []}
        | {tmp_path / "two.jpg": [one, other]},
    )
    (tmp_path / "text.jpg").write_text("no image")
    lines = ["a.jpg,b.jpg", "a.jpg,c.jpg", "a.jpg,n.jpg", "two.jpg,a.jpg", "text.jpg,absent.jpg", "a.jpg,b.jpg"]
    (tmp_path / "pairs.csv").write_text("\n".join(["left,right", *lines]) + "\n")
    context.settings.pairs["dlib-resnet-v1"]  # the packaged settings know the embedder
    counts = verify(context, pairs=str(tmp_path / "pairs.csv"))
    assert counts == {"match": 2, "non_match": 1, "not_compared": 3}
    rows = {
        (row.left_uri.rpartition("/")[2], row.right_uri.rpartition("/")[2]): row
        for row in context.tables.read("verifications").collect()
    }
    assert {pair: row.outcome for pair, row in rows.items()} == {
        ("a.jpg", "b.jpg"): "compared",
        ("a.jpg", "c.jpg"): "compared",
        ("a.jpg", "n.jpg"): "right:no_face",
        ("two.jpg", "a.jpg"): "left:several_faces",
        ("text.jpg", "absent.jpg"): "left:rejected:not_an_image right:rejected:gone",
    }
    match = rows["a.jpg", "b.jpg"]
    assert match.similarity == pytest.approx(float(one.astype(float) @ near.astype(float)), abs=1e-12)
    assert match.probability > 0.9
    assert rows["a.jpg", "c.jpg"].probability < 0.1
    assert match.threshold_id.startswith("settings:")

    verify(context, images=(str(tmp_path / "b.jpg"), str(tmp_path / "a.jpg")))
    assert capsys.readouterr().out.startswith("match: similarity 0.99")
    verify(context, images=(str(tmp_path / "n.jpg"), str(tmp_path / "a.jpg")))
    assert capsys.readouterr().out == "not compared: left:no_face\n"
    assert context.tables.read("verifications").count() == 7


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"images": ("a.jpg",)}, "two of them"),
        ({"images": ("a.jpg", "b.jpg"), "pairs": "pairs.csv"}, "two of them"),
        ({}, "two of them"),
    ],
)
def test_two_images_or_a_file(context: Context, how: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        verify(context, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("protocol", "listed"),
    [("pairs", {"pairs": "left,right,mated\na.jpg,b.jpg,true"}), ("open-set", {"images": "person_id,uri\nada,a.jpg"})],
)
def test_a_column_that_is_not_there_is_refused_before_images_are_opened(
    context: Context, tmp_path: Path, protocol: str, listed: dict[str, str]
) -> None:
    ((option, content),) = listed.items()
    (tmp_path / "list.csv").write_text(content + "\n")
    with pytest.raises(InputError, match="has no column 'camera'; of the faces there are size, sharpness, brightness"):
        evaluate(context, protocol=protocol, group_by="camera", **{option: str(tmp_path / "list.csv")})
    assert not context.tables.exists("runs")


@pytest.mark.slow
def test_pairs_are_measured_and_written_down(context: Context, pairs: str, tmp_path: Path) -> None:
    found = evaluate(context, protocol="pairs", pairs=pairs, threshold=0.4, group_by="camera", output=tmp_path / "out")
    everything = found[""]
    assert the(everything, "not_compared").value == pytest.approx(2 / 180)
    # By the definition, over the pairs themselves.
    mated = [f for f in everything if f.metric in ("true_matches", "false_non_matches")]
    assert sum(f.value for f in mated if f.value is not None) == 60
    missed = the(everything, "false_non_matches").value
    assert missed is not None
    assert the(everything, "fnmr").value == pytest.approx(missed / 60)
    interval = the(everything, "accuracy").interval
    assert interval is not None
    assert interval.low <= the(everything, "accuracy").value <= interval.high  # type: ignore[operator]
    assert the(everything, "tar", 1e-1).value is not None
    assert the(everything, "tar", 1e-3).value is None
    assert set(found) == {"", "gate"}, "those of the door are of one kind only, which is said"

    rows = context.tables.read("evaluations").collect()
    assert len(rows) == sum(map(len, found.values()))
    assert {(row.grouped_by, row.group) for row in rows} == {("", ""), ("camera", "gate")}
    document = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert len(document["figures"]) == len(rows)
    assert "1:1 verification" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.slow
def test_a_threshold_comes_from_other_pairs(context: Context, pairs: str, people: Path) -> None:
    rows = Path(pairs).read_text().splitlines()[1:]
    first, second = write_pairs(people / "1.csv", rows[::2]), write_pairs(people / "2.csv", rows[1::2])
    found = evaluate(context, protocol="pairs", pairs=second, threshold_from=first)
    best = the(evaluate(context, protocol="pairs", pairs=first, threshold_from=first)[""], "accuracy")
    assert the(found[""], "accuracy").at == best.at


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.jpg,b.jpg,perhaps,,,", "line 2: mated is 'perhaps'"),
        ("a.jpg,,true,,,", "line 2: left and right"),
        ("a.jpg,b.jpg,true,x,y,", "line 2: mated is true, but the persons are 'x' and 'y'"),
        ("a.jpg,./a.jpg,true,x,x,", "line 2: left and right are the same image"),
    ],
)
def test_a_malformed_pair_is_named(context: Context, tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate(context, protocol="pairs", pairs=write_pairs(tmp_path / "pairs.csv", [row]))
    assert not context.tables.exists("runs"), "bad input leaves no trace"


def test_a_photo_that_is_listed_twice_is_named(context: Context, tmp_path: Path) -> None:
    photos = tmp_path / "photos.csv"
    photos.write_text("person_id,uri\na,1.jpg\nb,2.jpg\nb,./1.jpg\n")
    with pytest.raises(InputError, match=r"line 4: lists the image of .*: line 2 again"):
        evaluate(context, protocol="open-set", images=str(photos))


def test_pairs_that_are_no_text_are_refused(context: Context, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_bytes(b"1\nJos\xe9\t1\t2\n")
    with pytest.raises(InputError, match="save it as UTF-8"):
        evaluate(context, protocol="pairs", pairs=str(pairs), images=str(tmp_path))


def test_one_kind_of_pairs_is_refused(context: Context, people: Path) -> None:
    pairs = write_pairs(people / "pairs.csv", ["p00/0.jpg,p00/2.jpg,true,p00,p00,"])
    with pytest.raises(InputError, match="only mated pairs"):
        evaluate(context, protocol="pairs", pairs=pairs, threshold=0.5)


@pytest.mark.slow
def test_searches_are_measured_and_a_calibration_decides(context: Context, people: Path, tmp_path: Path) -> None:
    threshold_id = calibrate(context, images=str(people), target=0.05, gallery_size=30)
    row = context.tables.read("thresholds").collect()[0]
    assert row.threshold_id == threshold_id
    assert row.threshold_low <= row.threshold <= row.threshold_high
    assert row.rate_low <= row.target <= row.rate_high
    assert row.review_threshold < row.threshold
    assert (row.method, row.persons, row.searches) == ("counted", 60, 180)

    found = evaluate(context, protocol="open-set", images=str(people), sizes=(30,), output=tmp_path / "out")[""]
    fpir = the(found, "fpir", row.threshold, 30)
    assert fpir.value is not None
    assert 0.03 < fpir.value <= 0.05
    assert the(found, "identified_within", 1).value > 0.8  # type: ignore[operator]
    assert the(found, "failure_to_acquire").count + the(found, "failure_to_enrol").count == 180
    assert "1:N identification" in (tmp_path / "out" / "report.html").read_text()
    # A larger gallery has no calibration: it is said, and the settings decide.
    other = evaluate(context, protocol="open-set", images=str(people), sizes=(40,))[""]
    assert the(other, "fpir").at == context.settings.threshold("dlib-resnet-v1").match


@pytest.mark.parametrize(("with_cohort", "without"), [(0.1, 0.2), pytest.param(0.2, 0.2, marks=pytest.mark.slow)])
def test_a_cohort_is_kept_only_if_fewer_searches_miss_with_it(
    context: Context, people: Path, make_context: MakeContext, with_cohort: float, without: float
) -> None:
    missed = iter((with_cohort, without))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.decisions.cohort._LEAST", 20)
        patch.setattr("jobs.decisions.calibration._missed", lambda *_: next(missed))
        calibrate(context, images=str(people), target=0.1, gallery_size=10)
    (row,) = context.tables.read("thresholds").collect()
    kept = with_cohort < without
    assert (row.persons, row.cohort_id is not None) == (40 if kept else 60, kept)
    assert context.tables.read_or_empty("cohorts").count() == (20 if kept else 0)
    said = f"{with_cohort:.4f} of the searches miss their person with a cohort, {without:.4f} without"
    assert any(said in line for line in make_context.said)


@pytest.mark.slow
def test_scores_are_normalised_by_a_cohort(context: Context, people: Path, make_context: MakeContext) -> None:
    """A calibration with a cohort: `evaluate` and `identify` decide by the same scores."""
    with pytest.raises(InputError, match="needs twice as many persons with a face; there are 60"):
        calibrate(context, images=str(people), target=0.1, gallery_size=10, cohort_size=31)
    calibrate(context, images=str(people), target=0.1, gallery_size=10, cohort_size=20)
    row = context.tables.read("thresholds").collect()[0]
    cohort = {of.person_id: np.array(of.embedding, np.float32) for of in context.tables.read("cohorts").collect()}
    assert (row.persons, row.searches, len(cohort)) == (40, 120, 20)

    found = evaluate(context, protocol="open-set", images=str(people), sizes=(10,))[""]
    assert any(
        "20 persons are in the cohort of the calibration, and are left out" in line for line in make_context.said
    )
    fpir = the(found, "fpir", row.threshold, 10)
    assert fpir.count == 120
    assert 0.03 < fpir.value <= 0.1  # type: ignore[operator]

    put_gallery(context)
    identify(context, run_date=DAY, threshold_id=row.threshold_id)
    faces = {of.face_id: np.array(of.embedding, np.float32) for of in context.tables.read("faces").collect()}
    strangers = np.stack([cohort[person] for person in sorted(cohort)])
    decided = context.tables.read("identifications").where("person_id IS NOT NULL").collect()
    assert len(decided) > 100
    for of in decided:
        near = np.sort(similarity(np.repeat(faces[of.face_id][None], 20, axis=0), strangers))[::-1]
        assert of.cohort_similarity == sum(near.tolist()) / 20
        assert of.score == of.similarity - of.cohort_similarity
        least = {"match": row.threshold, "review": row.review_threshold, "unknown": -np.inf}[of.decision]
        assert of.score >= least

    context.tables.delete_where("cohorts", F.col("person_id") == min(cohort))
    with pytest.raises(InputError, match="19 persons are left"):
        identify(context, run_date=DAY, threshold_id=row.threshold_id)


def put_gallery(context: Context) -> None:
    """The first face of each person, as if enrolled."""
    first = context.tables.read("faces").where("face_id LIKE '%-0.jpg-0'")
    samples = first.selectExpr(
        *("face_id AS sample_id", "'g' AS gallery_name", "split(face_id, '-')[0] AS person_id", "'' AS name"),
        *("array() AS labels", "'u' AS uri", "contract_id", "quality", "embedding", "'r' AS run_id"),
        *("xxhash64(embedding) AS embedding_digest", "current_timestamp() AS enrolled_at"),
        *(f"NULL AS {name}" for name in ("box", "valid_from", "valid_to", "withdrawn_at")),
    )
    context.tables.append("gallery", samples)


@pytest.mark.slow
def test_what_the_data_cannot_carry_is_refused(context: Context, people: Path) -> None:
    with pytest.raises(InputError, match="searches; it takes 5,000 or more"):
        calibrate(context, images=str(people), target=0.001, gallery_size=30)
    with pytest.raises(InputError, match=r"the tail has 1\d probes"):
        calibrate(context, images=str(people), target=0.05, gallery_size=5_000)


@pytest.mark.slow
def test_pairs_are_calibrated_for_verify(context: Context, pairs: str, people: Path) -> None:
    threshold_id = calibrate(context, protocol="pairs", pairs=pairs, target=0.05)
    row = context.tables.read("thresholds").collect()[0]
    assert row.slope > 0
    verify(context, images=(str(people / "p00" / "0.jpg"), str(people / "p00" / "1.jpg")))
    verified = context.tables.read("verifications").collect()[0]
    assert verified.threshold_id == threshold_id
    assert verified.threshold == row.threshold
    assert verified.probability == pytest.approx(1 / (1 + np.exp(-row.intercept - row.slope * verified.similarity)))
    assert verified.probability_source == f"calibration {threshold_id} on {pairs}"


def test_halves_share_no_person(context: Context, people: Path) -> None:
    from jobs.inputs.labelled import read_labelled_photos

    first, second = (
        {photo.person for photo in read_labelled_photos(context, str(people), half, seed=3)}  # type: ignore[arg-type]
        for half in ("first", "second")
    )
    assert not first & second
    assert len(first | second) == 60
    assert 15 < len(first) < 45
