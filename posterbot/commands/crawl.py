"""``scrapy crawl``, with everything checked first: what is wrong is one line and exit code 2, before any request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scrapy.commands.crawl import Command as ScrapyCrawl

from posterbot.catalogue.database import open_catalogue
from posterbot.filters.consent import OptOuts
from posterbot.frontier.guard import allowed_of
from posterbot.frontier.limits import limits_of, transfers_of
from posterbot.frontier.session import FAILED
from posterbot.frontier.strategy import strategy_of
from posterbot.pipelines.keeping import check_store
from posterbot.safety import check_consoles
from posterbot.spiders.arguments import read_arguments
from posterbot.spiders.gating import gate_settings

if TYPE_CHECKING:
    import argparse

    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings


class Command(ScrapyCrawl):
    """Scrapy's command, after :func:`check`."""

    def __init__(self) -> None:
        super().__init__()
        self._running: Crawler | None = None

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Read the options, then check. Scrapy calls this before it starts anything, its log included."""
        super().process_options(args, opts)
        checks = CHECKS.get(args[0]) if args else None
        if checks is not None:
            assert self.settings is not None
            try:
                checks(self.settings, opts.spargs)
            except ValueError as error:  # all of a check's are
                sys.stderr.write(f"scrapy crawl {args[0]}: {error}\n")
                raise SystemExit(2) from None

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Crawl."""
        super().run(args, opts)
        # A crawl that had to stop is no success, even if it stopped in good order.
        stats = self._running.stats if self._running else None
        if stats and stats.get_value(FAILED):
            self.exitcode = 1

    def _create_crawler(self, spidercls: type[Spider] | str) -> Crawler:
        crawler = super()._create_crawler(spidercls)
        self._running = crawler
        return crawler


def check_manners(settings: BaseSettings, given: dict[str, str]) -> None:
    """Read all that says how hosts are treated, and what is allowed.

    Raises:
        ValueError: a setting that is none; one line.
    """
    limits_of(settings)
    transfers_of(settings)
    strategy_of(settings)
    OptOuts(settings)
    check_consoles(settings)
    allowed_of(settings)


def check(settings: BaseSettings, given: dict[str, str]) -> None:
    """Try all that a crawl will need: arguments, model, catalogue, store.

    Raises:
        ArgumentError, CatalogueError, StoreError: what cannot be used.
        ValueError: a setting that is none; one line.
    """
    check_manners(settings, given)
    gate_settings(settings)
    read_arguments(settings, given)
    open_catalogue(settings["CATALOGUE_URL"]).dispose()
    check_store(settings)


CHECKS = {"posters": check, "recheck": check_manners}
"""Spider → what is checked before it starts."""
