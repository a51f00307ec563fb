"""Deleting rows while a crawl may be at work on the same catalogue."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from typing import Any, TypeVar
from typing import cast as typed

from sqlalchemy import Connection, Engine, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.schema import workers
from posterbot.frontier.adding import in_pieces
from posterbot.frontier.operate import lives

T = TypeVar("T")

_TRIES = 5
_AGAIN_SECONDS = 0.5
_BUSY_MS = 2000
"""How long the end of the log is waited for."""


def written(engine: Engine, write: Callable[..., T], *arguments: Any) -> T:
    """``write`` in a transaction of its own; again, where it was in a crawl's way.

    That is where a server gave it up for another's, and where a crawl has added to what was about to be deleted.
    """
    for left in reversed(range(_TRIES)):
        try:
            with engine.execution_options(**IMMEDIATE).begin() as connection:
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA secure_delete = ON")  # or the text stays in free pages
                return write(connection, *arguments)
        except DBAPIError as error:
            passing = (getattr(error.orig, "sqlstate", None) or "").startswith("40")
            if not left or not (passing or isinstance(error, IntegrityError)):
                raise
            time.sleep(_AGAIN_SECONDS)
    raise AssertionError


def erase(
    connection: Connection, table: Table, numbers: Collection[int], emptied: Callable[[], Mapping[str, Any]]
) -> None:
    """Delete rows of ``table``, which has a column ``id``.

    A crawl knows rows by their numbers, and SQLite gives the number of the newest row again when that is deleted. So
    while somebody is at work there, the newest row stays, and gets the values of ``emptied``.
    """
    gone = set(numbers)
    if connection.dialect.name == "sqlite":
        newest = connection.scalar(select(func.max(table.c.id)))
        if newest in gone and at_work(connection):
            connection.execute(update(table).where(table.c.id == newest).values(**emptied()))
            gone.discard(newest)
    for piece in in_pieces(sorted(gone)):
        connection.execute(delete(table).where(table.c.id.in_(piece)))


def at_work(connection: Connection) -> bool:
    """Does anybody crawl into this catalogue, as far as can be told from here?"""
    unended = select(workers.c.pid, workers.c.born, workers.c.machine).where(workers.c.ended_at.is_(None))
    return any(lives(row) is not False for row in connection.execute(unended))


def nameless(connection: Connection, table: Table) -> int:
    """Number of the row of ``hosts`` or ``sources`` with the empty name, which is made where there is none."""
    on_server = connection.dialect.name == "postgresql"
    insert = typed("Callable[[Table], sqlite.Insert]", postgresql.insert if on_server else sqlite.insert)
    connection.execute(insert(table).on_conflict_do_nothing(index_elements=["name"]), [{"name": ""}])
    return typed("int", connection.scalar(select(table.c.id).where(table.c.name == "")))


def clear_log(engine: Engine) -> bool:
    """Bring SQLite's write-ahead log, which still has what was deleted, to its end; False where others hold it."""
    if engine.dialect.name != "sqlite":
        return True
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        try:
            busy: int = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {before}")
    return not busy
