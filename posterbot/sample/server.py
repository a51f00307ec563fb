"""Serves the sample site on loopback, with the answers a real site also gives: moved, forbidden, broken.

Only the standard library is imported here, so that a crawl of the sample starts at once.
"""

from __future__ import annotations

import hashlib
import threading
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

SITE = Path(__file__).parent / "site"

HOST_IN_PAGES = b"sample.invalid"
"""Stands for host and port in the shipped pages, which need some absolute URLs but cannot know the port."""

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}

WRONG_TYPES = {"/posters/house-of-ash.jpg": "text/plain"}
"""A picture whose Content-Type is wrong on purpose."""

REDIRECTS = {
    "/programme": (HTTPStatus.MOVED_PERMANENTLY, "/films/index.html"),
    "/media/moved.jpg": (HTTPStatus.FOUND, "/posters/the-long-noon.jpg"),
    "/media/round.jpg": (HTTPStatus.FOUND, "/media/round.jpg"),
}
REFUSALS = {
    "/media/locked.jpg": HTTPStatus.FORBIDDEN,
    "/media/broken.jpg": HTTPStatus.INTERNAL_SERVER_ERROR,
}
ALIASES = {"/media/gallows-creek-again.jpg": "/posters/gallows-creek.jpg"}
"""The same bytes under a second URL."""


class SampleSite:
    """The sample site on ``http://127.0.0.1:PORT/``; port 0 takes a free one.

    Usable as a context manager, or with :meth:`start` and :meth:`close`.
    """

    def __init__(self, port: int = 0, folder: Path = SITE) -> None:
        self._port = port
        self._folder = folder
        self._server: _Server | None = None

    def start(self) -> str:
        """Begin to serve in a thread of its own; returns the base URL, with a slash at its end.

        Raises:
            OSError: the port is taken.
        """
        if self._server is None:
            self._server = _Server(self._port, self._folder)
            threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sample-site", daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        """Stop serving; harmless when not started."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection open; closing must not wait for it
    request_queue_size = 64

    def __init__(self, port: int, folder: Path) -> None:
        # Requests are looked up among the files that are there now, so no path can lead out of the folder.
        self.files = {f"/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*") if file.is_file()}
        for path, target in ALIASES.items():
            if target in self.files:
                self.files[path] = self.files[target]
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the DNS for the host's name, which can take seconds where there is no network."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are their own affair."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "posterbot-sample"
    disable_nagle_algorithm = True
    timeout = 30

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.endswith("/"):
            path += "index.html"
        if path in REDIRECTS:
            status, location = REDIRECTS[path]
            self._answer(status, b"", Location=location)
        elif path in REFUSALS:
            self._say(REFUSALS[path])
        elif path in self.server.files:
            self._send_file(path, self.server.files[path])
        else:
            self._say(HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the crawl's own log tells the story."""

    def _send_file(self, path: str, file: Path) -> None:
        body = file.read_bytes()
        if file.suffix in {".html", ".txt", ".xml"}:
            body = body.replace(HOST_IN_PAGES, f"127.0.0.1:{self.server.server_port}".encode())
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == tag:
            self._answer(HTTPStatus.NOT_MODIFIED, None, ETag=tag)
            return
        kind = WRONG_TYPES.get(path) or CONTENT_TYPES.get(file.suffix, "application/octet-stream")
        modified = formatdate(file.stat().st_mtime, usegmt=True)
        self._answer(HTTPStatus.OK, body, **{"Content-Type": kind, "ETag": tag, "Last-Modified": modified})

    def _say(self, status: HTTPStatus) -> None:
        page = f"<!doctype html>\n<title>{status.value} {status.phrase}</title>\n<h1>{status.phrase}</h1>\n"
        self._answer(status, page.encode(), **{"Content-Type": "text/html; charset=utf-8"})

    def _answer(self, status: HTTPStatus, body: bytes | None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(body)
