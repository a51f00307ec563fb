"""What hosts reserve of text and data mining: their ``/.well-known/tdmrep.json``, asked for once and remembered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from scrapy import Request, signals
from scrapy.exceptions import IgnoreRequest, StopDownload
from scrapy.http.request import NO_CALLBACK

from posterbot.frontier.robots import MAX_AGE, MAX_HOSTS, MAX_REDIRECTS, MAX_UNPACKED, ForbiddenByRobots, Recent, _site
from posterbot.frontier.turn import Stopping
from posterbot.page.tdmrep import MAX_BYTES, WELL_KNOWN, Rule, file_signal, read_file, rule_for
from posterbot.page.urls import absolute_url

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.statscollectors import StatsCollector

    from posterbot.page.consent import Signal

RETRY_AFTER = 600.0
"""Seconds after which a file that could not be had is asked for again, should anybody want something of the host."""
MAX_KNOWN = 16 * 1024 * 1024
"""Bytes of rules remembered, of all hosts, about."""
LARGE = 200
"""Rules from which on matching a URL is done beside the event loop."""

_LEFT = "tdmrep_left"
_OF_A_RULE = 200
"""Bytes that a rule takes beside its texts, about."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was learnt of one host."""

    until: float
    rules: tuple[Rule, ...] = ()


class TdmFiles:
    """The TDM files of all hosts, as RobotsMiddleware has their robots.txt: each once, whoever waits for it.

    They are asked for over the downloader like everything else, so in the host's turn and if its robots.txt allows.
    A file that cannot be had, for whatever reason, says nothing: "the origin server does not implement this protocol".
    """

    def __init__(
        self,
        download: Callable[[Request], Awaitable[Response]],
        stats: StatsCollector,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._download, self._stats, self._clock = download, stats, clock
        self._known: Recent[str, _Known] = Recent(MAX_HOSTS, MAX_KNOWN)
        self._asking: dict[str, asyncio.Task[_Known]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TdmFiles:
        """Scrapy's construction door."""

        def download(request: Request) -> Awaitable[Response]:
            assert crawler.engine is not None
            return crawler.engine.download_async(request)

        assert crawler.stats is not None
        files = cls(download, crawler.stats)
        crawler.signals.connect(files.bytes_received, signals.bytes_received)
        return files

    async def signal(self, url: str) -> Signal | None:
        """What the file of its scheme, host and port says of ``url``; None where it says nothing.

        Raises:
            Stopping: the crawl ends.
        """
        try:
            parts = urlparse(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                return None
            site = _site(parts)
        except ValueError:
            return None
        known = self._known.get(site)
        if known is None or self._clock() >= known.until:
            known = await self._ask_once(site)
        if len(known.rules) >= LARGE:
            return file_signal(await asyncio.to_thread(rule_for, known.rules, url), site)
        return file_signal(rule_for(known.rules, url), site)

    def bytes_received(self, data: bytes, request: Request) -> None:
        """Scrapy calls this for each piece of any body: no more of a file is loaded than is read."""
        if (left := request.meta.get(_LEFT)) is not None:
            request.meta[_LEFT] = left - len(data)
            request.meta["download_maxsize"] = MAX_UNPACKED  # from here on only of what is packed against our wishes
            if left <= len(data):
                raise StopDownload(fail=False)

    async def _ask_once(self, site: str) -> _Known:
        if site not in self._asking:
            task = self._asking[site] = asyncio.ensure_future(self._ask(site))
            task.add_done_callback(lambda _: self._asked(site))
        return await asyncio.shield(self._asking[site])  # one request that is given up must not end it for all

    def _asked(self, site: str) -> None:
        task = self._asking.pop(site)
        if not task.cancelled():
            task.exception()  # seen, should nobody wait any more

    async def _ask(self, site: str) -> _Known:
        self._stats.inc_value("tdmrep/request_count")
        known = _Known(self._clock() + RETRY_AFTER)
        try:
            response = await self._fetch(site + WELL_KNOWN)
            self._stats.inc_value(f"tdmrep/response_status_count/{response.status}")
            if 200 <= response.status < 300:
                rules = await asyncio.to_thread(read_file, response.body)
                known = _Known(self._clock() + MAX_AGE, rules)
            elif 300 <= response.status < 500 and response.status != 429:
                known = _Known(self._clock() + MAX_AGE)
        except Stopping:
            raise
        except IgnoreRequest as refused:
            if not isinstance(refused, ForbiddenByRobots):  # nothing of the host is asked now, and this is not either
                known = _Known(self._clock())
        except Exception as error:
            self._stats.inc_value(f"tdmrep/exception_count/{type(error).__name__}")
            logger.debug("%s%s cannot be read: %r", site, WELL_KNOWN, error)
        weight = sum(_OF_A_RULE + len(rule.location) + len(rule.policy) for rule in known.rules)
        self._known.put(site, known, weight)
        if known.rules:
            self._stats.inc_value("tdmrep/files")
        return known

    async def _fetch(self, url: str) -> Response:
        """The answer behind up to MAX_REDIRECTS redirections, also to other hosts; or else the last of these."""
        for _ in range(MAX_REDIRECTS + 1):
            request = Request(
                url,
                callback=NO_CALLBACK,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                priority=1000,
                dont_filter=True,
                meta={"dont_redirect": True, "dont_retry": True, "download_maxsize": 0, _LEFT: MAX_BYTES},
            )
            response = await self._download(request)
            location = response.headers.get("Location")
            if response.status not in {301, 302, 303, 307, 308} or location is None:
                break
            if not (url := absolute_url(url, location.decode("latin-1"))):
                break
        return response
