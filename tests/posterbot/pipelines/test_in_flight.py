from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from posterbot.pipelines.in_flight import InFlight


class Images:
    """Images that are fetched and examined when told to; knows how many are at it."""

    def __init__(self, in_flight: InFlight) -> None:
        self.in_flight = in_flight
        self.fetching: list[str] = []
        self.examining: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.steps: dict[str, asyncio.Event] = {}

    def begin(self, name: str, host: str, size: int = 10) -> None:
        self.steps[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._image(name, host, size))

    async def _image(self, name: str, host: str, size: int) -> None:
        async with self.in_flight.one(host) as slot:
            self.fetching.append(name)
            await self.steps[name].wait()
            self.fetching.remove(name)
            slot.fetched(size)
            self.examining.append(name)
            self.steps[name].clear()
            await self.steps[name].wait()
            self.examining.remove(name)

    async def step(self, *names: str) -> None:
        for name in names:
            self.steps[name].set()
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), 10)

    asyncio.run(limited())


def test_no_more_images_than_allowed() -> None:
    async def test() -> None:
        images = Images(InFlight(2, 1000, 5))
        for name in "abc":
            images.begin(name, name)
        await settle()
        assert images.fetching == ["a", "b"]
        await images.step("a")
        assert (images.fetching, images.examining) == (["b"], ["a"])  # being examined counts as well
        await images.step("a")
        assert images.fetching == ["b", "c"]

    run(test)


def test_a_slow_host_leaves_room_for_others() -> None:
    async def test() -> None:
        images = Images(InFlight(4, 1000, 2))
        for name in "abcd":
            images.begin(name, "slow")
        images.begin("e", "other")
        await settle()
        assert images.fetching == ["a", "b", "e"]
        await images.step("a")  # what is examined does not hold up its host
        assert images.fetching == ["b", "e", "c"]

    run(test)


def test_bytes_in_flight_hold_up_new_requests() -> None:
    async def test() -> None:
        images = Images(InFlight(10, 100, 5))
        images.begin("a", "a", 60)
        images.begin("b", "b", 60)
        await settle()
        await images.step("a", "b")
        images.begin("c", "c")
        await settle()
        assert images.fetching == []
        await images.step("a")
        assert images.fetching == ["c"]

    run(test)


@pytest.mark.parametrize("waiting", [False, True])
def test_who_is_cancelled_gives_the_place_back(waiting: bool) -> None:
    async def test() -> None:
        images = Images(InFlight(1, 100, 1))
        images.begin("a", "x")
        images.begin("b", "x")
        await settle()
        images.tasks["b" if waiting else "a"].cancel()
        await settle()
        assert images.fetching[-1:] == (["a"] if waiting else ["b"])
        images.begin("c", "x")
        if waiting:
            await images.step("a")
            await images.step("a")
        else:
            await images.step("b")
            await images.step("b")
        assert images.fetching[-1] == "c"

    run(test)
