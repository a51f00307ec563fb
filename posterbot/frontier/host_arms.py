"""What one worker remembers of the arms of hosts; all of it stands in the database as well."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from posterbot.frontier.arm_table import ArmTable
from posterbot.frontier.arm_worth import ArmWorth
from posterbot.frontier.choosing import hope
from posterbot.frontier.judging import Mean, expected, mean_of
from posterbot.frontier.tag_paths import Clusters

MOST_ARMS = 256
"""Of one host; what is found beyond is one arm."""
REMEMBERED = 12_000
"""Hosts and arms that are kept in memory: those hosts that were asked for last, each with all of its arms."""
SHARE, LEAST, MOST = 0.1, 8, 64
"""A host's arms are judged anew when it has brought so many new pages for each old one, but at least and at most so
many."""


@dataclass(slots=True)
class HostArms:
    """Of one host."""

    numbers: dict[tuple[str, str], int]
    """Path and pattern → arm."""
    patterns: dict[int, str]
    """Of arms."""
    worth: dict[int, float]
    """Of arms, when they were last judged."""
    pulls: float
    usual: Mean
    """What is expected of any page."""
    fresh: int
    """Pages since the arms were judged."""
    best: float = 0.0
    """The highest hope of arms of which URLs wait."""
    _clusters: Clusters | None = None

    @property
    def clusters(self) -> Clusters:
        """Of the paths, the oldest first."""
        if self._clusters is None:  # who is only asked for URLs needs none
            self._clusters = Clusters(dict.fromkeys(path for path, _ in self.numbers))
        return self._clusters

    @property
    def mean(self) -> float:
        """Reward for a request."""
        return self.usual.reward / self.usual.cost

    @property
    def due(self) -> bool:
        """Are the arms to be judged anew?"""
        return self.fresh >= min(max(SHARE * self.pulls, LEAST), MOST)


class Hosts:
    """Those whose arms were asked for lately."""

    def __init__(self, table: ArmTable, worth: ArmWorth) -> None:
        self._table, self._worth = table, worth
        self._known: OrderedDict[int, HostArms] = OrderedDict()
        self._size = 0

    def clear(self) -> None:
        """Arms that were just made may not be there."""
        self._known.clear()
        self._size = 0

    def get(self, host: int) -> HostArms | None:
        """If it is remembered."""
        return self._known.get(host)

    def of(self, connection: Connection, host: int) -> HostArms:
        """Read, where it is not remembered."""
        if host not in self._known:
            self.recall(connection, (host,))
        self._known.move_to_end(host)
        return self._known[host]

    def recall(self, connection: Connection, hosts: Iterable[int]) -> None:
        """Read those that are not remembered, all at once."""
        missing = [host for host in hosts if host not in self._known]
        for host, rows in self._table.of_hosts(connection, missing).items():
            mean = mean_of(rows)
            self._known[host] = HostArms(
                numbers={(row.path, row.pattern): row.id for row in rows},
                patterns={row.id: row.pattern for row in rows},
                worth={row.id: row.worth for row in rows},
                pulls=mean.pulls,
                usual=expected(mean, self._worth.usual),
                fresh=MOST if rows else 0,
            )
            self._size += 1 + len(rows)
        while self._size > REMEMBERED:
            _, oldest = self._known.popitem(last=False)
            self._size -= 1 + len(oldest.numbers)

    def judge(self, connection: Connection, hosts: Iterable[int]) -> None:
        """Those of ``hosts`` whose arms are due."""
        due = [host for host in hosts if self.of(connection, host).due]
        for host, judged in self._worth.judge(connection, due).items():
            known = self.of(connection, host)
            known.worth, known.usual, known.pulls = judged
            known.fresh = 0

    def arm(self, connection: Connection, host: int, path: str, pattern: str, now: float) -> int:
        """The arm of links in a place of a cluster, which is made where there is none."""
        known = self.of(connection, host)
        if (path, pattern) not in known.numbers and len(known.numbers) >= MOST_ARMS:
            path = pattern = ""
        arm = known.numbers.get((path, pattern))
        if arm is None:
            arm = self._table.number(connection, host, path, pattern, known.mean, now)
            known.numbers[path, pattern], known.patterns[arm] = arm, pattern
            self._size += 1
            known.worth[arm] = hope(known.mean, 0.0, known.mean)
        return arm
