"""The gates before any request, as a spider middleware: each page's item leaves with what the gates say of its images.

What the gates learn, which shapes of addresses never give anything, is counted in the catalogue, so that all workers
know it, and the next run. A page with pictures of a shape that is just being tried waits for what comes of those:
otherwise a hundred pages would have asked for all of theirs before anything was learned.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from scrapy import signals

from posterbot.catalogue.database import CatalogueError
from posterbot.catalogue.image_patterns import Key, Looked, count_patterns, read_patterns
from posterbot.catalogue.records import Page, Policy
from posterbot.catalogue.rows import source_of
from posterbot.filters.barren import Barren
from posterbot.filters.gates import EXPLORE, GATES, Gated, Gates, GateSettings
from posterbot.frontier.again import AGAIN
from posterbot.frontier.session import Session
from posterbot.items import PageItem
from posterbot.page import Candidate
from posterbot.reasons import Reason

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

logger = logging.getLogger(__name__)

AT_ONCE = 100
"""Candidates that are judged in the event loop, in 2 to 5 ms; more go to a thread."""
LONGEST_RULE = 200
"""Characters."""
PATIENCE_SECONDS = 300.0
"""So long a page waits for what comes of pictures like its own."""
LOOK_SECONDS = 1.0
"""How often it looks whether the crawl is being stopped."""

# What the request gave was no picture, and will not be one the next time.
_LOOKED_AT = frozenset(
    {
        Reason.HTTP_404,
        Reason.HTML,
        Reason.EMPTY,
        Reason.NOT_AN_IMAGE,
        Reason.UNSUPPORTED_FORMAT,
        Reason.TOO_SMALL,
        Reason.EXTREME_ASPECT,
        Reason.NOT_RELEVANT,
        Reason.BLURRED,
        Reason.FLAT,
        Reason.PLACEHOLDER,
    }
)


def gate_settings(settings: BaseSettings) -> GateSettings:
    """``GATES``, ``EXPLORE``, ``IMAGES_MIN_WIDTH`` and ``IMAGES_MIN_HEIGHT``, checked.

    Raises:
        ValueError: one line on what is wrong, and with which setting.
    """
    names = [name for name in map(str.strip, settings.getlist("GATES", list(GATES))) if name]
    for name in names:
        if name not in GATES:
            raise ValueError(f"GATES has no gate {name!r}: give some of {', '.join(GATES)}, or none")
    try:
        explore = float(settings.get("EXPLORE", EXPLORE))
    except (TypeError, ValueError):
        explore = -1.0
    if not 0 <= explore <= 1:
        raise ValueError(f"EXPLORE must be a number from 0 to 1, such as 0.02, not {settings.get('EXPLORE')!r}")
    on = tuple(gate for gate in GATES if gate in names)
    return GateSettings(on, explore, settings.getint("IMAGES_MIN_WIDTH"), settings.getint("IMAGES_MIN_HEIGHT"))


class GatingMiddleware:
    """Scrapy spider middleware. Fills in ``PageItem.gated``, and learns from what became of the images.

    Raises:
        ValueError: on construction, as :func:`gate_settings`.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._settings = gate_settings(crawler.settings)
        self._policy: Policy | None = None
        self._begun: dict[int, tuple[PageItem, Barren, tuple[tuple[str, str], ...]]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._news = asyncio.Event()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GatingMiddleware:
        """Scrapy's construction door."""
        middleware = cls(crawler)
        if Reason.BARREN_PATTERN in middleware._settings.on:
            crawler.signals.connect(middleware.seen, signals.item_scraped)
            crawler.signals.connect(middleware.done_with, signals.item_dropped)
            crawler.signals.connect(middleware.done_with, signals.item_error)
        return middleware

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Pass on what the spider found, each page with what the gates say; what is asked for again is not gated."""
        async for found in result:
            if isinstance(found, PageItem) and found.candidates and self._settings.on and AGAIN not in response.meta:
                self._follow_policy()
                if Reason.BARREN_PATTERN in self._settings.on:
                    await self._judge_in_turn(found)
                else:
                    found.gated = await self._judge(found.candidates, found.page)
            yield found

    async def _judge_in_turn(self, item: PageItem) -> None:
        """The pages of a site one after the other, each once it is known what came of pictures like its own."""
        barren = self._barren
        await self._learn(barren, barren.strangers(candidate.url for candidate in item.candidates))
        host = source_of(item.page.url, "")
        turn = self._turns.get(host)
        if turn is None:
            turn = self._turns[host] = asyncio.Lock()
        async with turn:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while True:
                news = self._news
                item.gated = await self._judge(item.candidates, item.page)
                asked = [
                    candidate.url
                    for index, candidate in enumerate(item.candidates)
                    if index not in item.gated or item.gated[index].explored
                ]
                if self._session.stopping or time.monotonic() > deadline or not barren.undecided(asked):
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), LOOK_SECONDS)
            self._begun[id(item)] = item, barren, barren.begin(asked)

    async def _judge(self, candidates: Sequence[Candidate], page: Page) -> dict[int, Gated]:
        gates = self._gates
        if len(candidates) > AT_ONCE:
            return await asyncio.to_thread(gates.judge, candidates, page)
        return gates.judge(candidates, page)

    def _follow_policy(self) -> None:
        """Another policy keeps other pictures: what was learned under the last does not hold."""
        spider: Any = self._crawler.spider
        policy: Policy = spider.policy.current
        if policy is self._policy:
            return
        self._policy = policy
        self._rule = rule_of(policy, self._settings)
        run = self._session.recorder.run_id
        self._barren = Barren(run)
        self._gates = Gates(self._settings, run, policy.labels, self._barren)

    async def _learn(self, barren: Barren, hosts: set[str]) -> None:
        recorder = self._session.recorder
        asked = [(host, recorder.call(read_patterns, (host, self._rule))) for host in sorted(hosts)]
        try:
            for host, future in asked:
                barren.learn(host, await asyncio.wrap_future(future))
        except CatalogueError as error:
            self._session.lost(error)

    def done_with(self, item: Any) -> None:
        """Nothing more is to be learned from a page: those that wait may look again."""
        _, barren, begun = self._begun.pop(id(item), (None, None, ()))
        if barren is not None:
            barren.end(begun)
        self._news.set()
        self._news = asyncio.Event()

    def seen(self, item: Any) -> None:
        """All images of a page are through: count them by the shapes of their addresses."""
        if not isinstance(item, PageItem) or self._policy is None:
            return
        looked = [(each["url"], each["keep"]) for each in item.images if each["keep"] or each["reason"] in _LOOKED_AT]
        noted = self._barren.note(looked)
        if noted:
            self._count(noted, self._barren, self._rule, item)
        else:
            self.done_with(item)

    def _count(self, noted: Counter[tuple[str, str, bool]], barren: Barren, rule: str, item: PageItem) -> None:
        counts: dict[Key, Looked] = {}
        for (host, shape, kept), number in noted.items():
            seen, of_these = counts.get((host, rule, shape), (0, 0))
            counts[host, rule, shape] = seen + number, of_these + number * kept
        loop = asyncio.get_running_loop()
        future = self._session.recorder.call(count_patterns, counts)
        self._session.watch(future)

        def learn(totals: dict[Key, Looked]) -> None:
            for (host, _, shape), looks in totals.items():
                barren.learn(host, {shape: looks})
            self.done_with(item)

        def counted(future: Future[dict[Key, Looked]]) -> None:
            loop.call_soon_threadsafe(learn, {} if future.exception() else future.result())

        future.add_done_callback(counted)

    @property
    def _session(self) -> Session:
        session = self._crawler.get_extension(Session)
        assert session is not None
        return session


def rule_of(policy: Policy, settings: GateSettings) -> str:
    """All on which it depends what is kept, as one text; LONGEST_RULE characters at most."""
    top = "" if policy.top is None else f" top {policy.top}"
    rule = f"{','.join(sorted(policy.labels))} {policy.threshold:g}{top} {settings.width}x{settings.height}"
    rule += f" {policy.model.hash[:16]}"
    if len(rule) <= LONGEST_RULE:
        return rule
    return hashlib.sha256(rule.encode()).hexdigest()
