"""S3 for tests: moto's server on loopback.

It knows any keys and checks no signatures. Real clients reach it with ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

from own_process import OwnProcess

KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "not-so-secret", "AWS_REGION_NAME": "us-east-1"}
"""Settings for a client of it; AWS_ENDPOINT_URL is missing."""

# Unlike S3, moto takes uploads that end early or differ from their MD5; what is in front of it refuses those.
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


class S3Server(OwnProcess):
    """In memory."""

    name = "moto's server"
    program = _PROGRAM

    def __init__(self) -> None:
        super().__init__()
        self._buckets = 0

    def create_bucket(self, name: str | None = None) -> str:
        """Make an empty bucket, under a name of its own where none is given; gives its name."""
        self._buckets += 1
        name = name or f"bucket-{self._buckets}"
        if self._ask("PUT", f"/{name}") != 200:
            raise RuntimeError(f"moto makes no bucket {name}")
        return name

    def _headers(self) -> dict[str, str]:
        # moto tells services apart by what was signed.
        signed = "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/s3/aws4_request"
        return {"Authorization": signed, "Content-Length": "0"}
