"""By yield: the URLs that are likely to bring most for each request are fetched first, learned from those that were.

An arm is what was found in like places and looks alike on one host: (host, cluster of tag paths, URL pattern). What an
arm is worth is the index of a branching bandit (``worth.py``), since pages bring links as well as pictures; what its
links promise (``promise.py``) says which of them is first, and what to expect of an arm that is new. All of it is in
the database, and the same for all workers of a run.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection

from posterbot.catalogue.rows import Row, clean
from posterbot.catalogue.schema import queues
from posterbot.frontier.arm_table import ArmTable
from posterbot.frontier.arm_worth import ArmWorth
from posterbot.frontier.choosing import FLOOR_EVERY, choose, floors, hope
from posterbot.frontier.heads import REACH, best_first, rank, to_compare
from posterbot.frontier.host_table import clock
from posterbot.frontier.judging import Mean, expected, mean_of
from posterbot.frontier.leasing import take
from posterbot.frontier.promise import Promise, features, of_parent, sane
from posterbot.frontier.strategy import ARMLESS, Mine, New, Pull, Taken
from posterbot.frontier.tag_paths import Clusters

MOST_ARMS = 256
"""Of one host; what is found beyond is one arm."""
ASKED_FOR = 1e6
"""Hope of what is fetched because a person wants it."""
HOSTS = 200
"""Of which the arms are kept in memory."""
SHARED_EVERY = 256
"""Pages between two exchanges of what was learned of words with the other workers."""
SHARE, LEAST, MOST = 0.1, 8, 64
"""A host's arms are judged anew when it has brought so many new pages for each old one, but at least and at most so
many."""


@dataclass(slots=True)
class _Host:
    """What is remembered of a host's arms."""

    clusters: Clusters
    numbers: dict[tuple[str, str], int]
    """Path and pattern → arm."""
    worth: dict[int, float]
    """Of arms, when they were last judged."""
    pulls: float
    usual: Mean
    """What is expected of any page."""
    fresh: int = 0
    """Pages since the arms were judged."""
    best: float = 0.0
    """The highest hope of arms of which URLs wait."""
    patterns: dict[int, str] = field(default_factory=dict)
    """Of arms."""

    @property
    def mean(self) -> float:
        """Reward for a request."""
        return self.usual.reward / self.usual.cost

    @property
    def due(self) -> bool:
        """Are the arms to be judged anew?"""
        return self.fresh >= min(max(SHARE * self.pulls, LEAST), MOST)


