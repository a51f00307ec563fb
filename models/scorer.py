"""Bytes to scores on a few worker processes, in micro-batches, behind a bounded queue.

The crawl's event loop, the command line and batch jobs all score through this.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from models.analysis import Analysis, ScoreError, any_size
from models.classifier import Classifier
from models.cores import usable_cores
from models.decode import MAX_PIXELS, Header
from models.worker import Worker

BATCH = 8
DEADLINE = 0.010
"""A batch leaves when it is full or this many seconds after its first image came."""


@dataclass(slots=True, eq=False)
class _Job:
    data: bytes
    future: Future[Analysis]


class Scorer:
    """Scores images with ``model``, which may be replaced at any time: each batch uses the one in force when it leaves.

    Args:
        model: the classifier; must be picklable, as must ``wanted``.
        wanted: asked with the header before pixels are decoded; where it says no, only sha256 and header are given.
        workers: processes; default one per core that may be used. Each has one thread here that feeds it.
        capacity: images that may wait; :meth:`submit` blocks beyond that.
        max_pixels: pictures with more are refused unread.
    """

    def __init__(
        self,
        model: Classifier,
        *,
        wanted: Callable[[Header], bool] = any_size,
        workers: int | None = None,
        capacity: int = 64,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.model = model
        self._wanted, self._max_pixels = wanted, max_pixels
        self._queue: queue.Queue[_Job | None] = queue.Queue(capacity)
        self._closed, self._lock = False, threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"scorer-{n}", daemon=True)
            for n in range(workers or usable_cores())
        ]
        # Ready before the first image comes: starting takes half a second, and what cannot start should say so now.
        self._ready = threading.Semaphore(0)
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            self._ready.acquire()

    def submit(self, data: bytes) -> Future[Analysis]:
        """Queue one image; waits while ``capacity`` images wait already.

        The future gives an :class:`Analysis`, also for bytes that are no picture, or raises :class:`ScoreError`.
        """
        job = _Job(data, Future())
        with self._lock:  # nothing may slip in behind the sign to stop
            if self._closed:
                raise ScoreError("the scorer is closed")
            self._queue.put(job)
        return job.future

    def close(self) -> None:
        """Finish what was submitted, then end threads and processes. Calling it again does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        worker = Worker(self._wanted, self._max_pixels)
        with suppress(ScoreError):  # it will come again with the first image, which has a future to tell
            worker.analyse([], self.model)
        self._ready.release()
        while (batch := self._take()) is not None:
            try:
                answers = worker.analyse([job.data for job in batch], self.model)
            except Exception as error:
                failure = error if isinstance(error, ScoreError) else ScoreError(f"{type(error).__name__}: {error}")
                for job in batch:
                    job.future.set_exception(failure)
                worker = Worker(self._wanted, self._max_pixels)
                continue
            for job, answer in zip(batch, answers, strict=True):
                if isinstance(answer, ScoreError):
                    job.future.set_exception(answer)
                else:
                    job.future.set_result(answer)
        worker.close()

    def _take(self) -> list[_Job] | None:
        """The next batch, or None when there is nothing left to do."""
        job = self._queue.get()
        batch: list[_Job] = []
        until = time.monotonic() + DEADLINE
        while job is not None:
            batch.append(job)
            if len(batch) == BATCH:
                return batch
            try:
                job = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return batch
        self._queue.put(None)  # the sign to stop goes round until every thread has seen it
        return batch or None
