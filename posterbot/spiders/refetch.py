"""Fetches images that a lockfile names, and keeps those that are what they were: ``posterbot rebuild`` starts this."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from posterbot.export.link_rot import Found, Status, line
from posterbot.filters.consent import OptOuts
from posterbot.frontier.host import backoff
from posterbot.frontier.tdmrep import TdmFiles
from posterbot.frontier.turn import Stopping
from posterbot.pipelines.fetch import reason_of_failure, reason_of_response
from posterbot.reasons import PASSING, Reason
from posterbot.spiders.lone import LoneSpider
from posterbot.stores.opening import open_store
from posterbot.stores.patient import Patient
from posterbot.stores.store import Store, StoreError, UnavailableError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

    from posterbot.page.consent import Signal

IN_FLIGHT = 256
"""Images asked for at once; most of them wait for their host's turn."""
SLACK = 64 * 1024
"""Bytes that an answer may have more than the image it should bring: some servers compress them, in vain."""
SAID_SECONDS = 0.5
"""Between two lines that say how far it has come."""

_ARGUMENTS = ("wanted", "out")
_GONE = frozenset({Reason.HTTP_404, Reason.HTTP_403, Reason.HTTP_4XX, Reason.HTTP_OTHER})
_REFUSED = frozenset({Reason.ROBOTS_TXT, Reason.OPTED_OUT, Reason.PRIVATE_ADDRESS, Reason.BAD_URL})


class RefetchSpider(LoneSpider):
    """Asks for each image of the file ``wanted``, one JSON object a line: ``sha256``, ``path``, ``bytes`` and ``url``.

    Everything passes the gate and robots.txt, and opt-outs of host and answer are respected as for a list of URLs. What
    has the sha256 that it should is put into ``IMAGES_STORE``. What became of each is a line of the file ``out``, see
    ``export/link_rot.py``; how far it has come is said on stdout in lines of JSON, the last of which has ``end``.
    """

    name = "refetch"

    def __init__(self, given: dict[str, str], settings: BaseSettings) -> None:
        super().__init__()
        if unknown := sorted(given.keys() - set(_ARGUMENTS)):
            raise ValueError(f"unknown argument -a {unknown[0]}: refetch takes {', '.join(_ARGUMENTS)}")
        self._wanted, self._out = Path(given["wanted"]), Path(given["out"])
        self.arguments = {"urls": given["wanted"]}  # by which the guard knows that nobody has named an address here
        self._problem = ""
        self._done = self._bytes = 0
        self._said = 0.0
        self._retries, self._backoff = settings.getint("RETRY_TIMES"), settings.getfloat("RETRY_BACKOFF")
        try:
            self._opt_outs = OptOuts(settings)
            self._store: Store = Patient(open_store(settings["IMAGES_STORE"], settings, "--store"))
        except ValueError as error:
            self._problem = str(error)  # said in one line at the end, and nothing is asked

    @classmethod
    def from_crawler(cls, crawler: Crawler, *_: Any, **kwargs: Any) -> RefetchSpider:
        """Scrapy's construction door. Raises ValueError."""
        spider = cls({name: str(value) for name, value in kwargs.items()}, crawler.settings)
        spider._set_crawler(crawler)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """All images, IN_FLIGHT at a time; no request goes by Scrapy's scheduler."""
        self._files = TdmFiles.from_crawler(self.crawler)
        under_way: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(8, "store")
        try:
            with self._out.open("a", encoding="utf-8", newline="") as self._file:
                for image in self._images():
                    if self._problem:
                        break
                    while len(under_way) >= IN_FLIGHT:
                        _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                    under_way.add(asyncio.ensure_future(self._one(image)))
                await asyncio.gather(*under_way)
        except Stopping:
            pass
        finally:
            for task in under_way:
                task.cancel()
            self._threads.shutdown(cancel_futures=True)
            if not self._problem:
                self._store.close()
        return
        yield

    def closed(self, reason: str) -> None:
        """Scrapy calls this at the end."""
        self._say({"end": reason, "problem": self._problem})

    def _images(self) -> Iterator[dict[str, Any]]:
        if self._problem:
            return
        with self._wanted.open(encoding="utf-8") as file:
            for text in file:
                yield json.loads(text)

    async def _one(self, image: dict[str, Any]) -> None:
        found = await self._settled(image)
        if self._problem:
            return
        self._file.write(line(image["sha256"], found, image["url"]))
        self._file.flush()
        self._done += 1
        if time.monotonic() - self._said > SAID_SECONDS:
            self._said = time.monotonic()
            self._say({})

    async def _settled(self, image: dict[str, Any]) -> Found:
        """Ask, and again what may pass."""
        for tries in range(self._retries + 1):
            found = await self._ask(image)
            if self._problem or found.reason not in PASSING or tries == self._retries:
                break
            await asyncio.sleep(backoff(tries + 1, self._backoff))
        return found

    async def _ask(self, image: dict[str, Any]) -> Found:
        if (refused := await self._refused(image["url"])) is not None:
            return refused
        headers = {"Accept": "image/avif,image/webp,image/*;q=0.9,*/*;q=0.1"}
        meta = {"allow_offsite": True, "download_maxsize": image["bytes"] + SLACK}
        try:
            request = Request(image["url"], headers=headers, meta=meta, callback=NO_CALLBACK)
            assert self.crawler.engine is not None
            response = await self.crawler.engine.download_async(request)
        except Stopping:
            raise
        except Exception as error:
            return self._failed(error)
        if (refused := await self._refused(response.url, response)) is not None:
            return refused
        if (reason := reason_of_response(response)) is not None:
            return Found(Status.GONE if reason in _GONE else Status.FAILED, f"HTTP status {response.status}", reason)
        return await self._kept(image, response.body)

    async def _kept(self, image: dict[str, Any], data: bytes) -> Found:
        self._bytes += len(data)
        if hashlib.sha256(data).hexdigest() != image["sha256"]:
            return Found(Status.CHANGED, f"{len(data)} bytes, were {image['bytes']}")
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._threads, self._store.put_if_absent, image["path"], data)
        except (StoreError, UnavailableError) as error:
            self._problem = str(error)
        return Found(Status.SAME)

    async def _refused(self, url: str, response: Response | None = None) -> Found | None:
        """What forbids to use the image: its host's tdmrep.json, and what its answer says."""
        file = await self._files.signal(url)
        said: tuple[Signal, ...] = () if file is None else (file,)
        if response is not None:
            said = self._opt_outs.image_signals(response.headers, url, file)
        signal = self._opt_outs.decide(image=said).signal
        return None if signal is None else Found(Status.REFUSED, f"opted_out: {signal}", Reason.OPTED_OUT)

    def _failed(self, error: Exception) -> Found:
        reason = reason_of_failure(error)
        if reason is Reason.NO_CONTACT:
            self._problem = str(error)
        if reason is Reason.TOO_MANY_BYTES:
            return Found(Status.CHANGED, "more bytes than it had", reason)
        return Found(Status.REFUSED if reason in _REFUSED else Status.FAILED, reason.value, reason)

    def _say(self, more: dict[str, str]) -> None:
        sys.stdout.write(json.dumps({"done": self._done, "bytes": self._bytes, **more}) + "\n")
        sys.stdout.flush()
