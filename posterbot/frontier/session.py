"""One worker's part in a crawl: catalogue, frontier and hosts, opened and closed together."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from scrapy import signals

from posterbot import __version__
from posterbot.catalogue.database import CatalogueError, open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.writer import Record
from posterbot.frontier.breadth_first import BreadthFirst
from posterbot.frontier.by_yield import Yield
from posterbot.frontier.host_table import HostTable
from posterbot.frontier.hosts import Hosts, register
from posterbot.frontier.leases import SharedKeeper
from posterbot.frontier.limits import limits_of, transfers_of
from posterbot.frontier.records import Failed, Finished, Link
from posterbot.frontier.store import Frontier
from posterbot.frontier.strategy import YIELD, strategy_of
from posterbot.frontier.tdmrep import TdmFiles
from posterbot.frontier.ticket import Ticket
from posterbot.frontier.workers import Worker

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from sqlalchemy import Connection

    from posterbot.page.consent import Signal

logger = logging.getLogger(__name__)

CATALOGUE_FAILED = "catalogue_failed"
"""Scrapy's finish reason where the catalogue could not be written."""
STORE_FAILED = "store_failed"
"""And where images could be stored nowhere."""
FAILED = "posterbot/failed"
"""Which of these it was, in Scrapy's stats."""
STOPPED = "stopped"
"""And where ``posterbot crawls stop`` asked for it."""
LOW_YIELD = "low_yield"
"""And where too little can be hoped for: ``STOP_WHEN_YIELD_BELOW``."""
ENOUGH_PAGES = 100
"""After fewer nothing can be said of that."""
BEAT_SECONDS = 1.0
LOOK_SECONDS = 0.1
"""How often we look whether the crawl is closing."""
LINKS_AT_ONCE = 100
GRACE_SECONDS = 3.0
"""What is under way when a crawl is stopped has so long to come to its end; the rest is fetched again some day."""


