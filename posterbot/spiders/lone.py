"""A spider that asks politely, as a crawl does, and records no run: recheck, refetch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import Spider

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

_OF_CRAWLS = {
    "EXTENSIONS": (
        "posterbot.frontier.session.Session",
        "posterbot.duplicates.crawling.Duplicates",
        "posterbot.progress.Progress",
        "posterbot.summary.Summary",
    ),
    "DOWNLOADER_MIDDLEWARES": (
        "posterbot.spiders.pieces.PieceMiddleware",
        "posterbot.frontier.forgotten.ForgottenMiddleware",
    ),
}


class LoneSpider(Spider):
    """Its requests pass the gate and robots.txt, of which it has its own; nothing of it is a crawl's."""

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """No scheduler, pipeline and session of a crawl, which would record a run; the gate is one of its own."""
        super().update_settings(settings)
        settings.set("SCHEDULER", "scrapy.core.scheduler.Scheduler", "spider")
        for name in ("ITEM_PIPELINES", "SPIDER_MIDDLEWARES"):
            settings.set(name, {}, "spider")
        for name, classes in _OF_CRAWLS.items():
            settings.set(name, {**settings.getdict(name), **dict.fromkeys(classes)}, "spider")
        settings.set("EXTENSIONS", {**settings.getdict("EXTENSIONS"), "posterbot.frontier.alone.LoneGate": 0}, "spider")
