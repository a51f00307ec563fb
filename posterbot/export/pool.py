"""Shards on several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from ctypes import c_int64
from multiprocessing.sharedctypes import SynchronizedArray

from posterbot.export.making import Job, Made, Maker
from posterbot.export.target import Target

LOOK_SECONDS = 0.2
Progress = Callable[[int, int], None]
"""So many images are through in all, and so many bytes are read."""


class DiedError(Exception):
    """A process ended without a word."""


def make_shards(
    job: Job, target: Target, shards: Sequence[int], workers: int, progress: Progress
) -> Iterator[tuple[int, Made]]:
    """Make these shards; gives each as it is complete. With one worker, or one shard, in this process.

    Raises:
        DiedError: a process died.
        Exception: what :meth:`Maker.make` raises.
    """
    if min(workers, len(shards)) <= 1:
        yield from _here(job, target, shards, progress)
    else:
        yield from _in_processes(job, shards, min(workers, len(shards)), progress)


def _here(job: Job, target: Target, shards: Sequence[int], progress: Progress) -> Iterator[tuple[int, Made]]:
    told = [0, 0]

    def counted(images: int, read: int) -> None:
        told[0] += images
        told[1] += read
        progress(*told)

    maker = Maker(job, target)
    try:
        for index in shards:
            yield index, maker.make(index, counted)
    finally:
        maker.close()


def _in_processes(job: Job, shards: Sequence[int], workers: int, progress: Progress) -> Iterator[tuple[int, Made]]:
    context = multiprocessing.get_context("spawn")  # a small process, whatever this one has loaded
    counters = context.Array(c_int64, 2)
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, context, _begin, (job, counters))
    running: dict[Future[Made], int] = {}
    waiting = list(reversed(shards))
    try:
        while waiting or running:
            while waiting and len(running) < workers + 1:
                # Ctrl-C in a terminal reaches all processes; those started here inherit that it is not for them.
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
                try:
                    index = waiting.pop()
                    running[pool.submit(_make, index)] = index
                finally:
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            for future in wait(running, LOOK_SECONDS, FIRST_COMPLETED).done:
                made = future.result()
                yield running.pop(future), made
            progress(counters[0], counters[1])
    except BrokenProcessPool:
        raise DiedError("a process died; is there too little memory? Give fewer --workers") from None
    finally:
        if running:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
        pool.shutdown(cancel_futures=True)


_maker: Maker | None = None
_counters: SynchronizedArray[int] | None = None


def _begin(job: Job, counters: SynchronizedArray[int]) -> None:
    """In a new process: without a parent there is nothing to do."""
    global _maker, _counters
    _counters = counters
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    _job[:] = [job]


_job: list[Job] = []


def _make(index: int) -> Made:
    global _maker
    if _maker is None:  # here, where an error reaches who asked
        _maker = Maker(_job[0])
    return _maker.make(index, _count)


def _count(images: int, read: int) -> None:
    assert _counters is not None
    with _counters.get_lock():
        _counters[0] += images
        _counters[1] += read
