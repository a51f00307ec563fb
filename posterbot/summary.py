"""What a person gets when a crawl ends: a table, a contact sheet, and where everything lies."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy import signals

from posterbot.catalogue.database import open_catalogue, shown
from posterbot.catalogue.display import print_funnel
from posterbot.catalogue.queries import funnel
from posterbot.frontier.explain import hoped
from posterbot.frontier.session import LOW_YIELD
from posterbot.stores.local import LocalStore
from posterbot.stores.opening import open_store, without_password
from posterbot.stores.spool import Spool
from posterbot.web.contact_sheet import write_contact_sheet

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from sqlalchemy import Engine

logger = logging.getLogger(__name__)


class Summary:
    """Scrapy extension: prints the summary of the run to standard output once the catalogue is closed."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Summary:
        """Scrapy's construction door."""
        summary = cls(crawler)
        # Not spider_closed: the recorder closes the run then.
        crawler.signals.connect(summary.stopped, signals.engine_stopped)
        return summary

    def stopped(self) -> None:
        """Write the sheet, print the table. A sheet that cannot be written is a warning: the crawl is safe."""
        run = getattr(self.crawler.spider, "run_id", None)
        if run is None:
            return
        settings = self.crawler.settings
        lines = [
            f"pictures       {without_password(settings['IMAGES_STORE'])}",
            f"catalogue      {shown(settings['CATALOGUE_URL'])}",
        ]
        engine = open_catalogue(settings["CATALOGUE_URL"])
        try:
            counts = funnel(engine, run)
            ending = self._why(engine, run)
            store = open_store(settings["IMAGES_STORE"], settings)
            sheet = Path(settings["REPORTS"]) / str(run) / "kept.html"
            try:
                # Of a bucket each picture would be a request: posterbot sheet makes them.
                write_contact_sheet(engine, store if isinstance(store, LocalStore) else None, sheet, run)
                lines.insert(1, f"contact sheet  {sheet}")
            except OSError as error:
                logger.warning("REPORTS: no contact sheet at %s: %s", sheet, error.strerror)
            if not isinstance(store, LocalStore):
                spool = Spool(Path(settings["SPOOL"]), store.name, 0)
                if spool.images:
                    lines.insert(
                        1, f"waiting for it {spool.images:,} images in {spool.folder}; posterbot fsck --repair"
                    )
            store.close()
        finally:
            engine.dispose()
        # Whoever reads may have gone (scrapy crawl … | head). Rich then ends the program, which must not happen here:
        # Scrapy is still to stop its threads, and would hang.
        with suppress(BrokenPipeError, SystemExit):
            print_funnel(counts)
            sys.stdout.write("\n" + "\n".join([*ending, *lines]) + "\n")
            sys.stdout.flush()

    def _why(self, engine: Engine, run: int) -> list[str]:
        """Why the crawl has ended, where that was by itself and before its end."""
        if self.crawler.stats is None or self.crawler.stats.get_value("finish_reason") != LOW_YIELD:
            return []
        floor = self.crawler.settings.getfloat("STOP_WHEN_YIELD_BELOW")
        worth, waiting = hoped(engine, run)
        return [
            f"It stopped by itself: at most {worth or 0:.2g} pictures can be hoped for from one request, which is below"
            f" {floor:g} (STOP_WHEN_YIELD_BELOW), and {waiting:,} URLs wait.",
            "To go on: the same command with a lower floor, or 0 for none. What waits: posterbot frontier",
            "",
        ]
