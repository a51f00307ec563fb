"""The frontier in SQL, for one worker: add links, lease URLs, say what became of them.

Every method is a call for :meth:`posterbot.catalogue.recorder.Recorder.call`: a list of arguments, an answer for each.
A URL is leased by the number of its worker, so that one sign of life a second keeps all its leases.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, Table, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue.schema import frontier, queues, yields
from posterbot.frontier.adding import Adding, in_pieces
from posterbot.frontier.host_table import HostTable, clock
from posterbot.frontier.leasing import SLOW_SECONDS, due_again, outlook, shares
from posterbot.frontier.pattern_table import judge
from posterbot.frontier.records import Failed, Finished, Grant, Leased, Link, Outlook, State, Wish
from posterbot.frontier.recrawl import Earlier, Recrawl
from posterbot.frontier.states import LEASED, PENDING
from posterbot.frontier.strategy import Mine, Pull, Strategy, Taken

FRESH_ROUNDS = 20
"""Leases in one transaction while all that is leased needs not be read again."""
HOSTS_AT_ONCE = 32
"""Hosts from which one lease takes URLs."""
SLOT_SECONDS = 10
"""The course of a run is told in steps of so many."""
NOT_ASKED = {"fresh", "redirected"}
"""Why a URL is done of which nothing can be learned: nobody asked for it, or the answer is that of another."""

# Made once: to build a statement takes longer than to run it.
_OF_HOST = (queues.c.run_id == bindparam("run")) & (queues.c.host_id == bindparam("host"))
_SERVED = (
    update(queues)
    .where(_OF_HOST)
    .values(
        waiting=case((bindparam("none_left"), 0), else_=queues.c.waiting - bindparam("got")),
        served_at=bindparam("now"),
        worth=bindparam("now_worth"),
    )
)
_MORE = queues.c.waiting + bindparam("by")
_WAITING = update(queues).where(_OF_HOST).values(waiting=case((_MORE > 0, _MORE), else_=0))
_DONE = (
    update(frontier)
    .where(frontier.c.id == bindparam("key"))
    .values(state=int(State.DONE), worker_id=None, retry_at=None)
    .values(reason=bindparam("why"), found=bindparam("fruit"))
)
_FAILED = (
    update(frontier)
    .where(frontier.c.id == bindparam("key"))
    .values(state=int(State.FAILED), worker_id=None, tries=frontier.c.tries + 1)
    .values(reason=bindparam("why"), retry_at=bindparam("again"))
)
_PEND = (
    update(frontier)
    .where(frontier.c.id.in_(bindparam("keys", expanding=True)), frontier.c.state == bindparam("was"))
    .values(state=int(State.PENDING), worker_id=None, retry_at=None)
    .returning(frontier.c.host_id)
)


class Frontier:
    """One worker's door to the frontier. Belongs to the thread that writes.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        run, worker: numbers.
        hosts: of the same worker.
        strategy: what is next; of the same worker.
        urls_per_host: most URLs of one host in one crawl.
        fruitless: after so many pages in a row without a new picture or a link elsewhere a pattern is closed.
        since: where pages of earlier runs need not be read again: those read since then, or unchanged.
    """

    def __init__(
        self,
        dialect: str,
        run: int,
        worker: int,
        hosts: HostTable,
        strategy: Strategy,
        *,
        urls_per_host: int,
        fruitless: int,
        since: datetime | None = None,
    ) -> None:
        self._run, self._worker, self._fruitless = run, worker, fruitless
        self._adding = Adding(dialect, run, urls_per_host, strategy)
        self._hosts, self._strategy = hosts, strategy
        insert = cast(
            "Callable[[Table], sqlite.Insert]", postgresql.insert if dialect == "postgresql" else sqlite.insert
        )
        more = insert(yields)
        self._course = more.on_conflict_do_update(
            index_elements=["run_id", "slot"],
            set_={name: yields.c[name] + more.excluded[name] for name in ("pages", "requests", "found")},
        )
        self._mine: dict[int, Mine] = {}
        self._unsure = False
        self._recrawl = Recrawl(run, since) if since is not None else None

    def forget(self) -> None:
        """A transaction was undone, or its end is not known."""
        self._adding.forget()
        self._strategy.forget()
        self._unsure = True

    def join(self, connection: Connection, calls: list[None]) -> list[None]:
        """The worker begins."""
        self._strategy.join(connection)
        return calls

    def add(self, connection: Connection, calls: list[Sequence[Link]]) -> list[int]:
        """Add links; gives how many of each call's were new."""
        added = self._adding.add(connection, (link for links in calls for link in links), self._remembered)
        for one in added:
            parent = self._remembered(one.link.parent)
            if parent is not None and parent.pattern != one.pattern:
                parent.new_links += 1
        new = {id(one.link) for one in added}
        return [sum(id(link) in new for link in links) for links in calls]

    def _remembered(self, key: int | None) -> Mine | None:
        return None if key is None else self._mine.get(key)

    def lease(self, connection: Connection, calls: list[Wish]) -> list[Grant]:
        """URLs of the hosts that were served longest ago, which come on lease with them."""
        grants = []
        for wish in calls:
            grant = self._lease(connection, wish)
            for _ in range(FRESH_ROUNDS):
                if grant.leased or not grant.all_fresh:
                    break
                grant = self._lease(connection, wish)
            grants.append(grant)
        return grants

    def _lease(self, connection: Connection, wish: Wish) -> Grant:
        now = clock(connection)
        # Here, and not where a URL is done: that may be undone, and is then done again.
        self._mine = {key: mine for key, mine in self._mine.items() if key in wish.held}
        self._settle(connection, wish.held)
        self._pend(connection, due_again(connection, self._run, now), State.FAILED)
        order = self._strategy.host_order()
        number = min(HOSTS_AT_ONCE, wish.urls)
        states = self._hosts.lease_waiting(connection, self._run, wish.full, number, now, order)
        # A piece of a list is work for a while; the others should find some, too.
        gaps = {host: self._hosts.gap(state) if state.name else SLOW_SECONDS for host, state in states.items()}
        wanted = shares(wish.urls, gaps)
        under_way = Counter(mine.arm for mine in self._mine.values())
        taken = self._strategy.lease(connection, wanted, under_way, now)
        rows = [one.row for one in taken]
        got: Counter[int] = Counter(row.host_id for row in rows)
        # Fewer than asked for: there are no more, whatever the count says.
        served = [
            {"run": self._run, "host": host, "got": got[host], "none_left": got[host] < wanted[host], "now": now}
            | {"now_worth": self._strategy.worth(host)}
            for host in sorted(states)
        ]
        if served:
            connection.execute(_SERVED, served)
        for row, _, told in taken:
            self._mine[row.id] = Mine(row.host_id, row.pattern_id, row.arm_id, row.features, row.parent_id, told=told)
        leased = tuple(self._without_fresh(connection, taken, {host: state.name for host, state in states.items()}))
        if rows:
            return Grant(leased, tuple(states.values()), unfinished=True, all_fresh=not leased)
        return Grant((), tuple(states.values()), *outlook(connection, self._run, now))

    def _without_fresh(self, connection: Connection, taken: Sequence[Taken], hosts: dict[int, str]) -> Iterator[Leased]:
        rows = [one.row for one in taken]
        earlier: dict[str, Earlier] = {}
        if self._recrawl is not None:
            earlier = self._recrawl.earlier(connection, {row.url: bytes(row.fingerprint) for row in rows})
            fresh = [row.id for row in rows if row.url in earlier and earlier[row.url].fresh]
            for row in rows:
                if row.url in earlier:
                    self._mine[row.id].earlier = earlier[row.url].key
            if fresh:
                self.finish(connection, [Finished(key, "fresh", unchanged=True) for key in fresh])
        for row, worth, _ in taken:
            known = earlier.get(row.url)
            if known is None or not known.fresh:
                told = ("", "") if known is None else (known.etag, known.last_modified)
                fingerprint = bytes(row.fingerprint)
                host = hosts[row.host_id]
                yield Leased(row.id, row.url, host, row.request, fingerprint, row.tries, *told, worth=worth)

    def finish(self, connection: Connection, calls: list[Finished]) -> list[None]:
        """These are through: what came of them is written in the same transaction."""
        rows = [
            {"key": done.key, "why": done.reason, "fruit": None if done.reason in NOT_ASKED else done.reward}
            for done in calls
        ]
        connection.execute(_DONE, rows)
        self._pulled(connection, [done for done in calls if done.reason not in NOT_ASKED])
        fruits: dict[int, list[bool]] = defaultdict(list)
        if self._recrawl is not None:
            same = {
                done.key: self._mine[done.key].earlier for done in calls if done.unchanged and done.key in self._mine
            }
            links = self._recrawl.links(
                connection, {earlier: key for key, earlier in same.items() if earlier is not None}
            )
            self._adding.add(connection, links, self._remembered)
        for done in calls:
            mine = self._mine.get(done.key)
            if mine is not None and mine.pattern is not None and done.reason is None:
                fruits[mine.pattern].append(done.new_images > 0 or mine.new_links > 0)
        self._waiting(connection, judge(connection, self._run, fruits, self._fruitless))
        return [None] * len(calls)

    def fail(self, connection: Connection, calls: list[Failed]) -> list[None]:
        """These could not be read."""
        now = clock(connection)
        connection.execute(
            _FAILED,
            [
                {"key": one.key, "why": one.reason, "again": None if one.retry_in is None else now + one.retry_in}
                for one in calls
            ],
        )
        self._pulled(connection, [Finished(one.key, one.reason) for one in calls if one.retry_in is None])
        return [None] * len(calls)

    def _pulled(self, connection: Connection, calls: Sequence[Finished]) -> None:
        """What came of pages that were asked for."""
        if not calls:
            return
        mine = ((self._mine.get(done.key), done) for done in calls)
        self._strategy.pulled(connection, [Pull(of, done.reward, done.cost) for of, done in mine if of is not None])
        course = {
            "run_id": self._run,
            "slot": int(clock(connection) // SLOT_SECONDS),
            "pages": len(calls),
            "requests": sum(done.requests for done in calls),
            "found": sum(done.reward for done in calls),
        }
        connection.execute(self._course, course)

    def best(self, connection: Connection, calls: list[None]) -> list[Outlook]:
        """What can be expected of the best that waits."""
        waiting = (queues.c.run_id == self._run) & (queues.c.waiting > 0)
        worth = connection.scalar(select(func.max(queues.c.worth)).where(waiting))
        read = connection.scalar(select(func.sum(yields.c.pages)).where(yields.c.run_id == self._run))
        return [Outlook(worth, int(read or 0))] * len(calls)

    def give_up(self, connection: Connection, calls: list[tuple[str, str]]) -> list[int]:
        """Fail all that is pending on a host, for a reason; gives how many URLs that were."""
        counts = []
        for name, reason in calls:
            (host,) = self._adding.host_ids(connection, {name}).values()
            pending = (frontier.c.run_id == self._run) & (frontier.c.host_id == host) & (frontier.c.state == PENDING)
            gone = connection.execute(update(frontier).where(pending).values(state=int(State.FAILED), reason=reason))
            self._waiting(connection, {host: -gone.rowcount})
            counts.append(gone.rowcount)
        return counts

    def release(self, connection: Connection, calls: list[Sequence[int]]) -> list[None]:
        """Back to the others, untried."""
        keys = [key for each in calls for key in each]
        self._pend(connection, keys, State.LEASED)
        return [None] * len(calls)

    def waiting(self, connection: Connection, calls: list[None]) -> list[int]:
        """How many URLs are pending, about."""
        number = connection.scalar(select(func.sum(queues.c.waiting)).where(queues.c.run_id == self._run))
        return [int(number or 0)] * len(calls)

    def _settle(self, connection: Connection, held: frozenset[int]) -> None:
        """Give back what a transaction leased whose end was never learned."""
        if not self._unsure:
            return
        mine = select(frontier.c.id).where(frontier.c.worker_id == self._worker, frontier.c.state == LEASED)
        self._pend(connection, [key for key in connection.scalars(mine) if key not in held], State.LEASED)
        self._unsure = False

    def _pend(self, connection: Connection, keys: Sequence[int], state: State) -> None:
        counts: Counter[int] = Counter()
        for piece in in_pieces(keys):
            counts.update(connection.scalars(_PEND, {"keys": piece, "was": int(state)}))
        self._waiting(connection, counts)

    def _waiting(self, connection: Connection, changes: dict[int, int]) -> None:
        add_waiting(connection, self._run, changes)


def add_waiting(connection: Connection, run: int, changes: dict[int, int]) -> None:
    """Correct the numbers of pending URLs of ``run``: host → by how many."""
    rows = [{"run": run, "host": host, "by": changes[host]} for host in sorted(changes) if changes[host]]
    if rows:
        connection.execute(_WAITING, rows)
