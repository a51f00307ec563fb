"""Who we are, and what we do not do without saying so."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest
from scrapy.utils.httpobj import urlparse_cached

from posterbot import __version__

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
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
    """Downloader middleware: nothing leaves this machine without a contact."""

    def __init__(self, contact: str) -> None:
        self.contact = contact

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PolitenessMiddleware:
        """Scrapy's construction door."""
        return cls(crawler.settings["OPERATOR_CONTACT"])

    def process_request(self, request: Request) -> None:
        """Refuse, or let pass."""
        parts = urlparse_cached(request)
        on_the_web = parts.scheme in {"http", "https"}  # others have no handler and go nowhere
        if not self.contact and on_the_web and not is_loopback(parts.hostname):
            raise NoContact(CONTACT_MISSING)
