"""A small crawl through the gate, for test_handler.py: a plan as JSON on stdin, what became of each URL on stdout.

``{"settings": {…}, "urls": […], "meta": {url: {…}}}``. URLs are asked for in this order, all at once. ``/later`` URLs
are asked for by ``download_async``, as pipelines do it, when all others are through.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from keeping import Kept, Table
from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.exceptions import StopDownload

from posterbot.frontier.hosts import Hosts, register
from posterbot.frontier.limits import limits_of, transfers_of

PLAN = json.load(sys.stdin)
OUTCOMES: dict[str, Any] = {}
STATES: dict[str, Any] = {}
ONCE_CLOSED: dict[str, bool] = {}


class Gate:
    """What the scheduler does in a crawl of posters."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.hosts = Hosts(
            Kept(Table(time.monotonic)),
            limits_of(settings),
            transfers=transfers_of(settings),
            backoff=settings.getfloat("HOST_BACKOFF"),
            patience=5,
            wall=lambda: 1_700_000_000,  # at no midnight
        )
        register(crawler, self.hosts)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Gate:
        gate = cls(crawler)
        crawler.signals.connect(gate.closed, signals.spider_closed)
        crawler.signals.connect(gate.headers, signals.headers_received)
        return gate

    def headers(self, request: Request) -> None:
        host = urlsplit(request.url).hostname or ""
        if self.hosts.openings(host):
            ONCE_CLOSED[host] = True
        if "stop" in request.meta:
            raise StopDownload(fail=request.meta["stop"] == "fail")
        if "break" in request.meta:
            raise RuntimeError("a bug in somebody's listener")

    async def closed(self) -> None:
        STATES.update({state.name: [state.failures, state.bytes, state.requests] for state in self.hosts.held()})
        await self.hosts.close()


class Polite(Spider):
    name = "polite"

    async def start(self) -> Any:
        later = [url for url in PLAN["urls"] if url.endswith("/later")]
        for url in PLAN["urls"]:
            if url not in later:
                meta = {"asked": url, **PLAN["meta"].get(url, {})}
                yield Request(url, self.parse, errback=self.failed, meta=meta, dont_filter=True)
        while len(OUTCOMES) < len(PLAN["urls"]) - len(later):
            await asyncio.sleep(0.02)
        for url in later:
            try:
                OUTCOMES[url] = (await self.crawler.engine.download_async(Request(url))).status
            except Exception as error:
                OUTCOMES[url] = outcome_of(error)

    def parse(self, response: Any) -> None:
        OUTCOMES[response.meta["asked"]] = response.status

    def failed(self, failure: Any) -> None:
        OUTCOMES[failure.request.meta["asked"]] = outcome_of(failure.value)


def outcome_of(error: Any) -> str:
    return " ".join([type(error).__name__, *([error.reason] if hasattr(error, "reason") else [])])


process = AsyncCrawlerProcess(
    {
        "ADDONS": {"posterbot.frontier.limits.LimitsAddon": 0},
        "EXTENSIONS": {Gate: 0},
        "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "posterbot.frontier.handler.PoliteHandler"),
        "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
        "HTTPERROR_ALLOW_ALL": True,
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.0/8",
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "INFO",
        **PLAN["settings"],
    }
)
process.crawl(Polite)
process.start()
json.dump({"outcomes": OUTCOMES, "states": STATES, "once_closed": list(ONCE_CLOSED)}, sys.stdout)