class Yield:
    """One worker's strategy. Belongs to the thread that writes.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        run, worker: numbers.
    """

    def __init__(self, dialect: str, run: int, worker: int) -> None:
        self._run, self._worker = run, worker
        self._table = ArmTable(dialect, run)
        self._worth = ArmWorth(self._table, run)
        self._hosts: OrderedDict[int, _Host] = OrderedDict()
        self._promise = Promise()
        self._floor = floors()
        self._leases = self._pages = 0

    def join(self, connection: Connection) -> None:
        """What waits without an arm, in a run that was begun breadth first, becomes one arm of each host."""
        self._table.adopt(connection, clock(connection))
        self._promise.add(self._table.weights(connection))

    def forget(self) -> None:
        """Arms that were just made may not be there."""
        self._hosts.clear()

    def host_order(self) -> tuple[ColumnElement[Any], ...]:
        """Worth most; now and then the one that was served longest ago."""
        self._leases += 1
        if self._leases % FLOOR_EVERY == 0:
            return (queues.c.served_at,)
        return (queues.c.worth.desc(), queues.c.served_at)

    # --- in -----------------------------------------------------------------------------------------------------

    def place(
        self, connection: Connection, new: Sequence[New], mine: Callable[[int | None], Mine | None]
    ) -> tuple[list[Row], Mapping[int, float]]:
        """The arm of each link, and its rank there by what it promises."""
        now = clock(connection)
        told: list[bytes] = []
        owned: list[bytes] = []
        numbers: list[int] = []
        links: dict[tuple[int, int], int] = defaultdict(int)
        for one in new:
            parent = mine(one.link.parent)
            if one.link.place is None and parent is not None and parent.arm != ARMLESS:  # moved there
                numbers.append(parent.arm)
                owned.append(sane(parent.features))
                told.append(owned[-1])
                continue
            known = self._known(connection, one.host)
            path = "" if one.link.place is None else clean(known.clusters.find(one.link.place.path))
            arm = self._number(connection, one.host, path, clean(one.link.pattern), now)
            numbers.append(arm)
            above = "" if parent is None else self._known(connection, parent.host).patterns.get(parent.arm, "")
            # Pieces of a list promise nothing, and come as they stand there.
            own = features(one.link.url, one.link.pattern, one.link.place, above) if one.link.host else b""
            owned.append(own)
            told.append(own + of_parent(sane(parent.features if parent else None), None, 0, 0))
            if parent is not None and parent.arm != ARMLESS:
                links[parent.arm, arm] += 1
        guesses = self._promise.guess_all(told).tolist()
        of_arms: dict[int, list[float]] = defaultdict(list)
        hopes: dict[int, float] = {}
        rows: list[Row] = []
        for one, arm, own_features, guess in zip(new, numbers, owned, guesses, strict=True):
            of_arms[arm].append(guess)
            known = self._known(connection, one.host)
            hopes[one.host] = max(hopes.get(one.host, 0.0), known.worth.get(arm, 0.0))
            place = rank(one.number, guess) if own_features else one.number
            rows.append({"arm_id": arm, "rank": place, "features": own_features})
        self._table.grow(connection, of_arms)
        self._table.lead(connection, links)
        return rows, hopes

    def _number(self, connection: Connection, host: int, path: str, pattern: str, now: float) -> int:
        known = self._known(connection, host)
        if (path, pattern) not in known.numbers and len(known.numbers) >= MOST_ARMS:
            path = pattern = ""
        arm = known.numbers.get((path, pattern))
        if arm is None:
            arm = self._table.number(connection, host, path, pattern, known.mean, now)
            known.numbers[path, pattern], known.patterns[arm] = arm, pattern
            known.worth[arm] = hope(known.mean, 0.0, known.mean)
        return arm

    def _known(self, connection: Connection, host: int) -> _Host:
        known = self._hosts.get(host)
        if known is None:
            self._recall(connection, (host,))
            known = self._hosts[host]
        else:
            self._hosts.move_to_end(host)
        return known

    def _recall(self, connection: Connection, hosts: Iterable[int]) -> None:
        """Have ``hosts`` in memory, all of them."""
        missing = [host for host in hosts if host not in self._hosts]
        for host, rows in self._table.of_hosts(connection, missing).items():
            mean = mean_of(rows)
            self._hosts[host] = _Host(
                clusters=Clusters(dict.fromkeys(row.path for row in rows)),
                numbers={(row.path, row.pattern): row.id for row in rows},
                worth={row.id: row.worth for row in rows},
                pulls=mean.pulls,
                usual=expected(mean, self._worth.usual),
                patterns={row.id: row.pattern for row in rows},
                fresh=MOST if rows else 0,
            )
        while len(self._hosts) > HOSTS:
            self._hosts.popitem(last=False)

    # --- out ----------------------------------------------------------------------------------------------------

    def lease(
        self, connection: Connection, wanted: Mapping[int, int], under_way: Mapping[int, int], now: float
    ) -> list[Taken]:
        """What is chosen of each host, in that order. What is of no arm was asked for by a person, and comes first."""
        if not wanted:
            return []
        most = max(wanted.values()) + 1  # to see whether any are left
        self._recall(connection, wanted)
        due = [host for host in wanted if self._known(connection, host).due]
        for host, judged in self._worth.judge(connection, due).items():
            known = self._known(connection, host)
            known.worth, known.usual, known.pulls = judged
            known.fresh = 0
        waiting = self._table.waiting(connection, list(wanted), most)
        asked_for = self._table.armless(connection, list(wanted))
        chosen: list[tuple[int, int, float]] = []
        for host, number in wanted.items():
            known = self._known(connection, host)
            armless = min(asked_for.get(host, 0), number)
            chosen += [(host, ARMLESS, ASKED_FOR)] * armless
            arms = waiting[host]
            picked = choose(arms, number - armless, known.mean, under_way, self._floor, now)
            chosen += [(host, arm, worth) for arm, worth in picked]
            left = [hope(arm.worth, arm.pulls, known.mean) for arm in arms if arm.available]
            known.best = max(left, default=0.0)
        return self._take(connection, chosen, now)

    def _take(self, connection: Connection, chosen: Sequence[tuple[int, int, float]], now: float) -> list[Taken]:
        """Of each arm that was chosen the URLs that promise most, by all that is known today."""
        shares: dict[tuple[int, int], int] = defaultdict(int)
        for host, arm, _ in chosen:
            shares[host, arm] += 1
        ordered = best_first(self._table.heads(connection, to_compare(shares)), self._promise)
        leaving = {head.row.id for of, heads in ordered.items() for head in heads[: shares[of]]}
        moved = {
            head.row.id: head.rank
            for heads in ordered.values()
            for head in heads
            if head.row.id not in leaving and abs(head.rank - head.row.rank) > REACH // 100
        }
        self._table.rank(connection, moved)
        self._table.serve(connection, {arm for _, arm in shares if arm != ARMLESS}, now)
        leased = {row.id: row for row in take(connection, self._worker, sorted(leaving))}
        first = {of: iter(heads) for of, heads in ordered.items()}
        taken: list[Taken] = []
        for host, arm, worth in chosen:
            head = next(first.get((host, arm), iter(())), None)
            if head is not None and (row := leased.get(head.row.id)) is not None:
                taken.append(Taken(row, worth, head.told))
        return taken

    def worth(self, host: int) -> float:
        """The highest hope of its arms of which URLs are left."""
        known = self._hosts.get(host)
        return 0.0 if known is None else known.best

    def pulled(self, connection: Connection, pulls: Sequence[Pull]) -> None:
        """Count for arms, learn for words."""
        counts: dict[int, tuple[int, float, float]] = {}
        led: dict[int, tuple[int, int]] = {}
        for pull in pulls:
            arm = pull.mine.arm
            if arm == ARMLESS:
                continue
            pages, reward, cost = counts.get(arm, (0, 0.0, 0.0))
            counts[arm] = pages + 1, reward + pull.reward, cost + pull.cost
            if (known := self._hosts.get(pull.mine.host)) is not None:
                known.fresh += 1
            if pull.mine.told:
                self._promise.learn(pull.mine.told, pull.reward > 0)
            if pull.mine.parent is not None:
                more, fruit = led.get(pull.mine.parent, (0, 0))
                led[pull.mine.parent] = more + 1, fruit + (pull.reward > 0)
            self._pages += 1
            if self._pages % SHARED_EVERY == 0:
                self._share(connection)
        if counts:
            self._table.pull(connection, counts)
            self._worth.pulled(len(pulls))
        self._table.follow(connection, led)

    def _share(self, connection: Connection) -> None:
        """Give the others what was learned, and take what they have; where there are others."""
        workers = self._table.workers(connection)
        self._table.learn(connection, self._promise.changes(workers))
        if workers > 1:
            own = self._promise.weights
            of_all = self._table.weights(connection)
            self._promise.add({key: weight - float(own[key]) for key, weight in of_all.items()})
