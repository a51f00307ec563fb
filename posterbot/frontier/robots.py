"""What hosts ask of robots: RFC 9309, and the pauses that many write beside it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from scrapy import Request, signals
from scrapy.exceptions import DownloadFailedError, IgnoreRequest, NotConfigured, StopDownload
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from posterbot.frontier.hosts import hosts_of
from posterbot.frontier.robots_txt import MAX_BYTES, delay_of, parse, product_tokens, rules_for
from posterbot.page.urls import absolute_url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from urllib.parse import ParseResult

    from protego import Protego
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.statscollectors import StatsCollector

MAX_REDIRECTS = 5
"""In a row (§2.3.1.2); a file behind more of them counts as missing."""
MAX_AGE = 24 * 3600.0
"""Seconds after which a host's rules are asked for again (§2.4)."""
RETRY_AFTER = 60.0
"""Seconds after which a file that could not be had is asked for again, should anybody want something of the host."""
MAX_HOSTS = 10_000
MAX_KNOWN = 16 * 1024 * 1024
"""Bytes of rules remembered, of all hosts."""
MAX_PARSED = 1024 * 1024
"""Bytes of rules that are also kept parsed, which takes up to 40 times the memory."""
LARGE = 16 * 1024
"""Bytes of rules from which on judging a URL takes long enough to be done beside the event loop: 512 KiB of wildcards,
written to be slow, take 0.2 s."""
MAX_UNPACKED = 4 * 1024 * 1024

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
logger = logging.getLogger(__name__)


class ForbiddenByRobots(IgnoreRequest):
    """The host's robots.txt forbids the URL."""


class RobotsUnreachable(IgnoreRequest):
    """The host's robots.txt cannot be had now, so all of the host counts as forbidden (RFC 9309 §2.3.1.4).

    ``__cause__`` is what the downloader raised; None if there was an answer, of ``status`` 429, 5xx or no known one.
    ``retry_in`` are the seconds until it may be asked for again.
    """

    def __init__(self, text: str, status: int | None, retry_in: float) -> None:
        super().__init__(text)
        self.status, self.retry_in = status, retry_in


@dataclass(frozen=True, slots=True)
class _Known:
    """What was learnt of one host."""

    until: float
    rules: bytes = b""
    failure: Exception | int | None = None
    """Why the rules are not known: an error, or an HTTP status."""


class Recent(Generic[K, V]):
    """The values used last: at most ``most`` of them, together of a weight of at most ``weight`` or else only one."""

    def __init__(self, most: int, weight: int) -> None:
        self._most, self._room = most, weight
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value, which is now the one used last; None if there is none, or none any more."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key][0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Remember, and forget what was not used for longest."""
        if key in self._values:
            self._room += self._values.pop(key)[1]
        self._values[key] = value, weight
        self._room -= weight
        while len(self._values) > self._most or (self._room < 0 and len(self._values) > 1):
            _, (_, freed) = self._values.popitem(last=False)
            self._room += freed