class Session:
    """Scrapy extension. ``open`` is called by the scheduler, before the first request; all else follows from it.

    Raises:
        CatalogueError: on opening, where the catalogue cannot be used.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        assert crawler.stats is not None
        self.stats = crawler.stats
        self.waiting = 0
        """URLs pending, as of the last beat."""
        self.out: dict[int, Ticket] = {}
        """URLs that are on lease and have left the scheduler."""
        self.out_of: Counter[str] = Counter()
        """How many of these are of which host."""
        self._links: list[Link] = []
        self.forget_leases: Callable[[], None] = lambda: None
        """Called when what the scheduler has leased is no longer ours."""
        self._opened = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Session:
        """Scrapy's construction door."""
        session = cls(crawler)
        crawler.signals.connect(session.closed, signals.spider_closed)
        return session

    def open(self, spider: Any) -> None:
        """Join the crawl that ``spider`` was asked for, or begin it. A second call does nothing."""
        if self._opened:
            return
        self._opened = True
        settings = self.crawler.settings
        self.limits = limits = limits_of(settings)
        self.engine = open_catalogue(settings["CATALOGUE_URL"])
        self.recorder = Recorder(
            self.engine,
            spider=spider.name,
            arguments=spider.arguments,
            version=__version__,
            job=spider.job_key,
        )
        spider.run_id = self.recorder.run_id
        if self.recorder.resumed:
            logger.info("run %d goes on", self.recorder.run_id)
        self.worker = self.recorder.call(self._join, None, urgent=True).result()
        table = HostTable(self.worker.number, lambda host: limits(host).delay)
        dialect, run, worker = self.engine.dialect.name, self.recorder.run_id, self.worker.number
        self.by_yield = strategy_of(settings) == YIELD
        self.frontier = Frontier(
            dialect,
            run,
            worker,
            table,
            Yield(dialect, run, worker) if self.by_yield else BreadthFirst(run, worker),
            urls_per_host=settings.getint("HOST_URLS"),
            fruitless=settings.getint("TRAP_PAGES"),
            since=spider.since,
        )
        self.recorder.forgetful.append(self.frontier.forget)
        self.recorder.call(self.frontier.join, None, urgent=True).result()
        self._enough = settings.getfloat("STOP_WHEN_YIELD_BELOW") if self.by_yield else 0.0
        self.hosts = Hosts(
            SharedKeeper(self.recorder, table),
            limits,
            transfers=transfers_of(settings),
            backoff=settings.getfloat("HOST_BACKOFF"),
        )
        register(self.crawler, self.hosts)
        self._tdm = TdmFiles.from_crawler(self.crawler) if "tdm-reservation" in spider.opt_outs.respected else None
        self.given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the grace of a stop is over."""
        self.stopping = False
        self._tasks = [asyncio.ensure_future(self._beat()), asyncio.ensure_future(self._look())]
        for task in self._tasks:
            task.add_done_callback(self._task_done)

    def _join(self, connection: Connection, calls: list[None]) -> list[Worker]:
        return [Worker(connection, self.recorder.run_id) for _ in calls]

    async def closed(self, spider: Spider, reason: str) -> None:
        """All items are through: give back what is on lease; the last worker ends the run."""
        if not self._opened:
            return
        for task in self._tasks:
            task.cancel()
        try:
            await self.hosts.close()
            await asyncio.wrap_future(self.recorder.call(self.worker.leave, reason, urgent=True))
            await asyncio.to_thread(self.recorder.close, None)
        except CatalogueError as error:  # most likely what ended the crawl, and has been said
            self.lost(error)
        self.engine.dispose()

    async def tdm_signal(self, url: str) -> Signal | None:
        """What the tdmrep.json of its host says of ``url``. Raises Stopping."""
        return None if self._tdm is None else await self._tdm.signal(url)

    # --- what becomes of a URL ----------------------------------------------------------------------------------

    def add(self, link: Link) -> None:
        """Add a link to the frontier, with others; in any case before the page on which it stands is done."""
        if not self._links:
            asyncio.get_running_loop().call_soon(self.flush)
        self._links.append(link)
        if len(self._links) >= LINKS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Send off the links that wait for company."""
        if self._links:
            links: Sequence[Link] = tuple(self._links)
            self._links.clear()
            self.watch(self.recorder.call(self.frontier.add, links, weight=len(links)))

    def hand_out(self, ticket: Ticket) -> None:
        """A URL leaves the scheduler."""
        self.out[ticket.key] = ticket
        self.out_of[ticket.host] += 1

    def finish(self, ticket: Ticket, records: Sequence[Record] = (), *, reason: str | None = None) -> Future[None]:
        """Commit what came of a URL, and that it is done, as one."""
        self.flush()
        done = Finished(
            ticket.key,
            reason,
            ticket.new_images,
            ticket.unchanged,
            kept=ticket.kept,
            films=ticket.films,
            requests=ticket.requests,
            size=ticket.size,
        )
        return self._settle(ticket, self.recorder.together(records, self.frontier.finish, done))

    def fail(self, ticket: Ticket, reason: str, retry_in: float | None, records: Sequence[Record] = ()) -> Future[None]:
        """Commit that a URL could not be read; it is tried again in ``retry_in`` seconds, or not (None)."""
        self.flush()
        failed = Failed(ticket.key, reason, retry_in)
        return self._settle(ticket, self.recorder.together(records, self.frontier.fail, failed))

    def release(self, ticket: Ticket) -> Future[None]:
        """Put a URL back, as if it had not been tried."""
        keys: Sequence[int] = (ticket.key,)
        return self._settle(ticket, self.recorder.call(self.frontier.release, keys))

    def give_up(self, host: str, reason: str) -> None:
        """Fail all that waits on a host that does not answer."""
        self.watch(self.recorder.call(self.frontier.give_up, (host, reason)))

    def _settle(self, ticket: Ticket, future: Future[None]) -> Future[None]:
        if ticket.settled:
            raise RuntimeError(f"URL {ticket.key} is done twice")
        ticket.settled = True
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._settled, ticket))
        self.watch(future)
        return future

    def _settled(self, ticket: Ticket) -> None:
        del self.out[ticket.key]
        self.out_of[ticket.host] -= 1
        if not self.out_of[ticket.host]:
            del self.out_of[ticket.host]
        slot = getattr(self.crawler.engine, "_slot", None)
        if slot is not None:
            slot.nextcall.schedule()

    def watch(self, future: Future[Any]) -> None:
        """End the crawl if this cannot be written."""
        loop = asyncio.get_running_loop()

        def done(future: Future[Any]) -> None:
            error = future.exception()
            if isinstance(error, CatalogueError):
                loop.call_soon_threadsafe(self.lost, error)

        future.add_done_callback(done)

    def lost(self, error: Exception, reason: str = CATALOGUE_FAILED) -> None:
        """What cannot be recorded, or stored, must not go on being fetched: the crawl ends, with one line."""
        if self.stats.get_value(FAILED):
            return
        self.stats.set_value(FAILED, reason)
        logger.error("%s", error)
        self._end(reason)

    def _end(self, reason: str) -> None:
        engine = self.crawler.engine
        if engine is not None and engine.spider is not None:
            self._ending = asyncio.ensure_future(engine.close_spider_async(reason=reason))

    def _task_done(self, task: asyncio.Task[None]) -> None:
        # Never seen; but without its beat a worker is dead to the others, so it must not go on.
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("the crawl cannot go on", exc_info=error)
            self._end("internal_error")

    async def _beat(self) -> None:
        while True:
            try:
                pulse = await asyncio.wrap_future(self.recorder.call(self.worker.beat, None))
                self.waiting = await asyncio.wrap_future(self.recorder.call(self.frontier.waiting, None))
                await self.hosts.tick()
                low = self._enough > 0 and await self._low()
            except CatalogueError as error:
                self.lost(error)
                return
            if pulse.buried:
                logger.warning("other workers took this one for dead; some pages will be fetched twice")
                self.hosts.lose()
                self.forget_leases()
            if pulse.stop and not self.stopping:
                self._end(STOPPED)
            elif low and not self.stopping:
                self._end(LOW_YIELD)
            await asyncio.sleep(BEAT_SECONDS)

    async def _low(self) -> bool:
        """Is there too little to hope for? Says so, once it is."""
        outlook = await asyncio.wrap_future(self.recorder.call(self.frontier.best, None))
        if outlook.worth is None or outlook.worth >= self._enough or outlook.pages < ENOUGH_PAGES:
            return False
        logger.info("at most %.3g pictures for each request can be hoped for now", outlook.worth)
        return True

    async def _look(self) -> None:
        """Scrapy says that it is closing only when all is done; requests that wait for their turn would take hours."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            slot = getattr(self.crawler.engine, "_slot", None)
            if slot is not None and slot.closing is not None:
                self.stopping = True
                self.hosts.stop()
                await asyncio.sleep(GRACE_SECONDS)
                self.hosts.abort()
                self.given_up.set_result(None)
                return
