"""Bytes into a store, from an event loop: in threads, tried again, and on the local disk while the store is away."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from posterbot.stores.spool import Spool
from posterbot.stores.store import NotStoredError, Stat, Store, StoreError, UnavailableError

logger = logging.getLogger(__name__)

TRIES = 5
BACKOFF_SECONDS = 0.25
"""Before the second try; then twice as long, and so on, up to a half more or less by chance."""
PATIENCE_SECONDS = 10.0
"""After so long no further try is begun: a store that hangs is away."""
PROBE_SECONDS, MOST_PROBE_SECONDS = 1.0, 15.0
"""How often a store that is away is asked whether it is back: at first, and at most."""
SLOW_FROM = 0.5
"""From this fill on the spool takes images one by one, ever slower ..."""
SLOWEST_SECONDS = 1.0
"""... down to one in so many seconds when it is nearly full."""
AT_ONCE = 64

Answer = TypeVar("Answer")


class Uploads:
    """Belongs to one event loop.

    Args:
        store: where to.
        spool: where images wait while the store is away; None: nowhere, as for a store that is itself a local disk.
    """

    def __init__(self, store: Store, spool: Spool | None) -> None:
        self.store, self.spool = store, spool
        self.away = False
        """Has the store failed, and not worked since?"""
        self._threads = ThreadPoolExecutor(store.threads, thread_name_prefix="store")
        # Of its own: threads that wait for a store that hangs must not keep images from the spool.
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._one_by_one = asyncio.Lock()
        self._damaged: set[str] = set()
        self._draining: asyncio.Task[None] | None = None
        if spool is not None and spool.images:
            logger.info("%s images wait in %s for %s", f"{spool.images:,}", spool.folder, store.name)
            self._begin_to_drain()

    async def save(self, path: str, data: bytes, media_type: str, facts: Mapping[str, str]) -> None:
        """Returns when the bytes are in the store, or in the spool.

        Raises:
            StoreError: the store cannot take them, now or later, and there is no spool, or its disk is full.
            UnavailableError: as before, but it may pass.
            SpoolFullError: the store is away, and the spool is full.
        """
        if not self.away:
            try:
                await self._put(path, data, media_type, facts)
                return
            except (StoreError, UnavailableError) as error:
                if self.spool is None:
                    raise
                self._failed(error)
        assert self.spool is not None
        if self.spool.fill > SLOW_FROM:
            async with self._one_by_one:
                await asyncio.sleep(SLOWEST_SECONDS * min(1.0, (self.spool.fill - SLOW_FROM) / (1 - SLOW_FROM)))
        await self._run(self._disk, self.spool.put_if_absent, path, data, media_type, facts)

    async def offer(self, path: str, data: bytes, media_type: str, facts: Mapping[str, str]) -> bool:
        """Store what is not worth waiting for: tried once. Is it there?"""
        if self.away:
            return False
        try:
            await self._run(self._threads, self.store.put_if_absent, path, data, media_type, facts)
        except (StoreError, UnavailableError) as error:
            logger.debug("%s: %s", path, error)
            return False
        return True

    async def run(self, call: Callable[..., Answer], *arguments: object) -> Answer:
        """Work on an image, on one of the store's threads."""
        return await self._run(self._threads, call, *arguments)

    async def close(self, *, drain: bool) -> None:
        """Stop. ``drain``: first wait until the spool is empty, as long as the store takes what is in it."""
        if self._draining is not None:
            if self.away or not drain:
                self._draining.cancel()
            await asyncio.gather(self._draining, return_exceptions=True)
            if self.away and drain:  # it may have come back since the last look
                await self._drain(last=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._disk.shutdown)
        self.store.close()

    async def _run(self, threads: ThreadPoolExecutor, call: Callable[..., Answer], *arguments: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(threads, call, *arguments)

    async def _put(
        self, path: str, data: bytes, media_type: str, facts: Mapping[str, str], *, probe: bool = False
    ) -> None:
        begun = time.monotonic()
        for tries in range(1, TRIES + 1):
            try:
                await self._run(self._threads, self.store.put_if_absent, path, data, media_type, facts)
                return
            except UnavailableError:
                # Another image has found out meanwhile that it is no use.
                if tries == TRIES or (self.away and not probe) or time.monotonic() - begun > PATIENCE_SECONDS:
                    raise
            await asyncio.sleep(BACKOFF_SECONDS * 2 ** (tries - 1) * random.uniform(0.5, 1.5))

    def _failed(self, error: Exception) -> None:
        if self.away:
            return
        self.away = True
        assert self.spool is not None
        logger.warning("%s; images wait in %s", error, self.spool.folder)
        self._begin_to_drain()

    def _begin_to_drain(self) -> None:
        if self._draining is None or self._draining.done():
            self._draining = asyncio.ensure_future(self._drain())
            self._draining.add_done_callback(_say_error)

    async def _drain(self, *, last: bool = False) -> None:
        """Until the spool is empty: ask with one image whether the store is back; if so, the others follow.

        ``last``: or until the store is away.
        """
        spool = self.spool
        assert spool is not None
        wait = PROBE_SECONDS
        before = spool.images
        images = self._sound(spool)
        found = False
        while True:
            batch = await self._run(self._disk, lambda images: list(islice(images, AT_ONCE)), images)
            if not batch:
                if not found:
                    break
                images, found = self._sound(spool), False  # once more, for what came meanwhile or did not go
                continue
            found = True
            try:
                await self._move(batch[0], probe=True)
                self.away = False
                await asyncio.gather(*map(self._move, batch[1:]))
                wait = PROBE_SECONDS
            except (StoreError, UnavailableError) as error:
                self.away = True
                logger.debug("still away: %s", error)
                if last:
                    return
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(2 * wait, MOST_PROBE_SECONDS)
        await self._run(self._disk, spool.count)
        self.away = False
        logger.info("%s is back, and has what waited in %s (%s images or more)", self.store.name, spool.folder, before)

    def _sound(self, spool: Spool) -> Iterator[Stat]:
        return (image for image in spool.list() if image.path not in self._damaged)

    async def _move(self, image: Stat, *, probe: bool = False) -> None:
        spool = self.spool
        assert spool is not None
        try:
            data = await self._run(self._disk, spool.get, image.path)
        except NotStoredError:
            return  # another process was faster
        name = image.path.rpartition("/")[2].partition(".")[0]
        if hashlib.sha256(data).hexdigest() != name:
            self._damaged.add(image.path)
            logger.error("%s is damaged and stays in the spool", spool.folder / image.path)
            return
        await self._put(image.path, data, image.media_type, image.facts, probe=probe)
        await self._run(self._disk, spool.delete, image.path)


def _say_error(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("the spool is not emptied any more: %s", error)
