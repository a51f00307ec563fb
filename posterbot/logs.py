"""One event, one line: what the web does every day is no traceback in the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

# Logs each robots.txt that cannot be fetched as an error with a full traceback; a broad crawl has one every second.
EXPECTED = ("scrapy.downloadermiddlewares.robotstxt",)


class OneLine(logging.Filter):
    """Lets an error pass as a warning, without the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Called by logging for each record."""
        if record.levelno > logging.WARNING:
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class LogAddon:
    """Scrapy add-on: puts :class:`OneLine` on the loggers that need it."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy before the crawl."""
        for name in EXPECTED:
            logger = logging.getLogger(name)
            if not any(isinstance(known, OneLine) for known in logger.filters):
                logger.addFilter(OneLine())
