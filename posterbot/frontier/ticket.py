"""The lease of one URL, as it travels with the request, the response and the items through Scrapy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Ticket:
    """Belongs to one request. The URL is done when so many items as ``items`` says are committed."""

    key: int
    tries: int
    """Failed tries before this one."""
    host: str
    fingerprint: bytes
    items: int = 1
    new_images: int = 0
    """Pictures judged for the first time, so far."""
    kept: int = 0
    """Those of them that were kept, and are no copies of others."""
    films: int = 0
    """Films that got their first picture by them."""
    requests: int = 1
    """The page itself, and its images so far."""
    size: int = 0
    """Bytes of their bodies."""
    unchanged: bool = False
    """The page is as an earlier run read it."""
    settled: bool = False
    """Its end is on the way into the database."""
