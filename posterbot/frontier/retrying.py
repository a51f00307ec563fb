"""Another try for what failed: pages, single images, and patterns that were closed as traps.

A page becomes pending again; the images of a page become one URL of their own. Whatever is interrupted here may be done
again: nothing is queued twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, exists, func, or_, select, text, update

from posterbot.catalogue.in_turn import written
from posterbot.catalogue.runs import FINISHED
from posterbot.catalogue.schema import candidates, frontier, hosts, patterns, queues, runs
from posterbot.frontier.again import Again, failed_images, images_not_stored, of_run, queue_images
from posterbot.frontier.operate import AtWork, at_work, read_through, refuse_what_stays, run_row
from posterbot.frontier.pattern_table import TRAP
from posterbot.frontier.records import State
from posterbot.frontier.states import FAILED
from posterbot.frontier.store import add_waiting
from posterbot.reasons import Reason

RETRY = "retry"
"""Finish reason of a run that was finished, and has something to do again."""
URLS_AT_ONCE = 500
"""URLs in one transaction."""
PAGES_AT_ONCE = 100
"""Pages whose images are in one transaction."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What of a run failed for one reason, and may be tried again."""

    pages: int
    images: int


@dataclass(frozen=True, slots=True)
class Queued:
    """What is to be tried again, or would be."""

    pages: int
    images: Again
    patterns: int
    """Closed as traps, and open again."""
    at_work: tuple[AtWork, ...]
    """Who takes it up without being asked to."""


def failures(engine: Engine, run: int, host: str | None = None) -> dict[str, Failures]:
    """Why pages and images of a run failed, most frequent first; where a host is given, only those on it.

    Raises:
        LookupError: there is no such run.
    """
    with engine.connect() as connection:
        run_row(connection, run)
        of_pages = _counts(connection, _urls(run, host, _failed_urls(None)), frontier.c.reason)
        of_images = _counts(connection, of_run(run, host, failed_images()), candidates.c.reason)
        if refused := connection.scalar(of_run(run, host, images_not_stored(), func.count())):
            of_images[Reason.STORE_FAILED.value] += refused
    names = [name for name, _ in (of_pages + of_images).most_common()]
    return {name: Failures(of_pages[name], of_images[name]) for name in names}


def retry(
    engine: Engine, run: int, reasons: Collection[str], host: str | None = None, *, dry_run: bool = False
) -> Queued:
    """Queue again what of a run failed for one of ``reasons``, and open the run if it is finished.

    Args:
        engine: from ``open_catalogue``.
        run: its number.
        reasons: as in :func:`failures`; ``trap`` opens closed patterns.
        host: only pages and images on this host.
        dry_run: count, and change nothing.

    Raises:
        LookupError: there is no such run.
        Refusal: nobody works on it, and no command goes on with it.
    """
    working = at_work(engine, run)
    if not working:
        with engine.connect() as connection:
            refuse_what_stays(connection, run_row(connection, run))
    urls, lost = _failed_urls(reasons), failed_images(reasons)
    of_pages = of_run(run, host, lost, candidates.c.page_id).distinct().order_by(candidates.c.page_id)
    if dry_run:
        with engine.connect() as connection:
            number = connection.scalar(_urls(run, host, urls, func.count())) or 0
            on_pages = connection.scalar(select(func.count()).select_from(of_pages.order_by(None).subquery())) or 0
            again = Again(on_pages, connection.scalar(of_run(run, host, lost, func.count())) or 0)
            closed = connection.scalar(_closed(run, host, func.count())) or 0 if TRAP in reasons else 0
        return Queued(number, again, closed, working)
    opened = written(engine, _open_patterns, run, host) if TRAP in reasons else 0
    number = 0
    for keys in _stream(engine, _urls(run, host, urls, frontier.c.id), URLS_AT_ONCE):
        number += written(engine, _pend, run, keys, urls)
    again = Again()
    for keys in _stream(engine, of_pages, PAGES_AT_ONCE):
        again += written(engine, _queue_images, run, keys, host, lost)
    # Also for what was queued before, should a worker have ended the run since.
    written(engine, _open_run, run)
    return Queued(number, again, opened, working)


# --- What there is --------------------------------------------------------------------------------------------------


def _failed_urls(reasons: Collection[str] | None) -> ColumnElement[bool]:
    """URLs that failed for one of ``reasons``, or for any; those that wait for another try as well."""
    failed = frontier.c.state == FAILED
    if reasons is not None:
        failed = and_(failed, frontier.c.reason.in_(sorted(reasons)))
        if TRAP not in reasons:
            return failed
    return or_(failed, and_(frontier.c.state == int(State.DONE), frontier.c.reason == TRAP))


def _urls(run: int, host: str | None, condition: ColumnElement[bool], *columns: Any) -> Select[Any]:
    statement = select(*columns).select_from(frontier).where(read_through(frontier) == run, condition)
    return statement if host is None else statement.where(frontier.c.host_id == _number_of(host))


def _closed(run: int, host: str | None, *columns: Any) -> Select[Any]:
    statement = select(*columns).where(patterns.c.run_id == run, patterns.c.closed.is_not(None))
    return statement if host is None else statement.where(patterns.c.host_id == _number_of(host))


def _number_of(host: str) -> Any:
    return select(hosts.c.id).where(hosts.c.name == host).scalar_subquery()


def _counts(connection: Connection, statement: Select[Any], reason: ColumnElement[Any]) -> Counter[str]:
    counted = statement.add_columns(reason.label("reason"), func.count().label("number")).group_by(reason)
    return Counter({str(row.reason): int(row.number) for row in connection.execute(counted)})


# --- Again ----------------------------------------------------------------------------------------------------------


def _open_patterns(connection: Connection, run: int, host: str | None) -> int:
    closed = patterns.c.id.in_(_closed(run, host, patterns.c.id))
    return connection.execute(update(patterns).where(closed).values(closed=None, fruitless=0)).rowcount


def _pend(connection: Connection, run: int, keys: Sequence[int], condition: ColumnElement[bool]) -> int:
    pend = (
        update(frontier)
        .where(frontier.c.id.in_(keys), condition)
        .values(state=int(State.PENDING), worker_id=None, tries=0, retry_at=None, reason=None)
        .returning(frontier.c.host_id)
    )
    of_hosts = Counter(connection.scalars(pend))
    add_waiting(connection, run, of_hosts)
    _open_run(connection, run)
    return of_hosts.total()


def _queue_images(
    connection: Connection, run: int, of_pages: Sequence[int], host: str | None, condition: ColumnElement[bool]
) -> Again:
    again = queue_images(connection, run, of_pages, host, condition)
    _open_run(connection, run)
    return again


def _open_run(connection: Connection, run: int) -> None:
    """What is finished and has something to do again is not finished, and the same command goes on with it."""
    waits = exists().where(queues.c.run_id == run, queues.c.waiting > 0)
    finished = and_(runs.c.id == run, runs.c.finish_reason == FINISHED)
    connection.execute(update(runs).where(finished, waits).values(finish_reason=RETRY))


# --- In batches -----------------------------------------------------------------------------------------------------


def _stream(engine: Engine, statement: Select[Any], size: int) -> Iterator[list[int]]:
    """Numbers in lists of ``size``, all from one look at the tables, while others write."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # which else plans for the first few rows, not for all
            connection.execute(text("SET LOCAL cursor_tuple_fraction = 1"))
        numbers = iter(connection.execution_options(yield_per=size).scalars(statement))
        while piece := list(islice(numbers, size)):
            yield piece
