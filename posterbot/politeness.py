"""Who we are, and what we do not do without saying so."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.httpobj import urlparse_cached

from posterbot import __version__

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.robotstxt import RobotParser
    from scrapy.settings import BaseSettings

CONTACT_MISSING = (
    "OPERATOR_CONTACT is not set: site owners must be able to reach you before the open web is crawled; "
    "add -s OPERATOR_CONTACT=you@example.org (or a URL)"
)


class NoContact(IgnoreRequest):
    """A request to the open web while nobody can be reached for complaints."""


def is_loopback(host: str | None) -> bool:
    """Is ``host`` this very machine, by name or by literal address?"""
    try:
        return host == "localhost" or ipaddress.ip_address((host or "").strip("[]")).is_loopback
    except ValueError:
        return False


class OperatorAddon:
    """Scrapy add-on: puts the operator's contact into the User-Agent, where site owners look for it."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy once all settings are known."""
        contact = settings["OPERATOR_CONTACT"]
        settings.set("USER_AGENT", f"posterbot/{__version__}" + (f" (+{contact})" if contact else ""), "addon")


class PolitenessMiddleware:
    """Downloader middleware: nothing leaves this machine without a contact; our own sample site is not throttled."""

    def __init__(self, contact: str) -> None:
        self.contact = contact

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PolitenessMiddleware:
        """Scrapy's construction door."""
        return cls(crawler.settings["OPERATOR_CONTACT"])

    def process_request(self, request: Request) -> None:
        """Refuse, or let pass."""
        parts = urlparse_cached(request)
        if is_loopback(parts.hostname):
            request.meta["autothrottle_dont_adjust_delay"] = True
        elif not self.contact and parts.scheme in {"http", "https"}:  # others have no handler and go nowhere
            raise NoContact(CONTACT_MISSING)


class RobotsMiddleware(RobotsTxtMiddleware):
    """Scrapy's, with every request to a host judged by its robots.txt, also those that came while it was fetched.

    Scrapy 2.19 lets all but the first of these pass: they wait for one Deferred by ``asFuture``, which uses its result
    up and leaves None, "no rules", to the next in line.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._rules: dict[str, asyncio.Future[RobotParser | None]] = {}

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """The rules of the request's host; None if it has none that can be read."""
        host = urlparse_cached(request).netloc
        if host not in self._rules:
            self._rules[host] = asyncio.ensure_future(super().robot_parser(request))
        return await asyncio.shield(self._rules[host])  # one request that is given up must not end it for all
