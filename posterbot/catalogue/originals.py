"""What the catalogue knows of stored bytes, asked by a crawl for many images at once (``Recorder.call``)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from posterbot.catalogue.schema import images, runs


def stored_paths(connection: Connection, calls: Sequence[str]) -> list[str | None]:
    """For each sha256: where its original lies, None where it is not kept."""
    asked = select(images.c.sha256, images.c.path).where(images.c.sha256.in_(calls), images.c.path.is_not(None))
    found = {row.sha256: row.path for row in connection.execute(asked)}
    return [found.get(sha256) for sha256 in calls]


def dropped_bytes(connection: Connection, calls: Sequence[None]) -> list[int]:
    """How many bytes are kept of rejected images."""
    return [int(connection.scalar(select(func.coalesce(func.sum(images.c.dropped_bytes), 0))) or 0)] * len(calls)


def store_of_run(connection: Connection, calls: Sequence[tuple[int, str]]) -> list[list[str]]:
    """For each run and store: note the store; which others have runs of this catalogue stored to?"""
    for run, store in calls:
        connection.execute(update(runs).where(runs.c.id == run, runs.c.store.is_(None)).values(store=store))
    known = select(runs.c.store).where(runs.c.store.is_not(None)).distinct().order_by(runs.c.store)
    names = list(connection.scalars(known))
    return [[name for name in names if name != store] for _, store in calls]
