"""Who works on a crawl, and who has died: a dead worker's leases go back to the others.

A worker is alive while its ``beat`` counts on. That is judged by how long *we* have seen it stand still, so that no two
clocks have to agree. A process of this very machine that no longer exists is dead at once.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Row, func, insert, select, update

from posterbot.catalogue.records import now
from posterbot.catalogue.runs import FINISHED, end_run
from posterbot.catalogue.schema import frontier, hosts, queues, runs, workers
from posterbot.frontier.host_table import clock
from posterbot.frontier.records import State
from posterbot.frontier.states import LEASED

LEFT_OVER = "left_over"
"""Finish reason of a run whose last worker had nothing left, and that got more to do while that worker ended."""
STILL_SECONDS = 30.0
"""A worker whose beat stands still for so long is dead."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a beat tells the worker."""

    stop: bool
    """Somebody has asked the crawl to stop."""
    buried: bool
    """Others took us for dead: what we had on lease is theirs."""
    dead: int
    """Workers found dead."""


class Worker:
    """This process, as a row of ``workers``. Belongs to the thread that writes."""

    def __init__(self, connection: Connection, run: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._run, self._monotonic = run, monotonic
        row = {
            "run_id": run,
            "machine": machine(),
            "pid": os.getpid(),
            "born": born(os.getpid()),
            "beat": 0,
            "started_at": now(),
        }
        key = connection.execute(insert(workers).values(row)).inserted_primary_key
        assert key is not None
        self.number: int = key[0]
        self._seen: dict[int, tuple[int, float]] = {}
        self._looked = -STILL_SECONDS

    def beat(self, connection: Connection, calls: list[None]) -> list[Pulse]:
        """A sign of life, and a look after the others."""
        me = update(workers).where(workers.c.id == self.number)
        ended = connection.scalar(select(workers.c.ended_at).where(workers.c.id == self.number))
        connection.execute(me.values(beat=workers.c.beat + 1, ended_at=None))
        if self._monotonic() - self._looked > STILL_SECONDS / 3:
            self._seen.clear()  # we were away, as after a loss of the database, and so may the others have been
        self._looked = self._monotonic()
        dead = [row.id for row in self._others(connection) if self._is_dead(row)]
        for number in dead:
            bury(connection, number)
            self._seen.pop(number, None)
        stop = connection.scalar(select(runs.c.stopping).where(runs.c.id == self._run))
        return [Pulse(bool(stop), ended is not None, len(dead)) for _ in calls]

    def leave(self, connection: Connection, calls: list[str]) -> list[bool]:
        """Give everything back; the last to leave ends the run, for the reason given. Was it the last?"""
        bury(connection, self.number)
        # The row of the run is locked by whoever leaves: of two that leave at once one is the last.
        connection.execute(update(runs).where(runs.c.id == self._run).values(stopping=runs.c.stopping))
        others = [row for row in self._others(connection) if row.run_id == self._run and not self._is_dead(row)]
        if not others:
            waiting = select(queues.c.host_id).where(queues.c.run_id == self._run, queues.c.waiting > 0).limit(1)
            left_over = (
                calls[-1] == FINISHED and connection.scalar(waiting) is not None
            )  # ``posterbot retry``, just now
            end_run(connection, self._run, LEFT_OVER if left_over else calls[-1])
        return [not others] * len(calls)

    def _others(self, connection: Connection) -> list[Row[tuple[int, int, str, int, str, int]]]:
        columns = (workers.c[name] for name in ("id", "run_id", "machine", "pid", "born", "beat"))
        alive = select(*columns).where(workers.c.ended_at.is_(None), workers.c.id != self.number)
        return list(connection.execute(alive))

    def _is_dead(self, row: Row[tuple[int, int, str, int, str, int]]) -> bool:
        if row.machine == machine():
            return bool(born(row.pid) != row.born)
        moment = self._monotonic()
        beat, since = self._seen.get(row.id, (None, moment))
        if beat != row.beat:
            since = moment
        self._seen[row.id] = row.beat, since
        return moment - since > STILL_SECONDS


def bury(connection: Connection, worker: int) -> None:
    """End a worker: its URLs are pending again, its hosts free, a gap from now."""
    run = connection.scalar(
        update(workers).where(workers.c.id == worker).values(ended_at=now()).returning(workers.c.run_id)
    )
    leased = (frontier.c.worker_id == worker) & (frontier.c.state == LEASED)
    counts = select(frontier.c.host_id, func.count()).where(leased).group_by(frontier.c.host_id)
    for host, number in sorted(tuple(row) for row in connection.execute(counts)):
        queue = update(queues).where(queues.c.run_id == run, queues.c.host_id == host)
        connection.execute(queue.values(waiting=queues.c.waiting + number))
    connection.execute(update(frontier).where(leased).values(state=int(State.PENDING), worker_id=None))
    ready = clock(connection) + hosts.c.gap
    connection.execute(update(hosts).where(hosts.c.worker_id == worker, hosts.c.next_at < ready).values(next_at=ready))
    connection.execute(update(hosts).where(hosts.c.wanted_by == worker).values(wanted_by=None))
    connection.execute(
        update(hosts).where(hosts.c.worker_id == worker).values(worker_id=hosts.c.wanted_by, wanted_by=None)
    )


def machine() -> str:
    """Where a pid means this process: the machine since it was last started, and the container on it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        container = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot = container = ""
    return "/".join((socket.gethostname(), boot, container))


def born(pid: int) -> str:
    """Tells a process from others that had or will have its ``pid``; empty where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    except OSError:
        return ""
    else:
        # After the command's name, which may hold anything: state is the 3rd field, start time the 22nd.
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    try:
        os.kill(pid, 0)  # no /proc: the pid has to do
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return "alive"
