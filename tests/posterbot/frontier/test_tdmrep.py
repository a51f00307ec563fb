"""A host's tdmrep.json is asked for once, through the downloader, and a host without one reserves nothing."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from conftest import Answer, Site
from crawling import ROOT, environment
from scrapy import Request
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest
from scrapy.http import Response
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from posterbot.frontier import tdmrep
from posterbot.frontier.tdmrep import TdmFiles
from posterbot.frontier.turn import Stopping

FILE = "/.well-known/tdmrep.json"
RESERVED = b'[{"location": "/free/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]'

# What is said of the URLs on its standard input, all asked for at once.
CRAWL = """
import asyncio, json, sys
from scrapy import Spider
from scrapy.crawler import AsyncCrawlerProcess
from posterbot.frontier.robots import RobotsMiddleware
from posterbot.frontier.tdmrep import TdmFiles

found = {}

class Robots(RobotsMiddleware):
    @classmethod
    def from_crawler(cls, crawler):
        return super().from_crawler(crawler, lambda host, seconds: None)

class Urls(Spider):
    name = "urls"
    allowed_domains = ["localhost"]
    async def start(self):
        files = TdmFiles.from_crawler(self.crawler)
        urls = json.load(sys.stdin)
        for url, said in zip(urls, await asyncio.gather(*map(files.signal, urls))):
            found[url] = said and str(said)
        return
        yield

