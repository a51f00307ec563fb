"""Units on one process, on several, or on a Ray cluster. It is always the same function that makes a unit's shard."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from ctypes import c_int64
from multiprocessing.sharedctypes import SynchronizedArray
from typing import Any

from wikidump.source import Source
from wikidump.units import Job, Progress, Report, ShardError, Unit, extract

Outcome = Report | str
"""What became of a unit; a line if it failed."""
Done = Callable[[Unit, Outcome], None]

LOOK_SECONDS = 0.2


class RayError(Exception):
    """Ray is not there: one line."""


def run_here(units: list[Unit], job: Job, progress: Progress, done: Done, source: Source | None = None) -> None:
    """One after the other in this process; ``source`` is there for what can be opened only once.

    Raises:
        ShardError: see :func:`wikidump.units.extract`; as everywhere here, it ends the run.
    """
    for unit in units:
        outcome: Outcome
        try:
            outcome = extract(unit, job, progress, source)
        except ShardError:
            raise
        except Exception as error:
            outcome = _line(error)
        done(unit, outcome)


def run_in_processes(units: list[Unit], job: Job, workers: int, progress: Progress, done: Done) -> None:
    """On ``workers`` processes. One that dies (out of memory, say) costs the unit it worked on, and no other."""
    waiting = deque(units)
    suspects: deque[Unit] = deque()
    while waiting or suspects:
        # Of the units that were under way when a process died, each is tried again alone: that shows which it was.
        alone = bool(suspects)
        queue = deque([suspects.popleft()]) if alone else waiting
        lost = _pool(queue, job, 1 if alone else workers, progress, done)
        if alone:
            for unit in lost:
                done(unit, "the process died; is there too little memory?")
        else:
            suspects.extend(lost)


def _pool(queue: deque[Unit], job: Job, workers: int, progress: Progress, done: Done) -> list[Unit]:
    """Work on ``queue`` until it is empty or a process dies; the units that were under way then."""
    context = multiprocessing.get_context("spawn")  # a small process, whatever this one has loaded
    counters = context.Array(c_int64, 5)
    told = [0] * 5

    def tell() -> None:
        now = [counters[place] for place in range(5)]
        progress(*(new - old for new, old in zip(now, told, strict=True)))
        told[:] = now

    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, context, _begin, (counters,))
    running: dict[Future[Report], Unit] = {}
    try:
        while queue or running:
            while queue and len(running) < workers + 1:
                # Ctrl-C in a terminal reaches all processes; those started here inherit that it is not for them.
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
                try:
                    running[pool.submit(_extract, queue[0], job)] = queue[0]
                finally:
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
                queue.popleft()
            for future in wait(running, LOOK_SECONDS, FIRST_COMPLETED).done:
                error = future.exception()
                if isinstance(error, BrokenProcessPool | ShardError):
                    raise error
                unit = running.pop(future)
                done(unit, future.result() if error is None else _line(error))
            tell()
    except BrokenProcessPool:
        return list(running.values())
    finally:
        if running:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
        pool.shutdown(cancel_futures=True)
        tell()
    return []


_counters: SynchronizedArray[int] | None = None


def _begin(counters: SynchronizedArray[int]) -> None:
    """In a new process: without a parent there is nothing to do."""
    global _counters
    _counters = counters
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _extract(unit: Unit, job: Job) -> Report:
    return extract(unit, job, _count)


def _count(*added: int) -> None:
    assert _counters is not None
    with _counters.get_lock():
        for place, number in enumerate(added):
            _counters[place] += number


def run_on_ray(units: list[Unit], job: Job, progress: Progress, done: Done) -> None:
    """On the Ray cluster at RAY_ADDRESS, or one on this machine; all nodes must see the files and the shards' folder.

    Raises:
        RayError: Ray is not installed, or there is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise RayError("Ray is not installed: pip install 'posterbot[ray]'") from None
    if not ray.is_initialized():
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise RayError(f"no Ray cluster: {str(error).splitlines()[0]}") from None
    task = ray.remote(max_retries=2)(extract)
    shared = ray.put(job)
    waiting = deque(units)
    running: dict[Any, Unit] = {}
    at_once = 2 * max(1, int(sum(node["Resources"].get("CPU", 0) for node in ray.nodes())))
    while waiting or running:
        while waiting and len(running) < at_once:
            unit = waiting.popleft()
            running[task.remote(unit, shared)] = unit
        ready, _ = ray.wait(list(running), num_returns=1)
        for reference in ready:
            unit = running.pop(reference)
            outcome: Outcome
            try:
                report: Report = ray.get(reference)
                progress(report.bytes, report.text_bytes, report.pages, report.rows, report.posters)
                outcome = report
            except ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, ShardError):
                    raise ShardError(str(error.cause)) from None
                outcome = _line(error.cause)
            except ray.exceptions.RayError as error:
                outcome = _line(error)
            done(unit, outcome)


def _line(error: Any) -> str:
    text = (str(error).strip().splitlines() or [""])[0]
    known = type(error).__module__.startswith("wikidump.")
    return text if known and text else f"{type(error).__name__}: {text}"
