"""The crawl's one way into the catalogue: hand over records, get a future, go on crawling.

One thread writes, so the event loop never waits for a disk. It gathers what has arrived and commits it as one
transaction: what was handed over together is in the catalogue whole or not at all, whenever the process dies.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from posterbot.catalogue.database import IMMEDIATE, CatalogueError, catalogue_error
from posterbot.catalogue.records import Outcome, Page, Policy
from posterbot.catalogue.runs import begin_run, end_run
from posterbot.catalogue.writer import Record, Writer

logger = logging.getLogger(__name__)

BATCH = 256
"""Most records and calls in one transaction."""

WAIT_SECONDS = 0.05
"""How long a record waits for company, in seconds."""

PATIENCE_SECONDS = 60.0
"""How long a database server that has gone away is waited for."""

RETRY_SECONDS = 0.5

# PostgreSQL's codes: serialization failure, deadlock, too many connections, shut down by its administrator, crashed,
# not yet started.
_PASSING = {"40001", "40P01", "53300", "57P01", "57P02", "57P03"}

Argument = TypeVar("Argument")
Answer = TypeVar("Answer")
Call = Callable[[Connection, list[Argument]], Sequence[Answer]]
"""SQL of others, for many arguments at once: one answer each."""


@dataclass(frozen=True, slots=True)
class _Entry:
    future: Future[Any]
    records: tuple[Record, ...] = ()
    call: Call[Any, Any] | None = None
    argument: Any = None
    weight: int = 1
    urgent: bool = False


class _CannotBeginError(Exception):
    """No transaction to be had: the database is locked or gone, whatever the record."""


class Recorder:
    """Writes one run: its pages, policies and outcomes.

    Futures are resolved after the commit, in the writing thread: an event loop's callbacks have to come back with
    ``call_soon_threadsafe`` or ``callFromThread``. A record that cannot be written gives its future a
    :class:`CatalogueError`; the others of its batch, and all that follow, are not affected. The queue has no end:
    who records faster than the disk writes has to wait for futures, or look at ``queued``.

    A server that goes away is waited for, for ``PATIENCE_SECONDS``: all that is written may be written twice.

    Args:
        engine: from ``open_catalogue``.
        spider, arguments, version, job: of the run, see :func:`posterbot.catalogue.runs.begin_run`.

    Raises:
        CatalogueError: the run cannot be written.
    """

    def __init__(
        self, engine: Engine, *, spider: str, arguments: dict[str, str], version: str, job: str | None = None
    ) -> None:
        self._engine = engine.execution_options(**IMMEDIATE)
        try:
            with self._engine.begin() as connection:
                self.run_id, self.resumed = begin_run(connection, spider, arguments, version, job)
        except SQLAlchemyError as error:
            raise catalogue_error(engine, error) from error
        self._writer = Writer(engine.dialect.name, self.run_id)
        self.forgetful: list[Callable[[], None]] = []
        """Called when a transaction was undone: what calls remember of the database may not be so."""
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.queued = 0
        """Weight of what waits to be written: what produces records should hold back while this is much."""
        self._closed = False
        # A daemon, so that a crawl that dies without close() ends; what was reported as written is written.
        self._thread = threading.Thread(target=self._run, name="catalogue", daemon=True)
        self._thread.start()

    def page(self, page: Page) -> Future[None]:
        """Record a page and its films. Once per run and URL; the first one stands."""
        return self._enqueue(_Entry(Future(), (page,)))

    def policy(self, policy: Policy) -> Future[int]:
        """Record a policy; the future gives its number. Equal policies are one row."""
        return self._enqueue(_Entry(Future(), (policy,)))

    def outcome(self, outcome: Outcome) -> Future[None]:
        """Record what became of a candidate, with the page, image, scores and policy it names.

        The same page and URL again updates the row; a failure never replaces a picture.

        Raises:
            ValueError: the outcome contradicts itself: nothing to say why it was dropped or kept, or scores that
                are not one per label.
        """
        return self.together((outcome,))

    def together(
        self, records: Sequence[Record], call: Call[Argument, Answer] | None = None, argument: Argument | None = None
    ) -> Future[Any]:
        """Record all of ``records`` in one transaction, and in the same one make ``call``, if given.

        Raises:
            ValueError: as :meth:`outcome`.
        """
        for record in records:
            if isinstance(record, Outcome):
                _check(record)
        return self._enqueue(_Entry(Future(), tuple(records), call, argument, len(records)))

    def call(
        self, call: Call[Argument, Answer], argument: Argument, *, weight: int = 1, urgent: bool = False
    ) -> Future[Answer]:
        """Have ``call`` made in the writing thread, in a transaction; the future gives its answer for ``argument``.

        Calls of one batch that are equal become one, with the list of their arguments, at the place of the first,
        after the batch's records. ``weight``: so many records it is worth. ``urgent``: do not wait for company.
        """
        return self._enqueue(_Entry(Future(), (), call, argument, weight, urgent))

    def close(self, finish_reason: str | None) -> None:
        """Write what is queued, then the end of the run; None: it is not over. A second call does nothing.

        Raises:
            CatalogueError: the end of the run cannot be written.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        if finish_reason is None:
            return
        try:
            with self._engine.begin() as connection:
                end_run(connection, self.run_id, finish_reason)
        except SQLAlchemyError as error:
            raise catalogue_error(self._engine, error) from error

    def _enqueue(self, entry: _Entry) -> Future[Any]:
        # Begun at once, so that nobody can cancel it: the record will be written whoever still waits.
        entry.future.set_running_or_notify_cancel()
        with self._lock:
            if self._closed:
                raise RuntimeError("the recorder is closed")
            self.queued += entry.weight
            self._queue.put(entry)
        return entry.future

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
        size = 0
        deadline = time.monotonic() + WAIT_SECONDS
        while entry is not None:
            batch.append(entry)
            size += entry.weight
            with self._lock:
                self.queued -= entry.weight
            if entry.urgent:
                deadline = 0.0
            if size >= BATCH:
                return batch, True
            try:
                entry = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return batch, True
        return batch, False

    def _write(self, batch: Sequence[_Entry]) -> None:
        patience = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._commit(batch)
                return
            except Exception as error:
                if not _will_pass(error) or time.monotonic() > patience:
                    break
                logger.warning("%s; trying again", self._error(error))
                time.sleep(RETRY_SECONDS)
        # One bad record must not take the others along. Nothing of the batch is in the catalogue now.
        for position, entry in enumerate(batch):
            try:
                self._commit([entry])
            except _CannotBeginError as error:
                # Each further try would wait as long for the same lock.
                for rest in batch[position:]:
                    rest.future.set_exception(self._error(error))
                return
            except Exception as error:
                entry.future.set_exception(self._error(error))

    def _commit(self, batch: Sequence[_Entry]) -> None:
        begun = False
        try:
            with self._engine.begin() as connection:
                begun = True
                policies = self._writer.write(connection, [record for entry in batch for record in entry.records])
                answers = _make_calls(connection, batch)
        except Exception as error:
            self._writer.forget()
            for forget in self.forgetful:
                forget()
            if not begun:
                raise _CannotBeginError from error
            raise
        for position, entry in enumerate(batch):
            policy = entry.records[0] if entry.records else None
            entry.future.set_result(policies[policy] if isinstance(policy, Policy) else answers.get(position))

    def _error(self, error: BaseException) -> CatalogueError:
        cause = error.__cause__ if isinstance(error, _CannotBeginError) and error.__cause__ else error
        failure = catalogue_error(self._engine, cause)
        failure.__cause__ = cause
        return failure


