"""An S3-compatible store on this machine, in memory, which can be told to fail, and to ignore conditions."""

import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

_BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"

Answer = Callable[..., Any]


class ObjectStore:
    """moto's server with one bucket, `lake`.

    ignore_conditions: puts ignore If-None-Match. answers_to_lose: this many of the next conditional puts are done, but
    answered with an error. refused: requests that were answered with an error during an outage; refused_puts: puts that
    were refused because the object existed.
    """

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=MotoRequestHandler)
        self._outage: float | None = None
        self._fails_until = 0.0
        self.refused = 0
        self.refused_puts = 0
        self.ignore_conditions = False
        self.answers_to_lose = 0
        self._one_after_the_other = threading.Lock()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self.client = boto3.client("s3", endpoint_url=self.endpoint, **self._access())
        # moto keeps its objects in the process, those of an earlier store too.
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST"), timeout=10)
        self.client.create_bucket(Bucket="lake")

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which clients of AWS and pyarrow find the store."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @staticmethod
    def _access() -> dict[str, str]:
        return {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}

    def put(self, folder: Path, under: str) -> None:
        """All files below a folder, as objects `under/...`."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.client.upload_file(str(path), "lake", f"{under}/{path.relative_to(folder)}")

    def fail_for(self, seconds: float) -> None:
        """Answer every request with an error for some seconds, from the next read of a photo on."""
        self._outage = seconds

    def _answer(self, environ: dict[str, Any], start_response: Answer) -> Iterable[bytes]:
        reads = environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith(".jpg")
        if self._outage is not None and reads:
            self._fails_until, self._outage = time.monotonic() + self._outage, None
        if time.monotonic() < self._fails_until:
            self.refused += 1
            return self._busy(environ, start_response)
        if environ["REQUEST_METHOD"] != "PUT":
            return self._moto(environ, start_response)
        with self._one_after_the_other:  # moto checks for an object and then puts it, in two steps
            return self._put(environ, start_response)

    def _put(self, environ: dict[str, Any], start_response: Answer) -> Iterable[bytes]:
        conditional = "HTTP_IF_NONE_MATCH" in environ
        if self.ignore_conditions:
            environ.pop("HTTP_IF_NONE_MATCH", None)
        said: list[Any] = []
        answer = self._moto(environ, lambda *answered: said.append(answered))
        self.refused_puts += said[0][0].startswith("412")
        if conditional and self.answers_to_lose:
            self.answers_to_lose -= 1
            return self._busy(environ, start_response)
        start_response(*said[0])
        return answer

    @staticmethod
    def _busy(environ: dict[str, Any], start_response: Answer) -> Iterable[bytes]:
        start_response("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(_BUSY)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [_BUSY]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    store = ObjectStore()
    try:
        yield store
    finally:
        store.stop()
