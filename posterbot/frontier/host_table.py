"""The hosts in SQL: whose turn it is, who has them on lease, and how they want to be treated.

Times in the table are on the database's clock; outside they are seconds from now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue.schema import hosts, queues
from posterbot.frontier.records import HostState

SOON_SECONDS = 0.5
"""A host whose gap ends so soon may be leased."""

_STARTED, _MONOTONIC = time.time(), time.monotonic()


def clock(connection: Connection) -> float:
    """Seconds since 1970: the server's, or this machine's, as if nobody had set its clock since we started."""
    if connection.dialect.name == "postgresql":
        return float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0.0)
    return _STARTED + time.monotonic() - _MONOTONIC


class HostTable:
    """One worker's door to the hosts. Belongs to the thread that writes.

    Args:
        worker: number.
        delay_of: the gap in seconds that a host is promised, whatever its robots.txt says.
    """

    def __init__(self, worker: int, delay_of: Callable[[str], float]) -> None:
        self._worker, self._delay_of = worker, delay_of
        # Pieces of a list are of no host: nobody's pace is to be kept, and all workers share them.
        self._free = or_(hosts.c.worker_id.is_(None), hosts.c.worker_id == worker, hosts.c.name == "")

    def lease_waiting(
        self,
        connection: Connection,
        run: int,
        full: frozenset[str],
        number: int,
        now: float,
        order: Sequence[ColumnElement[Any]],
    ) -> dict[int, HostState]:
        """Lease at most ``number`` hosts with pending URLs of ``run``, those first that are first in ``order``.

        Hosts that others have, that are closed or in their gap, or of which there is enough are passed over.
        """
        if number <= 0:
            return {}
        waiting = (
            select(hosts)
            .join(queues, queues.c.host_id == hosts.c.id)
            .where(queues.c.run_id == run, queues.c.waiting > 0, self._free)
            .where(hosts.c.closed_until <= now, hosts.c.next_at <= now + SOON_SECONDS)
            .order_by(*order, hosts.c.id)
            .limit(number)
            .with_for_update(of=(hosts, queues), skip_locked=True)  # the count is ours until the URLs are leased
        )
        if full:
            waiting = waiting.where(hosts.c.name.not_in(sorted(full)))
        return self._lease(connection, list(connection.execute(waiting)), now)

    def gap(self, state: HostState) -> float:
        """Seconds promised between requests: ours, or its robots.txt's."""
        return max(state.crawl_delay or 0.0, self._delay_of(state.name))

    def take(self, connection: Connection, calls: list[Sequence[str]]) -> list[dict[str, HostState]]:
        """Lease those hosts that are free; mark the others as wanted. Unknown ones are made."""
        now = clock(connection)
        names = sorted({name for call in calls for name in call})
        if not names:
            return [{} for _ in calls]
        rows = [{"name": name} for name in names]
        if connection.dialect.name == "postgresql":
            connection.execute(postgresql.insert(hosts).on_conflict_do_nothing(index_elements=["name"]), rows)
        else:
            connection.execute(sqlite.insert(hosts).on_conflict_do_nothing(index_elements=["name"]), rows)
        wanted = select(hosts).where(hosts.c.name.in_(names)).order_by(hosts.c.name).with_for_update()
        found = list(connection.execute(wanted))
        free = [row for row in found if row.worker_id in {None, self._worker}]
        others = [row.id for row in found if row.worker_id not in {None, self._worker}]
        if others:
            connection.execute(
                update(hosts).where(hosts.c.id.in_(others), hosts.c.wanted_by.is_(None)).values(wanted_by=self._worker)
            )
        states = {state.name: state for state in self._lease(connection, free, now).values()}
        return [{name: states[name] for name in call if name in states} for call in calls]

    def save(self, connection: Connection, calls: list[Sequence[HostState]]) -> list[set[str]]:
        """Store what is known of hosts on lease; gives those on lease that another worker waits for."""
        self._store(connection, [state for call in calls for state in call])
        wanted = select(hosts.c.name).where(hosts.c.worker_id == self._worker, hosts.c.wanted_by.is_not(None))
        names = set(connection.scalars(wanted))
        return [names for _ in calls]

    def give(self, connection: Connection, calls: list[Sequence[HostState]]) -> list[None]:
        """Store, and end the lease; who waits for a host has it from now on."""
        states = [state for call in calls for state in call]
        self._store(connection, states)
        names = [state.name for state in states]
        if names:
            mine = update(hosts).where(hosts.c.name.in_(names), hosts.c.worker_id == self._worker)
            connection.execute(mine.values(worker_id=hosts.c.wanted_by, wanted_by=None))
        return [None for _ in calls]

    def _lease(self, connection: Connection, rows: Sequence[Row[Any]], now: float) -> dict[int, HostState]:
        # The gap is written at once: should we die, the next worker keeps it.
        new = [
            {"number": row.id, "gap": max(row.crawl_delay or 0.0, self._delay_of(row.name))}
            for row in rows
            if row.worker_id != self._worker and row.name
        ]
        if new:
            leased = update(hosts).where(hosts.c.id == bindparam("number"))
            connection.execute(leased.values(worker_id=self._worker, gap=bindparam("gap")), new)
        return {row.id: _state(row, now) for row in rows}

    def _store(self, connection: Connection, states: Sequence[HostState]) -> None:
        if not states:
            return
        now = clock(connection)
        changed = update(hosts).where(hosts.c.name == bindparam("host"), hosts.c.worker_id == self._worker)
        rows = [
            {
                "host": state.name,
                "next_at": now + state.wait,
                "gap": state.gap,
                "crawl_delay": state.crawl_delay,
                "failures": state.failures,
                "openings": state.openings,
                "closed_until": now + state.closed_for if state.closed_for > 0 else 0.0,
                "closed_reason": state.closed_reason if state.closed_for > 0 else None,
                "day": state.day,
                "day_requests": state.day_requests,
                "day_bytes": state.day_bytes,
                "requests": state.requests,
                "bytes": state.bytes,
            }
            for state in sorted(states, key=lambda state: state.name)
        ]
        names = [name for name in rows[0] if name != "host"]
        connection.execute(changed.values({name: bindparam(name) for name in names}), rows)


def _state(row: Row[Any], now: float) -> HostState:
    return HostState(
        name=row.name,
        wait=max(0.0, row.next_at - now),
        gap=row.gap,
        crawl_delay=row.crawl_delay,
        failures=row.failures,
        openings=row.openings,
        closed_for=max(0.0, row.closed_until - now),
        closed_reason=row.closed_reason,
        day=row.day,
        day_requests=row.day_requests,
        day_bytes=row.day_bytes,
        requests=row.requests,
        bytes=row.bytes,
    )
