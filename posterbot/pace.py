"""At most so many bits a second from one host: what the host allows, whatever the line could take."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, ClassVar

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.utils.httpobj import urlparse_cached

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


def seconds_to_wait(size: int, seconds: float, bits_per_second: float) -> float:
    """How much longer ``size`` bytes, which came in ``seconds``, would have taken at ``bits_per_second``; 0 or more."""
    return max(0.0, 8 * size / bits_per_second - seconds)


class PacedHandler(HTTP11DownloadHandler):
    """Scrapy's handler, and the last gate before hosts whose entry in ``DOWNLOAD_SLOTS`` has ``bits_per_second``.

    Such a host has as many places as the entry's ``concurrency``, each with its share of the rate. A response that came
    faster is held back in its place until its share has paid for it, so the next request starts that much later.
    No place ever exceeds its share, averaged over the responses it gave, hence neither do all together. A transfer that
    breaks off is not counted.

    The places are counted here as well, since Scrapy's slots do not hold without a delay: requests that reach a slot in
    one turn of the event loop all pass before the first is counted, and a redirected one is counted in the slot of the
    host that it came from.
    """

    _places: ClassVar[dict[str, asyncio.Semaphore]] = {}  # http and https have a handler each, but the host is one

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        everywhere = crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._shares: dict[str, float] = {}
        for host, limits in crawler.settings.getdict("DOWNLOAD_SLOTS").items():
            if "bits_per_second" in limits:
                places = limits.get("concurrency", everywhere)
                self._shares[host] = limits["bits_per_second"] / places
                self._places.setdefault(host, asyncio.Semaphore(places))

    async def download_request(self, request: Request) -> Response:
        """Download; from a host with a rate, when it is this request's turn."""
        host = urlparse_cached(request).hostname or ""
        if host not in self._shares:
            return await super().download_request(request)
        async with self._places[host]:
            started = time.monotonic()
            response = await super().download_request(request)
            await asyncio.sleep(seconds_to_wait(len(response.body), time.monotonic() - started, self._shares[host]))
            return response
