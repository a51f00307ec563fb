"""What somebody asked us to forget: hashes (``frontier/tombstones.py`` makes them), and nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import cast

from sqlalchemy import Connection, Table, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue.records import now
from posterbot.catalogue.schema import tombstones

URL, HOST, IMAGE = "url", "host", "image"
AT_ONCE = 500
"""Hashes in one ``IN``: databases have limits."""


def lay_tombstones(connection: Connection, kind: str, hashes: Iterable[bytes]) -> None:
    """Add those that are not there yet. ``connection`` is in a transaction."""
    on_server = connection.dialect.name == "postgresql"
    insert = cast("Callable[[Table], sqlite.Insert]", postgresql.insert if on_server else sqlite.insert)
    statement = insert(tombstones).on_conflict_do_nothing()
    at = now()
    # Sorted: two that lay the same at once must not deadlock.
    if rows := [{"hash": hash_, "kind": kind, "at": at} for hash_ in sorted(set(hashes))]:
        connection.execute(statement, rows)


def any_tombstones(connection: Connection, calls: Sequence[None]) -> list[bool]:
    """Is there anything to ask for? For ``Recorder.call``."""
    return [bool(connection.scalar(select(exists().where(tombstones.c.hash.is_not(None)))))] * len(calls)


def forgotten(connection: Connection, calls: Sequence[Collection[bytes]]) -> list[bool]:
    """For each collection of hashes: is one of them a tombstone? For ``Recorder.call``."""
    found = laid(connection, {hash_ for hashes in calls for hash_ in hashes})
    return [not found.isdisjoint(hashes) for hashes in calls]


def laid(connection: Connection, hashes: Collection[bytes]) -> set[bytes]:
    """Those of ``hashes`` that are tombstones."""
    asked = list(hashes)
    found: set[bytes] = set()
    for start in range(0, len(asked), AT_ONCE):
        these = select(tombstones.c.hash).where(tombstones.c.hash.in_(asked[start : start + AT_ONCE]))
        found.update(map(bytes, connection.scalars(these)))
    return found
