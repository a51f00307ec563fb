"""Which URLs are next, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, text, update

from posterbot.catalogue.schema import frontier, queues, workers
from posterbot.frontier.adding import in_pieces
from posterbot.frontier.records import State
from posterbot.frontier.states import FAILED, LEASED

SLOW_SECONDS = 2.0
"""Gap from which on a host is slow."""
RETRIES_AT_ONCE = 500
LONGEST_WAIT = 86_400.0
"""A retry further away than this, in seconds, was planned by a clock that has been set back since."""

_TEXTS = ("url", "request", "fingerprint", "features")
_COLUMNS = ("id", "host_id", "pattern_id", "arm_id", "parent_id", "tries", "rank", *_TEXTS)
# Made once: to build a statement takes longer than to run it.
_TAKE = (
    update(frontier)
    .where(frontier.c.id.in_(bindparam("keys", expanding=True)), frontier.c.state == int(State.PENDING))
    .values(state=int(State.LEASED), worker_id=bindparam("worker"))
    .returning(*(frontier.c[name] for name in _COLUMNS))
)
_DUE = (
    select(frontier.c.id)
    .where(
        frontier.c.run_id == bindparam("run"),
        frontier.c.state == FAILED,
        frontier.c.retry_at.is_not(None),
        or_(frontier.c.retry_at <= bindparam("now"), frontier.c.retry_at > bindparam("latest")),
    )
    .limit(RETRIES_AT_ONCE)
)


def shares(number: int, gaps: Mapping[int, float]) -> dict[int, int]:
    """How many URLs to lease of each host. One of a slow host: more would only stand in the way of others."""
    each = max(1, number // max(1, len(gaps)))
    return {host: 1 if gap >= SLOW_SECONDS else each for host, gap in gaps.items()}


def lease_urls(connection: Connection, run: int, worker: int, shares: Mapping[tuple[int, int], int]) -> list[Any]:
    """Lease URLs to ``worker``, host and arm → up to how many, those first in rank; gives their rows, in no order.

    The hosts must be on lease to the worker.
    """
    if not shares:
        return []
    # As text: to build the same from SQLAlchemy's parts takes longer than to run it.
    one = (
        "SELECT id FROM (SELECT id FROM frontier WHERE run_id = :run AND host_id = :host{0} AND arm_id = :arm{0} "
        "AND state = 0 ORDER BY rank, id LIMIT :number{0}) AS first{0}"
    )
    first = text(" UNION ALL ".join(one.format(place) for place in range(len(shares))))
    values = {"run": run}
    for place, ((host, arm), number) in enumerate(shares.items()):
        values |= {f"host{place}": host, f"arm{place}": arm, f"number{place}": number}
    return take(connection, worker, list(connection.scalars(first, values)))


def take(connection: Connection, worker: int, numbers: Sequence[int]) -> list[Any]:
    """Lease those of these URLs to ``worker`` that are still pending; gives their rows, in no order."""
    rows: list[Any] = []
    for keys in in_pieces(numbers):
        rows += connection.execute(_TAKE, {"keys": keys, "worker": worker})
    return rows


def due_again(connection: Connection, run: int, now: float) -> list[int]:
    """Keys of failed URLs whose time has come, some hundreds at most."""
    return list(connection.scalars(_DUE, {"run": run, "now": now, "latest": now + LONGEST_WAIT}))


def outlook(connection: Connection, run: int, now: float) -> tuple[bool, float | None]:
    """May there be more to do, and in how many seconds is the next retry due?"""
    waiting = select(queues.c.host_id).where(queues.c.run_id == run, queues.c.waiting > 0).limit(1)
    leased = (
        select(frontier.c.id)
        .join(workers, workers.c.id == frontier.c.worker_id)
        .where(workers.c.run_id == run, frontier.c.state == LEASED)
        .limit(1)
    )
    retry = select(func.min(frontier.c.retry_at)).where(
        frontier.c.run_id == run, frontier.c.state == FAILED, frontier.c.retry_at.is_not(None)
    )
    at: float | None = connection.scalar(retry)
    # In this order: who has a URL on lease adds its links before giving that up.
    busy = connection.scalar(leased) is not None or connection.scalar(waiting) is not None
    return busy or at is not None, None if at is None else max(0.0, at - now)
