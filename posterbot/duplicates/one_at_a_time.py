"""Of several processes that would bring the clusters of a catalogue up to date, one does it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

LOCK = int.from_bytes(b"copies")
"""PostgreSQL's advisory lock."""
AGAIN_SECONDS = 0.2


@contextmanager
def alone(engine: Engine, wait: bool, stopped: Callable[[], bool]) -> Iterator[bool]:
    """Are we the only ones? However a process ends, the next one is.

    Args:
        engine: of the catalogue.
        wait: until the other has ended, or ``stopped`` says True.
        stopped: asked every AGAIN_SECONDS.
    """
    with (_on_server if engine.dialect.name == "postgresql" else _in_folder)(engine) as locked:
        ours = locked()
        while not ours and wait and not stopped():
            time.sleep(AGAIN_SECONDS)
            ours = locked()
        yield ours


@contextmanager
def _on_server(engine: Engine) -> Iterator[Callable[[], bool]]:
    # A connection of its own, and without a transaction: it would keep the server from clearing up.
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        ours = False

        def locked() -> bool:
            nonlocal ours
            ours = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}))
            return ours

        try:
            yield locked
        finally:
            if ours and not connection.invalidated:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})


@contextmanager
def _in_folder(engine: Engine) -> Iterator[Callable[[], bool]]:
    """The catalogue's folder is locked: its file must not be opened beside SQLite, and a file of ours would stay."""
    folder = os.open(Path(engine.url.database or "").absolute().parent, os.O_RDONLY | os.O_DIRECTORY)

    def locked() -> bool:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        yield locked
    finally:
        os.close(folder)
