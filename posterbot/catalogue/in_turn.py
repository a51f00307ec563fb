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

_TAKEN = 0.4
"""Seconds that SQLite's lock may be taken with hardly a moment in between ..."""
_FREE = 0.12
"""... and that it is free then. Who waits for it is in no queue, but looks every tenth of a second."""
_KEY = "posterbot: taken since it was free"
_TRIES = 5
_AGAIN_SECONDS = 0.5


@contextmanager
def in_turn(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, one of many.

    On SQLite a crawl would wait for seconds while they follow upon each other, as it would find the lock taken whenever
    it looks. So it is left free now and then. A server's locks are of rows, and have queues.
    """
    with engine.execution_options(**IMMEDIATE).begin() as connection:
        info, began = connection.info, time.monotonic()
        yield connection
    if engine.dialect.name == "sqlite":
        taken = info.pop(_KEY, 0.0) + time.monotonic() - began
        if taken < _TAKEN:
            info[_KEY] = taken
        else:
            time.sleep(_FREE)


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
