"""How much may be under way: images, their bytes, and images of one host. All else waits."""

from __future__ import annotations

import asyncio
from types import TracebackType
from weakref import WeakValueDictionary


class InFlight:
    """Bounds what is between its request and its bytes being stored or let go. Belongs to the event loop.

    Args:
        images: at once.
        size: bytes; with more than these no request is begun. What has been begun may exceed it.
        per_host: requests of one host, so that a slow one waits for its turns with a few images, not with all.
    """

    def __init__(self, images: int, size: int, per_host: int) -> None:
        self._images, self._size, self._per_host = asyncio.Semaphore(images), size, per_host
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    def one(self, host: str) -> Slot:
        """A slot for one image: ``async with in_flight.one(host) as slot:``."""
        gate = self._hosts.get(host)
        if gate is None:
            gate = self._hosts[host] = asyncio.Semaphore(self._per_host)
        return Slot(self, gate)

    async def enter(self) -> None:
        """Wait for room."""
        await self._room.wait()
        await self._images.acquire()

    def leave(self) -> None:
        """Make room."""
        self._images.release()

    def weigh(self, change: int) -> None:
        """Count bytes in, or out."""
        self._bytes += change
        if self._bytes < self._size:
            self._room.set()
        else:
            self._room.clear()


class Slot:
    """Held from before an image's request until its bytes are done with."""

    def __init__(self, all_: InFlight, gate: asyncio.Semaphore) -> None:
        self._all, self._gate = all_, gate
        self._size = 0
        self._requesting = False

    def fetched(self, size: int) -> None:
        """The request is over, and has brought so many bytes: the next of its host may begin."""
        self._requesting = False
        self._gate.release()
        self._size = size
        self._all.weigh(size)

    async def __aenter__(self) -> Slot:
        await self._gate.acquire()
        try:
            await self._all.enter()
        except BaseException:
            self._gate.release()
            raise
        self._requesting = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._requesting:
            self._gate.release()
        self._all.weigh(-self._size)
        self._all.leave()
