"""Does everything that is kept still have its consent? ``posterbot recheck`` starts this; it changes nothing."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import Request, signals
from scrapy.exceptions import StopDownload
from scrapy.http.request import NO_CALLBACK

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.held import Held, Seen, held, number_held
from posterbot.filters.consent import OptOuts
from posterbot.frontier.tdmrep import TdmFiles
from posterbot.frontier.turn import Stopping
from posterbot.page.consent import Kind, Signal
from posterbot.pipelines.fetch import reason_of_failure
from posterbot.reasons import Reason
from posterbot.spiders.lone import LoneSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

IN_FLIGHT = 256
"""Images asked about at once; most of them wait for their host's turn."""
AT_ONCE = 500
"""Images read from the catalogue at once."""
REMEMBERED = 5_000
"""Pages whose signals are remembered."""

_HEADERS_ONLY = "headers_only"
_ARGUMENTS = ("run", "host", "limit", "out")


class Status(StrEnum):
    """What became of one image."""

    STANDS = "stands"
    WITHDRAWN = "withdrawn"
    """A crawl would not take it today: it should be forgotten."""
    GONE = "gone"
    """404 or 410: nothing is said of consent."""
    UNKNOWN = "unknown"
    """It could not be asked."""


@dataclass(frozen=True, slots=True)
class Found:
    """About one image, or one page: the status and why, or what was said."""

    status: Status = Status.STANDS
    why: str = ""
    """Evidence, or a reason of ``reasons.py``."""
    signals: tuple[Signal, ...] = ()


