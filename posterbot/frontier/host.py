"""What one host allows at a moment: its gap, its places, its circuit breaker, its day's budget."""

from __future__ import annotations

import dataclasses
import math
import random
from typing import NamedTuple

from posterbot.frontier.limits import Limits
from posterbot.frontier.records import HostState
from posterbot.frontier.retry_after import RETRY_AFTER_MAX

BACKOFF_MAX = 3600.0
"""Seconds that no backoff exceeds."""
BUDGET = "budget"
_DAY = 86_400.0


def backoff(tries: int, base: float) -> float:
    """Seconds to wait after ``tries`` ≥ 1 that failed: ``base``, doubled with each, 1 to 1.5 times that, up to 1 h."""
    return min(base * 2.0 ** min(tries - 1, 64) * random.uniform(1.0, 1.5), BACKOFF_MAX)


class Shut(NamedTuple):
    """Nothing is asked of the host now."""

    reason: str
    """``http_429``, ``http_503``, ``failing`` or ``budget``."""
    seconds: float
    """For so long."""


class Host:
    """A host on lease to this worker.

    ``now`` is always a time in seconds of one clock that never goes back, ``wall`` the time of day in seconds since
    1970, which may be set back and forth.

    After each closing, be it by the circuit breaker or by the host's own word, one request is let through at first;
    the host is open again when that has succeeded. What was sent before a closing neither opens nor closes it again.
    """

    def __init__(self, state: HostState, limits: Limits, base: float, now: float) -> None:
        self.name = state.name
        self.changed = False
        """Is there anything that was not yet stored?"""
        self.places = 0
        """Taken by requests under way, and by those answered faster than ``bits_per_second`` allows."""
        self.silent = 0
        """Requests under way whose headers have not come."""
        self.epoch = 0
        """Counts closings; a request belongs to the one after which it began."""
        self._state = dataclasses.replace(state)
        self._limits, self._base = limits, base
        self._paid = now
        self._closed_until = now + state.closed_for
        self._take_limits()
        # If the gap has grown since it was stored, the last answer may lie nearer than a gap before ``wait`` ends.
        self._answered = now + state.wait - (state.gap if state.requests else self.gap)

    def _take_limits(self) -> None:
        pause = self._state.crawl_delay or 0.0
        self.gap = max(self._limits.delay, pause)
        self._concurrency = 1 if pause else self._limits.concurrency

    @property
    def openings(self) -> int:
        """Closings in a row, with no success since."""
        return self._state.openings

    @property
    def usable_from(self) -> float:
        """When gap and closing are over."""
        return max(self._answered + self.gap, self._closed_until)

    def crawl_delay(self, seconds: float | None) -> None:
        """The host's robots.txt asks for this gap between requests; None: for none."""
        if seconds is not None and not 0 < seconds < math.inf:
            seconds = None
        if seconds != self._state.crawl_delay:
            self._state.crawl_delay = seconds
            self._take_limits()
            self.changed = True

    def shut(self, now: float, wall: float) -> Shut | None:
        """Why and for how long nothing at all is asked of the host."""
        if self._closed_until > now:
            return Shut(self._state.closed_reason or "failing", self._closed_until - now)
        limits, state = self._limits, self._state
        if limits.requests_per_day is not None or limits.bytes_per_day is not None:
            self._turn_page(wall)
            if (limits.requests_per_day is not None and state.day_requests >= limits.requests_per_day) or (
                limits.bytes_per_day is not None and state.day_bytes >= limits.bytes_per_day
            ):
                return Shut(BUDGET, max(1.0, (state.day + 1) * _DAY - wall))
        return None

    def wait(self, now: float, wall: float) -> float:
        """Seconds until a request may begin: 0 if now, infinite if that depends on those under way."""
        if shut := self.shut(now, wall):
            return shut.seconds
        if self.places and (self._state.openings or self.places >= self._concurrency or (self.silent and self.gap > 0)):
            return math.inf
        return max(0.0, self._answered + self.gap - now)

    def begin(self, wall: float) -> int:
        """A request begins; gives its epoch."""
        self.places += 1
        self.silent += 1
        self._turn_page(wall)
        self._state.day_requests += 1
        self._state.requests += 1
        self.changed = True
        return self.epoch

    def heard(self, now: float) -> None:
        """The headers of an answer have come, or none will: from now on the gap counts."""
        self.silent -= 1
        self._answered = now
        self.changed = True

    def received(self, size: int, wall: float) -> None:
        """So many bytes came, of whatever end."""
        self._turn_page(wall)
        self._state.day_bytes += size
        self._state.bytes += size

    def unpaid(self, size: int, began: float, now: float) -> float:
        """Seconds for which the place of ``size`` bytes stays taken, so that ``bits_per_second`` holds; 0 or more.

        Each place has its share of the rate, and no place exceeds that, averaged over all it got; hence neither do
        all together.
        """
        if self._limits.bits_per_second is None:
            return 0.0
        seconds = max(0.0, 8 * size * self._concurrency / self._limits.bits_per_second - (now - began))
        self._paid = max(self._paid, now + seconds)
        return seconds

    def answered(self, status: int, retry_after: float | None, epoch: int, now: float) -> None:
        """A request of ``epoch`` was answered; ``retry_after`` in seconds."""
        state = self._state
        if status in {429, 503} and retry_after:
            retry_after = min(retry_after, RETRY_AFTER_MAX)
            if epoch != self.epoch:
                self._closed_until = max(self._closed_until, now + retry_after)
                return
        if epoch != self.epoch:
            return
        if status in {429, 503}:
            state.failures += status == 503
            self._close(f"http_{status}", retry_after or backoff(state.openings + 1, self._base), now)
        elif status >= 500:
            self.failed(epoch, now)
        else:
            state.failures = state.openings = 0
            state.closed_reason = None

    def failed(self, epoch: int, now: float) -> None:
        """A request of ``epoch`` got no answer, or one that tells of the host's trouble."""
        if epoch != self.epoch:
            return
        self._state.failures += 1
        most = self._limits.failures
        if most is not None and (self._state.openings or self._state.failures >= most):
            self._close("failing", backoff(self._state.openings + 1, self._base), now)

    def _close(self, reason: str, seconds: float, now: float) -> None:
        self.epoch += 1
        self._closed_until = now + seconds
        self._state.openings += 1
        self._state.closed_reason = reason

    def _turn_page(self, wall: float) -> None:
        """A new day begins new counts, but a clock that is set back never takes away what was counted."""
        state, today = self._state, int(wall // _DAY)
        if today > state.day:
            state.day, state.day_requests, state.day_bytes = today, 0, 0
        elif state.day > today + 1:
            state.day = today  # counted by a clock that ran far ahead

    def snapshot(self, now: float) -> HostState:
        """All that is known, as of now; that of a host under way counts as if its answer came now."""
        state = dataclasses.replace(self._state)
        state.gap = self.gap
        state.wait = max(0.0, (now if self.silent else self._answered) + self.gap - now, self._paid - now)
        state.closed_for = max(0.0, self._closed_until - now)
        return state
