"""The same crawls through the scheduler itself: Session, Recorder and SQLite are those of a crawl; no HTTP."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.utils.project import get_project_settings
from scrapy.utils.reactor import install_reactor

from posterbot.frontier.records import Place
from posterbot.frontier.requests import PARENT, PLACE, TICKET
from posterbot.frontier.scheduler import FrontierScheduler
from posterbot.frontier.session import Session
from posterbot.frontier.ticket import Ticket
from posterbot.spiders.posters import PostersSpider

from .replay import IN_FLIGHT, World

PATIENCE_SECONDS = 30.0
"""Without a page for so long, a crawl is over."""
SAMPLE = 250
"""Pages between two looks at the memory."""


@dataclass
class Cost:
    """What scheduling takes, in CPU seconds of this process."""

    links: int = 0
    """Given to ``enqueue_request``, known ones as well."""
    enqueueing: float = 0.0
    """On the event loop."""
    leasing: float = 0.0
    """And for ``next_request`` and ``finish``."""
    recording: float = 0.0
    """On the recorder's thread: what of the process's time was not on the loop."""
    memory: list[tuple[int, float]] = field(default_factory=list)
    """Pages fetched, and resident MB then."""


def crawl(world: World, strategy: str, most: int | None = None) -> tuple[npt.NDArray[np.int32], Cost]:
    """Like ``replay``, with ``FRONTIER_STRATEGY`` = ``strategy``."""
    with tempfile.TemporaryDirectory() as folder:
        settings = get_project_settings()
        for name, value in {
            "FRONTIER_STRATEGY": strategy,
            "CATALOGUE_URL": f"sqlite:///{folder}/catalogue.db",
            "IMAGES_STORE": f"{folder}/images",
            "DOWNLOAD_DELAY": 0,
            "DOWNLOAD_SLOTS": {},
            "CONCURRENT_REQUESTS_PER_DOMAIN": 1_000,
            "PAGES_IN_FLIGHT": IN_FLIGHT,
            "STOP_WHEN_YIELD_BELOW": 0,
            "OPERATOR_CONTACT": "benchmark@example.org",
            "LOG_LEVEL": "ERROR",
        }.items():
            settings.set(name, value, "cmdline")
        install_reactor(settings["TWISTED_REACTOR"], settings["ASYNCIO_EVENT_LOOP"])
        logging.getLogger("posterbot").setLevel(logging.ERROR)
        return asyncio.run(_crawl(world, settings, len(world.site) if most is None else most))


async def _crawl(world: World, settings: object, most: int) -> tuple[npt.NDArray[np.int32], Cost]:
    crawler = Crawler(PostersSpider, settings)  # type: ignore[arg-type]
    crawler._apply_settings()
    spider = PostersSpider.from_crawler(crawler, start=world.site.urls[0])
    crawler.spider = spider
    woken = asyncio.Event()
    crawler.engine = _engine(woken)  # type: ignore[assignment]
    session = crawler.get_extension(Session)
    assert session is not None
    scheduler = FrontierScheduler.from_crawler(crawler)
    scheduler.open(spider)
    scheduler.enqueue_request(Request(world.site.urls[0], errback=spider.failed))
    crawled = _Crawled(world, scheduler, session, spider, woken)
    try:
        await crawled.go(most)
    finally:
        scheduler.close("finished")
        await session.closed(spider, "finished")
    return np.array(crawled.brought, np.int32), crawled.cost


def _engine(woken: asyncio.Event) -> SimpleNamespace:
    """All that scheduler and session ask of Scrapy's engine: to be asked again."""
    slot = SimpleNamespace(nextcall=SimpleNamespace(schedule=woken.set), closing=None)
    return SimpleNamespace(spider=None, _slot=slot)


class _Crawled:
    def __init__(
        self,
        world: World,
        scheduler: FrontierScheduler,
        session: Session,
        spider: PostersSpider,
        woken: asyncio.Event,
    ) -> None:
        self._woken = woken
        self._world, self._scheduler, self._session, self._spider = world, scheduler, session, spider
        self._page_of = {url: page for page, url in enumerate(world.site.urls)}
        self.brought: list[int] = []
        self.cost = Cost()

    async def go(self, most: int) -> None:
        """Fetch until all posters are found."""
        left = self._world.site.posters or -1
        flying: deque[tuple[int, Ticket, int]] = deque()
        cpu, loop_cpu, idle_since = time.process_time(), time.thread_time(), time.monotonic()
        while left and len(self.brought) < most:
            began = time.thread_time()
            request = self._scheduler.next_request() if len(flying) < IN_FLIGHT else None
            self.cost.leasing += time.thread_time() - began
            if request is not None:
                left -= self._fetched(request, flying)
                idle_since = time.monotonic()
                continue
            if flying:
                self._done(*flying.popleft())
                await asyncio.sleep(0)
                continue
            if not self._scheduler.has_pending_requests() or time.monotonic() - idle_since > PATIENCE_SECONDS:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), 1.0)
            self._woken.clear()
        self.cost.recording = time.process_time() - cpu - (time.thread_time() - loop_cpu)

    def _fetched(self, request: Request, flying: deque[tuple[int, Ticket, int]]) -> int:
        if (page := self._page_of.get(request.url)) is None:  # the layout has changed
            self._page_of |= {url: page for page, url in enumerate(self._world.site.urls)}
            page = self._page_of[request.url]
        answer = self._world.fetch(page)
        ticket: Ticket = request.meta[TICKET]
        ticket.kept, ticket.requests, ticket.size = int(answer.told), answer.requests, answer.size
        ticket.new_images = answer.requests - 1
        flying.append((page, ticket, int(request.meta.get("depth", 0))))
        self.brought.append(answer.posters)
        if len(self.brought) % SAMPLE == 0:
            self.cost.memory.append((len(self.brought), _resident()))
        return answer.posters

    def _done(self, page: int, ticket: Ticket, depth: int) -> None:
        requests = [
            Request(
                link.url,
                errback=self._spider.failed,
                meta={PARENT: ticket.key, PLACE: Place(link.path, link.text, link.position), "depth": depth + 1},
                priority=-depth - 1,
            )
            for link in self._world.links(page)
        ]
        began = time.thread_time()
        for request in requests:
            self._scheduler.enqueue_request(request)
        enqueued = time.thread_time()
        self._session.finish(ticket)
        self.cost.links += len(requests)
        self.cost.enqueueing += enqueued - began
        self.cost.leasing += time.thread_time() - enqueued


def _resident() -> float:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1000
