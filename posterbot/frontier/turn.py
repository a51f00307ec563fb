"""One request's turn at a host, and the line in which it waits for that."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from scrapy.exceptions import IgnoreRequest

from posterbot.frontier.host import Host

HOLD_SECONDS = 2.0
"""For so long a host is still used here once another worker wants it."""


class HostClosed(IgnoreRequest):
    """``host`` is not asked for anything for ``seconds``, because of ``reason``.

    The reason is ``http_429``, ``http_503``, ``failing`` (the circuit breaker is open) or ``budget`` (of this day).
    """

    def __init__(self, host: str, reason: str, seconds: float) -> None:
        super().__init__(f"{host} is left alone for {seconds:.0f} s: {reason}")
        self.host, self.reason, self.seconds = host, reason, seconds


class Stopping(IgnoreRequest):
    """The crawl is stopping; the request was not sent."""

    def __init__(self) -> None:
        super().__init__("the crawl is stopping")


class Place:
    """A host's place at the gate: the line before it and, while it is on lease, what is known of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.host: Host | None = None
        """None while it is not on lease."""
        self.line: deque[Turn] = deque()
        self.giving = False
        """Its lease is about to end."""
        self.rests_until = -math.inf
        """Not to be asked for again before."""
        self.told: tuple[float | None] | None = None
        """A Crawl-delay that came while it was not on lease."""
        self.wanted_at: float | None = None
        """Since when others want it."""
        self.used = False
        """Has a request begun since it came on lease?"""
        self.idle_since = 0.0
        self.timer: asyncio.TimerHandle | None = None
        self.timer_at = math.inf

    def leaving(self, now: float, patience: float) -> bool:
        """Is the host to be handed over? Not before it was of use here, unless it is closed beyond ``patience``."""
        if self.wanted_at is None or self.host is None:
            return False
        since = self.wanted_at
        if not self.used and self.host.usable_from - now <= max(patience, self.host.gap):
            since = max(since, self.host.usable_from)
        return now >= since + HOLD_SECONDS

    def cancel_timer(self) -> None:
        """Nobody is going to look again."""
        if self.timer:
            self.timer.cancel()
        self.timer, self.timer_at = None, math.inf

    def turn_away(self, error: Callable[[], Exception]) -> None:
        """All that wait raise ``error``."""
        while self.line:
            turn = self.line.popleft()
            if not turn.called.done():
                turn.called.set_exception(error())


class Gate(Protocol):
    """What a turn needs of :class:`~posterbot.frontier.hosts.Hosts`."""

    clock: Callable[[], float]
    wall: Callable[[], float]

    async def admit(self, turn: Turn) -> None:
        """Returns when ``turn`` has begun."""

    def look_at(self, place: Place) -> None:
        """Something has changed at ``place``."""

    def ended(self, place: Place, host: Host, unpaid: float) -> None:
        """A turn has ended; its place stays taken for ``unpaid`` seconds."""


class Turn:
    """One request's turn: ``async with hosts.turn(host) as turn:``.

    Within, ``headers`` is called when an answer begins, and then one of ``answered``, ``failed`` and ``dropped``. Left
    without any of these the request counts as failed, or as dropped where it was cancelled.

    Raises:
        HostClosed: on entering, where the host is closed for longer than the gate's patience.
        Stopping: on entering, once the gate is stopping.
    """

    place: Place
    called: asyncio.Future[None]
    """Done when it is this turn's turn."""
    _known: Host

    def __init__(self, gate: Gate, host: str) -> None:
        self.host = host
        self._gate = gate
        self._began = 0.0
        self._epoch = 0
        self._silent = self._open = False

    async def __aenter__(self) -> Turn:
        await self._gate.admit(self)
        self._began = self._gate.clock()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, Exception):
            self.failed()
        else:
            self.dropped()

    def begin(self, known: Host) -> None:
        """The gate lets it begin."""
        self._known, self._silent, self._open = known, True, True
        self._epoch = known.begin(self._gate.wall())
        self.called.set_result(None)

    def headers(self) -> None:
        """The headers of the answer have come."""
        if self._silent:
            self._silent = False
            self._known.heard(self._gate.clock())
            self._gate.look_at(self.place)

    def answered(self, status: int, size: int, retry_after: float | None = None) -> None:
        """A whole answer with a body of ``size`` bytes has come, or as much of it as was wanted."""
        self._end(size, lambda now: self._known.answered(status, retry_after, self._epoch, now))

    def failed(self, size: int = 0) -> None:
        """No answer has come, or only ``size`` bytes of one."""
        self._end(size, lambda now: self._known.failed(self._epoch, now))

    def dropped(self, size: int = 0) -> None:
        """It ended, after ``size`` bytes, for reasons that say nothing of the host."""
        self._end(size, lambda now: None)

    def _end(self, size: int, judge: Callable[[float], None]) -> None:
        if not self._open:
            return
        self._open = False
        now = self._gate.clock()
        if self._silent:
            self._silent = False
            self._known.heard(now)
        self._known.received(size, self._gate.wall())
        judge(now)
        self._gate.ended(self.place, self._known, self._known.unpaid(size, self._began, now))
