"""Deleting rows while a crawl may be at work on the same catalogue."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from typing import Any, TypeVar
from typing import cast as typed

from sqlalchemy import Connection, Engine, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue import in_turn
from posterbot.catalogue.schema import workers
from posterbot.frontier.adding import in_pieces
from posterbot.frontier.operate import lives

T = TypeVar("T")

_BUSY_MS = 2000
"""How long the end of the log is waited for."""


def written(engine: Engine, write: Callable[..., T], *arguments: Any) -> T:
    """See :func:`posterbot.catalogue.in_turn.written`; of what is deleted nothing stays in the file."""

    def thoroughly(connection: Connection) -> T:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")  # or the text stays in free pages
        return write(connection, *arguments)

    return in_turn.written(engine, thoroughly)


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
