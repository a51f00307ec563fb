"""By yield: the URLs that are likely to bring most for each request are fetched first, learned from those that were.

An arm is what was found in like places and looks alike on one host: (host, cluster of tag paths, URL pattern). What an
arm is worth is the index of a branching bandit (``worth.py``), since pages bring links as well as pictures; what its
links promise (``promise.py``) says which of them is first, and what to expect of an arm that is new. All of it is in
the database, and the same for all workers of a run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection

from posterbot.catalogue.rows import Row, clean
from posterbot.catalogue.schema import queues
from posterbot.frontier.arm_table import ArmTable
from posterbot.frontier.arm_worth import ArmWorth
from posterbot.frontier.choosing import FLOOR_EVERY, choose, floors, hope
from posterbot.frontier.heads import REACH, best_first, rank, to_compare
from posterbot.frontier.host_arms import Hosts
from posterbot.frontier.host_table import clock
from posterbot.frontier.leasing import take
from posterbot.frontier.promise import Promise, features, of_parent, sane
from posterbot.frontier.strategy import ARMLESS, Mine, New, Pull, Taken

ASKED_FOR = 1e6
"""Hope of what is fetched because a person wants it."""
SHARED_EVERY = 256
"""Pages between two exchanges of what was learned of words with the other workers."""


class _Placed(NamedTuple):
    """A link in its arm."""

    arm: int
    own: bytes
    """Features of the link."""
    told: bytes
    """These, and what is known of the page where it stands."""
    of: int | None
    """Arm of that page; None where there is none, or it has merely moved here."""
    moved: bool = False


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
        self._hosts = Hosts(self._table, self._worth)
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
        placed = [self._placed(connection, one, mine(one.link.parent), now) for one in new]
        guesses = self._promise.guess_all([one.told for one in placed]).tolist()
        of_arms: dict[int, list[float]] = defaultdict(list)
        links: dict[tuple[int, int], int] = defaultdict(int)
        hopes: dict[int, float] = {}
        rows: list[Row] = []
        for one, of, guess in zip(new, placed, guesses, strict=True):
            if not of.moved:  # else it was counted where it was found
                of_arms[of.arm].append(guess)
            if of.of is not None:
                links[of.of, of.arm] += 1
            worth = self._hosts.of(connection, one.host).worth.get(of.arm, 0.0)
            hopes[one.host] = max(hopes.get(one.host, 0.0), worth)
            # Pieces of a list promise nothing, and come as they stand there.
            place = rank(one.number, guess) if of.own else one.number
            rows.append({"arm_id": of.arm, "rank": place, "features": of.own})
        self._table.grow(connection, of_arms)
        self._table.lead(connection, links)
        return rows, hopes

    def _placed(self, connection: Connection, new: New, parent: Mine | None, now: float) -> _Placed:
        link = new.link
        if link.place is None and parent is not None and parent.arm != ARMLESS:
            own = sane(parent.features)
            return _Placed(parent.arm, own, own, None, moved=True)
        path = "" if link.place is None else clean(self._hosts.of(connection, new.host).clusters.find(link.place.path))
        arm = self._hosts.arm(connection, new.host, path, clean(link.pattern), now)
        above = "" if parent is None else self._hosts.of(connection, parent.host).patterns.get(parent.arm, "")
        own = features(link.url, link.pattern, link.place, above) if link.host else b""
        told = own + of_parent(sane(parent.features if parent else None), None, 0, 0)
        return _Placed(arm, own, told, parent.arm if parent is not None and parent.arm != ARMLESS else None)

    # --- out ----------------------------------------------------------------------------------------------------

    def lease(
        self, connection: Connection, wanted: Mapping[int, int], under_way: Mapping[int, int], now: float
    ) -> list[Taken]:
        """What is chosen of each host, in that order. What is of no arm was asked for by a person, and comes first."""
        if not wanted:
            return []
        most = max(wanted.values()) + 1  # to see whether any are left
        self._hosts.recall(connection, wanted)
        self._hosts.judge(connection, wanted)
        waiting = self._table.waiting(connection, list(wanted), most)
        asked_for = self._table.armless(connection, list(wanted))
        chosen: list[tuple[int, int, float]] = []
        for host, number in wanted.items():
            known = self._hosts.of(connection, host)
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
