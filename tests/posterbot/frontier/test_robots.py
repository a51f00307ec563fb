"""Nothing is fetched that a host's robots.txt forbids, and nothing while nobody knows what it forbids."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from conftest import Answer, Site
from crawling import ROOT, environment
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from posterbot.frontier import robots
from posterbot.frontier.robots import ForbiddenByRobots, Recent, RobotsMiddleware, RobotsUnreachable
from posterbot.politeness import NoContact

NOTHING_PRIVATE = b"User-agent: *\nDisallow: /private/\n"

# A crawl of the URLs on its standard input, which ends with what came of each.
CRAWL = """
import json, sys
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from posterbot.frontier.robots import RobotsMiddleware

found, delays = {}, []

class Robots(RobotsMiddleware):
    @classmethod
    def from_crawler(cls, crawler):
        return super().from_crawler(crawler, lambda host, seconds: delays.append([host, seconds]))

class Urls(Spider):
    name = "urls"
    allowed_domains = ["localhost"]
    async def start(self):
        for url in json.load(sys.stdin):
            yield Request(url, self.read, errback=self.failed, dont_filter=True)
    def read(self, response):
        found[response.request.url] = response.status
    def failed(self, failure):
        error = failure.value
        found[failure.request.url] = {
            "kind": type(error).__name__,
            "text": str(error),
            "cause": type(error.__cause__).__name__,
            "status": getattr(error, "status", None),
            "retry_in": getattr(error, "retry_in", None),
        }

