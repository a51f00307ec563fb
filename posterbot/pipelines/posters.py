"""The images pipeline: every candidate of a page becomes exactly one recorded outcome.

The event loop only passes things on: header check, hash, decoding and inference run in the scorer's processes, writing
on a store thread, SQL on the recorder's thread. At most ``IMAGES_IN_FLIGHT`` images are between their request and
their bytes being stored or let go, so slow scoring or a slow disk slows the downloader instead of filling memory; a
page is out of the frontier until it and all its outcomes are committed as one, which in turn slows new pages.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.exceptions import DropItem
from scrapy.http.request import NO_CALLBACK
from scrapy.pipelines.images import ImagesPipeline

from models.analysis import ScoreError
from models.decode import ImageProblem
from models.scorer import Scorer
from posterbot.catalogue.records import Image, Outcome, Policy
from posterbot.catalogue.runs import FINISHED, policy_in_force
from posterbot.filters.relevance import Verdict, judge
from posterbot.filters.size import MinimumSize
from posterbot.frontier.forgotten import image_forgotten
from posterbot.frontier.host import backoff
from posterbot.frontier.limits import transfers_of
from posterbot.frontier.session import STORE_FAILED, Session
from posterbot.frontier.turn import Stopping
from posterbot.page import FoundBy
from posterbot.pipelines.ending import Ending
from posterbot.pipelines.fetch import reason_of_failure, reason_of_response
from posterbot.pipelines.in_flight import InFlight
from posterbot.pipelines.keeping import Keeping
from posterbot.pipelines.seen import Seen
from posterbot.reasons import PASSING, Reason
from posterbot.stores.opening import SCHEMES
from posterbot.stores.spool import SpoolFullError
from posterbot.stores.store import StoreError, UnavailableError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from sqlalchemy import Connection

    from models.analysis import Analysis
    from models.decode import Header
    from posterbot.items import PageItem
    from posterbot.page import Candidate
    from posterbot.steering.live import LivePolicy

logger = logging.getLogger(__name__)

ALTERNATIVES = 2
"""Other files of the same picture that are tried where the best cannot be had."""
REMEMBERED = 10_000
"""URLs whose outcome of this run is remembered, so that a logo on every page is fetched once."""


class PosterPipeline(ImagesPipeline):
    """Scrapy's images pipeline with a network for a judge and a catalogue for a memory.

    Raises:
        StoreError: on opening, where the settings point to something unusable.
    """

    STORE_SCHEMES: ClassVar[dict[str, Any]] = dict(SCHEMES)

    def __init__(self, store_uri: str, *, crawler: Crawler) -> None:
        super().__init__(store_uri, crawler=crawler)
        settings = crawler.settings
        self.large_enough = MinimumSize(self.min_width, self.min_height)
        self.images_in_flight = settings.getint("IMAGES_IN_FLIGHT")
        self.max_bytes = settings.getint("IMAGES_MAX_BYTES")
        self.max_pixels = settings.getint("IMAGES_MAX_PIXELS")
        self.max_bytes_in_flight = settings.getint("IMAGES_BYTES_IN_FLIGHT")
        self.per_host = transfers_of(settings)
        self.retries = settings.getint("RETRY_TIMES")
        self.retry_backoff = settings.getfloat("RETRY_BACKOFF")
        session = crawler.get_extension(Session)
        assert session is not None
        self.session = session
        assert crawler.stats is not None
        self.stats = crawler.stats
        self.ending = Ending(session, self.retries, self.retry_backoff)
        crawler.signals.connect(self.spider_closed, signals.spider_closed)

    def open_spider(self, spider: Any = None) -> None:
        """Start the scorer, and record the policy."""
        super().open_spider()
        asked: Any = self.spiderinfo.spider  # whichever spider it is, it brings policy, model and arguments
        self.policy: LivePolicy = asked.policy
        self.session.open(asked)
        self.recorder = self.session.recorder
        self.keeping = Keeping(self.crawler.settings, self.recorder)
        self.policy.current = self.recorder.call(self._policy_in_force, self.policy.current, urgent=True).result()
        self.keeping.judged_by(self.policy.current, self.recorder.policy(self.policy.current))
        self.policy.listeners.append(self._policy_changed)
        self.scorer = Scorer(
            asked.model,
            wanted=self.large_enough.accepts,
            capacity=self.images_in_flight,
            max_pixels=self.max_pixels,
        )
        self._in_flight = InFlight(self.images_in_flight, self.max_bytes_in_flight, self.per_host)
        self._seen: OrderedDict[str, asyncio.Task[Seen]] = OrderedDict()

    def _policy_in_force(self, connection: Connection, calls: list[Policy]) -> list[Policy]:
        return [policy_in_force(connection, self.recorder.run_id, wanted) for wanted in calls]

    async def spider_closed(self, reason: str) -> None:
        """All items are through: stop the scorer, and let the store have what waits for it."""
        await asyncio.to_thread(self.scorer.close)
        await self.keeping.uploads.close(drain=reason == FINISHED)

    def _policy_changed(self, policy: Policy) -> None:
        self.keeping.judged_by(policy, self.recorder.policy(policy))
        # Remembered verdicts are of the old policy, and the bytes they would need are gone.
        self._seen.clear()

    def _get_store(self, uri: str) -> Any:
        return None  # Keeping opens it, once the catalogue is there

    @classmethod
    def _update_stores(cls, settings: BaseSettings) -> None:
        """Scrapy writes its settings into the classes of stores; ours are handed theirs."""

    async def process_item(self, item: PageItem, spider: Any = None) -> PageItem:
        """See to every candidate of the page; returns when the page and all its outcomes are committed, as one."""
        if self.ending.comes_again(item):
            return item
        self.stats.inc_value("posterbot/pages" if item.page.reason is None else "posterbot/pages_failed")
        self.stats.inc_value("posterbot/candidates", len(item.candidates))
        looking = asyncio.gather(*(self._see(candidate, item) for candidate in item.candidates))
        both: set[asyncio.Future[Any]] = {looking, self.session.given_up}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not looking.done():
            looking.cancel()
        try:
            found = await looking
        except (Stopping, asyncio.CancelledError):
            raise DropItem(f"{item.page.url}: stopped; it will be fetched again", log_level="DEBUG") from None
        await self.ending.commit(item, [outcome for outcome, _ in found])
        item.images = [result for _, result in found]
        return item

    def _request(self, url: str, item: PageItem) -> Request:
        referrer = item.page.url if item.page.status is not None else None  # we have not been where a list leads
        return Request(
            url,
            headers={"Accept": "image/avif,image/webp,image/*;q=0.9,*/*;q=0.1", "Referer": referrer},
            meta={"download_maxsize": self.max_bytes, "allow_offsite": True},
            callback=NO_CALLBACK,
        )

    async def _see(self, candidate: Candidate, item: PageItem) -> tuple[Outcome, dict[str, Any]]:
        task = self._seen.get(candidate.url)
        first = task is None
        if task is None:
            task = self._seen[candidate.url] = asyncio.ensure_future(self._look(candidate, item))
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        seen = await task
        if seen.image is not None and await image_forgotten(self.session, seen.image.sha256):
            seen = Seen(reason=Reason.FORGOTTEN)  # since it was remembered, perhaps
        if first and seen.scores is not None and item.ticket is not None:
            item.ticket.new_images += 1
        self._count(seen)
        return seen.outcome(candidate, item.page, item.claim), seen.result(candidate)

    async def _look(self, candidate: Candidate, item: PageItem) -> Seen:
        """The best file of the picture that can be had: links to full files often lead to pages, or nowhere.

        A list names one file, and where to find it should it have moved: that is asked only where it is gone.
        """
        first = await self._look_at(candidate.url, item)
        seen = first
        for url in candidate.alternatives[:ALTERNATIVES]:
            if seen.reason in {None, Reason.NO_CONTACT, Reason.FORGOTTEN}:
                break
            if candidate.found_by is FoundBy.LIST and seen.reason is not Reason.HTTP_404:
                break
            seen = await self._look_at(url, item)
        return first if seen.reason is not None else seen

    async def _look_at(self, url: str, item: PageItem) -> Seen:
        try:
            host = urlsplit(url).netloc
        except ValueError:
            return Seen(reason=Reason.BAD_URL)
        for tries in range(self.retries + 1):
            seen = await self._look_once(url, host, item)
            if seen.reason not in PASSING or tries == self.retries:
                break
            self.stats.inc_value(f"posterbot/retries/{seen.reason}")
            await asyncio.sleep(backoff(tries + 1, self.retry_backoff))
            if self.session.stopping:
                raise Stopping
        return seen

    async def _look_once(self, url: str, host: str, item: PageItem) -> Seen:
        async with self._in_flight.one(host) as slot:
            response = await self._fetch(url, item)
            if isinstance(response, Seen):
                return response
            slot.fetched(len(response.body))
            return await self._examine(response, item)

    async def _fetch(self, url: str, item: PageItem) -> Response | Seen:
        try:
            request = self._request(url, item)
            assert self.crawler.engine is not None
            return await self.crawler.engine.download_async(request)
        except Stopping:
            raise
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
        if await image_forgotten(self.session, analysis.sha256):
            return replace(seen, reason=Reason.FORGOTTEN)
        policy = self.policy.current
        header = analysis.header
        if header is None or analysis.problem is ImageProblem.TRUNCATED:
            assert analysis.problem is not None
            return replace(seen, reason=Reason(analysis.problem))
        verdict = self._verdict(analysis, header, policy)
        path, of_dropped = await self._bytes(response, analysis, header, verdict, policy, item)
        return replace(
            seen,
            image=Image(
                analysis.sha256,
                len(response.body),
                header.format,
                header.width,
                header.height,
                analysis.phash,
                path,
                *(of_dropped or (None, None)),
            ),
            scores=analysis.scores,
            policy=policy,
            verdict=verdict,
        )

    def _verdict(self, analysis: Analysis, header: Header, policy: Policy) -> Verdict:
        if analysis.problem is not None:
            return Verdict(False, Reason(analysis.problem))
        return Verdict(*self.large_enough(header)) if analysis.scores is None else judge(analysis.scores, policy)

    async def _bytes(
        self,
        response: Response,
        analysis: Analysis,
        header: Header,
        verdict: Verdict,
        policy: Policy,
        item: PageItem,
    ) -> tuple[str | None, tuple[str, int] | None]:
        """Path of the original, and path and size of what is kept of a rejected image."""
        judged = (response.body, analysis, header, verdict, policy, {"url": response.url, "page_url": item.page.url})
        if not verdict.keep:
            return None, await self.keeping.drop(*judged)
        try:
            return await self.keeping.keep(*judged), None
        except (StoreError, UnavailableError, SpoolFullError) as error:
            # Nothing of the page is recorded, so that it is fetched again when there is room.
            self.session.lost(error, STORE_FAILED)
            raise Stopping from error

    def _count(self, seen: Seen) -> None:
        self.stats.inc_value("posterbot/images")
        self.stats.inc_value("posterbot/kept" if seen.keep else "posterbot/dropped")
        if not seen.keep:
            self.stats.inc_value(f"posterbot/dropped/{seen.why}")


def _header(response: Response, name: str) -> str:
    return (response.headers.get(name) or b"").decode("latin-1")
