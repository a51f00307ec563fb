"""S3 for tests: moto's server on loopback, in a process of its own that dies with the tests.

It knows any keys and checks no signatures. Real clients reach it with ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "not-so-secret", "AWS_REGION_NAME": "us-east-1"}
"""Settings for a client of it; AWS_ENDPOINT_URL is missing."""

_START_SECONDS = 60
# It dies when its standard input is closed: the system does that whatever kills the tests. Unlike S3, moto takes
# uploads that end early or differ from their MD5; what is in front of it refuses those.
_PROGRAM = """
import base64, hashlib, io, logging, os, sys, threading
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple
def end():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=end, daemon=True).start()
logging.disable(logging.CRITICAL)
moto = DomainDispatcherApplication(create_backend_app)
def app(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    sent = environ.get("HTTP_CONTENT_MD5")
    code = "IncompleteBody" if len(body) < length else None
    if sent and sent != base64.b64encode(hashlib.md5(body).digest()).decode():
        code = code or "BadDigest"
    if code:
        start_response("400 Bad Request", [("Content-Type", "application/xml")])
        return [f"<Error><Code>{code}</Code><Message>not what was sent</Message></Error>".encode()]
    environ["wsgi.input"] = io.BytesIO(body)
    return moto(environ, start_response)
MotoRequestHandler.protocol_version = "HTTP/1.1"
run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True, request_handler=MotoRequestHandler)
"""


class S3Server:
    """One server, in memory, running from the start on.

    Attributes:
        url: of the server.
        pid: of its process, for who measures what it costs.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="posterbot-s3-")
        self._log = Path(self._folder.name) / "log"
        self._buckets = 0
        deadline = time.monotonic() + _START_SECONDS
        self._start()
        while not self._is_ready():
            if self._server.poll() is not None:  # somebody was faster at that port
                self._start()
            if time.monotonic() > deadline:
                log = self._log.read_text(errors="replace")
                self.close()
                raise RuntimeError(f"moto's server does not start:\n{log}")
            time.sleep(0.02)

    def __enter__(self) -> S3Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_bucket(self, name: str | None = None) -> str:
        """Make an empty bucket, under a name of its own where none is given; gives its name."""
        self._buckets += 1
        name = name or f"bucket-{self._buckets}"
        if self._ask("PUT", f"/{name}") != 200:
            raise RuntimeError(f"moto makes no bucket {name}")
        return name

    def close(self) -> None:
        """Stop it; all buckets are gone."""
        self._server.kill()
        self._server.communicate()
        self._folder.cleanup()

    def _start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(self._port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._folder.name,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop it
            )
        self.pid = self._server.pid

    def _is_ready(self) -> bool:
        try:
            return self._ask("GET", "/") == 200
        except OSError:
            return False

    def _ask(self, method: str, path: str) -> int:
        asked = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_START_SECONDS)
        try:
            # moto tells services apart by what was signed.
            signed = "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/s3/aws4_request"
            asked.request(method, path, headers={"Authorization": signed, "Content-Length": "0"})
            answer = asked.getresponse()
            answer.read()
            return answer.status
        finally:
            asked.close()
