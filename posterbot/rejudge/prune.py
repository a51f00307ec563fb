"""Deleting the originals of images that are not wanted any more: ``posterbot rejudge --prune``.

An image goes in three steps: its row says that the bytes are those of a rejected image (``dropped_path``); the bytes
are deleted; the row says that there are none. So no moment, and no kill, leaves an image that is said to be kept and
has no bytes, nor an object that nobody knows; what is interrupted is found by its row, and finished by the same call.

A crawl remembers what it has stored, and could take an image for stored whose bytes go: so not beside a crawl.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, select, update

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.schema import images, verdicts, workers
from posterbot.frontier.operate import Refusal, at_work
from posterbot.review.truth import called_wanted
from posterbot.steering.asked_policy import newest_policy
from posterbot.stores.local import LocalStore
from posterbot.stores.patient import Patient
from posterbot.stores.spool import Spool
from posterbot.stores.store import DROPPED, Store
from posterbot.stores.streams import in_parallel

AT_ONCE = 200
"""Images whose rows are changed in one transaction."""


@dataclass(frozen=True, slots=True)
class Prunable:
    """What there is to delete."""

    images: int
    """Originals of images that their newest verdict drops, ..."""
    bytes: int
    copies: int
    """... and second copies, which KEEP_DROPPED made of images that are kept by now, ..."""
    copies_bytes: int
    spared: int
    """Dropped as well, but a person called them wanted: their originals stay."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted."""

    objects: int
    bytes: int
    """As the catalogue has them."""


def prunable(engine: Engine) -> Prunable:
    """Count, and change nothing."""
    of_images, of_copies = func.coalesce(func.sum(images.c.bytes), 0), func.sum(images.c.dropped_bytes)
    spared = _spared(engine)
    with engine.connect() as connection:
        number, size = connection.execute(select(func.count(), of_images).where(_unwanted(), ~spared)).one()
        left, rest = connection.execute(select(func.count(), func.sum(images.c.bytes)).where(_marked())).one()
        copies, small = connection.execute(select(func.count(), of_copies).where(_copied())).one()
        kept = connection.scalar(select(func.count()).where(_unwanted(), spared))
    return Prunable(number + left, int(size) + int(rest or 0), copies, int(small or 0), int(kept or 0))


def prune(engine: Engine, store: Store, spool: Spool, progress: Callable[[int], object] = lambda _: None) -> Pruned:
    """Delete all that :func:`prunable` counts.

    Args:
        engine: from ``open_catalogue``.
        store: where the originals are.
        spool: of this store, on this machine.
        progress: called with how many images are done.

    Raises:
        Refusal: a crawl is at work, or began meanwhile.
        StoreError: the store cannot be used.
        UnavailableError: it did not answer several times in a row.
    """
    spared = _spared(engine)
    deleting = _Deleting(engine, store, spool, progress)
    refuse_beside_a_crawl(engine)
    with engine.execution_options(**IMMEDIATE).begin() as connection:  # wanted again since it was marked
        again = update(images).where(_is_mark(), images.c.path == images.c.dropped_path)
        connection.execute(again.values(dropped_path=None, dropped_bytes=None))
    deleting.all_of(_rows(engine, _marked()))
    # Of an image that has both the small picture goes first: there is one place only to note what is being deleted.
    deleting.all_of(_rows(engine, and_(images.c.dropped_path.is_not(None), _unwanted(), ~spared)))
    deleting.all_of(_rows(engine, _copied()))
    while True:
        refuse_beside_a_crawl(engine)
        with engine.execution_options(**IMMEDIATE).begin() as connection:
            marked = _mark(connection, and_(_unwanted(), ~spared))
        if not marked:
            return Pruned(deleting.objects, deleting.bytes)
        deleting.all_of(marked)


def refuse_beside_a_crawl(engine: Engine) -> None:
    """Raise Refusal where somebody works on a run, or may."""
    with engine.connect() as connection:
        unended = select(workers.c.run_id).where(workers.c.ended_at.is_(None)).distinct()
        found = list(connection.scalars(unended.order_by(workers.c.run_id)))
    for run in found:
        for worker in at_work(engine, run):
            raise Refusal(
                f"run {run} is at work ({worker}), and may want what would be deleted: posterbot crawls stop {run}"
            )


