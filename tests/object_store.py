"""An S3-compatible store on this machine, in memory, which can be told to fail."""

import threading
import time
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
    """moto's server with one bucket, `lake`."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=MotoRequestHandler)
        self._outage: float | None = None
        self._fails_until = 0.0
        self.refused = 0
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self.client = boto3.client("s3", endpoint_url=self.endpoint, **self._access())
        self.client.create_bucket(Bucket="lake")

    @property
    def environment(self) -> dict[str, str]:
        """What tells AWS's clients, and pyarrow's, where it is."""
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
        """From when the next object is read on, every answer is that the store is too busy."""
        self._outage = seconds

    def _answer(self, environ: dict[str, Any], start_response: Answer) -> Iterable[bytes]:
        reads = environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith(".jpg")
        if self._outage is not None and reads:
            self._fails_until, self._outage = time.monotonic() + self._outage, None
        if time.monotonic() < self._fails_until:
            self.refused += 1
            start_response("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(_BUSY)))])
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [_BUSY]
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer

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