process = AsyncCrawlerProcess({
    "DOWNLOADER_MIDDLEWARES": {"scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None, Robots: 100},
    "ROBOTSTXT_OBEY": True,
    "USER_AGENT": "posterbot/1.0",
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_TIMEOUT": 2,
    "CONCURRENT_REQUESTS": 100,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 100,
    "TELNETCONSOLE_ENABLED": False,
    "LOG_LEVEL": "WARNING",
})
crawler = process.create_crawler(Urls)
process.crawl(crawler)
process.start()
json.dump({"found": found, "stats": crawler.stats.get_stats()}, sys.stdout, default=str)
"""


class Sites(dict[str, Site]):
    """One site for each kind of file, and what is said of some of its paths."""

    stats: dict[str, Any]
    found: dict[str, str | None]
    log: str

    def add(self, name: str, file: Answer) -> Site:
        site = self[name] = Site()
        site[FILE] = file
        return site

    def crawl(self, *others: str) -> None:
        urls = [site.url + path for site in self.values() for path in ("/poster.jpg", "/free/poster.jpg")]
        done = subprocess.run(
            [sys.executable, "-c", CRAWL],
            input=json.dumps([*urls, *others]),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        self.found, self.stats, self.log = result["found"], result["stats"], done.stderr

    def of(self, name: str) -> tuple[str | None, str | None]:
        """What is said of the two paths, without the URL of the file."""
        url = self[name].url
        said = (self.found[url + path] for path in ("/poster.jpg", "/free/poster.jpg"))
        first, second = (None if text is None else text.partition(" (")[0] for text in said)
        return first, second


BOTH = ("tdmrep.json: 1", "tdmrep.json: 0")


@pytest.fixture(scope="module")
def sites() -> Iterator[Sites]:
    """One crawl of all of them."""
    sites = Sites()
    plain = "application/json"
    sites.add("simple", Answer(RESERVED, plain))
    sites.add("together", Answer(RESERVED, plain, delay=0.5))
    sites.add("missing", Answer(b"no", status=404))
    sites.add("broken", Answer(RESERVED, status=500))
    sites.add("silent", Answer(RESERVED, plain, delay=4))
    sites.add("page", Answer(b"<!doctype html><title>Not found</title>"))
    long = RESERVED[:-1] + b"," + b" " * 5_000_000 + b'{"location": "/x", "tdm-reservation": 1}]'
    sites.add("long", Answer(long, plain))
    sites.add("long, of unknown length", Answer(long, plain, unsized=True))
    packed = {"Content-Encoding": "gzip"}
    sites.add("packed", Answer(gzip.compress(RESERVED), plain, headers=packed))
    sites.add("bomb", Answer(gzip.compress(bytes(50_000_000)), plain, headers=packed))
    sites.add("moved", Answer(status=301, headers={"Location": "/there.json"}))["/there.json"] = Answer(RESERVED, plain)
    sites.add("circle", Answer(status=302, headers={"Location": FILE}))
    sites.add("astray", Answer(status=302, headers={"Location": "file:///etc/hostname"}))
    forbidden = sites.add("forbidden", Answer(RESERVED, plain))
    forbidden["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /.well-known/", "text/plain")
    sites.crawl("http://127.0.0.1:1/x", "http://no-such-host.invalid/x", "file:///etc/hostname", "nothing", "http://[")
    yield sites
    for site in sites.values():
        site.close()


@pytest.mark.parametrize("name", ["simple", "together", "long", "long, of unknown length", "packed", "moved"])
def test_what_the_file_says(sites: Sites, name: str) -> None:
    assert sites.of(name) == BOTH
    assert sites[name].asked.count(FILE) == 1


def test_the_evidence_names_the_file(sites: Sites) -> None:
    url = sites["simple"].url
    assert sites.found[f"{url}/poster.jpg"] == f"tdmrep.json: 1 ({url}{FILE}; as written: location /)"


@pytest.mark.parametrize("name", ["missing", "broken", "silent", "page", "bomb", "circle", "astray", "forbidden"])
def test_no_file_reserves_nothing(sites: Sites, name: str) -> None:
    assert sites.of(name) == (None, None)
    assert sites[name].asked.count(FILE) == {"circle": 6, "forbidden": 0}.get(name, 1)


def test_other_addresses(sites: Sites) -> None:
    others = ("http://127.0.0.1:1/x", "http://no-such-host.invalid/x", "file:///etc/hostname", "nothing", "http://[")
    assert [sites.found[url] for url in others] == [None] * 5


def test_no_more_is_loaded_than_counts(sites: Sites) -> None:
    assert 2 * 512 * 1024 < sites.stats["downloader/response_bytes"] < 2 * 700_000


def test_it_is_counted(sites: Sites) -> None:
    assert sites.stats["tdmrep/request_count"] == len(sites) + 2
    assert sites.stats["tdmrep/files"] == 6
    assert "Traceback" not in sites.log


class Here:
    """Files without a crawl: an hour can pass at once."""

    def __init__(self, download: Callable[[Request], Awaitable[Response]] | None = None) -> None:
        self.now = 1000.0
        self.asked: list[str] = []
        self.files = TdmFiles(download or self.download, MemoryStatsCollector(get_crawler()), lambda: self.now)

    async def download(self, request: Request) -> Response:
        self.asked.append(request.url)

        def load() -> Response:
            try:
                with urllib.request.urlopen(request.url, timeout=10) as answer:
                    return Response(request.url, answer.status, body=answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    return Response(request.url, error.code)

        return await asyncio.to_thread(load)

    def of(self, url: str) -> str | None:
        signal = asyncio.run(self.files.signal(url))
        return None if signal is None else signal.directive


def test_a_file_holds_for_a_day(site: Site) -> None:
    here = Here()
    site[FILE] = Answer(RESERVED)
    assert here.of(f"{site.url}/a") == "1"
    site[FILE] = Answer(b"[]")
    here.now += 24 * 3600 - 1
    assert here.of(f"{site.url}/b") == "1"
    here.now += 1
    assert here.of(f"{site.url}/b") is None
    assert site.asked == [FILE] * 2


def test_that_there_is_none_holds_for_a_day_and_a_failure_for_ten_minutes(site: Site) -> None:
    here = Here()
    assert here.of(f"{site.url}/a") is None
    site[FILE] = Answer(RESERVED, status=503)
    here.now += 24 * 3600
    assert here.of(f"{site.url}/a") is None
    site[FILE] = Answer(RESERVED)
    here.now += 599
    assert here.of(f"{site.url}/a") is None
    here.now += 1
    assert here.of(f"{site.url}/a") == "1"


def test_each_site_by_itself(site: Site) -> None:
    here = Here()
    site[FILE] = Answer(RESERVED)
    assert here.of(f"{site.url}/a") == "1"
    assert here.of(f"{site.url.replace('127.0.0.1', 'LOCALHOST')}/a") == "1"
    assert here.asked == [site.url + FILE, site.url.replace("127.0.0.1", "localhost") + FILE]


def test_where_nothing_may_be_asked_now_nothing_is_remembered() -> None:
    async def refuse(request: Request) -> Response:
        asked.append(request.url)
        raise IgnoreRequest("the host is left alone")

    asked: list[str] = []
    here = Here(refuse)
    assert [here.of("http://a.example/1"), here.of("http://a.example/2")] == [None, None]
    assert len(asked) == 2


def test_a_crawl_that_stops_stops() -> None:
    async def stop(request: Request) -> Response:
        raise Stopping

    with pytest.raises(Stopping):
        Here(stop).of("http://a.example/1")


def test_who_is_given_up_does_not_end_it_for_the_others() -> None:
    async def late(request: Request) -> Response:
        await asyncio.sleep(0.1)
        return Response(request.url, body=RESERVED)

    async def both() -> list[Any]:
        files = Here(late).files
        one, two = (asyncio.ensure_future(files.signal(f"http://a.example/{n}")) for n in range(2))
        await asyncio.sleep(0.01)
        one.cancel()
        return await asyncio.gather(one, two, return_exceptions=True)

    given_up, said = asyncio.run(both())
    assert isinstance(given_up, asyncio.CancelledError)
    assert said.directive == "1"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def many(request: Request) -> Response:
        rules = [{"location": f"/{number}", "tdm-reservation": 1} for number in range(1000)]
        return Response(request.url, body=json.dumps(rules).encode())

    monkeypatch.setattr(tdmrep, "MAX_KNOWN", 1_000_000)
    here = Here(many)
    assert [here.of(f"http://{number}.example/999") for number in range(20)] == ["1"] * 20
    assert 1 <= len(here.files._known) <= 5


def test_a_download_that_fails() -> None:
    async def fail(request: Request) -> Response:
        raise DownloadTimeoutError("late")

    assert Here(fail).of("http://a.example/1") is None
