"""The table of hosts as people see it: how each is treated, by whom, and how much waits there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, literal_column, select

from posterbot.catalogue.schema import hosts, queues, workers
from posterbot.frontier.host_table import clock
from posterbot.frontier.operate import lives, machine_name, run_row

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class HostRow:
    """One host, and how it is treated; times in seconds."""

    host: str
    waiting: int
    """URLs to fetch there."""
    requests: int
    bytes: int
    requests_today: int
    """In this day of UTC."""
    bytes_today: int
    gap: float
    """From an answer to the next request, as in force now."""
    crawl_delay: float | None
    """What its robots.txt asks for."""
    failures: int
    """Failed requests in a row."""
    closed_for: float
    """For so long it is left alone; 0: it is not."""
    closed_reason: str | None
    worker: str | None
    """Who has it on lease."""


def host_rows(engine: Engine, run: int | None = None, limit: int = 50) -> tuple[list[HostRow], int]:
    """Hosts, those first where most URLs wait (of ``run``, or of all), and how many there are in all.

    Raises:
        LookupError: there is no such run.
    """
    waits = select(queues.c.host_id, func.sum(queues.c.waiting).label("waiting"))
    waits = waits.where(literal_column("queues.waiting > 0"))
    if run is not None:
        waits = waits.where(queues.c.run_id == run)
    waiting = waits.group_by(queues.c.host_id).subquery()
    number = func.coalesce(waiting.c.waiting, 0)
    of_web = hosts.c.name != ""  # pieces of lists wait under no host's name
    statement = (
        select(hosts, number.label("waiting"), *(workers.c[name] for name in ("pid", "machine", "born", "ended_at")))
        .select_from(
            hosts.outerjoin(waiting, waiting.c.host_id == hosts.c.id).outerjoin(
                workers, workers.c.id == hosts.c.worker_id
            )
        )
        .where(of_web)
        .order_by(number.desc(), hosts.c.requests.desc(), hosts.c.name)
        .limit(limit)
    )
    with engine.connect() as connection:
        if run is not None:
            run_row(connection, run)
        now = clock(connection)
        rows = connection.execute(statement).all()
        total: int = connection.scalar(select(func.count()).select_from(hosts).where(of_web)) or 0
    return [_host(row, now) for row in rows], total


def _host(row: Any, now: float) -> HostRow:
    today = row.day >= now // _DAY
    closed_for = max(0.0, row.closed_until - now)
    worker = None
    if row.worker_id is not None and row.pid is not None:
        dead = row.ended_at is not None or lives(row) is False
        worker = f"{row.pid} on {machine_name(row)}" + (", which is dead" if dead else "")
    return HostRow(
        host=row.name,
        waiting=int(row.waiting),
        requests=row.requests,
        bytes=row.bytes,
        requests_today=row.day_requests if today else 0,
        bytes_today=row.day_bytes if today else 0,
        gap=row.gap,
        crawl_delay=row.crawl_delay,
        failures=row.failures,
        closed_for=round(closed_for, 1),
        closed_reason=row.closed_reason if closed_for else None,
        worker=worker,
    )
