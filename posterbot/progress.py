"""What a person sees while a crawl runs: one live line on a terminal, plain lines in a log."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text
from scrapy import signals

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

LIVE_SECONDS, LOG_SECONDS = 0.5, 30.0
PULSE_SECONDS = 0.02
"""How often the event loop is asked whether it is awake, to measure the longest time it was blocked."""


class Progress:
    """Scrapy extension. Also measures ``posterbot/loop_blocked_max_ms``: how long the event loop was ever away."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        assert crawler.stats is not None
        self.stats = crawler.stats
        self._live: Live | None = None
        self._handles: list[asyncio.TimerHandle] = []
        self._started = self._said = 0.0
        self._seen_before, self._looked = 0, 0.0
        self.rate = 0.0
        """Images a second, of late."""
        self._blocked = 0.0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Progress:
        """Scrapy's construction door."""
        progress = cls(crawler)
        crawler.signals.connect(progress.opened, signals.spider_opened)
        crawler.signals.connect(progress.closed, signals.spider_closed)
        return progress

    def opened(self) -> None:
        """Start the clock, and the live line where there is a terminal."""
        self._started = self._said = self._looked = time.monotonic()
        if sys.stderr.isatty() and not self.crawler.settings["LOG_FILE"]:
            self._live = Live(console=Console(stderr=True), refresh_per_second=4, transient=True)
            self._live.start()
            # Log lines must go above the live line: rich has replaced sys.stderr, the handlers hold the old one.
            for handler in logging.root.handlers:
                if type(handler) is logging.StreamHandler:
                    handler.setStream(sys.stderr)
        # What is loaded by now stays for the whole run. Without this each full garbage collection walks through it
        # again, and the event loop stands still for up to a tenth of a second. What a crawl makes dies young and
        # without circles, so the collector may also come less often.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        self._tick()
        self._pulse(time.monotonic())

    def closed(self) -> None:
        """Stop the clock and leave the terminal as it was."""
        for handle in self._handles:
            handle.cancel()
        if self._live is not None:
            self._live.stop()
            for handler in logging.root.handlers:
                if type(handler) is logging.StreamHandler:
                    handler.setStream(sys.stderr)
        self.stats.set_value("posterbot/loop_blocked_max_ms", round(self._blocked * 1000))

    def _pulse(self, due: float) -> None:
        now = time.monotonic()
        self._blocked = max(self._blocked, now - due)
        self._later(1, PULSE_SECONDS, self._pulse, now + PULSE_SECONDS)

    def _tick(self) -> None:
        now = time.monotonic()
        seen = self._count("images")
        if now > self._looked:
            rate = (seen - self._seen_before) / (now - self._looked)
            # Half a second is a short time: the shown rate leans on the ones before.
            self.rate = rate if not self.rate else 0.8 * self.rate + 0.2 * rate
        self._seen_before, self._looked = seen, now
        if self._live is not None:
            self._live.update(Text(self.line(), no_wrap=True, overflow="ellipsis"))
        elif now - self._said >= LOG_SECONDS:
            self._said = now
            logger.info(self.line())
        self._later(0, LIVE_SECONDS, self._tick)

    def _later(self, slot: int, seconds: float, call: object, *args: float) -> None:
        handle = asyncio.get_event_loop().call_later(seconds, call, *args)  # type: ignore[arg-type]
        self._handles[slot : slot + 1] = [handle]

    def _count(self, name: str) -> int:
        return int(self.stats.get_value(f"posterbot/{name}", 0))

    def line(self) -> str:
        """The whole state in one line: time, pages, images, kept, rate, bytes, queue, top drop reasons."""
        engine = self.crawler.engine
        scheduler = getattr(getattr(engine, "_slot", None), "scheduler", None)
        queued = len(scheduler) if scheduler is not None else 0
        drops = sorted(
            (
                (int(count), key.rsplit("/", 1)[1])
                for key, count in self.stats.get_stats().items()
                if key.startswith("posterbot/dropped/")
            ),
            reverse=True,
        )[:3]
        paused = ["paused"] if getattr(engine, "paused", False) else []
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        images, kept = self._count("images"), self._count("kept")
        parts = [
            f"{minutes:02d}:{seconds:02d}",
            *paused,
            f"{self._count('pages'):,} pages",
            f"{images:,} of {self._count('candidates'):,} images",
            f"{kept:,} kept",
            f"{self.rate:.0f}/s",
            f"{self._count('bytes') / 1e6:.1f} MB",
            f"{queued:,} pages queued",
            "dropped " + (", ".join(f"{reason} {count:,}" for count, reason in drops) or "none"),
        ]
        return " · ".join(parts)
