"""Crawls as those see them who run them: which there are, who works on them, how to stop one and how to go on.

Everything here is asked from outside, while workers may be at it; ``retrying.py`` is what gives them new work.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Select,
    Table,
    func,
    literal_column,
    select,
    update,
)

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.runs import FINISHED
from posterbot.catalogue.schema import frontier, pages, queues, runs, workers
from posterbot.frontier.states import FAILED, LEASED
from posterbot.frontier.workers import born, machine

RUNNING, MAYBE_RUNNING, STOPPED, INTERRUPTED = "running", "running?", "stopped", "interrupted"


class Refusal(Exception):  # noqa: N818  # a decision, no defect
    """What was asked for is not done; one line that says why, and what to do."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """A process that works on a crawl, as far as can be told from here."""

    number: int
    pid: int
    machine: str
    """The name of its host."""
    sure: bool
    """False: it is on another machine, and may have died there."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.machine}"


@dataclass(frozen=True, slots=True)
class Crawl:
    """One run."""

    run: int
    state: str
    """``running``, ``running?`` (on another machine, which cannot be asked), ``finished``, ``stopped`` in good order
    before its end, or ``interrupted``: its workers died."""
    reason: str | None
    """Why it ended, in Scrapy's words; None where it has not."""
    resumable: bool
    """Would the same command go on with it, rather than begin another?"""
    workers: int
    done: int
    """Pages that were read."""
    waiting: int
    """URLs that wait to be fetched."""
    leased: int
    """URLs that some worker has."""
    failed: int
    """URLs that were given up."""
    retries: int
    """URLs that failed and will be tried again by themselves."""
    started_at: datetime
    finished_at: datetime | None
    arguments: dict[str, str]


@dataclass(frozen=True, slots=True)
class ToResume:
    """All that starts a worker of a run."""

    run: int
    spider: str
    arguments: dict[str, str]
    """A list of URLs by its full path, for whatever folder it is resumed from."""
    at_work: tuple[AtWork, ...]


def crawls(engine: Engine) -> list[Crawl]:
    """All runs, oldest first."""
    with engine.connect() as connection:

        def per_run(statement: Executable) -> defaultdict[int, int]:
            return defaultdict(int, {row[0]: int(row[1]) for row in connection.execute(statement)})

        working: dict[int, list[AtWork]] = defaultdict(list)
        for run, worker in _at_work(connection.execute(_unended()).all()):
            working[run].append(worker)
        waiting = per_run(
            select(queues.c.run_id, func.sum(queues.c.waiting))
            .where(literal_column("queues.waiting > 0"))
            .group_by(queues.c.run_id)
        )
        leased = per_run(
            select(workers.c.run_id, func.count())
            .select_from(frontier.join(workers, workers.c.id == frontier.c.worker_id))
            .where(frontier.c.state == LEASED)
            .group_by(workers.c.run_id)
        )
        retries = per_run(
            select(frontier.c.run_id, func.count())
            .where(frontier.c.state == FAILED, frontier.c.retry_at.is_not(None))
            .group_by(frontier.c.run_id)
        )
        failed = per_run(
            select(read_through(frontier).label("of"), func.count())
            .where(frontier.c.state == FAILED, frontier.c.retry_at.is_(None))
            .group_by("of")
        )
        done = per_run(
            select(read_through(pages).label("of"), func.count()).where(pages.c.reason.is_(None)).group_by("of")
        )
        rows = connection.execute(select(runs).order_by(runs.c.id)).all()
        newest = {row.job: row.id for row in rows if row.job is not None}
    return [
        Crawl(
            run=row.id,
            state=_state(row, working[row.id]),
            reason=row.finish_reason,
            resumable=row.finish_reason != FINISHED and newest.get(row.job) == row.id,
            workers=len(working[row.id]),
            done=done[row.id],
            waiting=waiting[row.id],
            leased=leased[row.id],
            failed=failed[row.id],
            retries=retries[row.id],
            started_at=row.started_at,
            finished_at=row.finished_at,
            arguments=row.arguments,
        )
        for row in rows
    ]


