"""Transfers that cannot pass are cut, as their servers see it; the rest is not. The crawl is this file, run alone."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import brotli
import pytest
from conftest import encode, picture

ROOT = Path(__file__).parents[3]
PIECE = 8 * 1024
LARGE = 600 * 1024
MAX_BYTES = 1_000_000


@dataclass
class Answer:
    body: bytes
    headers: dict[str, str]
    status: int = 200
    chunked: bool = False
    breaks: bool = False
    """Hangs up in the middle."""


@dataclass
class Sent:
    connection: int
    sent: int = 0
    cut: bool = False


@dataclass
class Slow:
    """A host that sends bodies in pieces, and notes how much of each it could send before the crawler hung up."""

    address: str
    answers: dict[str, Answer]
    sent: dict[str, Sent] = field(default_factory=dict)
    connections: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        slow = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or pieces arrive together

            def setup(self) -> None:
                super().setup()
                self.number = next(slow.connections)

            def do_GET(self) -> None:
                answer, note = slow.answers[self.path], Sent(self.number)
                slow.sent[self.path] = note
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                elif "Content-Length" not in answer.headers:
                    self.send_header("Content-Length", str(len(answer.body)))
                try:
                    self.end_headers()
                    for at in range(0, len(answer.body), PIECE):
                        piece = answer.body[at : at + PIECE]
                        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.chunked else piece)
                        note.sent += len(piece)
                        time.sleep(0.005)
                        if answer.breaks and note.sent > 3 * PIECE:
                            self.connection.shutdown(socket.SHUT_RDWR)
                    if answer.chunked:
                        self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    note.cut = self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((self.address, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{self.address}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def padded(data: bytes, size: int = LARGE) -> bytes:
    return data + random.Random(len(data)).randbytes(size - len(data))


def png_of(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def with_exif(jpeg: bytes, length: int) -> bytes:
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", length) + bytes(length - 2) + jpeg[2:]


HTML = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body>"
WORDS = random.Random(7).randbytes(LARGE).hex().encode()[:LARGE]
PAGE = HTML + WORDS
POSTER = padded(encode(picture()))
PNG, JPEG = {"Content-Type": "image/png"}, {"Content-Type": "image/jpeg"}
TEXT = {"Content-Type": "text/html; charset=utf-8"}

CUT = {
    "/small": (Answer(padded(png_of(60, 60)), PNG), "too_small"),
    "/bomb": (Answer(padded(png_of(30_000, 30_000)), PNG), "too_many_pixels"),
    "/banner": (Answer(padded(png_of(1000, 120)), PNG), "extreme_aspect"),
    "/long-exif": (Answer(padded(with_exif(encode(picture(50, 75)), 40_000)), JPEG), "too_small"),
    "/heic": (
        Answer(padded(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), {"Content-Type": "image/heic"}),
        "unsupported_format",
    ),
    "/svg": (
        Answer(b"<svg xmlns='http://www.w3.org/2000/svg'>" + WORDS, {"Content-Type": "image/svg+xml"}),
        "unsupported_format",
    ),
    "/noise": (Answer(padded(b"\1\2\3\4"), JPEG), "not_an_image"),
    "/page": (Answer(PAGE, TEXT), "html"),
    "/page-as-image": (Answer(PAGE, JPEG), "html"),
    "/gzip-page": (Answer(gzip.compress(PAGE), TEXT | {"Content-Encoding": "gzip"}), "html"),
    "/br-page": (Answer(brotli.compress(PAGE, quality=1), TEXT | {"Content-Encoding": "br"}), "html"),
    "/gone": (Answer(PAGE, TEXT, status=404), "html"),
    "/too-long": (Answer(POSTER, JPEG | {"Content-Length": str(MAX_BYTES + 1)}), "too_many_bytes"),
    "/chunked-small": (Answer(padded(png_of(60, 60)), PNG, chunked=True), "too_small"),
}
WHOLE: dict[str, tuple[Answer, str | None]] = {
    "/poster": (Answer(POSTER, JPEG), None),
    "/poster-as-text": (Answer(POSTER, TEXT), None),
    "/gzip-poster": (Answer(gzip.compress(POSTER), PNG | {"Content-Encoding": "gzip"}), None),
    "/br-poster": (Answer(brotli.compress(POSTER, quality=1), JPEG | {"Content-Encoding": "br"}), None),
    "/tiff": (Answer(padded(encode(picture(), "TIFF")), {"Content-Type": "image/tiff"}), None),
    "/chunked-poster": (Answer(POSTER, JPEG, chunked=True), None),
    "/icon": (Answer(encode(picture(32, 32), "PNG"), PNG), "too_small"),
    "/chunked-icon": (Answer(encode(picture(32, 32), "PNG"), PNG, chunked=True), "too_small"),
    "/almost": (Answer(padded(png_of(60, 60), PIECE + 30_000), PNG), "too_small"),
    "/short-page": (Answer(PAGE[:20_000], TEXT), "html"),
    "/empty": (Answer(b"", JPEG), None),
}
MOVED = {
    "/moved": Answer(PAGE, TEXT | {"Location": "/poster-moved"}, status=302),
    "/br-moved": Answer(
        brotli.compress(PAGE), TEXT | {"Location": "/poster-moved", "Content-Encoding": "br"}, status=302
    ),
    "/poster-moved": Answer(POSTER, JPEG),
}
BROKEN = {"/broken": Answer(POSTER[:-1000], JPEG, breaks=True)}
PLAIN = {"/a-page": Answer(PAGE, TEXT)}
IN_TURN = {
    "/1": CUT["/small"][0],
    "/2": WHOLE["/icon"][0],
    "/3": WHOLE["/almost"][0],
    "/4": WHOLE["/chunked-icon"][0],
    "/5": WHOLE["/short-page"][0],
    "/6": Answer(POSTER, JPEG),
    "/7": CUT["/too-long"][0],
    "/8": WHOLE["/icon"][0],
}


@dataclass
class Crawl:
    host: Slow
    in_turn: Slow
    outcomes: dict[str, dict[str, Any]]
    stats: dict[str, Any]
    failures: dict[str, int]
    held: int
    log: str


@pytest.fixture(scope="module")
def crawl() -> Iterator[Crawl]:
    answers = {path: answer for path, (answer, _) in (CUT | WHOLE).items()} | MOVED | BROKEN | PLAIN
    host, in_turn = Slow("127.0.0.1", answers), Slow("127.0.0.2", IN_TURN)
    paths = [path for path in answers if path != "/poster-moved"]
    plan = {
        "host": host.url,
        "paths": paths,
        "pages": list(PLAIN),
        "in_turn": in_turn.url,
        "paths_in_turn": list(IN_TURN),
    }
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests", ROOT / "tests/posterbot/frontier")))
    try:
        done = subprocess.run(
            [sys.executable, __file__],
            input=json.dumps(plan),
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        time.sleep(0.3)  # a server learns of a close when it writes the next piece
        yield Crawl(host, in_turn, log=done.stderr, **json.loads(done.stdout))
    finally:
        host.close()
        in_turn.close()


@pytest.mark.parametrize("path", CUT)
def test_what_cannot_pass_is_cut(crawl: Crawl, path: str) -> None:
    answer, reason = CUT[path]
    outcome = crawl.outcomes[path]
    assert (outcome["status"], outcome["stopped"], outcome["flags"]) == (answer.status, reason, ["download_stopped"])
    assert crawl.host.sent[path].cut
    assert crawl.host.sent[path].sent < LARGE / 2


@pytest.mark.parametrize("path", WHOLE)
def test_what_can_pass_or_is_nearly_there_is_not(crawl: Crawl, path: str) -> None:
    answer, reason = WHOLE[path]
    outcome = crawl.outcomes[path]
    unpacked = {"gzip": gzip.decompress, "br": brotli.decompress}.get(answer.headers.get("Content-Encoding", ""), bytes)
    assert (outcome["status"], outcome["stopped"], outcome["flags"]) == (200, reason, [])
    assert outcome["length"] == len(unpacked(answer.body))
    assert not crawl.host.sent[path].cut


@pytest.mark.parametrize("path", ["/moved", "/br-moved"])
def test_a_redirect_is_followed_and_its_reason_forgotten(crawl: Crawl, path: str) -> None:
    outcome = crawl.outcomes[path]
    assert (outcome["url"], outcome["stopped"], outcome["length"]) == ("/poster-moved", None, len(POSTER))


def test_pages_are_left_alone(crawl: Crawl) -> None:
    assert crawl.outcomes["/a-page"]["length"] == len(PAGE)


def test_nothing_of_a_transfer_is_left_behind(crawl: Crawl) -> None:
    assert crawl.outcomes["/broken"]["error"]
    assert crawl.held == 0


def test_a_stopped_transfer_is_no_failure_of_its_host(crawl: Crawl) -> None:
    assert crawl.failures["127.0.0.2"] == 0
    assert "Traceback" not in crawl.log


def test_only_a_cut_costs_the_connection(crawl: Crawl) -> None:
    numbers = [crawl.in_turn.sent[path].connection for path in IN_TURN]
    assert [a == b for a, b in itertools.pairwise(numbers)] == [False, *[True] * 5, False]


def test_what_is_counted(crawl: Crawl) -> None:
    counted = {name.rpartition("/")[2]: n for name, n in crawl.stats.items() if "/stopped/" in name}
    in_turn = {"too_small": 1, "too_many_bytes": 1}
    moved = {"html": 1}  # also of a redirect, when its bytes are read
    reasons = [reason for _, reason in CUT.values()]
    assert counted == {r: reasons.count(r) + in_turn.get(r, 0) + moved.get(r, 0) for r in set(reasons)}
    cut = [*(answer for answer, _ in CUT.values()), IN_TURN["/1"], IN_TURN["/7"], MOVED["/moved"]]
    sizes = [int(answer.headers.get("Content-Length", len(answer.body))) for answer in cut if not answer.chunked]
    assert 0.8 * sum(sizes) < crawl.stats["posterbot/stopped_bytes_saved"] < sum(sizes)


def crawl_as_planned() -> None:
    """The crawl itself: a plan as JSON on stdin, what became of each path on stdout."""
    from keeping import Kept, Table
    from scrapy import Request, Spider, signals
    from scrapy.crawler import AsyncCrawlerProcess, Crawler

    from posterbot.frontier.hosts import Hosts, register
    from posterbot.frontier.limits import limits_of, transfers_of
    from posterbot.pipelines.early_stop import EarlyStop

    plan = json.load(sys.stdin)
    outcomes: dict[str, Any] = {}
    result: dict[str, Any] = {"outcomes": outcomes}

    class Gate:
        """What the scheduler does in a crawl of posters."""

        def __init__(self, crawler: Crawler) -> None:
            table = Kept(Table(time.monotonic))
            self.hosts = Hosts(
                table,
                limits_of(crawler.settings),
                transfers=transfers_of(crawler.settings),
                backoff=1,
                patience=5,
                wall=lambda: 1_700_000_000,
            )
            register(crawler, self.hosts)
            crawler.signals.connect(self.closed, signals.spider_closed)

        @classmethod
        def from_crawler(cls, crawler: Crawler) -> Gate:
            return cls(crawler)

        async def closed(self) -> None:
            result["failures"] = {state.name: state.failures for state in self.hosts.held()}
            await self.hosts.close()

    class Eager(Spider):
        name = "eager"

        async def start(self) -> Any:
            await asyncio.gather(*(self.fetch(plan["host"], path) for path in plan["paths"]))
            for path in plan["paths_in_turn"]:
                await self.fetch(plan["in_turn"], path)
            early = self.crawler.get_extension(EarlyStop)
            result["held"] = len(early._transfers)
            result["stats"] = {k: v for k, v in self.crawler.stats.get_stats().items() if k.startswith("posterbot/")}
            for _ in ():
                yield

        async def fetch(self, host: str, path: str) -> None:
            meta = {"download_maxsize": MAX_BYTES} | ({} if path in plan["pages"] else {"posterbot_image": True})
            try:
                response = await self.crawler.engine.download_async(Request(host + path, meta=meta, dont_filter=True))
            except Exception as error:
                outcomes[path] = {"error": f"{type(error).__name__}: {error}"}
                return
            outcomes[path] = {
                "url": response.url.removeprefix(host),
                "status": response.status,
                "length": len(response.body),
                "flags": response.flags,
                "stopped": response.request.meta.get("posterbot_stopped"),
            }

    process = AsyncCrawlerProcess(
        {
            "ADDONS": {"posterbot.frontier.limits.LimitsAddon": 0},
            "EXTENSIONS": {Gate: 0, EarlyStop: 0},
            "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "posterbot.frontier.handler.PoliteHandler"),
            "ALLOWED_PRIVATE_HOSTS": ["127.0.0.1", "127.0.0.2"],
            "DOWNLOAD_SLOTS": {"127.0.0.0/8": {"concurrency": 8, "delay": 0, "failures": 0}},
            "CONCURRENT_REQUESTS": 16,
            "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
            "HTTPERROR_ALLOW_ALL": True,
            "TELNETCONSOLE_ENABLED": False,
            "LOG_LEVEL": "INFO",
            "EXPLORE": 0,  # by chance of its address one would not be cut
            "IMAGES_MIN_WIDTH": 100,
            "IMAGES_MIN_HEIGHT": 100,
            "IMAGES_MAX_BYTES": MAX_BYTES,
            "IMAGES_MAX_PIXELS": 64_000_000,
        }
    )
    process.crawl(Eager)
    process.start()
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    crawl_as_planned()