def _will_pass(error: Exception) -> bool:
    """Is it worth trying again? A server that restarts, and two workers in each other's way, are no fault of ours."""
    cause = error.__cause__ if isinstance(error, _CannotBeginError) else error
    if not isinstance(cause, DBAPIError):
        return False
    state = getattr(cause.orig, "sqlstate", None)  # PostgreSQL's; a connection that was refused has none
    if cause is not error and "psycopg" in type(cause.orig).__module__:
        return state is None or state in _PASSING
    return cause.connection_invalidated or state in _PASSING


def _make_calls(connection: Connection, batch: Sequence[_Entry]) -> dict[int, Any]:
    """Position in ``batch`` → answer."""
    grouped: dict[Call[Any, Any], list[int]] = {}
    for position, entry in enumerate(batch):
        if entry.call is not None:
            grouped.setdefault(entry.call, []).append(position)
    answers: dict[int, Any] = {}
    for call, positions in grouped.items():
        given = call(connection, [batch[position].argument for position in positions])
        answers.update(zip(positions, given, strict=True))
    return answers


def _check(outcome: Outcome) -> None:
    judged = outcome.image is not None and outcome.policy is not None and outcome.verdict_reason is not None
    if outcome.reason is None and not judged:
        raise ValueError(f"outcome of {outcome.url}: neither a reason nor an image with policy and verdict")
    if outcome.scores is not None:
        labels = () if outcome.policy is None else outcome.policy.model.labels
        if outcome.image is None or outcome.scores.shape != (len(labels),):
            raise ValueError(f"outcome of {outcome.url}: scores need an image and one value for each label")
