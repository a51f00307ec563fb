"""The memory of a real crawl while its frontier grows to a million URLs.

    python benchmarks/frontier_memory.py [--urls 1000000] [--links 200] [--json FILE]

A web on loopback without end, in which every page links to 200 others that nothing else links to, is crawled by one
``scrapy crawl posters`` on SQLite, until so many URLs are in its frontier. Then it gets SIGTERM. Printed: the resident
memory of the crawl (without its scoring processes) for each 100,000 URLs, its slope from 200,000 on by least squares
with the standard error, links a second, and the seconds from SIGTERM to the end.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from comparison import Comparison, parse, write
from frontier_scale import FROM, Process
from sqlalchemy import func, select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import pages, queues

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "posterbot")]

from crawling import ROOT, command, environment  # noqa: E402

HOSTS = [f"127.0.3.{number}" for number in range(1, 51)]
SECTIONS = ("films", "people", "news", "archive", "essays", "festival", "interviews")
WORDS = [f"{a}{b}{c}" for a in ("ba", "do", "ke", "li", "mu") for b in ("ra", "te", "vo") for c in ("n", "s", "l", "k")]


class Endless:
    """Page ``n`` links to the pages from ``n * links + 1`` on."""

    def __init__(self, links: int) -> None:
        self.links = links
        self.port = 0
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True).start()
        ready.wait()

    async def _serve(self, ready: threading.Event) -> None:
        with socket.socket() as first:
            first.bind((HOSTS[0], 0))
            self.port = first.getsockname()[1]
        server = await asyncio.start_server(self._answer, HOSTS, self.port)
        ready.set()
        await server.serve_forever()

    def url(self, number: int) -> str:
        """Of a page."""
        host, section = HOSTS[number % len(HOSTS)], SECTIONS[number % len(SECTIONS)]
        return f"http://{host}:{self.port}/{section}/page-{number}.html"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                if path == "/robots.txt":
                    status, body = "404 Not Found", b"none"
                else:
                    status, body = "200 OK", self._html(int(path.rpartition("-")[2].removesuffix(".html"))).encode()
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _html(self, number: int) -> str:
        words = " ".join(random.Random(number).choices(WORDS, k=60))
        first = number * self.links + 1
        links = "".join(f'<a href="{self.url(page)}">{page}</a>\n' for page in range(first, first + self.links))
        return f"<!doctype html><title>{words[:20]} {number}</title><p>{words}</p>{links}"


def main() -> None:
    """Crawl until it is large, then stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--links", type=int, default=200, help="on a page")
    given = parse(parser, urls=30_000)
    web = Endless(given.links)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = command(folder, "-a", f"start={web.url(0)}", LOG_LEVEL="INFO")
        with (folder / "log").open("w") as log:
            crawl = subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=log, stderr=log)
        process = Process(crawl.pid)
        began = time.monotonic()
        urls = 0
        try:
            while not (folder / "catalogue.db").exists():
                time.sleep(0.1)
            engine = open_catalogue(f"sqlite:///{folder}/catalogue.db")
            while urls < given.urls and crawl.poll() is None:
                time.sleep(0.5)
                with engine.connect() as connection:
                    urls = connection.scalar(select(func.sum(queues.c.added))) or 0
                process.look(urls)
            took = time.monotonic() - began
            crawl.terminate()
            asked = time.monotonic()
            crawl.wait()
            stopped = time.monotonic() - asked
            with engine.connect() as connection:
                fetched = connection.scalar(select(func.count()).select_from(pages))
            engine.dispose()
        finally:
            crawl.kill()
        if crawl.returncode:
            tail = (folder / "log").read_text()[-3_000:]
            sys.exit(f"benchmark: the crawl ended with exit code {crawl.returncode}:\n{tail}")
    start = min(FROM, given.urls // 5)
    slope, error = process.slope(start)
    step = max(1, given.urls // 10)
    print(f"{'URLs':>10}{'memory':>10}")
    for number in range(0, given.urls + 1, step):
        urls, memory = min(process.samples, key=lambda sample: abs(sample[0] - number))
        print(f"{urls:10,}{memory:7.1f} MB")
    print(f"at most {max(memory for _, memory in process.samples):.1f} MB")
    print(f"slope from {start:,} on: {10 * slope:+.2f} ± {10 * error:.2f} bytes for each URL (one standard error)")
    print(f"{fetched:,} pages in {took:.0f} s, {process.samples[-1][0] / took:,.0f} new links/s")
    print(f"ended {stopped:.1f} s after SIGTERM")
    values = {
        "memory": ("MB", max(mb for _, mb in process.samples)),
        "slope": ("bytes/URL", 10 * slope),
        "end": ("s", stopped),
    }
    write(given.json, {name: Comparison(unit, [value]) for name, (unit, value) in values.items()})


if __name__ == "__main__":
    main()
