"""The images pipeline: every candidate of a page becomes exactly one recorded outcome.

The event loop only passes things on: header check, hash, decoding and inference run in the scorer's processes, writing
on a store thread, SQL on the recorder's thread. At most ``IMAGES_IN_FLIGHT`` images are between their request and
their bytes being stored or let go, so slow scoring or a slow disk slows the downloader instead of filling memory; a
page counts as busy in Scrapy's scraper until all its outcomes are committed, which in turn slows new pages.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from scrapy import Request, signals
from scrapy.exceptions import DropItem
from scrapy.http.request import NO_CALLBACK
from scrapy.pipelines.images import ImagesPipeline
from scrapy.utils.defer import ensure_awaitable

from models.analysis import ScoreError
from models.decode import ImageProblem
from models.scorer import Scorer
from posterbot import __version__
from posterbot.catalogue.database import CatalogueError, open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Policy
from posterbot.filters.relevance import Verdict, judge
from posterbot.filters.size import MinimumSize
from posterbot.page import FoundBy
from posterbot.pipelines.fetch import reason_of_failure, reason_of_response
from posterbot.pipelines.seen import Seen
from posterbot.reasons import Reason
from posterbot.stores.local import LocalStore, object_path

if TYPE_CHECKING:
    from concurrent.futures import Future

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.pipelines.files import FilesStoreProtocol

    from models.analysis import Analysis
    from models.decode import Header
    from posterbot.items import PageItem
    from posterbot.page import Candidate
    from posterbot.steering.live import LivePolicy

logger = logging.getLogger(__name__)

CATALOGUE_FAILED = "catalogue_failed"
"""Scrapy's finish reason where the catalogue could not be written."""
ALTERNATIVES = 2
"""Other files of the same picture that are tried where the best cannot be had."""
REMEMBERED = 10_000
"""URLs whose outcome of this run is remembered, so that a logo on every page is fetched once."""


