"""The gate for a process that works beside no crawl, and leaves no trace in the catalogue.

A crawl shares its hosts with other workers by leases in the catalogue (``session.py``). Who only looks needs a gate all
the same: it begins with what the catalogue knows of each host (Crawl-delay, pauses, the day's budget), keeps what it
learns in memory, and writes nothing. So no crawl should be at work meanwhile: the two would not know of each other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from scrapy import signals
from sqlalchemy import Engine, select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import hosts as table
from posterbot.frontier.host_table import clock as clock_of
from posterbot.frontier.hosts import Hosts, register
from posterbot.frontier.limits import limits_of, transfers_of
from posterbot.frontier.records import HostState

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

LOOK_SECONDS = 0.1
GRACE_SECONDS = 3.0
"""What is under way when it is stopped has so long to come to its end."""
_READ = ("name", "gap", "crawl_delay", "failures", "openings", "closed_reason", "day", "day_requests", "day_bytes")


class LoneKeeper:
    """A table of hosts that is read once for each host; the rest is memory. No one else waits for a host."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        self._thread = ThreadPoolExecutor(1, "hosts")
        self._states: dict[str, tuple[float, HostState]] = {}

    def take(self, names: Sequence[str]) -> Future[dict[str, HostState]]:
        """All of ``names``."""
        return self._thread.submit(self._take, names)

    def save(self, states: Sequence[HostState]) -> Future[set[str]]:
        """Nothing to do: who has them has them for good."""
        return self._thread.submit(set)

    def give(self, states: Sequence[HostState]) -> Future[None]:
        """Remember, for the next time."""
        return self._thread.submit(self._give, states)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _give(self, states: Sequence[HostState]) -> None:
        now = self._clock()
        self._states |= {state.name: (now, replace(state)) for state in states}

    def _take(self, names: Sequence[str]) -> dict[str, HostState]:
        unknown = [name for name in names if name not in self._states]
        if unknown:
            self._give(self._read(unknown))
        now = self._clock()
        found = {}
        for name in names:
            since, state = self._states[name]
            wait, closed_for = (max(0.0, left - (now - since)) for left in (state.wait, state.closed_for))
            found[name] = replace(state, wait=wait, closed_for=closed_for)
        return found

    def _read(self, names: Sequence[str]) -> list[HostState]:
        states = {name: HostState(name) for name in names}
        with self._engine.connect() as connection:
            now = clock_of(connection)
            for row in connection.execute(select(table).where(table.c.name.in_(names))):
                facts = {name: getattr(row, name) for name in _READ}
                wait, closed_for = max(0.0, row.next_at - now), max(0.0, row.closed_until - now)
                states[row.name] = HostState(**facts, wait=wait, closed_for=closed_for)
        return list(states.values())


class LoneGate:
    """Scrapy extension: the gate of a crawler that has posterbot's download handler, but not its scheduler."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._engine = open_catalogue(settings["CATALOGUE_URL"], must_exist=True)
        self._keeper = LoneKeeper(self._engine)
        self.hosts = Hosts(
            self._keeper,
            limits_of(settings),
            transfers=transfers_of(settings),
            backoff=settings.getfloat("HOST_BACKOFF"),
        )
        self.stopping = False
        register(crawler, self.hosts)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> LoneGate:
        """Scrapy's construction door."""
        gate = cls(crawler)
        crawler.signals.connect(gate.opened, signals.spider_opened)
        crawler.signals.connect(gate.closed, signals.spider_closed)
        return gate

    def opened(self) -> None:
        """Begin to look after the hosts."""
        self._looking = asyncio.ensure_future(self._look())

    async def closed(self) -> None:
        """All is through."""
        self._looking.cancel()
        await self.hosts.close()
        self._keeper.close()
        self._engine.dispose()

    async def _look(self) -> None:
        """Once a second see to idle hosts; when Scrapy is asked to stop, let nothing more begin."""
        looks = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks += 1
            if looks % round(1 / LOOK_SECONDS) == 0:
                await self.hosts.tick()
            slot = getattr(self._crawler.engine, "_slot", None)
            if slot is not None and slot.closing is not None:
                self.stopping = True
                self.hosts.stop()
                await asyncio.sleep(GRACE_SECONDS)
                self.hosts.abort()
                return
