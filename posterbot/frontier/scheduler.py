"""Scrapy's scheduler over the frontier: requests in as rows, rows of hosts that are ready out as requests.

The event loop never waits for the database: links go to the recorder's queue, and a small buffer of leased URLs is
filled ahead of need. Redirects of pages come back here as URLs of their own, so that each is fetched once, and by the
worker that has its host.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.httpobj import urlparse_cached

from posterbot.catalogue.database import CatalogueError
from posterbot.frontier.choosing import floors
from posterbot.frontier.records import Failed, Grant, Leased, Link, Wish
from posterbot.frontier.requests import PARENT, PLACE, TICKET, RequestError, from_json, to_json
from posterbot.frontier.session import Session
from posterbot.frontier.strategy import YIELD, strategy_of
from posterbot.frontier.ticket import Ticket
from posterbot.frontier.traps import clean_url, pattern, refusal

if TYPE_CHECKING:
    from concurrent.futures import Future

    from scrapy import Request, Spider
    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

logger = logging.getLogger(__name__)

URLS_AT_ONCE = 128
"""URLs in one lease."""
LOW = 32
"""With fewer URLs ready than this, more are leased."""
LATE = 4
"""By yield, each so manieth as many: what is chosen late is chosen knowing more."""
MOST = 500
"""URLs in the buffer, ready or not."""
MOST_QUEUED = 5_000
"""Records and links that wait to be written while no page is begun. The end of each page in flight wakes us again."""
ENOUGH = 4
"""A host with so many URLs in the buffer gets no more."""
PAGES_PER_HOST = 8
"""Pages in flight of a host with a gap, and pieces of a list."""
AGAIN_SECONDS = 0.5
"""How long after a lease that brought nothing the next is tried."""
LOST_SECONDS = 2.0
REMEMBERED = 50_000
"""Fingerprints of links seen lately: those on every page need not be asked of the database."""


class FrontierScheduler(BaseScheduler):
    """One per worker. Every request that leaves here carries a :class:`Ticket` in its meta."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        session = crawler.get_extension(Session)
        assert session is not None
        self._session = session
        assert crawler.stats is not None
        self._stats = crawler.stats
        self._pages = crawler.settings.getint("PAGES_IN_FLIGHT")
        self._by_worth = strategy_of(crawler.settings) == YIELD
        self._at_once, self._low = (URLS_AT_ONCE // LATE, LOW // LATE) if self._by_worth else (URLS_AT_ONCE, LOW)
        self._floor = floors()
        self._buffer: OrderedDict[str, deque[Leased]] = OrderedDict()
        self._buffered = 0
        self._recent: OrderedDict[bytes, None] = OrderedDict()
        self._leasing = False
        self._lease_after = 0.0
        self._changes = 0
        self._exhausted = False
        self._idle_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierScheduler:
        """Scrapy's construction door."""
        scheduler = cls(crawler)
        crawler.signals.connect(scheduler._spider_failed, signals.spider_error)
        return scheduler

    def __len__(self) -> int:
        """URLs that wait, over all workers, about."""
        return self._session.waiting + self._buffered

    def open(self, spider: Spider) -> None:
        """Join the crawl."""
        self._spider = spider
        self._session.open(spider)
        self._loop = asyncio.get_running_loop()
        self._session.hosts.changed = self._wake
        self._session.hosts.keep = self._buffer.__contains__
        self._session.forget_leases = self._forget
        assert self._crawler.request_fingerprinter is not None
        self._fingerprint: Callable[[Request], bytes] = self._crawler.request_fingerprinter.fingerprint

    def close(self, reason: str) -> None:
        """The session gives back what is in the buffer."""
        if self._timer is not None:
            self._timer.cancel()

    # --- in -----------------------------------------------------------------------------------------------------

    def enqueue_request(self, request: Request) -> bool:
        """Store a link, or where a page has moved to; False where it is known or hopeless."""
        moved: Ticket | None = request.meta.get(TICKET)
        host = urlparse_cached(request).hostname
        why = refusal(request.url) if host else None
        if len(host or "") > 253:  # RFC 1035
            why = "bad_url"
        # Where a host moves a page is left as it is: cleaned, it might be where we came from.
        if moved is None and why is None and (url := clean_url(request.url)) != request.url:
            request = request.replace(url=url)
        fingerprint = self._fingerprint(request)
        if moved is None and fingerprint in self._recent:
            self._recent.move_to_end(fingerprint)
            return self._drop("posterbot/links/known")
        if moved is not None and (
            fingerprint == moved.fingerprint or request.url in request.meta.get("redirect_urls", ())
        ):
            why = "redirect_loop"
        if why is None:
            try:
                self._session.add(self._link(request, fingerprint, moved))
            except RequestError as error:
                logger.error("%s", error)
                why = "bad_url"
        if why is None:
            self._recent[fingerprint] = None
            if len(self._recent) > REMEMBERED:
                self._recent.popitem(last=False)
        if moved is not None:
            self._session.finish(moved, reason=why or "redirected")
        self._changes += 1
        self._lease_after = 0.0
        self._exhausted = False
        return True if why is None else self._drop(f"posterbot/links/{why}")

    def _link(self, request: Request, fingerprint: bytes, moved: Ticket | None) -> Link:
        parts = urlparse_cached(request)
        place = request.meta.pop(PLACE, None)
        parent = request.meta.pop(PARENT, None) if moved is None else moved.key
        return Link(
            url=request.url,
            fingerprint=fingerprint,
            host=parts.hostname or "",
            pattern=pattern(request.url) if parts.hostname else "",
            priority=request.priority,
            request=to_json(request, self._spider),
            parent=parent,
            place=place,
            depth=int(request.meta.get("depth", 0)),
        )

    def _drop(self, stat: str) -> bool:
        self._stats.inc_value(stat)
        return False

    # --- out ----------------------------------------------------------------------------------------------------

    def has_pending_requests(self) -> bool:
        """Is there, or may there be, more to do? Scrapy asks this when it has nothing else under way."""
        if not self._exhausted:
            self._settle_lost()
            self._refill()
        return not self._exhausted

    def next_request(self) -> Request | None:
        """The next URL of a host that is ready, host after host; None where there is none now."""
        if self._session.stopping or len(self._session.out) >= self._pages:
            return None
        if self._session.recorder.queued > MOST_QUEUED:  # pages bring links faster than they can be written
            return None
        request = self._pop()
        self._refill()
        return request

    def _pop(self) -> Request | None:
        soonest: float | None = None
        ready_in = self._session.hosts.ready_in
        for host in self._turns():
            wait = ready_in(host) if host else 0.0
            slow = not host or self._session.limits(host).delay > 0
            if slow and self._session.out_of[host] >= PAGES_PER_HOST:
                continue  # its pictures take their time, and must not hold up all other hosts
            if wait is None or wait > 0:  # None and infinity: the gate will say
                if wait is not None and wait < math.inf:
                    soonest = wait if soonest is None else min(soonest, wait)
                continue
            waiting = self._buffer[host]
            leased = waiting.popleft()
            self._buffered -= 1
            self._buffer.move_to_end(host)
            if not waiting:
                del self._buffer[host]
            if (request := self._request(leased)) is not None:
                return request
        if soonest is not None:
            self._wake_in(soonest)
        return None

    def _turns(self) -> list[str]:
        """The hosts in the buffer, the next one first: served longest ago, or the one whose next URL is worth most."""
        hosts = list(self._buffer)
        if self._by_worth and len(hosts) > 1 and not next(self._floor):
            hosts.sort(key=lambda host: self._buffer[host][0].worth, reverse=True)
        return hosts

    def _request(self, leased: Leased) -> Request | None:
        try:
            request = from_json(leased.url, leased.request, self._spider)
        except RequestError as error:
            logger.error("%s", error)
            failed = Failed(leased.key, "bad_row", None)
            self._session.watch(self._session.recorder.call(self._session.frontier.fail, failed))
            return None
        ticket = Ticket(leased.key, leased.tries, leased.host, leased.fingerprint)
        request.meta[TICKET] = ticket
        if leased.etag:
            request.headers["If-None-Match"] = leased.etag
        elif leased.last_modified:
            request.headers["If-Modified-Since"] = leased.last_modified
        self._session.hand_out(ticket)
        return request

    def _refill(self) -> None:
        if self._leasing or self._session.stopping or self._buffered >= MOST or self._ready() >= self._low:
            return
        if self._loop.time() < self._lease_after:
            return
        self._leasing = True
        full = frozenset(host for host, urls in self._buffer.items() if len(urls) >= ENOUGH)
        held = frozenset(self._session.out) | {leased.key for urls in self._buffer.values() for leased in urls}
        wish = Wish(self._at_once, full, held)
        changes = self._changes
        self._session.flush()
        future = self._session.recorder.call(self._session.frontier.lease, wish, urgent=True)
        future.add_done_callback(lambda done: self._loop.call_soon_threadsafe(self._leased, done, changes))

    def _ready(self) -> int:
        ready_in = self._session.hosts.ready_in
        return sum(len(urls) for host, urls in self._buffer.items() if not host or ready_in(host) == 0.0)

    def _leased(self, done: Future[Grant], changes: int) -> None:
        self._leasing = False
        try:
            grant = done.result()
        except CatalogueError as error:
            self._session.lost(error)
            return
        self._session.hosts.adopt([state for state in grant.hosts if state.name])
        for leased in grant.leased:
            self._buffer.setdefault(leased.host, deque()).append(leased)
        self._buffered += len(grant.leased)
        if grant.leased:
            self._wake()
        elif grant.unfinished or changes != self._changes or self._session.out or self._buffer:
            wait = min(AGAIN_SECONDS, grant.soonest if grant.soonest is not None else AGAIN_SECONDS)
            self._lease_after = self._loop.time() + wait
            self._wake_in(wait)
        else:
            self._exhausted = True
            self._wake()

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(seconds, 0.001), self._wake)

    def _wake(self) -> None:
        slot = getattr(self._crawler.engine, "_slot", None)
        if slot is not None:
            slot.nextcall.schedule()

    def _forget(self) -> None:
        self._buffer.clear()
        self._buffered = 0

    # --- lost ---------------------------------------------------------------------------------------------------

    def _spider_failed(self, failure: Failure, response: Any) -> None:
        """A callback raised: Scrapy has logged it, and there will be no item."""
        request = getattr(response, "request", None)
        ticket: Ticket | None = request.meta.get(TICKET) if request is not None else None
        if ticket is not None and not ticket.settled:
            self._session.fail(ticket, "spider_error", None)

    def _settle_lost(self) -> None:
        """Nothing is under way, and yet some URL is out: something dropped it without a word. It counts as done."""
        lost = [ticket for ticket in self._session.out.values() if not ticket.settled]
        if not lost:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = self._loop.time()
        elif self._loop.time() - self._idle_since > LOST_SECONDS:
            for ticket in lost:
                self._session.finish(ticket, reason="no_outcome")
