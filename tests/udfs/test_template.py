from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import InputError
from udfs.template import Template

TEXT = "s3://lake/cctv/{run_date}/{source}/"


@given(st.dates(), st.from_regex(r"[a-z0-9_-]+", fullmatch=True))
def test_parts_are_found_again(day: date, camera: str) -> None:
    uri = f"s3://lake/cctv/{day.isoformat()}/{camera}/deep/er.jpg"
    assert Template(TEXT).parse(uri) == {"run_date": day.isoformat(), "source": camera}
    assert Template(TEXT, day).parse(uri) is not None
    assert Template(TEXT).admits(f"s3://lake/cctv/{day.isoformat()}")


@pytest.mark.parametrize(
    "uri", ["s3://lake/cctv/2026-13-45/a/b.jpg", "s3://lake/cctv/b.jpg", "s3://lake/cctv/2026-01-31/b.jpg"]
)
def test_what_does_not_fit(uri: str) -> None:
    assert Template(TEXT).parse(uri) is None


def test_one_date_only() -> None:
    template = Template(TEXT, date(2026, 1, 31))
    assert template.admits("s3://lake/cctv/2026-01-31")
    assert not template.admits("s3://lake/cctv/2026-02-01")
    assert template.parse("s3://lake/cctv/2026-02-01/a/b.jpg") is None


def test_times_and_cases_in_names() -> None:
    template = Template("file:///evidence/{case_id}/cam1_{captured_at}")
    found = template.parse("file:///evidence/A%2017/cam1_20260131T235958.jpg")
    assert found == {"case_id": "A 17", "captured_at": "2026-01-31T23:59:58+00:00"}
    assert template.root == "file:///evidence/"


def test_without_parts_everything_fits() -> None:
    assert Template("file:///lake").parse("file:///lake/x.jpg") == {}
    assert Template("file:///lake").admits("file:///lake/anything")


@pytest.mark.parametrize("text", ["/lake/{date}/", "/lake/{run_date}/{run_date}/"])
def test_wrong_parts_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        Template(text)
