"""A crawl by several workers of hosts that want to be asked slowly, and the gaps that the hosts saw."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, islice, pairwise
from pathlib import Path

from kills import STALLED_SECONDS, Worker
from webs import Web


@dataclass(frozen=True)
class Gaps:
    """How one host was asked: pages, images and robots.txt together."""

    host: str
    promise: float
    """Seconds that are to lie between two requests at least."""
    seen: tuple[float, ...]
    """Seconds between each request and the next, in order."""
    workers: int
    """How many different workers asked it."""

    @property
    def smallest(self) -> float:
        return min(self.seen, default=float("inf"))

    @property
    def kept(self) -> bool:
        return self.smallest >= self.promise


def crawl_politely(
    web: Web,
    folder: Path,
    catalogue: str,
    *,
    crawl_delays: Mapping[str, float],
    slots: Mapping[str, float],
    workers: int,
    kill_every: int,
    until: int,
) -> list[Gaps]:
    """Crawl until each host was asked ``until`` times, or to the end; the gaps of each host of ``web``.

    After each ``kill_every`` requests the worker that asked most is killed, and the others take over its hosts. It is
    started again at once.

    Args:
        crawl_delays: what ``web`` was made with.
        slots: host → delay, as the setting ``DOWNLOAD_SLOTS`` gives it.
    """
    settings = {"DOWNLOAD_DELAY": 0, "DOWNLOAD_SLOTS": json.dumps({host: {"delay": s} for host, s in slots.items()})}
    names = (f"worker-{number}" for number in count(1))
    team = {name: Worker(name, web, folder, catalogue, settings) for name in islice(names, workers)}
    moment = kill_every
    requests, since = 0, time.monotonic()
    try:
        while any(worker.going_on() for worker in team.values()) and time.monotonic() < since + STALLED_SECONDS:
            time.sleep(0.05)
            if web.count() != requests:
                requests, since = web.count(), time.monotonic()
            if all(len(gaps.seen) + 1 >= until for gaps in measure(web, crawl_delays, slots)):
                break
            if requests >= moment:
                moment += kill_every
                team.pop(_busiest(web, team)).kill(whole_group=True)
                name = next(names)
                team[name] = Worker(name, web, folder, catalogue, settings)
    finally:
        for worker in team.values():
            if worker.going_on():
                worker.kill(whole_group=True)
    return measure(web, crawl_delays, slots)


def _busiest(web: Web, team: Mapping[str, Worker]) -> str:
    asked = Counter(request.agent for request in web.log())
    return max(team, key=lambda name: sum(number for agent, number in asked.items() if f"+{name}@" in agent))


def measure(web: Web, crawl_delays: Mapping[str, float], slots: Mapping[str, float]) -> list[Gaps]:
    """From the server's log."""
    times: dict[str, list[float]] = defaultdict(list)
    agents: dict[str, set[str]] = defaultdict(set)
    for request in web.log():
        times[request.host].append(request.at)
        agents[request.host].add(request.agent)
    return [
        Gaps(
            host,
            max(crawl_delays.get(host, 0.0), slots.get(host, 0.0)),
            tuple(later - earlier for earlier, later in pairwise(sorted(times[host]))),
            len(agents[host]),
        )
        for host in [*web.hosts, *web.cdns]
    ]
