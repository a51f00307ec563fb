"""Transactions of commands that write many of them, into a catalogue that a crawl writes to as well."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from posterbot.catalogue.database import IMMEDIATE

T = TypeVar("T")

_LOOKS_AGAIN = 0.1
"""Seconds: who waits for SQLite's lock looks whether it is free as often as that, and is in no queue."""
_TRIES = 5
_AGAIN_SECONDS = 0.5


@contextmanager
def in_turn(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, after which others get to.

    One right after the other would leave a crawl on SQLite waiting for seconds, for it would find each the lock taken
    whenever it looks. So it stays free for as long as it was taken, or until everybody has looked. A server's locks
    are of rows, and have queues.
    """
    with engine.execution_options(**IMMEDIATE).begin() as connection:
        began = time.monotonic()
        yield connection
    if engine.dialect.name == "sqlite":
        time.sleep(min(time.monotonic() - began, _LOOKS_AGAIN))


def written(engine: Engine, write: Callable[..., T], *arguments: Any) -> T:
    """What ``write`` gives, called with a connection and ``arguments``; again, where a crawl was in its way.

    That is where a server gave the transaction up for another's (SQLSTATE class 40), and where rows have come or gone
    that it knew nothing of.

    Raises:
        DBAPIError: it is something else, or goes on.
    """
    for left in reversed(range(_TRIES)):
        try:
            with in_turn(engine) as connection:
                return write(connection, *arguments)
        except DBAPIError as error:
            passing = (getattr(error.orig, "sqlstate", None) or "").startswith("40")
            if not left or not (passing or isinstance(error, IntegrityError)):
                raise
            time.sleep(_AGAIN_SECONDS)
    raise AssertionError
