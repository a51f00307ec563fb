"""Which hosts are this worker's: what is asked of the table of hosts, in batches, and again where that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from posterbot.frontier.records import HostState

if TYPE_CHECKING:
    from posterbot.catalogue.recorder import Recorder
    from posterbot.frontier.host_table import HostTable

BATCH_SECONDS = 0.05
"""Names wanted within this time are asked for together."""
AGAIN_SECONDS = 0.5
"""A name that was not granted is asked for again."""

logger = logging.getLogger(__name__)


class Keeper(Protocol):
    """The table of hosts. All its futures are resolved in another thread.

    Where a ``take`` and a later ``give`` are made in this order, they are also answered in it.
    """

    def take(self, names: Sequence[str]) -> Future[dict[str, HostState]]:
        """Lease those of ``names`` that are free or this worker's already; mark the others as wanted."""

    def save(self, states: Sequence[HostState]) -> Future[set[str]]:
        """Store hosts on lease; gives those on lease to this worker, saved or not, that another one waits for."""

    def give(self, states: Sequence[HostState]) -> Future[None]:
        """Store hosts and end their lease. May be called again for the same ones."""


class SharedKeeper:
    """The table of hosts that all workers share, by way of the recorder."""

    def __init__(self, recorder: Recorder, table: HostTable) -> None:
        self._recorder, self._table = recorder, table

    def take(self, names: Sequence[str]) -> Future[dict[str, HostState]]:
        """Lease those that are free."""
        return self._recorder.call(self._table.take, names, urgent=True)

    def save(self, states: Sequence[HostState]) -> Future[set[str]]:
        """Store."""
        return self._recorder.call(self._table.save, states, urgent=True)

    def give(self, states: Sequence[HostState]) -> Future[None]:
        """Store, and end the leases."""
        return self._recorder.call(self._table.give, states, urgent=True)


class Leases:
    """Asks the keeper for what is wanted, until it is granted or no longer wanted. Belongs to the event loop.

    ``granted`` is called for every host that came on lease, wanted or not any more; ``given`` for every name whose
    lease has ended.
    """

    def __init__(
        self,
        keeper: Keeper,
        granted: Callable[[HostState], None],
        given: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._keeper, self._granted, self._given, self._clock = keeper, granted, given, clock
        self._wanted: dict[str, float] = {}
        self._asked_at = -BATCH_SECONDS
        self._asking = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._giving = 0
        self._failing = False
        self._closed = False

    @property
    def busy(self) -> bool:
        """Is there an answer to come that may bring leases, or end them?"""
        return self._asking or self._giving > 0

    def want(self, name: str, delay: float = 0.0) -> None:
        """Ask for ``name``, no sooner than ``delay`` seconds from now."""
        self._arm(self._wanted.setdefault(name, self._clock() + delay))

    def unwant(self, name: str) -> None:
        """Nobody waits for ``name`` any more, or it came of itself."""
        self._wanted.pop(name, None)

    async def save(self, states: Sequence[HostState]) -> set[str] | None:
        """Store; gives the names that other workers wait for, or None if that failed."""
        try:
            wanted: set[str] = await asyncio.wrap_future(self._call(self._keeper.save, states))
        except Exception as error:
            self._failed(error)
            return None
        self._failing = False
        return wanted

    def give(self, states: Sequence[HostState]) -> None:
        """Store and end the leases, however often it takes."""
        self._giving += 1
        self._answer(self._call(self._keeper.give, states), self._on_given, states)

    def close(self) -> None:
        """Ask for nothing any more."""
        self._closed = True
        if self._timer:
            self._timer.cancel()

    def _arm(self, moment: float) -> None:
        """Ask at ``moment``, if not before."""
        moment = max(moment, self._asked_at + BATCH_SECONDS)
        if self._asking or self._closed or (self._timer and self._timer_at <= moment):
            return
        if self._timer:
            self._timer.cancel()
        self._timer_at = moment
        self._timer = asyncio.get_running_loop().call_later(max(0.0, moment - self._clock()), self._ask)

    def _ask(self) -> None:
        self._timer = None
        now = self._clock()
        if names := [name for name, moment in self._wanted.items() if moment <= now]:
            self._asking, self._asked_at = True, now
            self._answer(self._call(self._keeper.take, names), self._on_taken, names)
        elif self._wanted:
            self._arm(min(self._wanted.values()))

    def _on_taken(self, future: Future[dict[str, HostState]], names: list[str]) -> None:
        self._asking = False
        states: dict[str, HostState] = {}
        if error := future.exception():
            self._failed(error)
        else:
            states = future.result()
        again = self._clock() + AGAIN_SECONDS
        for name in names:
            if name in states:
                self._wanted.pop(name, None)
            elif name in self._wanted:
                self._wanted[name] = again
        for state in states.values():
            self._granted(state)
        if self._wanted:
            self._arm(min(self._wanted.values()))

    def _on_given(self, future: Future[None], states: Sequence[HostState]) -> None:
        self._giving -= 1
        if error := future.exception():
            self._failed(error)
            if not self._closed:
                asyncio.get_running_loop().call_later(AGAIN_SECONDS, self.give, states)
            return
        for state in states:
            self._given(state.name)

    def _failed(self, error: BaseException) -> None:
        if not self._failing:
            self._failing = True
            logger.warning("The table of hosts cannot be reached, and is tried again: %s", error)

    @staticmethod
    def _call(method: Callable[[Any], Future[Any]], argument: Collection[Any]) -> Future[Any]:
        try:
            return method(argument)
        except Exception as error:
            failed: Future[Any] = Future()
            failed.set_exception(error)
            return failed

    @staticmethod
    def _answer(future: Future[Any], then: Callable[..., None], *what: Any) -> None:
        """Call ``then`` on the event loop once ``future`` is done: in one step, so that their order stays."""
        loop = asyncio.get_running_loop()

        def done(future: Future[Any]) -> None:
            with suppress(RuntimeError):  # the loop is closed, and nobody is left to hear it
                loop.call_soon_threadsafe(then, future, *what)

        future.add_done_callback(done)
