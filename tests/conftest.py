"""What all tests share: pictures drawn on the spot, a web server on loopback, and the rule on skipping."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image
from postgres import TO_INSTALL, Cluster, is_installed

# The same examples every time, and no clock: machines are noisy.
settings.register_profile("project", derandomize=True, deadline=None)
settings.load_profile("project")

# A shell that starts the tests in the background has them ignore Ctrl-C, and what they start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REAL_DATA = Path(os.environ.get("POSTERBOT_REAL_DATA", Path(__file__).parents[2] / "shared"))


LONG = (
    "test_train.py",
    "test_docs.py",
    "test_package.py",
    "test_steering_crawl.py",
    "test_resume.py",
    "test_faults.py",
    "test_crawl.py",
)
"""Files that take longest begin first, or all but one process wait for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real pictures and texts, which is no part of the project."""
    if not (REAL_DATA / "images").is_dir():
        pytest.skip(f"no real data at {REAL_DATA}: set POSTERBOT_REAL_DATA")
    return REAL_DATA


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI a skipped test is a failed one: what tests need is installed there."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


def picture(width: int = 300, height: int = 450, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """A picture with some structure, different for each seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 4, 3), np.uint8), "RGB")
    return small.resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def encode(image: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    """The bytes of a file holding ``image``."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


@dataclass
class Answer:
    """What the test server says under one path."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    unsized: bool = False
    """Without Content-Length: the length shows only when the connection closes."""
    met: Callable[[], None] | None = None
    """Called before it is given."""


class Site(dict[str, Answer]):
    """A web site on loopback: path → :class:`Answer`.

    ``asked`` lists the paths requested, in order; tdmrep.json, for which each host is asked, only where there is one.
    ``most_at_once`` is how many were ever answered at the same time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.most_at_once = 0
        at_once = 0
        lock = threading.Lock()
        self.agents: set[str] = set()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path in site or self.path != "/.well-known/tdmrep.json":
                    site.asked.append(self.path)
                site.agents.add(self.headers.get("User-Agent", ""))
                answer = site.get(self.path, Answer(b"nothing here", status=404))
                if answer.headers.get("ETag", "none") == self.headers.get("If-None-Match"):
                    answer = Answer(status=304, headers=answer.headers)
                if answer.met:
                    answer.met()
                nonlocal at_once
                with lock:
                    at_once += 1
                    site.most_at_once = max(site.most_at_once, at_once)
                time.sleep(answer.delay)
                with lock:
                    at_once -= 1
                try:
                    self.send_response(answer.status)
                    headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
                    if answer.unsized:
                        del headers["Content-Length"]
                        headers["Connection"] = "close"
                    for name, value in (headers | answer.headers).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)
                except OSError:
                    self.close_connection = True  # the crawler had enough of it

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def page(self, path: str, html: str) -> None:
        self[path] = Answer(html.encode())

    def image(self, path: str, body: bytes, content_type: str = "image/jpeg", **more: object) -> None:
        self[path] = Answer(body, content_type, **more)  # type: ignore[arg-type]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    """An empty web site."""
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server, one for all tests. Who stops it starts it again."""
    if not is_installed():
        pytest.skip(f"no PostgreSQL server here: {TO_INSTALL}")
    cluster = Cluster()
    yield cluster
    cluster.close()


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """A new database on it."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def catalogue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """``CATALOGUE_URL`` where there is no catalogue yet: the test runs once on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalogue.db"
    url: str = request.getfixturevalue("postgres_url")
    return url
