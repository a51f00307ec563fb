"""Nothing is asked for that somebody wanted to be forgotten: ``posterbot forget`` leaves hashes for that."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from scrapy.exceptions import IgnoreRequest

from posterbot.catalogue.database import CatalogueError
from posterbot.catalogue.tombstones import any_tombstones, forgotten
from posterbot.frontier.session import Session
from posterbot.frontier.tombstones import image_tombstone, tombstones_of
from posterbot.frontier.turn import Stopping

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from posterbot.catalogue.recorder import Recorder

LOOK_SECONDS = 1.0
"""How long it is believed that nothing at all is to be forgotten."""


class Forgotten(IgnoreRequest):
    """The URL, or all of its host, is to be forgotten. The message does not name it."""

    def __init__(self) -> None:
        super().__init__("somebody asked for this to be forgotten (posterbot forget)")


class Tombstones:
    """What one crawl knows of tombstones. Belongs to the event loop.

    While there is none, that is asked at most once in LOOK_SECONDS, and nothing else; from the first on each question
    goes to the catalogue, together with others.
    """

    def __init__(self, recorder: Recorder, clock: Callable[[], float] = time.monotonic) -> None:
        self._recorder, self._clock = recorder, clock
        self._any = False
        self._looked = -math.inf
        self._looking: asyncio.Future[bool] | None = None

    async def forbid(self, hashes: Collection[bytes]) -> bool:
        """Is one of ``hashes`` a tombstone? Raises CatalogueError."""
        if not await self._there_are():
            return False
        return await asyncio.wrap_future(self._recorder.call(forgotten, hashes))

    async def _there_are(self) -> bool:
        if self._any or self._clock() < self._looked + LOOK_SECONDS:
            return self._any
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look())
        return await asyncio.shield(self._looking)  # a request that is given up must not end it for the others

    async def _look(self) -> bool:
        began = self._clock()  # what is laid while we look may not be seen
        try:
            self._any = await asyncio.wrap_future(self._recorder.call(any_tombstones, None, urgent=True))
            self._looked = began
        finally:
            self._looking = None
        return self._any


_known: WeakKeyDictionary[Session, Tombstones] = WeakKeyDictionary()


async def image_forgotten(session: Session, sha256: str) -> bool:
    """Is this image, given by the sha256 of its bytes in hexadecimal, to be forgotten?

    Raises:
        Stopping: the catalogue cannot be asked; the crawl ends.
    """
    return await _forbidden(session, (image_tombstone(sha256),))


async def _forbidden(session: Session, hashes: Collection[bytes]) -> bool:
    tombstones = _known.get(session)
    if tombstones is None:
        tombstones = _known[session] = Tombstones(session.recorder)
    try:
        return await tombstones.forbid(hashes)
    except CatalogueError as error:
        session.lost(error)
        raise Stopping from None


class ForgottenMiddleware:
    """Downloader middleware: no request for a URL, or to a host, that is to be forgotten. Raises :class:`Forgotten`.

    A redirect is a request of its own, and comes by here as well.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ForgottenMiddleware:
        """Scrapy's construction door."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let pass, or raise."""
        session = self._crawler.get_extension(Session)
        assert session is not None
        if await _forbidden(session, tombstones_of(request.url)):
            raise Forgotten