process = AsyncCrawlerProcess({
    "DOWNLOADER_MIDDLEWARES": {
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
        Robots: 100,
    },
    "ROBOTSTXT_OBEY": True,
    "USER_AGENT": "posterbot/1.0 (+https://example.org/bot)",
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_MAXSIZE": 1_000_000,
    "DOWNLOAD_TIMEOUT": 2,
    "CONCURRENT_REQUESTS": 100,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 100,
    "TELNETCONSOLE_ENABLED": False,
    "HTTPERROR_ALLOW_ALL": True,
    "LOG_LEVEL": "WARNING",
})
crawler = process.create_crawler(Urls)
process.crawl(crawler)
process.start()
json.dump({"found": found, "delays": delays, "stats": crawler.stats.get_stats()}, sys.stdout, default=str)
"""


class Sites(dict[str, Site]):
    """One site for each kind of robots.txt, a request or more to each, and what came of them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, Any] = {}
        self.delays: dict[str, list[float | None]] = {}
        self.stats: dict[str, Any] = {}
        self.log = ""
        self._wanted: list[str] = []

    def add(self, name: str, robots_txt: Answer, *paths: str) -> Site:
        site = self[name] = Site()
        site["/robots.txt"] = robots_txt
        for path in paths:
            site.page(path, "hello")
            self._wanted.append(site.url + path)
        return site

    def crawl(self, *others: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", CRAWL],
            input=json.dumps([*self._wanted, *others]),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        self.found, self.stats, self.log = result["found"], result["stats"], done.stderr
        for host, seconds in result["delays"]:
            self.delays.setdefault(host, []).append(seconds)

    def of(self, name: str, path: str) -> Any:
        """Status, or the name of the error."""
        found = self.found[self[name].url + path]
        return found["kind"] if isinstance(found, dict) else found


def elsewhere(body: bytes) -> tuple[HTTPServer, str]:
    """A server on another address, which answers everything with ``body``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.2", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server, f"http://127.0.0.2:{server.server_address[1]}/rules.txt"


REFUSED = "http://127.0.0.1:1/film"
UNKNOWN = "http://no-such-host.invalid/film"
MANY = [f"/{folder}/{n}.jpg" for folder in ("private", "public") for n in range(8)]


@pytest.fixture(scope="module")
def sites() -> Sites:
    """One crawl of all of them."""
    sites = Sites()
    plain = "text/plain"
    sites.add("simple", Answer(NOTHING_PRIVATE, plain), "/private/film", "/film")
    sites.add("missing", Answer(b"no", status=404), "/film")
    sites.add("locked", Answer(b"no", status=403), "/film")
    sites.add("broken", Answer(NOTHING_PRIVATE, status=500), "/film", "/news", "/private/x")
    sites.add("busy", Answer(NOTHING_PRIVATE, status=429, headers={"Retry-After": "1"}), "/film")
    sites.add("silent", Answer(NOTHING_PRIVATE, plain, delay=4), "/film")
    sites.add("page", Answer(b"<!doctype html><title>Not found</title><p>Disallow: /</p>"), "/film")
    long = NOTHING_PRIVATE + b"# and so on\n" * 400_000 + b"Disallow: /film\n"
    assert len(long) > 4_800_000
    sites.add("long", Answer(long, plain), "/private/film", "/film")
    sites.add("long, of unknown length", Answer(long, plain, unsized=True), "/private/film", "/film")
    packed = {"Content-Encoding": "gzip"}
    sites.add("packed", Answer(gzip.compress(NOTHING_PRIVATE), plain, headers=packed), "/private/film", "/film")
    sites.add("bomb", Answer(gzip.compress(bytes(50_000_000)), plain, headers=packed), "/film")
    sites.add("together", Answer(NOTHING_PRIVATE, plain, delay=0.5), *MANY)
    server, url = elsewhere(NOTHING_PRIVATE)
    sites.add("moved", Answer(status=301, headers={"Location": url}), "/private/film", "/film")
    sites.add("circle", Answer(status=302, headers={"Location": "/robots.txt"}), "/film")
    sites.add("astray", Answer(status=302, headers={"Location": "file:///etc/hostname"}), "/film")
    hops = sites.add("five hops", Answer(status=302, headers={"Location": "/1"}), "/private/film")
    for n in range(1, 5):
        hops[f"/{n}"] = Answer(status=307, headers={"Location": f"{n + 1}"})
    hops["/5"] = Answer(NOTHING_PRIVATE, plain)
    sites.add("slow", Answer(b"User-agent: *\nCrawl-delay: 7\n", plain), "/film")
    sites.crawl(REFUSED, UNKNOWN)
    server.shutdown()
    server.server_close()
    for site in sites.values():
        site.close()
    return sites


def test_what_is_forbidden_is_not_asked_for(sites: Sites) -> None:
    assert sites.of("simple", "/private/film") == "ForbiddenByRobots"
    assert "robots.txt" in sites.found[sites["simple"].url + "/private/film"]["text"]
    assert sites.of("simple", "/film") == 200
    assert sorted(sites["simple"].asked) == ["/film", "/robots.txt"]


@pytest.mark.parametrize("name", ["missing", "locked", "page", "astray"])
def test_no_rules(sites: Sites, name: str) -> None:
    assert sites.of(name, "/film") == 200


@pytest.mark.parametrize(("name", "status"), [("broken", 500), ("busy", 429)])
def test_a_failing_server_is_left_alone(sites: Sites, name: str, status: int) -> None:
    error = sites.found[sites[name].url + "/film"]
    assert (error["kind"], error["status"], error["cause"]) == ("RobotsUnreachable", status, "NoneType")
    assert "robots.txt" in error["text"]
    assert 0 < error["retry_in"] <= 60
    assert sites[name].asked == ["/robots.txt"]


def test_a_server_that_does_not_answer_is_left_alone(sites: Sites) -> None:
    error = sites.found[sites["silent"].url + "/film"]
    assert (error["kind"], error["cause"]) == ("RobotsUnreachable", "DownloadTimeoutError")
    assert sites["silent"].asked == ["/robots.txt"]


def test_a_host_that_is_not_there(sites: Sites) -> None:
    assert sites.found[REFUSED]["kind"] == sites.found[UNKNOWN]["kind"] == "RobotsUnreachable"
    assert sites.found[REFUSED]["cause"] == "DownloadConnectionRefusedError"
    # A machine that cannot ask any name server waits for it in vain.
    assert sites.found[UNKNOWN]["cause"] in {"CannotResolveHostError", "DownloadTimeoutError"}


@pytest.mark.parametrize("name", ["long", "long, of unknown length"])
def test_of_five_megabytes_the_start_counts(sites: Sites, name: str) -> None:
    assert sites.of(name, "/private/film") == "ForbiddenByRobots"
    assert sites.of(name, "/film") == 200


def test_no_more_is_loaded_than_counts(sites: Sites) -> None:
    assert 2 * 512 * 1024 < sites.stats["downloader/response_bytes"] < 2 * 650_000


def test_packed_against_our_wishes(sites: Sites) -> None:
    assert sites.of("packed", "/private/film") == "ForbiddenByRobots"
    assert sites.of("packed", "/film") == 200
    assert sites.of("bomb", "/film") == "RobotsUnreachable"


def test_requests_that_wait_obey_too(sites: Sites) -> None:
    assert {path for path in MANY if sites.of("together", path) == "ForbiddenByRobots"} == set(MANY[:8])
    assert sorted(sites["together"].asked) == sorted(["/robots.txt", *MANY[8:]])


def test_redirects_are_followed_to_other_hosts(sites: Sites) -> None:
    assert sites.of("moved", "/private/film") == "ForbiddenByRobots"
    assert sites.of("moved", "/film") == 200


def test_five_redirects_are_followed(sites: Sites) -> None:
    assert sites.of("five hops", "/private/film") == "ForbiddenByRobots"
    assert sites["five hops"].asked == ["/robots.txt", "/1", "/2", "/3", "/4", "/5"]


def test_a_sixth_redirect_is_not(sites: Sites) -> None:
    assert sites["circle"].asked == ["/robots.txt"] * 6 + ["/film"]
    assert sites.of("circle", "/film") == 200


def test_delays_are_handed_over(sites: Sites) -> None:
    said = sites.delays["127.0.0.1"]
    assert said.count(7) == 1
    assert set(said) == {7, None}
    assert "no-such-host.invalid" not in sites.delays  # nothing is known of it


def test_it_is_counted(sites: Sites) -> None:
    asked = len(sites) + 2
    without_answer = 4  # silent, bomb, refused, unknown
    assert sites.stats["robotstxt/request_count"] == asked
    assert sites.stats["robotstxt/response_count"] == asked - without_answer
    assert sites.stats["robotstxt/response_status_count/500"] == 1
    assert sum(n for key, n in sites.stats.items() if key.startswith("robotstxt/exception_count/")) == without_answer
    assert sites.stats["robotstxt/forbidden"] == 6 + 8
    assert sites.stats["robotstxt/unreachable"] == 3 + 2 + 3
    assert "Traceback" not in sites.log
    assert "robotstxt" not in sites.log


class Here:
    """The middleware without a crawl: an hour can pass at once. What it asks for goes to the site."""

    def __init__(self, download: Callable[[Request], Awaitable[Response]] | None = None) -> None:
        self.now = 1000.0
        self.delays: list[tuple[str, float | None]] = []
        self.middleware = RobotsMiddleware(
            download or self.download,
            "posterbot/1.0",
            MemoryStatsCollector(get_crawler()),
            lambda host, seconds: self.delays.append((host, seconds)),
            lambda: self.now,
        )

    @staticmethod
    async def download(request: Request) -> Response:
        def load() -> Response:
            try:
                with urllib.request.urlopen(request.url, timeout=10) as answer:
                    return Response(request.url, answer.status, body=answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    return Response(request.url, error.code)

        return await asyncio.to_thread(load)

    def ask(self, url: str, **meta: object) -> str:
        """The name of the error, or "" if the request may pass."""

        async def once() -> None:
            await self.middleware.process_request(Request(url, meta=meta))

        try:
            asyncio.run(once())
        except Exception as error:
            return type(error).__name__
        return ""


def test_rules_hold_for_a_day(site: Site) -> None:
    here = Here()
    site["/robots.txt"] = Answer(NOTHING_PRIVATE + b"Crawl-delay: 5", "text/plain")
    assert here.ask(site.url + "/private/") == "ForbiddenByRobots"
    site["/robots.txt"] = Answer(b"", "text/plain")
    here.now += 24 * 3600 - 1
    assert here.ask(site.url + "/private/") == "ForbiddenByRobots"
    here.now += 1
    assert here.ask(site.url + "/private/") == ""
    assert site.asked == ["/robots.txt"] * 2
    assert here.delays == [("127.0.0.1", 5), ("127.0.0.1", None)]


def test_what_could_not_be_had_is_asked_for_again_after_a_minute(site: Site) -> None:
    here = Here()
    site["/robots.txt"] = Answer(status=503)
    assert here.ask(site.url + "/film") == "RobotsUnreachable"
    site["/robots.txt"] = Answer(NOTHING_PRIVATE, "text/plain")
    here.now += 59
    assert here.ask(site.url + "/film") == "RobotsUnreachable"
    here.now += 1
    assert here.ask(site.url + "/film") == ""
    assert here.ask(site.url + "/private/") == "ForbiddenByRobots"
    assert site.asked == ["/robots.txt"] * 2


def test_hosts_are_forgotten_when_there_are_too_many(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robots, "MAX_HOSTS", 2)
    here = Here()
    other, third = Site(), Site()
    for url in (site.url, other.url, site.url, third.url, site.url, other.url):
        here.ask(url + "/film")
    assert [len(s.asked) for s in (site, other, third)] == [1, 2, 1]
    other.close()
    third.close()


def test_rules_that_are_no_longer_parsed_still_hold(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robots, "MAX_PARSED", 30)
    here = Here()
    other = Site()
    site["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /a", "text/plain")
    large = b"\n".join(b"Disallow: /b%d" % n for n in range(2000))
    assert len(large) > robots.LARGE
    other["/robots.txt"] = Answer(b"User-agent: *\n" + large, "text/plain")
    for _ in range(2):
        assert here.ask(site.url + "/a") == here.ask(other.url + "/b7") == "ForbiddenByRobots"
        assert here.ask(site.url + "/b7") == here.ask(other.url + "/a") == ""
    assert site.asked == other.asked == ["/robots.txt"]
    other.close()


def test_what_has_rules_of_its_own() -> None:
    asked: list[str] = []

    async def download(request: Request) -> Response:
        asked.append(request.url)
        assert request.headers["Accept-Encoding"] == b"identity"
        return Response(request.url)

    here = Here(download)
    for url in ("http://h.example/a", "http://H.example:80/b", "https://h.example/", "https://h.example:443/x?y"):
        assert here.ask(url) == ""
    for url in ("https://h.example:444/", "http://[::1]/", "http://[::1]:81/", "http://user:secret@h.example/"):
        assert here.ask(url) == ""
    assert asked == [
        "http://h.example/robots.txt",
        "https://h.example/robots.txt",
        "https://h.example:444/robots.txt",
        "http://[::1]/robots.txt",
        "http://[::1]:81/robots.txt",
    ]


def test_what_needs_no_rules(site: Site) -> None:
    here = Here()
    site["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /", "text/plain")
    assert here.ask(site.url + "/film", dont_obey_robotstxt=True) == ""
    assert here.ask("data:text/plain,hello") == here.ask("file:///etc/hostname") == ""
    assert site.asked == []
    assert here.ask(site.url + "/film") == "ForbiddenByRobots"


def test_who_gives_up_does_not_end_it_for_all(site: Site) -> None:
    here = Here()
    site["/robots.txt"] = Answer(NOTHING_PRIVATE, "text/plain", delay=0.3)

    async def two() -> None:
        first = asyncio.ensure_future(here.middleware.process_request(Request(site.url + "/film")))
        second = asyncio.ensure_future(here.middleware.process_request(Request(site.url + "/private/")))
        await asyncio.sleep(0.05)
        first.cancel()
        with pytest.raises(ForbiddenByRobots):
            await second
        assert first.cancelled()

    asyncio.run(two())
    assert site.asked == ["/robots.txt"]


def test_what_is_not_even_asked_for_says_nothing_of_the_host() -> None:
    tries = 0

    async def refuse(request: Request) -> Response:
        nonlocal tries
        tries += 1
        raise NoContact("nobody can be reached")

    here = Here(refuse)
    assert here.ask("http://h.example/film") == here.ask("http://h.example/news") == "NoContact"
    assert tries == 2


def test_an_error_is_remembered_without_its_frames() -> None:
    failed = CannotResolveHostError("no such host")

    async def fail(request: Request) -> Response:
        raise failed from OSError("-2")

    here = Here(fail)
    assert here.ask("http://h.example/film") == here.ask("http://h.example/news") == "RobotsUnreachable"
    assert failed.__traceback__ is None
    assert failed.__cause__ is None

    async def once() -> None:
        with pytest.raises(RobotsUnreachable, match=r"robots.txt of http://h.example cannot be read \(.*no such host"):
            await here.middleware.process_request(Request("http://h.example/film"))

    asyncio.run(once())


@given(st.integers(1, 5), st.integers(0, 20), st.lists(st.tuples(st.integers(0, 8), st.integers(0, 25))))
def test_recent_values(most: int, weight: int, puts: list[tuple[int, int]]) -> None:
    recent: Recent[int, int] = Recent(most, weight)
    used: list[tuple[int, int]] = []
    for key, size in puts:
        recent.put(key, size, size)
        used = [(k, s) for k, s in used if k != key] + [(key, size)]
        while len(used) > most or (sum(s for _, s in used) > weight and len(used) > 1):
            used.pop(0)
        assert len(recent) == len(used)
        for k, s in used:
            assert recent.get(k) == s
    assert all(recent.get(k) is None for k in set(range(9)) - {k for k, _ in used})
