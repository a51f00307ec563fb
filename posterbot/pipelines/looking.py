"""From the address of an image to what becomes of it: fetch, consent, scores, verdict, bytes."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from models.analysis import ScoreError
from models.decode import ImageProblem
from models.quality import Quality
from posterbot.catalogue.known import known_images
from posterbot.catalogue.records import Image
from posterbot.filters.quality import good_enough
from posterbot.filters.relevance import Verdict, judge
from posterbot.filters.size import MinimumSize
from posterbot.frontier.forgotten import image_forgotten
from posterbot.frontier.host import backoff
from posterbot.frontier.limits import transfers_of
from posterbot.frontier.session import STORE_FAILED
from posterbot.frontier.turn import Stopping
from posterbot.page import FoundBy
from posterbot.pipelines.early_stop import EXPLORED, IMAGE, STOPPED
from posterbot.pipelines.fetch import reason_of_failure, reason_of_response
from posterbot.pipelines.in_flight import InFlight
from posterbot.pipelines.reward import note_answer, note_failure
from posterbot.pipelines.seen import Seen
from posterbot.reasons import PASSING, Reason
from posterbot.stores.spool import SpoolFullError
from posterbot.stores.store import StoreError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from models.analysis import Analysis
    from models.decode import Header
    from models.scorer import Scorer
    from posterbot.catalogue.known import Known
    from posterbot.catalogue.records import Policy
    from posterbot.filters.consent import OptOuts
    from posterbot.frontier.session import Session
    from posterbot.items import PageItem
    from posterbot.page import Candidate
    from posterbot.page.consent import Signal
    from posterbot.pipelines.keeping import Keeping
    from posterbot.steering.live import LivePolicy

logger = logging.getLogger(__name__)

REMEMBERED = 10_000
"""URLs of which it is remembered what the catalogue knows."""
ALTERNATIVES = 2
"""Other files of the same picture that are tried where the best cannot be had."""
_SETTLED = {
    None,
    Reason.NO_CONTACT,
    Reason.FORGOTTEN,
    Reason.OPTED_OUT,
    Reason.TOO_SMALL,
    Reason.TOO_MANY_PIXELS,
    Reason.EXTREME_ASPECT,
}
"""Another file of the same picture would be no better."""


class Looking:
    """Looks at images, one by one, for one crawl. Belongs to the event loop.

    Args:
        crawler: its engine fetches.
        session: of the crawl.
        scorer: scores.
        keeping: sees to the bytes.
        spider: brings the policy and what opt-outs are respected.
    """

    def __init__(self, crawler: Crawler, session: Session, scorer: Scorer, keeping: Keeping, spider: Any) -> None:
        settings = crawler.settings
        self._crawler, self._session, self._scorer, self._keeping = crawler, session, scorer, keeping
        self._policy: LivePolicy = spider.policy
        self._opt_outs: OptOuts = spider.opt_outs
        assert crawler.stats is not None
        self._stats = crawler.stats
        self._large_enough = MinimumSize(settings.getint("IMAGES_MIN_WIDTH"), settings.getint("IMAGES_MIN_HEIGHT"))
        self._max_bytes = settings.getint("IMAGES_MAX_BYTES")
        self._quality = settings.getbool("QUALITY_GATES")
        self._retries, self._backoff = settings.getint("RETRY_TIMES"), settings.getfloat("RETRY_BACKOFF")
        self._catalogued: OrderedDict[str, tuple[str, Known]] = OrderedDict()
        """URL → hash of the model that was in force when the catalogue was asked, and what it knew."""
        self._in_flight = InFlight(
            settings.getint("IMAGES_IN_FLIGHT"), settings.getint("IMAGES_BYTES_IN_FLIGHT"), transfers_of(settings)
        )

    async def look_up(self, urls: Sequence[str]) -> None:
        """Have the catalogue say what it knows of these, before they are looked at: all of a page at once."""
        model = self._policy.current.model.hash
        known = await asyncio.wrap_future(self._session.recorder.call(known_images, (tuple(urls), model)))
        for url in urls:
            self._catalogued.pop(url, None)
        self._catalogued.update((url, (model, found)) for url, found in known.items())
        while len(self._catalogued) > REMEMBERED:
            self._catalogued.popitem(last=False)

    async def look(self, candidate: Candidate, item: PageItem) -> Seen:
        """The best file of the picture that can be had: links to full files often lead to pages, or nowhere.

        A list names one file, and where to find it should it have moved: that is asked only where it is gone.
        """
        first = await self._look_at(candidate.url, item)
        seen = first
        for url in candidate.alternatives[:ALTERNATIVES]:
            if seen.reason in _SETTLED:
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
        for tries in range(self._retries + 1):
            seen = await self._look_once(url, host, item)
            if seen.reason not in PASSING or tries == self._retries:
                break
            self._stats.inc_value(f"posterbot/retries/{seen.reason}")
            await asyncio.sleep(backoff(tries + 1, self._backoff))
            if self._session.stopping:
                raise Stopping
        return seen

    async def _look_once(self, url: str, host: str, item: PageItem) -> Seen:
        async with self._in_flight.one(host) as slot:
            run, again = await self._known(url)
            if again is not None and run == self._session.recorder.run_id:
                self._stats.inc_value("posterbot/images_known")
                return again
            if (refused := await self._refused(url)) is not None:
                return Seen(reason=Reason.OPTED_OUT, evidence=str(refused))
            response = await self._fetch(url, item, again)
            if again is not None and not isinstance(response, Seen) and response.status == 304:
                _, again = await self._known(url)  # judged by what is in force now
                if again is None:  # and that takes the bytes
                    response = await self._fetch(url, item, None)
            if isinstance(response, Seen):
                return response
            slot.fetched(len(response.body))
            if (refused := await self._refused(response.url, response)) is not None:
                return replace(_answered(response), reason=Reason.OPTED_OUT, evidence=str(refused))
            if response.status == 304 and again is not None:
                self._stats.inc_value("posterbot/images_known")
                return again
            return await self._examine(response, item)

    async def _refused(self, url: str, response: Response | None = None) -> Signal | None:
        """What forbids to use the image: its host's tdmrep.json, and what its answer says."""
        file = await self._session.tdm_signal(url)
        if response is not None:
            said = self._opt_outs.image_signals(response.headers, url, file)
        else:
            said = () if file is None else (file,)
        return self._opt_outs.decide(image=said).signal

    async def _known(self, url: str) -> tuple[int, Seen | None]:
        """The run that last saw it, and the verdict without the bytes; None where they are needed."""
        while (found := self._catalogued.get(url)) is not None:
            model, known = found
            if model != self._policy.current.model.hash:  # it was asked for the scores of another
                await self.look_up([url])
                continue
            if known.scores is None or await image_forgotten(self._session, known.image.sha256):
                break
            policy = self._policy.current
            if model != policy.model.hash:
                continue
            verdict = self._verdict(known.image, known.scores, policy)
            if verdict.keep and known.image.path is None:
                break
            return known.run, Seen(
                final_url=known.final_url,
                http_status=200,
                content_type=known.content_type,
                etag=known.etag,
                last_modified=known.last_modified,
                image=known.image,
                scores=known.scores,
                policy=policy,
                verdict=verdict,
                known=True,
            )
        return 0, None

    async def _fetch(self, url: str, item: PageItem, known: Seen | None) -> Response | Seen:
        """The answer, or why there is none; of what is ``known`` only whether it has changed."""
        referrer = item.page.url if item.page.status is not None else None  # we have not been where a list leads
        headers = {"Accept": "image/avif,image/webp,image/*;q=0.9,*/*;q=0.1", "Referer": referrer}
        if known is not None and known.final_url == url:
            if known.etag:
                headers["If-None-Match"] = known.etag
            if known.last_modified:
                headers["If-Modified-Since"] = known.last_modified
        meta = {"download_maxsize": self._max_bytes, "allow_offsite": True, IMAGE: True}
        try:
            request = Request(url, headers=headers, meta=meta, callback=NO_CALLBACK)
            assert self._crawler.engine is not None
            response = await self._crawler.engine.download_async(request)
        except Stopping:
            raise
        except Exception as error:
            reason = reason_of_failure(error)
            note_failure(item.ticket, reason)
            logger.debug("%s: %s: %s", url, reason, error)
            return Seen(reason=reason)
        note_answer(item.ticket, response)
        return response

    async def _examine(self, response: Response, item: PageItem) -> Seen:
        self._stats.inc_value("posterbot/bytes", len(response.body))
        seen = replace(_answered(response), reason=reason_of_response(response) or response.meta.get(STOPPED))
        if seen.reason is not None:
            return seen
        try:
            analysis, policy = await self._scored(response.body)
        except ScoreError as error:
            logger.error("%s: %s", response.url, error)
            return replace(seen, reason=Reason.SCORE_FAILED)
        if await image_forgotten(self._session, analysis.sha256):
            return replace(seen, reason=Reason.FORGOTTEN)
        header = analysis.header
        if header is None or analysis.problem is ImageProblem.TRUNCATED:
            assert analysis.problem is not None
            return replace(seen, reason=Reason(analysis.problem))
        seen = replace(seen, gate=response.meta.get(EXPLORED))
        quality = analysis.quality
        image = Image(
            analysis.sha256,
            len(response.body),
            header.format,
            header.width,
            header.height,
            analysis.phash,
            quality=None if quality is None else (quality.sharpness, quality.spread, quality.entropy),
        )
        if analysis.problem is not None:
            verdict = Verdict(False, Reason(analysis.problem))
        elif analysis.scores is None:
            verdict = Verdict(*self._large_enough(header))
        else:
            verdict = self._verdict(image, analysis.scores, policy)
        image = await self._with_bytes(image, response, analysis, header, verdict, policy, item)
        return replace(
            seen, image=image, scores=analysis.scores, embedding=analysis.embedding, policy=policy, verdict=verdict
        )

    async def _scored(self, data: bytes) -> tuple[Analysis, Policy]:
        """What the scorer says, and the policy in force when it says it: the one that judges, whatever comes later.

        Raises ScoreError.
        """
        while True:
            before = self._policy.current
            analysis = await asyncio.wrap_future(self._scorer.submit(data))
            policy = self._policy.current
            if analysis.model is None or analysis.model == policy.model.hash:
                return analysis, policy
            if policy is before:
                raise ScoreError(f"the files of model {policy.model.name} are not what they were when it was loaded")
            self._stats.inc_value("posterbot/scored_again")  # the model was swapped meanwhile

    def _verdict(self, image: Image, scores: np.ndarray, policy: Policy) -> Verdict:
        verdict = judge(scores, policy)
        if verdict.keep and self._quality and image.quality is not None:
            good, reason = good_enough(Quality(*image.quality))
            if not good:
                return replace(verdict, keep=False, reason=reason)
        return verdict

    async def _with_bytes(
        self,
        image: Image,
        response: Response,
        analysis: Analysis,
        header: Header,
        verdict: Verdict,
        policy: Policy,
        item: PageItem,
    ) -> Image:
        judged = (response.body, analysis, header, verdict, policy, {"url": response.url, "page_url": item.page.url})
        if not verdict.keep:
            path, size = await self._keeping.drop(*judged) or (None, None)
            return replace(image, dropped_path=path, dropped_bytes=size)
        try:
            return replace(image, path=await self._keeping.keep(*judged))
        except (StoreError, UnavailableError, SpoolFullError) as error:
            # Nothing of the page is recorded, so that it is fetched again when there is room.
            self._session.lost(error, STORE_FAILED)
            raise Stopping from error


def _answered(response: Response) -> Seen:
    return Seen(
        final_url=response.url,
        http_status=response.status,
        content_type=_header(response, "Content-Type"),
        etag=_header(response, "ETag"),
        last_modified=_header(response, "Last-Modified"),
    )


def _header(response: Response, name: str) -> str:
    return (response.headers.get(name) or b"").decode("latin-1")
