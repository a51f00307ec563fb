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

from scrapy import signals
from scrapy.exceptions import DropItem
from scrapy.pipelines.images import ImagesPipeline

from models.registry import DEFAULT
from models.scorer import Scorer
from posterbot.catalogue.placeholders import is_own, placeholders
from posterbot.catalogue.policies import GoingOn, going_on
from posterbot.catalogue.records import Image, Outcome, Policy
from posterbot.catalogue.runs import FINISHED
from posterbot.filters.size import MinimumSize
from posterbot.frontier.forgotten import image_forgotten
from posterbot.frontier.session import Session
from posterbot.frontier.turn import Stopping
from posterbot.pipelines.ending import Ending
from posterbot.pipelines.keeping import Keeping
from posterbot.pipelines.looking import Looking
from posterbot.pipelines.reward import Reward
from posterbot.pipelines.seen import Seen
from posterbot.reasons import Reason
from posterbot.steering.control import Control
from posterbot.steering.display import in_words
from posterbot.steering.labels import PolicyError
from posterbot.steering.loading import find
from posterbot.stores.opening import SCHEMES

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from posterbot.filters.consent import OptOuts
    from posterbot.filters.gates import Gated
    from posterbot.items import PageItem
    from posterbot.page import Candidate
    from posterbot.page.consent import Signal
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
        session = crawler.get_extension(Session)
        assert session is not None
        self.session = session
        self.quality = settings.getbool("QUALITY_GATES")
        assert crawler.stats is not None
        self.stats = crawler.stats
        self.ending = Ending(session, settings.getint("RETRY_TIMES"), settings.getfloat("RETRY_BACKOFF"))
        crawler.signals.connect(self.spider_closed, signals.spider_closed)

    def open_spider(self, spider: Any = None) -> None:
        """Start the scorer, and record the policy."""
        super().open_spider()
        asked: Any = self.spiderinfo.spider  # whichever spider it is, it brings policy and arguments
        self.policy: LivePolicy = asked.policy
        self.opt_outs: OptOuts = asked.opt_outs
        self.session.open(asked)
        self.recorder = self.session.recorder
        self.keeping = Keeping(self.crawler.settings, self.recorder)
        self.reward = Reward(self.recorder)
        name = asked.arguments.get("model", DEFAULT)
        known = self._go_on(name)
        self.keeping.judged_by(self.policy.current, self.recorder.policy(self.policy.current))
        self.policy.listeners.append(self._policy_changed)
        self.scorer = Scorer(
            self.policy.classifier,
            wanted=MinimumSize(self.min_width, self.min_height).accepts,
            capacity=self.crawler.settings.getint("IMAGES_IN_FLIGHT"),
            max_pixels=self.crawler.settings.getint("IMAGES_MAX_PIXELS"),
        )
        self.looking = Looking(self.crawler, self.session, self.scorer, self.keeping, asked)
        self.control = Control(self.crawler, self.session, self.policy, self.keeping.number_of, name, known)
        self._seen: OrderedDict[str, asyncio.Future[Seen]] = OrderedDict()

    def _go_on(self, name: str) -> int:
        """Put in force what the run is judged by, and return its number, 0 in a new run. Model ``name`` was asked for.

        What was changed while the run went on stays so for who joins it, or resumes it, with its arguments.
        """
        wanted = self.policy.current
        found: GoingOn = self.recorder.call(going_on, (self.recorder.run_id, wanted), urgent=True).result()
        if found.newest is None:
            return 0
        policy, model = found.policy(wanted), None
        if policy.model.hash != wanted.model.hash:
            try:
                model = find(policy.model, [policy.model.name, name])
            except PolicyError as error:
                logger.error("policy %d is not followed: %s", found.newest.number, error)
                assert found.asked is not None  # else the newest decides alike, by the same model
                policy = found.asked.policy
        if policy is found.newest.policy and found.asked is not None and found.asked.number != found.newest.number:
            who = f"{policy.author} ({policy.origin})"
            logger.warning("it goes on with policy %d of %s: %s", found.newest.number, who, in_words(policy))
        self.policy.follow(policy, model)
        return found.newest.number

    async def spider_closed(self, reason: str) -> None:
        """All items are through: stop the scorer, and let the store have what waits for it."""
        self.control.close()
        await asyncio.to_thread(self.scorer.close)
        await self.keeping.uploads.close(drain=reason == FINISHED)

    def _policy_changed(self, policy: Policy) -> None:
        self.scorer.model = self.policy.classifier
        number = self.recorder.policy(policy)
        self.session.watch(number)
        self.keeping.judged_by(policy, number)
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
        looking = asyncio.ensure_future(self._see_all(item))
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

    async def _see_all(self, item: PageItem) -> list[tuple[Outcome, dict[str, Any]]]:
        refused = self.opt_outs.decide(item.signals).signal
        if refused is None:
            asked = [c.url for n, c in enumerate(item.candidates) if n not in item.gated or item.gated[n].explored]
            if strangers := [url for url in asked if url not in self._seen]:
                await self.looking.look_up(strangers)
        new: list[Image] = []
        found = await asyncio.gather(
            *(self._see(each, item, item.gated.get(n), refused, new) for n, each in enumerate(item.candidates))
        )
        await self.reward.count(item, new)
        return found

    async def _see(
        self, candidate: Candidate, item: PageItem, gated: Gated | None, refused: Signal | None, new: list[Image]
    ) -> tuple[Outcome, dict[str, Any]]:
        """What becomes of a candidate. A picture that is kept, and was looked at for this page, is added to ``new``."""
        if refused is not None:
            seen = Seen(reason=Reason.OPTED_OUT, evidence=str(refused))
        elif gated is not None and not gated.explored:
            seen = Seen(reason=gated.reason)
        else:
            seen, first = await self._remembered(candidate, item)
            if seen.keep and self.quality and await self._stands_in(seen, candidate, item):
                assert seen.verdict is not None
                seen = replace(seen, verdict=replace(seen.verdict, keep=False, reason=Reason.PLACEHOLDER))
            if first and seen.keep and seen.image is not None:
                new.append(seen.image)
        self._count(seen)
        gate = seen.gate if gated is None or not gated.explored else gated.reason
        return seen.outcome(candidate, item.page, item.claim, gate), seen.result(candidate)

    async def _stands_in(self, seen: Seen, candidate: Candidate, item: PageItem) -> bool:
        """Has it been the poster of so many films that it is none?"""
        assert seen.image is not None
        asked = seen.image.sha256, is_own(candidate.found_by, candidate.alt, item.page, item.claim)
        return await asyncio.wrap_future(self.recorder.call(placeholders, asked))

    async def _remembered(self, candidate: Candidate, item: PageItem) -> tuple[Seen, bool]:
        """What is seen, and whether it was looked at for this page, and not known before."""
        task = self._seen.get(candidate.url)
        first = task is None
        if task is None:
            task = self._seen[candidate.url] = asyncio.ensure_future(self.looking.look(candidate, item))
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        seen = await task
        if first and seen.embedding is not None and self._seen.get(candidate.url) is task:
            # It is recorded once; ten thousand of them would be 25 MB.
            remembered: asyncio.Future[Seen] = asyncio.get_running_loop().create_future()
            remembered.set_result(replace(seen, embedding=None))
            self._seen[candidate.url] = remembered
        if seen.image is not None and await image_forgotten(self.session, seen.image.sha256):
            seen = Seen(reason=Reason.FORGOTTEN)  # since it was remembered, perhaps
        new = first and seen.scores is not None and not seen.known
        if new and item.ticket is not None:
            item.ticket.new_images += 1
        return seen, new

    def _count(self, seen: Seen) -> None:
        self.stats.inc_value("posterbot/images")
        self.stats.inc_value("posterbot/kept" if seen.keep else "posterbot/dropped")
        if not seen.keep:
            self.stats.inc_value(f"posterbot/dropped/{seen.why}")