Row = tuple[int, str, int]
"""Number of the image, path of the object, bytes."""


class _Deleting:
    """Deletes objects, a few at once, and then says so in their rows."""

    def __init__(self, engine: Engine, store: Store, spool: Spool, progress: Callable[[int], object]) -> None:
        self._engine, self._store, self._progress = engine, Patient(store), progress
        self._spool = Patient(LocalStore(str(spool.folder), "SPOOL"))
        self._images = self.objects = self.bytes = 0

    def all_of(self, rows: Iterable[Row]) -> None:
        with closing(in_parallel(self._delete, rows, self._store.threads, self._store.hurry)) as done:
            for deleted, size in done:
                self._images += 1
                self.objects, self.bytes = self.objects + deleted, self.bytes + size * deleted
                self._progress(self._images)

    def _delete(self, row: Row) -> tuple[bool, int]:
        number, path, size = row
        there = self._spool.delete(path)  # first: what is in it may be on its way into the store
        there = self._store.delete(path) or there
        # Should a crawl have begun, and have taken the original for stored: it is to be fetched again.
        taken = images.c.id == number, images.c.path == path
        with self._engine.connect() as connection:
            lost = connection.scalar(select(images.c.id).where(*taken)) is not None and self._store.stat(path) is None
        with self._engine.execution_options(**IMMEDIATE).begin() as connection:
            marked = update(images).where(images.c.id == number, images.c.dropped_path == path)
            connection.execute(marked.values(dropped_path=None, dropped_bytes=None))
            if lost:
                connection.execute(update(images).where(*taken).values(path=None))
        return there, size


def _rows(engine: Engine, condition: ColumnElement[bool]) -> Iterator[Row]:
    """What ``dropped_path`` has of the images that meet ``condition``: a few at a time, in a snapshot each."""
    last = 0
    while True:
        columns = images.c.id, images.c.dropped_path, func.coalesce(images.c.dropped_bytes, 0)
        some = select(*columns).where(images.c.id > last, condition).order_by(images.c.id).limit(AT_ONCE)
        with engine.connect() as connection:
            rows = [(int(row[0]), str(row[1]), int(row[2])) for row in connection.execute(some)]
        if not rows:
            return
        yield from rows
        last = rows[-1][0]


def _mark(connection: Connection, condition: ColumnElement[bool]) -> list[Row]:
    """Some images that meet ``condition`` are said to be stored no more; what there is of them is to be deleted."""
    some = select(images.c.id, images.c.path, images.c.bytes).where(condition, images.c.dropped_path.is_(None))
    rows = [(int(row.id), str(row.path), int(row.bytes)) for row in connection.execute(some.limit(AT_ONCE))]
    if rows:
        these = update(images).where(images.c.id.in_([number for number, _, _ in rows]))
        connection.execute(these.values(dropped_path=images.c.path, dropped_bytes=images.c.bytes, path=None))
    return rows


def _newest_keeps() -> ColumnElement[bool | None]:
    newest = select(verdicts.c.keep).where(verdicts.c.image_id == images.c.id).order_by(verdicts.c.policy_id.desc())
    return newest.limit(1).correlate(images).scalar_subquery()


def _unwanted() -> ColumnElement[bool]:
    """The original is stored, and the newest verdict drops the image."""
    return and_(images.c.path.is_not(None), _newest_keeps().is_(False))


def _copied() -> ColumnElement[bool]:
    """KEEP_DROPPED's copy of an image that is kept, and stored."""
    copy = images.c.dropped_path.startswith(f"{DROPPED}/")
    return and_(images.c.path.is_not(None), copy, _newest_keeps().is_(True))


def _marked() -> ColumnElement[bool]:
    """To be deleted since a call that was interrupted."""
    return and_(images.c.path.is_(None), _is_mark(), _newest_keeps().is_not(True))


def _is_mark() -> ColumnElement[bool]:
    return and_(images.c.dropped_path.is_not(None), ~images.c.dropped_path.startswith(f"{DROPPED}/"))


def _spared(engine: Engine) -> ColumnElement[bool]:
    try:
        _, _, policy = newest_policy(engine)
    except LookupError:
        return called_wanted(())
    return called_wanted(policy.labels)
