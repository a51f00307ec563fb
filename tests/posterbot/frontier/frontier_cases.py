"""A crawl's frontier without a crawl: a run with workers, on whatever database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, Table, func, select

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.runs import begin_run
from posterbot.frontier.breadth_first import BreadthFirst
from posterbot.frontier.by_yield import Yield
from posterbot.frontier.host_table import HostTable
from posterbot.frontier.records import Link, Wish
from posterbot.frontier.store import Frontier
from posterbot.frontier.workers import Worker


def link(url: str, *, parent: int | None = None, priority: int = 0, pattern: str | None = None) -> Link:
    parts = urlsplit(url)
    fingerprint = hashlib.sha1(url.encode()).digest()
    pattern = pattern or parts.path.rpartition("/")[0]
    return Link(url, fingerprint, parts.hostname or "", pattern, priority, "{}", parent)


class Part:
    """One worker's part: its own door to everything, as if in a process of its own."""

    def __init__(
        self,
        engine: Engine,
        job: str | None = "job",
        *,
        urls_per_host: int = 1000,
        fruitless: int = 5,
        since: datetime | None = None,
        by_yield: bool = False,
    ) -> None:
        self.engine = engine.execution_options(**IMMEDIATE)
        self.now = 0.0
        self.delays: dict[str, float] = {}
        with self.engine.begin() as connection:
            self.run, self.resumed = begin_run(connection, "posters", {}, "1", job)
            self.worker = Worker(connection, self.run, lambda: self.now)
        self.hosts = HostTable(self.worker.number, lambda host: self.delays.get(host, 0.0))
        dialect, number = engine.dialect.name, self.worker.number
        self.frontier = Frontier(
            dialect,
            self.run,
            number,
            self.hosts,
            Yield(dialect, self.run, number) if by_yield else BreadthFirst(self.run, number),
            urls_per_host=urls_per_host,
            fruitless=fruitless,
            since=since,
        )

    def do(self, call: Callable[[Connection, list[Any]], Any], *arguments: Any) -> Any:
        """Make a call in a transaction of its own; the answer for the last argument."""
        with self.begin() as connection:
            return call(connection, list(arguments))[-1]

    def begin(self) -> AbstractContextManager[Connection]:
        return self.engine.begin()

    def add(self, *urls: str, parent: int | None = None, **more: Any) -> int:
        number: int = self.do(self.frontier.add, [link(url, parent=parent, **more) for url in urls])
        return number

    def lease(self, number: int = 100, **more: Any) -> dict[str, int]:
        """URL → key."""
        return {leased.url: leased.key for leased in self.do(self.frontier.lease, Wish(number, **more)).leased}

    def count(self, table: Table, *conditions: Any) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0

    def value(self, column: Any, *conditions: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(select(column).where(*conditions))