class RobotsMiddleware:
    """Downloader middleware: no request that the robots.txt of its scheme, host and port forbids. In place of Scrapy's.

    With Scrapy's settings ROBOTSTXT_OBEY and ROBOTSTXT_USER_AGENT, its meta key ``dont_obey_robotstxt`` and its stats.
    A host's file is asked for once, however many requests wait for it, and over the downloader like everything else.
    Requests raise :class:`ForbiddenByRobots` or :class:`RobotsUnreachable`; where the downloader itself refuses to ask
    for the file (``IgnoreRequest``), what it raised.

    RFC 9309 allows treating a file that stays unreachable for 30 days as missing. This does not.
    """

    def __init__(
        self,
        download: Callable[[Request], Awaitable[Response]],
        user_agent: str,
        stats: StatsCollector,
        on_delay: Callable[[str, float | None], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``on_delay`` hears, whenever a file was read, which host asks for how many seconds between requests."""
        self._download, self._stats, self._on_delay, self._clock = download, stats, on_delay, clock
        self._names = product_tokens(user_agent)
        self._known: Recent[str, _Known] = Recent(MAX_HOSTS, MAX_KNOWN)
        self._parsers: Recent[bytes, Protego] = Recent(MAX_HOSTS, MAX_PARSED)
        self._asking: dict[str, asyncio.Task[_Known]] = {}

    @classmethod
    def from_crawler(
        cls, crawler: Crawler, on_delay: Callable[[str, float | None], None] | None = None
    ) -> RobotsMiddleware:
        """Scrapy's construction door. Without ``on_delay`` the hosts of the crawl are told."""
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured

        def tell_host(host: str, seconds: float | None) -> None:
            hosts_of(crawler).crawl_delay(host, seconds)  # not sooner: the gate is opened with the crawl

        def download(request: Request) -> Awaitable[Response]:
            assert crawler.engine is not None
            return crawler.engine.download_async(request)

        assert crawler.stats is not None
        user_agent = crawler.settings["ROBOTSTXT_USER_AGENT"] or crawler.settings["USER_AGENT"]
        middleware = cls(download, user_agent, crawler.stats, on_delay or tell_host)
        crawler.signals.connect(middleware.bytes_received, signals.bytes_received)
        return middleware

    async def process_request(self, request: Request) -> None:
        """Let pass, or raise."""
        parts = urlparse_cached(request)
        if request.meta.get("dont_obey_robotstxt") or parts.scheme not in {"http", "https"} or not parts.hostname:
            return
        site = _site(parts)
        known = self._known.get(site)
        if known is None or self._clock() >= known.until:
            known = await self._ask_once(site, parts.hostname)
        if known.failure is not None:
            self._stats.inc_value("robotstxt/unreachable")
            status, error = (known.failure, None) if isinstance(known.failure, int) else (None, known.failure)
            text = f"robots.txt of {site} cannot be read ({known.failure!r}): nothing of it is fetched until it can"
            raise RobotsUnreachable(text, status, max(0.0, known.until - self._clock())) from error
        if known.rules and not await self._allows(known.rules, request.url):
            self._stats.inc_value("robotstxt/forbidden")
            raise ForbiddenByRobots("Forbidden by robots.txt")

    def bytes_received(self, data: bytes, request: Request) -> None:
        """Scrapy calls this for each piece of any body: no more of a robots.txt is loaded than is read."""
        if (left := request.meta.get("robots_txt_left")) is not None:
            request.meta["robots_txt_left"] = left - len(data)
            # From here on only of what is packed, against the wishes of the request: the length announced has passed.
            request.meta["download_maxsize"] = MAX_UNPACKED
            if left <= len(data):
                raise StopDownload(fail=False)

    async def _ask_once(self, site: str, host: str) -> _Known:
        """As ``_ask``, for all who want it at the same time."""
        if site not in self._asking:
            task = self._asking[site] = asyncio.ensure_future(self._ask(site, host))
            task.add_done_callback(lambda _: self._asked(site))
        return await asyncio.shield(self._asking[site])  # one request that is given up must not end it for all

    def _asked(self, site: str) -> None:
        task = self._asking.pop(site)
        if not task.cancelled():
            task.exception()  # seen, should nobody wait any more

    async def _ask(self, site: str, host: str) -> _Known:
        """Fetch, read and remember the robots.txt of ``site``. Raises IgnoreRequest where nothing was asked."""
        self._stats.inc_value("robotstxt/request_count")
        parser = None
        try:
            response = await self._fetch(f"{site}/robots.txt")
            self._stats.inc_value("robotstxt/response_count")
            self._stats.inc_value(f"robotstxt/response_status_count/{response.status}")
            if response.status == 429 or not 200 <= response.status < 500:
                known = _Known(self._clock() + RETRY_AFTER, failure=response.status)
            else:
                rules, parser = await asyncio.to_thread(self._read, response.body if response.status < 300 else b"")
                known = _Known(self._clock() + MAX_AGE, rules)
        except IgnoreRequest:
            raise
        except Exception as error:
            self._stats.inc_value(f"robotstxt/exception_count/{type(error)}")
            known = _Known(self._clock() + RETRY_AFTER, failure=_bare(error))
        if known.failure is not None:
            logger.debug("%s/robots.txt cannot be read: %r", site, known.failure)
        else:
            self._on_delay(host, None if parser is None else delay_of(parser))
        if parser is not None:
            self._parsers.put(known.rules, parser, len(known.rules))
        self._known.put(site, known, len(known.rules))
        return known

    async def _fetch(self, url: str) -> Response:
        """The answer behind up to MAX_REDIRECTS redirections, also to other hosts; or else the last of these."""
        for _ in range(MAX_REDIRECTS + 1):
            request = Request(
                url,
                callback=NO_CALLBACK,
                headers={"Accept-Encoding": "identity"},  # half of a packed file is of less use
                priority=1000,
                dont_filter=True,  # also of hosts that the spider does not visit
                meta={
                    "dont_obey_robotstxt": True,
                    "dont_redirect": True,
                    "dont_retry": True,
                    "download_maxsize": 0,
                    "robots_txt_left": MAX_BYTES,
                },
            )
            try:
                response = await self._download(request)
            except IgnoreRequest as refused:
                if "download_latency" in request.meta:  # there was an answer, and that is what is refused
                    raise DownloadFailedError(str(refused)) from refused
                raise
            location = response.headers.get("Location")
            if response.status not in {301, 302, 303, 307, 308} or location is None:
                break
            if not (url := absolute_url(url, location.decode("latin-1"))):
                break
        return response

    def _read(self, body: bytes) -> tuple[bytes, Protego | None]:
        rules = rules_for(self._names, body)
        return rules, parse(rules) if rules else None

    async def _allows(self, rules: bytes, url: str) -> bool:
        large = len(rules) >= LARGE
        parser = self._parsers.get(rules)
        if parser is None:
            parser = await asyncio.to_thread(parse, rules) if large else parse(rules)
            self._parsers.put(rules, parser, len(rules))
        return await asyncio.to_thread(parser.can_fetch, url, "*") if large else parser.can_fetch(url, "*")


def _site(parts: ParseResult) -> str:
    """What has a robots.txt of its own, written one way: ``https://example.org``, ``http://[::1]:8080``."""
    host = parts.hostname or ""
    port = "" if parts.port in {None, {"http": 80, "https": 443}[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def _bare(error: Exception) -> Exception:
    """``error`` without the frames and errors that it would keep in memory."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
