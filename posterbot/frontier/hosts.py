"""The gate: no request of this process leaves but in its host's turn."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from posterbot.frontier.host import Host
from posterbot.frontier.leases import Keeper, Leases
from posterbot.frontier.limits import Limits
from posterbot.frontier.records import HostState
from posterbot.frontier.turn import HostClosed, Place, Stopping, Turn

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

REST_SECONDS = 1.0
"""For so long a host that was handed over is not asked for again."""
IDLE_SECONDS = 5.0
"""A host without work for so long is given back."""
CLOSE_SECONDS = 3.0
"""For so long at most the gate, when it closes, waits for what is under way, and again for all to be given back."""


class Hosts:
    """All hosts that this worker sends requests to, or wants to. Belongs to the event loop.

    Args:
        keeper: the table that says which worker has which host.
        limits: what each host is promised.
        transfers: requests under way at once, over all hosts.
        backoff: seconds for which a host is closed at first that is failing or too busy.
        patience: seconds for which a turn waits at a closed host; beyond, it raises HostClosed.
        keep: does the scheduler hold URLs of this host? Then it is not given back as idle, and is asked for again
            where it had to be given.
        changed: called when a request to some host might begin that could not before.
        clock, wall: seconds that never go back, and seconds since 1970.
    """

    def __init__(
        self,
        keeper: Keeper,
        limits: Callable[[str], Limits],
        *,
        transfers: int,
        backoff: float = 30.0,
        patience: float = 60.0,
        keep: Callable[[str], bool] = lambda name: False,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.keep, self.changed, self.clock, self.wall = keep, changed, clock, wall
        self._limits, self._transfers, self._backoff, self._patience = limits, transfers, backoff, patience
        self._leases = Leases(keeper, self._granted, self._given, clock)
        self._places: dict[str, Place] = {}
        self._round: dict[str, Place] = {}
        """Places whose first in line may begin once there are fewer transfers, in the order of their turns."""
        self._under_way = 0
        self._ticking = self._stopped = self._aborted = False
        self._fetching: set[asyncio.Future[Any]] = set()

    def turn(self, host: str) -> Turn:
        """A turn at ``host``, the ``hostname`` of a URL. Turns at one host come in the order they are entered."""
        return Turn(self, host)

    def crawl_delay(self, host: str, seconds: float | None) -> None:
        """What the robots.txt of ``host`` asks for: a gap, and no two requests at once. None: nothing."""
        place = self._place(host)
        if place.host:
            before = place.host.gap
            place.host.crawl_delay(seconds)
            self.look_at(place)
            if place.host.gap > before:
                self._early = asyncio.ensure_future(self._tick_now())
        else:
            place.told = (seconds,)
            self._want(place)

    def ready_in(self, host: str) -> float | None:
        """When a request to ``host`` could begin: 0.0 now; in so many seconds; None if it is not on lease.

        Infinite where that depends on those under way or in line; ``changed`` is called when it may be over.
        """
        place = self._places.get(host)
        if place is None or place.host is None:
            return None
        now = self.clock()
        if place.line or self._under_way >= self._transfers or place.leaving(now, self._patience):
            return math.inf
        return place.host.wait(now, self.wall())

    def openings(self, host: str) -> int:
        """How often in a row ``host`` was closed, by the circuit breaker or its own 429 or 503; 0 if not on lease."""
        place = self._places.get(host)
        return place.host.openings if place and place.host else 0

    def adopt(self, states: Iterable[HostState]) -> None:
        """The scheduler has leased these hosts itself."""
        for state in states:
            self._granted(state)

    def held(self) -> Iterator[HostState]:
        """All hosts on lease, as of now."""
        now = self.clock()
        return iter([place.host.snapshot(now) for place in self._places.values() if place.host])

    async def _tick_now(self) -> None:
        """Store a gap that was just learned: should this worker die, the next one must keep it."""
        while self._ticking:
            await asyncio.sleep(0.01)
        await self.tick()

    async def tick(self) -> None:
        """To be called about once a second: stores what has changed, gives back what is idle or wanted by others."""
        if self._ticking or self._stopped:
            return
        self._ticking = True
        try:
            lost = await self._save()
        finally:
            self._ticking = False
        for place in list(self._places.values()):
            if place.line:
                self.look_at(place)
            self._give_if_free(place)
            self._want_or_forget(place)
        for name in lost:
            self._want(self._place(name))

    def lose(self) -> None:
        """Other workers took this one for dead: no host is on lease any more, and what waits is asked for anew."""
        for place in list(self._places.values()):
            place.cancel_timer()
            place.host = None
            self._want_or_forget(place)

    def stop(self) -> None:
        """From now on no request begins: all that wait and those that come raise Stopping."""
        self._stopped = True
        self._leases.close()
        for place in self._places.values():
            place.cancel_timer()
            place.turn_away(Stopping)

    def abort(self) -> None:
        """Give up what is under way as well: it raises Stopping."""
        self._aborted = True
        for fetching in self._fetching:
            fetching.cancel()

    async def until_abort(self, fetching: asyncio.Future[Response]) -> Response:
        """What ``fetching`` gives, or Stopping."""
        self._fetching.add(fetching)
        try:
            return await fetching
        except asyncio.CancelledError:
            if self._aborted:
                raise Stopping from None
            raise
        finally:
            self._fetching.discard(fetching)

    async def close(self) -> None:
        """Stop and give all back; takes a few seconds at most."""
        self.stop()
        await self._until(
            lambda: not self._leases.busy and not any(p.host and p.host.places for p in self._places.values())
        )
        if states := list(self.held()):
            for place in self._places.values():
                place.host = None
            self._leases.give(states)
        await self._until(lambda: not self._leases.busy)

    async def _until(self, condition: Callable[[], bool]) -> None:
        end = self.clock() + CLOSE_SECONDS
        while not condition() and self.clock() < end:
            await asyncio.sleep(0.02)

    # --- The line ---

    async def admit(self, turn: Turn) -> None:
        """Of turns: returns when ``turn`` has begun."""
        if self._stopped:
            raise Stopping
        place = turn.place = self._place(turn.host)
        turn.called = asyncio.get_running_loop().create_future()
        place.line.append(turn)
        if place.host:
            self.look_at(place)
        else:
            self._want(place)
        try:
            await turn.called
        except asyncio.CancelledError:
            if turn.called.cancelled():
                with suppress(ValueError):
                    place.line.remove(turn)
                self.look_at(place)
                self._want_or_forget(place)
            elif turn.called.exception() is None:
                turn.dropped()
            raise

    def look_at(self, place: Place) -> None:
        """Let those begin that may; where none may, see to it that somebody looks again when one may."""
        if self._may_begin(place):
            if place.line:
                self._round.setdefault(place.name, place)
                self._call_next()
            elif self._under_way < self._transfers:
                self.changed()

    def ended(self, place: Place, host: Host, unpaid: float) -> None:
        """Of turns: one is over; its place stays taken for ``unpaid`` seconds."""
        self._under_way -= 1
        self._free(place, host, self.clock() + unpaid)
        self._call_next()
        if self._under_way == self._transfers - 1:
            self.changed()

    def _may_begin(self, place: Place) -> bool:
        host = place.host
        if host is None or self._stopped:
            return False
        now, wall = self.clock(), self.wall()
        shut = host.shut(now, wall)
        if shut and shut.seconds > self._patience:
            place.turn_away(lambda: HostClosed(place.name, *shut))
        if place.leaving(now, self._patience):
            self._give_if_free(place)
            return False
        wait = host.wait(now, wall)
        if 0 < wait < math.inf and place.timer_at > now + wait:
            place.cancel_timer()
            place.timer_at = now + wait
            place.timer = asyncio.get_running_loop().call_later(wait, self._time_is_up, place)
        return wait == 0

    def _call_next(self) -> None:
        while self._round and self._under_way < self._transfers:
            place = self._round.pop(next(iter(self._round)))
            if self._may_begin(place):
                self._call_first(place)
                if place.line:
                    self._round[place.name] = place

    def _call_first(self, place: Place) -> None:
        while place.line and place.host:
            turn = place.line.popleft()
            if not turn.called.done():  # else it was cancelled
                self._under_way += 1
                place.used = True
                turn.begin(place.host)
                return

    def _free(self, place: Place, host: Host, moment: float) -> None:
        """Free a place, once it is paid for."""
        if (left := moment - self.clock()) > 0:
            asyncio.get_running_loop().call_later(left, self._free, place, host, moment)
            return
        host.places -= 1
        place.idle_since = self.clock()
        self.look_at(place)

    def _time_is_up(self, place: Place) -> None:
        place.cancel_timer()
        self.look_at(place)

    # --- Leases ---

    def _place(self, name: str) -> Place:
        if name not in self._places:
            self._places[name] = Place(name)
        return self._places[name]

    def _want(self, place: Place) -> None:
        if not place.giving and not self._stopped:
            self._leases.want(place.name, max(0.0, place.rests_until - self.clock()))

    def _granted(self, state: HostState) -> None:
        place = self._place(state.name)
        if place.host or place.giving:  # what is known here is newer; what is being given is asked for again, if wanted
            return
        self._leases.unwant(state.name)
        now = self.clock()
        place.host = Host(state, self._limits(state.name), self._backoff, now)
        place.used, place.wanted_at, place.idle_since = False, None, now
        if place.told:
            place.host.crawl_delay(*place.told)
            place.told = None
        self.look_at(place)

    async def _save(self) -> set[str]:
        """Gives the hosts on lease unknown here, after an answer that was lost: once taken they can be given."""
        now = self.clock()
        unsaved = [place.host for place in self._places.values() if place.host and place.host.changed]
        for host in unsaved:
            host.changed = False
        wanted = await self._leases.save([host.snapshot(now) for host in unsaved])
        if wanted is None:
            for host in unsaved:
                host.changed = True
            return set()
        for place in self._places.values():
            if place.name not in wanted:
                place.wanted_at = None
            elif place.wanted_at is None:
                place.wanted_at = self.clock()
        return wanted - self._places.keys()

    def _give_if_free(self, place: Place) -> None:
        host, now = place.host, self.clock()
        if host is None or host.places:
            return
        if not place.leaving(now, self._patience):
            if place.line or self.keep(place.name):
                return
            if place.wanted_at is None and now - place.idle_since <= IDLE_SECONDS:
                return
        if place.wanted_at is not None:
            place.rests_until = now + REST_SECONDS
        place.cancel_timer()
        place.host, place.giving = None, True
        self._leases.give([host.snapshot(now)])

    def _given(self, name: str) -> None:
        if place := self._places.get(name):
            place.giving = False
            self._want_or_forget(place)

    def _want_or_forget(self, place: Place) -> None:
        """Of a host that is not on lease nothing is remembered, unless it is wanted here."""
        if place.host or place.giving:
            return
        if place.line or place.told or self.keep(place.name):
            self._want(place)
        elif self.clock() >= place.rests_until and self._places.get(place.name) is place:
            self._leases.unwant(place.name)
            del self._places[place.name]


_gates: WeakKeyDictionary[Crawler, Hosts] = WeakKeyDictionary()


def register(crawler: Crawler, hosts: Hosts) -> None:
    """From now on all requests of ``crawler`` pass ``hosts``."""
    _gates[crawler] = hosts


def hosts_of(crawler: Crawler) -> Hosts:
    """The gate of ``crawler``.

    Raises:
        LookupError: there is none.
    """
    if crawler not in _gates:
        raise LookupError("this crawler has no gate: it needs posterbot's scheduler (setting SCHEDULER)")
    return _gates[crawler]
