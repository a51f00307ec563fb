"""The crawl's one way into the catalogue: hand over a record, get a future, go on crawling.

One thread writes, so the event loop never waits for a disk. It gathers what has arrived and commits it as one
transaction: an outcome is in the catalogue whole or not at all, whenever the process dies.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import SQLAlchemyError

from posterbot.catalogue import schema
from posterbot.catalogue.database import IMMEDIATE, CatalogueError, catalogue_error
from posterbot.catalogue.records import Outcome, Page, Policy, now
from posterbot.catalogue.writer import Record, Writer

BATCH = 256
"""Most records in one transaction."""

WAIT_SECONDS = 0.05
"""How long a record waits for company, in seconds."""


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Record
    future: Future[Any]


class _CannotBeginError(Exception):
    """No transaction to be had: the database is locked or gone, whatever the record."""


class Recorder:
    """Writes one run: its pages, policies and outcomes.

    Futures are resolved after the commit, in the writing thread: an event loop's callbacks have to come back with
    ``call_soon_threadsafe`` or ``callFromThread``. A record that cannot be written gives its future a
    :class:`CatalogueError`; the others of its batch, and all that follow, are not affected. The queue has no end:
    who records faster than the disk writes has to wait for futures.

    Raises:
        CatalogueError: the run cannot be written.
    """

    def __init__(self, engine: Engine, *, spider: str, arguments: dict[str, str], version: str) -> None:
        self._engine = engine.execution_options(**IMMEDIATE)
        row = {"spider": spider, "arguments": arguments, "version": version, "started_at": now()}
        try:
            with self._engine.begin() as connection:
                key = connection.execute(insert(schema.runs).values(row)).inserted_primary_key
        except SQLAlchemyError as error:
            raise catalogue_error(engine, error) from error
        assert key is not None
        self.run_id: int = key[0]
        self._writer = Writer(engine.dialect.name, self.run_id)
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        # A daemon, so that a crawl that dies without close() ends; what was reported as written is written.
        self._thread = threading.Thread(target=self._run, name="catalogue", daemon=True)
        self._thread.start()

    def page(self, page: Page) -> Future[None]:
        """Record a page and its films. Once per run and URL; the first one stands."""
        return self._enqueue(page)

    def policy(self, policy: Policy) -> Future[int]:
        """Record a policy; the future gives its number. Equal policies are one row."""
        return self._enqueue(policy)

    def outcome(self, outcome: Outcome) -> Future[None]:
        """Record what became of a candidate, with the page, image, scores and policy it names.

        The same page and URL again updates the row; a failure never replaces a picture.

        Raises:
            ValueError: the outcome contradicts itself: nothing to say why it was dropped or kept, or scores that
                are not one per label.
        """
        _check(outcome)
        return self._enqueue(outcome)

    def close(self, finish_reason: str) -> None:
        """Write what is queued, then the end of the run. A second call does nothing.

        Raises:
            CatalogueError: the end of the run cannot be written.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        run = update(schema.runs).where(schema.runs.c.id == self.run_id)
        try:
            with self._engine.begin() as connection:
                connection.execute(run.values(finished_at=now(), finish_reason=finish_reason))
        except SQLAlchemyError as error:
            raise catalogue_error(self._engine, error) from error

    def _enqueue(self, record: Record) -> Future[Any]:
        future: Future[Any] = Future()
        # Begun at once, so that nobody can cancel it: the record will be written whoever still waits.
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._closed:
                raise RuntimeError("the recorder is closed")
            self._queue.put(_Entry(record, future))
        return future

    def _run(self) -> None:
        open_ = True
        while open_:
            batch, open_ = self._gather()
            if batch:
                self._write(batch)

    def _gather(self) -> tuple[list[_Entry], bool]:
        """The next batch, and whether more may follow."""
        entry = self._queue.get()
        batch: list[_Entry] = []
        deadline = time.monotonic() + WAIT_SECONDS
        while entry is not None:
            batch.append(entry)
            if len(batch) == BATCH:
                return batch, True
            try:
                entry = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return batch, True
        return batch, False

    def _write(self, batch: Sequence[_Entry]) -> None:
        try:
            self._commit(batch)
        except Exception:
            # One bad record must not take the others along. Nothing of the batch is in the catalogue now.
            for position, entry in enumerate(batch):
                try:
                    self._commit([entry])
                except _CannotBeginError as error:
                    # Each further try would wait as long for the same lock.
                    for rest in batch[position:]:
                        rest.future.set_exception(self._error(error.__cause__ or error))
                    return
                except Exception as error:
                    entry.future.set_exception(self._error(error))

    def _commit(self, batch: Sequence[_Entry]) -> None:
        begun = False
        try:
            with self._engine.begin() as connection:
                begun = True
                policies = self._writer.write(connection, [entry.record for entry in batch])
        except Exception as error:
            self._writer.forget()
            if not begun:
                raise _CannotBeginError from error
            raise
        for entry in batch:
            entry.future.set_result(policies[entry.record] if isinstance(entry.record, Policy) else None)

    def _error(self, error: BaseException) -> CatalogueError:
        failure = catalogue_error(self._engine, error)
        failure.__cause__ = error
        return failure


def _check(outcome: Outcome) -> None:
    judged = outcome.image is not None and outcome.policy is not None and outcome.verdict_reason is not None
    if outcome.reason is None and not judged:
        raise ValueError(f"outcome of {outcome.url}: neither a reason nor an image with policy and verdict")
    if outcome.scores is not None:
        labels = () if outcome.policy is None else outcome.policy.model.labels
        if outcome.image is None or outcome.scores.shape != (len(labels),):
            raise ValueError(f"outcome of {outcome.url}: scores need an image and one value for each label")