def at_work(engine: Engine, run: int) -> tuple[AtWork, ...]:
    """The workers of a run that live, or may live.

    Raises:
        LookupError: there is no such run.
    """
    with engine.connect() as connection:
        run_row(connection, run)
        found = connection.execute(_unended().where(workers.c.run_id == run)).all()
    return tuple(worker for _, worker in _at_work(found))


def ask_to_stop(engine: Engine, run: int) -> None:
    """Ask the workers of a run to stop. They look once a second."""
    with engine.execution_options(**IMMEDIATE).begin() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(stopping=True))


def to_resume(engine: Engine, run: int) -> ToResume:
    """How to go on with a run.

    Raises:
        LookupError: there is no such run.
        Refusal: there is nothing to go on with, or the same command would not go on with this one.
    """
    with engine.connect() as connection:
        row = run_row(connection, run)
        refuse_what_stays(connection, row)
    if row.finish_reason == FINISHED:
        raise Refusal(f"run {run} is finished; to try again what failed, first: posterbot retry --run {run} --reason …")
    return ToResume(run, row.spider, _arguments(row), at_work(engine, run))


def run_row(connection: Connection, run: int) -> Any:
    """The row of a run, or LookupError."""
    row = connection.execute(select(runs).where(runs.c.id == run)).first()
    if row is None:
        newest = connection.scalar(select(func.max(runs.c.id)))
        raise LookupError(f"no run {run}; " + ("there is none yet" if newest is None else f"the newest is {newest}"))
    return row


def refuse_what_stays(connection: Connection, row: Any) -> None:
    """Raise Refusal where no command goes on with the run ``row``, finished or not."""
    if row.job is None:
        raise Refusal(
            f"run {row.id} cannot be resumed: it crawled the sample site, or is older than the frontier; crawl anew"
        )
    newer = connection.scalar(select(func.max(runs.c.id)).where(runs.c.job == row.job, runs.c.id > row.id))
    if newer is not None:
        raise Refusal(f"run {row.id} cannot be resumed: run {newer} is a newer crawl of the same; take that one")


def read_through(table: Table) -> ColumnElement[int]:
    """The run of each row, written so that no index serves it: a large part of the table is wanted.

    By the index on run and fingerprint, the rows of a run come in no order, which takes twenty times as long.
    """
    return literal_column(f"{table.name}.run_id + 0")


def _unended() -> Select[Any]:
    columns = (workers.c[name] for name in ("id", "run_id", "machine", "pid", "born"))
    return select(*columns).where(workers.c.ended_at.is_(None)).order_by(workers.c.id)


def _at_work(rows: Sequence[Any]) -> list[tuple[int, AtWork]]:
    """Run and worker, of the rows of those that are not known to be dead."""
    return [
        (row.run_id, AtWork(row.id, row.pid, machine_name(row), alive is True))
        for row in rows
        if (alive := lives(row)) is not False
    ]


def lives(row: Any) -> bool | None:
    """Does the worker ``row`` live, which has not said that it ended? None: it is on another machine."""
    return born(row.pid) == row.born if row.machine == machine() else None


def machine_name(row: Any) -> str:
    """The host name of the machine of the worker ``row``."""
    return str(row.machine).partition("/")[0]


def _state(row: Any, working: Sequence[AtWork]) -> str:
    if working:
        return RUNNING if any(worker.sure for worker in working) else MAYBE_RUNNING
    if row.finish_reason is None:
        return INTERRUPTED
    return FINISHED if row.finish_reason == FINISHED else STOPPED


def _arguments(row: Any) -> dict[str, str]:
    """As given, but for what the job knows better: START may have changed since, and the folder."""
    try:
        job = json.loads(row.job)
        better = {name: job[name] for name in ("start", "urls") if isinstance(job.get(name), str) and job[name]}
    except (ValueError, AttributeError):
        better = {}
    return dict(row.arguments) | better
