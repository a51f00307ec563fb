"""Keeps the clusters of duplicates up to date while a crawl runs."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from scrapy import signals
from sqlalchemy.exc import SQLAlchemyError

from posterbot.catalogue.database import catalogue_error, open_catalogue
from posterbot.duplicates.update import update

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
"""Default of ``DUPLICATES_EVERY``."""
LAST_SECONDS = 20.0
"""At the end of a crawl no batch is begun later; the next crawl, or ``posterbot duplicates``, does what is left."""


class Duplicates:
    """Scrapy extension. Calls :func:`posterbot.duplicates.update.update` on a thread, now and then and at the end.

    ``DUPLICATES_EVERY``: seconds from the end of one call to the next; 0: only at the end. Of several workers one
    does it. A crawl does not fail by it: an error is one line of the log. Counts ``posterbot/duplicates/images``,
    ``…/copies`` and ``…/variants``.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._settings = crawler.settings
        self.every = crawler.settings.getfloat("DUPLICATES_EVERY", EVERY_SECONDS)
        assert crawler.stats is not None
        self._stats = crawler.stats
        self._stop = threading.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Duplicates:
        """Scrapy's construction door."""
        duplicates = cls(crawler)
        crawler.signals.connect(duplicates.opened, signals.spider_opened)
        crawler.signals.connect(duplicates.closed, signals.spider_closed)
        return duplicates

    def opened(self) -> None:
        """Begin to look now and then."""
        if self.every > 0:
            self._task = asyncio.ensure_future(self._now_and_then())

    async def closed(self) -> None:
        """Look a last time, at what has been recorded until now, and not for long."""
        self._stop.set()
        if self._task is not None:
            self._task.cancel()
            # Its thread ends after the transaction that it is in.
            await asyncio.gather(self._task, return_exceptions=True)
        self._stop = threading.Event()
        last = asyncio.get_running_loop().call_later(LAST_SECONDS, self._stop.set)
        await self._look(at_end=True)
        last.cancel()

    async def _now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.every)
            await self._look(at_end=False)

    async def _look(self, *, at_end: bool) -> None:
        try:
            done = await asyncio.to_thread(self._update, at_end, self._stop)
        except Exception as error:
            logger.error("duplicates were not looked for: %s", error)
            return
        for name, number in done.items():
            self._stats.inc_value(f"posterbot/duplicates/{name}", number)

    def _update(self, at_end: bool, stop: threading.Event) -> dict[str, int]:
        engine = open_catalogue(self._settings["CATALOGUE_URL"], must_exist=True)
        try:
            done = update(engine, wait=at_end, mend=at_end, stopped=stop.is_set)
        except SQLAlchemyError as error:
            raise catalogue_error(engine, error) from None
        finally:
            engine.dispose()
        if done.left and at_end:
            logger.info("%s images were not compared with the others: posterbot duplicates", f"{done.left:,}")
        return {"images": done.images, "copies": done.copies, "variants": done.variants}
