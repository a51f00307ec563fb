"""The table of hosts in memory, shared by several workers, and an event loop whose time flies."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import selectors
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from posterbot.frontier.records import HostState

Answer = TypeVar("Answer")


class Table:
    """What the database holds of each host: its state, with times on ``clock``, its worker, and if it is wanted."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.states: dict[str, HostState] = {}
        self.owner: dict[str, str | None] = {}
        self.wanted: set[str] = set()
        self.hand_overs = 0

    def put(self, states: Sequence[HostState], worker: str) -> None:
        for state in states:
            if self.owner[state.name] == worker:
                moved = dataclasses.replace(state)
                moved.wait += self.clock()
                moved.closed_for += self.clock()
                self.states[state.name] = moved

    def get(self, name: str) -> HostState:
        state = dataclasses.replace(self.states[name])
        state.wait = max(0.0, state.wait - self.clock())
        state.closed_for = max(0.0, state.closed_for - self.clock())
        return state


class Kept:
    """The table as one worker's gate sees it. ``broken`` makes all calls fail; ``calls`` lists them.

    With ``chance`` answers take their time, up to a second, and some calls fail: saving and giving with or without
    effect. Without, they are answered at once.
    """

    def __init__(self, table: Table, worker: str = "a", chance: random.Random | None = None) -> None:
        self.table, self.worker, self.chance = table, worker, chance
        self.broken = False
        self._free_at = 0.0
        self.calls: list[tuple[float, str, tuple[str, ...]]] = []

    def called(self, kind: str) -> list[tuple[str, ...]]:
        return [names for _, called, names in self.calls if called == kind]

    def _done(self, kind: str, names: Sequence[str], act: Callable[[], Answer]) -> Future[Answer]:
        self.calls.append((self.table.clock(), kind, tuple(names)))
        future: Future[Answer] = Future()
        if self.chance is None:
            self._answer(future, act, self.broken, False)
        else:
            takes = self.chance.choice([0.0, 0.01, 0.1, 1.0]) * self.chance.random()
            self._free_at = max(self._free_at, self.table.clock()) + takes
            fails = self.broken or self.chance.random() < 0.1
            done = fails and kind != "take" and self.chance.random() < 0.5
            asyncio.get_running_loop().call_at(self._free_at, self._answer, future, act, fails, done)
        return future

    @staticmethod
    def _answer(future: Future[Answer], act: Callable[[], Answer], fails: bool, done: bool) -> None:
        answer = act() if done or not fails else None
        if fails:
            future.set_exception(OSError("the database is away"))
        else:
            future.set_result(answer)  # type: ignore[arg-type]

    def take(self, names: Sequence[str]) -> Future[dict[str, HostState]]:
        def act() -> dict[str, HostState]:
            table, granted = self.table, {}
            for name in names:
                table.states.setdefault(name, HostState(name))
                if table.owner.get(name) not in {None, self.worker}:
                    table.wanted.add(name)
                    continue
                if table.owner.get(name) is None:
                    table.owner[name] = self.worker
                    table.wanted.discard(name)
                granted[name] = table.get(name)
            return granted

        return self._done("take", names, act)

    def save(self, states: Sequence[HostState]) -> Future[set[str]]:
        def act() -> set[str]:
            self.table.put(states, self.worker)
            return {name for name in self.table.wanted if self.table.owner[name] == self.worker}

        return self._done("save", [state.name for state in states], act)

    def give(self, states: Sequence[HostState]) -> Future[None]:
        def act() -> None:
            self.table.put(states, self.worker)
            for state in states:
                if self.table.owner[state.name] == self.worker:
                    self.table.owner[state.name] = None
                    self.table.hand_overs += 1
                    self.table.wanted.discard(state.name)

        return self._done("give", [state.name for state in states], act)


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    loop: FlyingLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        if ready := super().select(0):
            return ready
        if timeout is None:
            raise AssertionError("nothing will ever happen any more")
        self.loop.moment += max(timeout, 1e-6)
        return []


class FlyingLoop(asyncio.SelectorEventLoop):
    """An event loop that does not sleep: where nothing is to be done, it is the next moment at once."""

    def __init__(self) -> None:
        self.moment = 1000.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.moment


def fly(story: Callable[[Callable[[], float]], Coroutine[Any, Any, Answer]]) -> Answer:
    """Run ``story(clock)`` to its end, in no time; whatever it started is cancelled then."""
    with asyncio.Runner(loop_factory=FlyingLoop) as runner:
        return runner.run(story(runner.get_loop().time))