class PosterPipeline(ImagesPipeline):
    """Scrapy's images pipeline with a network for a judge and a catalogue for a memory.

    Raises:
        CatalogueError, StoreError: on opening, where the settings point to something unusable.
    """

    STORE_SCHEMES: ClassVar[dict[str, type[FilesStoreProtocol]]] = {
        **ImagesPipeline.STORE_SCHEMES,
        "": LocalStore,  # type: ignore[dict-item]  # Scrapy awaits what persist_file returns, its type does not say so
        "file": LocalStore,  # type: ignore[dict-item]
    }

    def __init__(self, store_uri: str, *, crawler: Crawler) -> None:
        super().__init__(store_uri, crawler=crawler)
        settings = crawler.settings
        self.engine = open_catalogue(settings["CATALOGUE_URL"])
        self.large_enough = MinimumSize(self.min_width, self.min_height)
        self.in_flight = settings.getint("IMAGES_IN_FLIGHT")
        self.max_bytes = settings.getint("IMAGES_MAX_BYTES")
        self.max_pixels = settings.getint("IMAGES_MAX_PIXELS")
        self.per_host = settings.getint("CONCURRENT_REQUESTS")
        assert crawler.stats is not None
        self.stats = crawler.stats
        crawler.signals.connect(self.spider_closed, signals.spider_closed)

    def open_spider(self, spider: Any = None) -> None:
        """Start the scorer and the recorder; the run and its first policy are recorded here."""
        super().open_spider()
        asked: Any = self.spiderinfo.spider  # whichever spider it is, it brings policy, model and arguments
        self.policy: LivePolicy = asked.policy
        self.recorder = Recorder(self.engine, spider=asked.name, arguments=asked.arguments, version=__version__)
        asked.run_id = self.recorder.run_id
        self.recorder.policy(self.policy.current)
        self.policy.listeners.append(self._policy_changed)
        self.scorer = Scorer(
            asked.model,
            wanted=self.large_enough.accepts,
            capacity=self.in_flight,
            max_pixels=self.max_pixels,
        )
        self._slots = asyncio.Semaphore(self.in_flight)
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._seen: OrderedDict[str, asyncio.Task[Seen]] = OrderedDict()
        self._stored: OrderedDict[str, str] = OrderedDict()

    async def spider_closed(self, reason: str) -> None:
        """All items are through: stop the threads and close the run."""
        await asyncio.to_thread(self.scorer.close)
        try:
            await asyncio.to_thread(self.recorder.close, reason)
        except CatalogueError as error:  # most likely what ended the crawl, and has been said
            self._catalogue_lost(error)
        self.engine.dispose()

    def _policy_changed(self, policy: Policy) -> None:
        self.recorder.policy(policy)
        # Remembered verdicts are of the old policy, and the bytes they would need are gone.
        self._seen.clear()

    async def process_item(self, item: PageItem, spider: Any = None) -> PageItem:
        """See to every candidate of the page; returns when all outcomes are committed."""
        self.stats.inc_value("posterbot/pages" if item.page.reason is None else "posterbot/pages_failed")
        self.stats.inc_value("posterbot/candidates", len(item.candidates))
        written = [self.recorder.page(item.page)]
        seen = await asyncio.gather(*(self._see(candidate, item, written) for candidate in item.candidates))
        await self._written(written)
        item.images = list(seen)
        return item

    async def _written(self, commits: list[Future[None]]) -> None:
        """Wait for the commits. What cannot be recorded must not go on being fetched: the crawl ends, with one line."""
        try:
            # The recorder commits in the order it was told: when the last is through, all are.
            await asyncio.wrap_future(commits[-1])
            for commit in commits:
                commit.result()
        except CatalogueError as error:
            if self._catalogue_lost(error):
                assert self.crawler.engine is not None
                self._ending = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason=CATALOGUE_FAILED))
            raise DropItem(str(error)) from None

    def _catalogue_lost(self, error: CatalogueError) -> bool:
        """Say it, once. Was this the first time?"""
        first = not self.stats.get_value(f"posterbot/{CATALOGUE_FAILED}", False)
        if first:
            self.stats.set_value(f"posterbot/{CATALOGUE_FAILED}", True)
            logger.error("%s", error)
        return first

    def _request(self, url: str, item: PageItem) -> Request:
        referrer = item.page.url if item.page.status is not None else None  # we have not been where a list leads
        return Request(
            url,
            headers={"Accept": "image/avif,image/webp,image/*;q=0.9,*/*;q=0.1", "Referer": referrer},
            meta={"download_maxsize": self.max_bytes, "allow_offsite": True},
            callback=NO_CALLBACK,
        )

    async def _see(self, candidate: Candidate, item: PageItem, written: list[Future[None]]) -> dict[str, Any]:
        task = self._seen.get(candidate.url)
        if task is None:
            task = self._seen[candidate.url] = asyncio.ensure_future(self._look(candidate, item))
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        seen = await task
        written.append(self.recorder.outcome(seen.outcome(candidate, item.page, item.claim)))
        self._count(seen)
        return seen.result(candidate)

    async def _look(self, candidate: Candidate, item: PageItem) -> Seen:
        """The best file of the picture that can be had: links to full files often lead to pages, or nowhere.

        A list names one file, and where to find it should it have moved: that is asked only where it is gone.
        """
        first = await self._look_at(candidate.url, item)
        seen = first
        for url in candidate.alternatives[:ALTERNATIVES]:
            if seen.reason is None or seen.reason is Reason.NO_CONTACT:
                break
            if candidate.found_by is FoundBy.LIST and seen.reason is not Reason.HTTP_404:
                break
            seen = await self._look_at(url, item)
        return first if seen.reason is not None else seen

    async def _look_at(self, url: str, item: PageItem) -> Seen:
        # A slow host may wait for its turn with a few images, not with all the slots there are.
        try:
            host = urlsplit(url).netloc
        except ValueError:
            return Seen(reason=Reason.BAD_URL)
        gate = self._hosts.get(host)
        if gate is None:
            gate = self._hosts[host] = asyncio.Semaphore(self.per_host)
        async with gate:
            await self._slots.acquire()
            try:
                response = await self._fetch(url, item)
            except BaseException:
                self._slots.release()
                raise
        try:
            return response if isinstance(response, Seen) else await self._examine(response, item)
        finally:
            self._slots.release()

    async def _fetch(self, url: str, item: PageItem) -> Response | Seen:
        try:
            request = self._request(url, item)
            assert self.crawler.engine is not None
            return await self.crawler.engine.download_async(request)
        except Exception as error:
            reason = reason_of_failure(error)
            logger.debug("%s: %s: %s", url, reason, error)
            return Seen(reason=reason)

    async def _examine(self, response: Response, item: PageItem) -> Seen:
        self.stats.inc_value("posterbot/bytes", len(response.body))
        seen = Seen(
            final_url=response.url,
            http_status=response.status,
            content_type=_header(response, "Content-Type"),
            etag=_header(response, "ETag"),
            last_modified=_header(response, "Last-Modified"),
            reason=reason_of_response(response),
        )
        if seen.reason is not None:
            return seen
        try:
            analysis = await asyncio.wrap_future(self.scorer.submit(response.body))
        except ScoreError as error:
            logger.error("%s: %s", response.url, error)
            return replace(seen, reason=Reason.SCORE_FAILED)
        policy = self.policy.current
        header = analysis.header
        if header is None or analysis.problem is ImageProblem.TRUNCATED:
            assert analysis.problem is not None
            return replace(seen, reason=Reason(analysis.problem))
        verdict = self._verdict(analysis, header, policy)
        path = None
        if verdict.keep:
            try:
                path = await self._store(analysis.sha256, header, response, item)
            except Exception as error:
                logger.error("IMAGES_STORE: could not store %s: %s", response.url, error)
                verdict = replace(verdict, keep=False, reason=Reason.STORE_FAILED)
        return replace(
            seen,
            image=Image(
                analysis.sha256, len(response.body), header.format, header.width, header.height, analysis.phash, path
            ),
            scores=analysis.scores,
            policy=policy,
            verdict=verdict,
        )

    def _verdict(self, analysis: Analysis, header: Header, policy: Policy) -> Verdict:
        if analysis.problem is not None:
            return Verdict(False, Reason(analysis.problem))
        return Verdict(*self.large_enough(header)) if analysis.scores is None else judge(analysis.scores, policy)

    async def _store(self, sha256: str, header: Header, response: Response, item: PageItem) -> str:
        path = object_path(sha256, header.extension)
        if sha256 not in self._stored:
            await ensure_awaitable(
                self.store.persist_file(
                    path,
                    BytesIO(response.body),
                    self.spiderinfo,
                    meta={"url": response.url, "page_url": item.page.url},
                    headers={"Content-Type": header.media_type},
                )
            )
            self._stored[sha256] = path
            if len(self._stored) > REMEMBERED:
                self._stored.popitem(last=False)
        return path

    def _count(self, seen: Seen) -> None:
        self.stats.inc_value("posterbot/images")
        self.stats.inc_value("posterbot/kept" if seen.keep else "posterbot/dropped")
        if not seen.keep:
            self.stats.inc_value(f"posterbot/dropped/{seen.why}")


def _header(response: Response, name: str) -> str:
    return (response.headers.get(name) or b"").decode("latin-1")
