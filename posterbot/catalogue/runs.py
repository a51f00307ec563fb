"""Beginning, resuming and ending a run: one crawl, however many processes and stops it takes."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, text, update

from posterbot.catalogue.records import now
from posterbot.catalogue.schema import runs

FINISHED = "finished"
"""Finish reason of a run that has nothing left to do."""


class Begun(NamedTuple):
    """A run, and whether it was there before."""

    run: int
    resumed: bool


def begin_run(
    connection: Connection, spider: str, arguments: dict[str, str], version: str, job: str | None = None
) -> Begun:
    """The run to work on: the newest of ``job`` that is not finished, or a new one.

    ``job`` tells which crawls are the same work; None: always a new run. ``connection`` is in a transaction.
    """
    if job is not None:
        if connection.dialect.name == "postgresql":  # SQLite's transactions that write wait for each other anyway
            lock = int.from_bytes(hashlib.sha256(job.encode()).digest()[:8], signed=True)
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
        of_job = select(runs.c.id, runs.c.finish_reason).where(runs.c.job == job).order_by(runs.c.id.desc()).limit(1)
        newest = connection.execute(of_job).first()
        if newest is not None and newest.finish_reason != FINISHED:
            open_again = update(runs).where(runs.c.id == newest.id)
            connection.execute(open_again.values(finished_at=None, finish_reason=None, stopping=False))
            return Begun(newest.id, True)
    row = {"spider": spider, "arguments": arguments, "version": version, "started_at": now(), "job": job}
    key = connection.execute(insert(runs).values(row)).inserted_primary_key
    assert key is not None
    return Begun(key[0], False)


def end_run(connection: Connection, run: int, reason: str) -> None:
    """Nobody works on it any more, for ``reason``."""
    connection.execute(update(runs).where(runs.c.id == run).values(finished_at=now(), finish_reason=reason))
