"""Crawling again: pages that have not changed since an earlier run are not read again, but their links are followed.

An earlier run's frontier says on which page each URL was first found. A page that is unchanged hands on the URLs that
were first found on it, and one that has changed those that it has now; together these are all there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from posterbot.catalogue.schema import arms, frontier, hosts, pages, patterns
from posterbot.frontier.adding import in_pieces
from posterbot.frontier.records import Link, Place


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier run knows of a URL that is on lease now."""

    key: int
    """Of the URL in that run."""
    fresh: bool
    """It was read recently enough to be left alone."""
    etag: str
    last_modified: str


class Recrawl:
    """Looks into the runs before ``run``. Pages read since ``since`` are fresh."""

    def __init__(self, run: int, since: datetime) -> None:
        self._run, self._since = run, since

    def earlier(self, connection: Connection, urls: Mapping[str, bytes]) -> dict[str, Earlier]:
        """What is known of ``urls``, given with their fingerprints, and read without fault in an earlier run."""
        found: dict[str, Earlier] = {}
        for piece in in_pieces(list(urls)):
            newest = (
                select(func.max(pages.c.id))
                .where(pages.c.url.in_(piece), pages.c.run_id < self._run, pages.c.reason.is_(None))
                .group_by(pages.c.url)
            )
            for page in connection.execute(select(pages).where(pages.c.id.in_(newest))):
                same = (frontier.c.run_id == page.run_id) & (frontier.c.fingerprint == urls[page.url])
                key = connection.scalar(select(frontier.c.id).where(same))
                if key is not None:
                    fresh = page.fetched_at >= self._since
                    found[page.url] = Earlier(key, fresh, page.etag, page.last_modified)
        return found

    def links(self, connection: Connection, unchanged: Mapping[int, int]) -> list[Link]:
        """The URLs first found on pages that are unchanged: key in the earlier run → key now."""
        found: list[Link] = []
        columns = (*frontier.c, hosts.c.name.label("host"), patterns.c.pattern, arms.c.path)
        tables = (
            frontier.join(hosts, hosts.c.id == frontier.c.host_id)
            .outerjoin(patterns, patterns.c.id == frontier.c.pattern_id)
            .outerjoin(arms, arms.c.id == frontier.c.arm_id)
        )
        for piece in in_pieces(list(unchanged)):
            children = select(*columns).select_from(tables).where(frontier.c.parent_id.in_(piece))
            found += (
                _link(row, unchanged[row.parent_id]) for row in connection.execute(children.order_by(frontier.c.id))
            )
        return found


def _link(row: Any, parent: int) -> Link:
    fingerprint = bytes(row.fingerprint)
    place = Place(row.path or "", "", 0)
    priority = -row.depth if row.arm_id else -row.rank  # by yield, a rank is something else
    return Link(row.url, fingerprint, row.host, row.pattern or "", priority, row.request, parent, place, row.depth)