class RecheckSpider(LoneSpider):
    """Asks for the header fields of each image that is held, for its page, and for their hosts' tdmrep.json.

    Everything passes the gate and robots.txt. An image stands if it would be taken in one of the places where it was
    seen. Those that do not stand are lines of the file ``out``; the numbers are one line on stdout.
    """

    name = "recheck"

    def __init__(self, given: dict[str, str], settings: BaseSettings) -> None:
        super().__init__()
        if unknown := sorted(given.keys() - set(_ARGUMENTS)):
            raise ValueError(f"unknown argument -a {unknown[0]}: recheck takes {', '.join(_ARGUMENTS)}")
        self._run = int(given["run"]) if given.get("run") else None
        self._limit = int(given["limit"]) if given.get("limit") else None
        self._host = given.get("host") or None
        self._out = Path(given["out"])
        self._numbers: Counter[Status] = Counter()
        self._problem = ""
        self._pages: OrderedDict[str, asyncio.Task[Found]] = OrderedDict()
        try:
            self._opt_outs = OptOuts(settings)
        except ValueError as error:
            self._problem = str(error)  # said in one line at the end, and nothing is asked

    @classmethod
    def from_crawler(cls, crawler: Crawler, *_: Any, **kwargs: Any) -> RecheckSpider:
        """Scrapy's construction door. Raises ValueError."""
        spider = cls({name: str(value) for name, value in kwargs.items()}, crawler.settings)
        spider._set_crawler(crawler)
        crawler.signals.connect(spider.headers_received, signals.headers_received)
        return spider

    def headers_received(self, request: Request) -> None:
        """Of an image no more is wanted."""
        if request.meta.get(_HEADERS_ONLY):
            raise StopDownload(fail=False)

    async def start(self) -> AsyncIterator[Any]:
        """All images, IN_FLIGHT at a time; no request goes by Scrapy's scheduler."""
        self._files = TdmFiles.from_crawler(self.crawler)
        engine = open_catalogue(self.settings["CATALOGUE_URL"], must_exist=True)
        under_way: set[asyncio.Task[None]] = set()
        try:
            total = await asyncio.to_thread(number_held, engine, self._run, self._host)
            left = total if self._limit is None else min(self._limit, total)
            last = 0
            with self._out.open("x", encoding="utf-8") as self._file:
                while left > 0 and not self._problem:
                    batch = await asyncio.to_thread(held, engine, last, min(left, AT_ONCE), self._run, self._host)
                    if not batch:
                        break
                    self.logger.info("%s of %s images asked about", f"{self._numbers.total():,}", f"{total:,}")
                    for image in batch:
                        while len(under_way) >= IN_FLIGHT:
                            _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                        under_way.add(asyncio.ensure_future(self._check(image)))
                    left, last = left - len(batch), batch[-1].number
                await asyncio.gather(*under_way)
        except Stopping:
            pass
        finally:
            for task in under_way:
                task.cancel()
            engine.dispose()
        return
        yield

    def closed(self, reason: str) -> None:
        """Scrapy calls this at the end."""
        numbers = {status.value: self._numbers[status] for status in Status}
        sys.stdout.write(json.dumps({"end": reason, "problem": self._problem, **numbers}) + "\n")
        sys.stdout.flush()

    async def _check(self, image: Held) -> None:
        """Ask about one image, and write it down unless it stands."""
        worst, of = Found(Status.UNKNOWN, "never seen"), Seen("", None)
        for place, seen in enumerate(image.seen):
            found = await self._ask(seen)
            if place == 0 or _RANK[found.status] < _RANK[worst.status]:
                worst, of = found, seen
            if found.status is Status.STANDS:
                break
        self._numbers[worst.status] += 1
        if worst.status is not Status.STANDS:
            line = {"status": worst.status.value, "sha256": image.sha256, "url": of.url, "page_url": of.page_url}
            self._file.write(json.dumps({**line, "why": worst.why}, ensure_ascii=False) + "\n")
            self._file.flush()

    async def _ask(self, seen: Seen) -> Found:
        image = await self._image(seen)
        if image.status is not Status.STANDS:
            return image
        page = Found() if seen.page_url is None else await self._page(seen.page_url)
        if page.status in {Status.WITHDRAWN, Status.UNKNOWN}:
            return page
        return self._judged(page.signals, image.signals)

    def _judged(self, page: tuple[Signal, ...], image: tuple[Signal, ...]) -> Found:
        decision = self._opt_outs.decide(page, image)
        return Found(signals=image) if decision.allowed else Found(Status.WITHDRAWN, str(decision.signal))

    async def _image(self, seen: Seen) -> Found:
        # As in a crawl: what the file reserves is not asked for, so no header field can say otherwise.
        reserved = self._judged((), _some(await self._files.signal(seen.url)))
        if reserved.status is not Status.STANDS:
            return reserved
        headers = {"Accept": "image/avif,image/webp,image/*;q=0.9,*/*;q=0.1", "Referer": seen.page_url}
        found = await self._fetch(Request(seen.url, headers=headers, meta={_HEADERS_ONLY: True}, callback=NO_CALLBACK))
        if isinstance(found, Found):
            return found
        file = await self._files.signal(found.url)
        return self._judged((), self._opt_outs.image_signals(found.headers, found.url, file))

    async def _page(self, url: str) -> Found:
        """What a page says, asked for once."""
        task = self._pages.get(url)
        if task is None:
            task = self._pages[url] = asyncio.ensure_future(self._read(url))
            if len(self._pages) > REMEMBERED:
                self._pages.popitem(last=False)
        return await asyncio.shield(task)

    async def _read(self, url: str) -> Found:
        found = await self._fetch(Request(url, callback=NO_CALLBACK))
        if isinstance(found, Found):
            return found
        file = await self._files.signal(found.url)
        return Found(signals=await asyncio.to_thread(self._opt_outs.page_signals, found, None, file))

    async def _fetch(self, request: Request) -> Response | Found:
        """What came, unless robots.txt forbids it, or there is nothing to be had."""
        request.meta["allow_offsite"] = True
        assert self.crawler.engine is not None
        try:
            response = await self.crawler.engine.download_async(request)
        except Stopping:
            raise
        except Exception as error:
            return self._failed(error, request)
        if response.status in {404, 410}:
            return Found(Status.GONE, f"HTTP status {response.status} ({response.url})")
        if response.status != 200:
            return Found(Status.UNKNOWN, f"HTTP status {response.status} ({response.url})")
        return response

    def _failed(self, error: Exception, request: Request) -> Found:
        reason = reason_of_failure(error)
        if reason is Reason.ROBOTS_TXT:
            return Found(Status.WITHDRAWN, str(Signal(Kind.ROBOTS_TXT, "disallow", "", "", request.url)))
        if reason is Reason.NO_CONTACT:
            self._problem = str(error)
        return Found(Status.UNKNOWN, reason.value)


def _some(signal: Signal | None) -> tuple[Signal, ...]:
    return () if signal is None else (signal,)


_RANK = {Status.STANDS: 0, Status.UNKNOWN: 1, Status.WITHDRAWN: 2, Status.GONE: 3}
"""An image is what the best of its places says; where one cannot be asked, nothing is proposed."""
