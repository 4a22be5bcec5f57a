"""A store that fails for a while is waited for; one that refuses is not."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs import retry
from udfs.retry import PATIENCE, until_answered

DOWN = "When reading: AWS Error SLOW_DOWN during GetObject operation (HTTP status 503)"


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(retry, "time", made)
    monkeypatch.setattr(retry, "_failing_since", {})
    return made


def fails_until(clock: Clock, end: float, error: Callable[[], OSError] = lambda: OSError(DOWN)) -> Callable[[], str]:
    def call() -> str:
        if clock.now < end:
            raise error()
        return "answer"

    return call


@given(st.floats(0, PATIENCE - 21))
def test_a_failure_of_any_length_is_waited_for(length: float) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retry, "time", clock)
        patch.setattr(retry, "_failing_since", {})
        assert until_answered("s3://lake", fails_until(clock, 1000 + length)) == "answer"
        assert not retry._failing_since
    assert clock.now <= 1000 + length + 10
    assert clock.slept == sorted(clock.slept)


def test_a_store_that_is_down_is_given_up_once(clock: Clock) -> None:
    for _ in range(1000):
        with pytest.raises(OSError, match="503"):
            until_answered("s3://lake", fails_until(clock, 10_000))
    assert clock.now - 1000 <= PATIENCE
    assert (
        until_answered("s3://other", fails_until(clock, clock.now + 30)) == "answer"
    )  # another store has a time of its own


def test_after_an_answer_there_is_patience_again(clock: Clock) -> None:
    with pytest.raises(OSError, match="503"):
        until_answered("s3://lake", fails_until(clock, 10_000))
    assert until_answered("s3://lake", lambda: "answer") == "answer"
    assert until_answered("s3://lake", fails_until(clock, clock.now + 60)) == "answer"


def test_one_file_that_always_fails_ends_too(clock: Clock) -> None:
    def call() -> str:
        until_answered("s3://lake", lambda: "another file's answer")
        raise OSError(DOWN)

    with pytest.raises(OSError, match="503"):
        until_answered("s3://lake", call)
    assert PATIENCE - 20 < clock.now - 1000 <= PATIENCE


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError("gone"),
        PermissionError("no"),
        OSError("When getting information: AWS Error ACCESS_DENIED during HeadObject operation: No response body."),
        OSError("AWS Error INVALID_SIGNATURE during GetObject operation: The request signature does not match"),
        OSError("AWS Error NO_SUCH_BUCKET during ListObjectsV2 operation"),
        OSError("AWS Error UNKNOWN (HTTP status 403) during HeadObject operation"),
    ],
)
def test_a_refusal_is_an_answer(clock: Clock, error: OSError) -> None:
    def refuse() -> OSError:
        return error

    with pytest.raises(type(error)):
        until_answered("s3://lake", fails_until(clock, 10_000, refuse))
    assert clock.slept == []


@pytest.mark.parametrize(
    "said",
    [
        "When reading key 'permission_gate/1.jpg' in bucket 'lake': AWS Error SLOW_DOWN during GetObject operation",
        "When getting information for key 'signatures/1.jpg': AWS Error NETWORK_CONNECTION during HeadObject operation",
        "AWS Error UNKNOWN (HTTP status 400) during PutObject operation: RequestTimeout",
        "AWS Error REQUEST_TIMEOUT (HTTP status 400) during GetObject operation",
        "credentials/1.jpg: google::cloud::Status(UNAVAILABLE: try again)",
        "opening HDFS file '/lake/signatures/a.jpg' failed: Connection timed out",
        "GetProperties for https://a.blob.core.windows.net/lake/expired/a.jpg failed: 503 Server busy",
    ],
)
def test_what_a_file_is_called_is_no_refusal(clock: Clock, said: str) -> None:
    assert until_answered("s3://lake", fails_until(clock, 1010, lambda: OSError(said))) == "answer"
