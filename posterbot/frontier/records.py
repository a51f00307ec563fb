"""What passes between the crawl and the frontier's tables: plain data, no SQL and no Scrapy.

Times are given as seconds from now, never as a time of day: clocks of workers and database need not agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """Of one URL of one crawl."""

    PENDING = 0
    LEASED = 1
    """A worker has it; it becomes pending again when that worker dies."""
    DONE = 2
    """Its outcome and those of all its images are in the catalogue, or ``reason`` says why it needed no fetch."""
    FAILED = 3
    """Not read, for ``reason``; becomes pending again at ``retry_at``, where that is set."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link stands: what is known of it before it is followed, besides its URL."""

    path: str
    """Tags and classes from the root to the link, outermost first: ``html/body/ul.films/li.film/a.title``."""
    text: str
    """What it says, or what the picture in it is said to show."""
    position: int
    """How many links of the page come before it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A URL to fetch, once per crawl."""

    url: str
    fingerprint: bytes
    """Scrapy's request fingerprint, 20 bytes: equal for requests that would get the same answer."""
    host: str
    pattern: str
    """The URL's template, see ``traps.pattern``."""
    priority: int
    """Higher first, within a host."""
    request: str
    """JSON object: all of the request that is not the URL and not a default."""
    parent: int | None = None
    """Key of the page on which it was found."""
    place: Place | None = None
    """Where it was found there; None: on no page."""
    depth: int = 0
    """Links from a start page to it."""


@dataclass(frozen=True, slots=True)
class Leased:
    """A URL that is this worker's to fetch."""

    key: int
    url: str
    host: str
    request: str
    fingerprint: bytes
    tries: int
    """Failed tries before this one."""
    etag: str = ""
    last_modified: str = ""
    """What an earlier run was told of the page, as it stands in HTTP's headers."""
    worth: float = 0.0
    """What is hoped of it, for each request; 0 where everything is equal."""


@dataclass(frozen=True, slots=True)
class Finished:
    """All that came of a URL is in the same transaction as this."""

    key: int
    reason: str | None = None
    """Set where the page itself was not read."""
    new_images: int = 0
    """Pictures judged that had not been seen before: what tells a fruitful page from a trap."""
    unchanged: bool = False
    """The page is as an earlier run read it."""
    kept: int = 0
    """Pictures kept that are neither known nor copies of known ones."""
    films: int = 0
    """Films that got their first picture by them."""
    requests: int = 1
    """What it took: the page, and its images."""
    size: int = 0
    """Bytes of all answers."""

    @property
    def reward(self) -> float:
        """What the page was good for."""
        return self.kept + FILM * self.films

    @property
    def cost(self) -> float:
        """What it took, in requests."""
        return self.requests + self.size / BYTES


FILM = 0.5
"""A film of which nothing was known is worth so many pictures, beside its own."""
BYTES = 1_000_000
"""So many are as dear as one request."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A URL that could not be read."""

    key: int
    reason: str
    retry_in: float | None
    """Seconds until it may be tried again; None: given up, until ``posterbot retry`` asks."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run can still expect."""

    worth: float | None
    """Pictures for each request, with what may be hoped beyond; None: nothing waits."""
    pages: int
    """That were asked for."""


@dataclass(slots=True)
class HostState:
    """What is known of a host's patience; belongs to the worker that has the host on lease."""

    name: str
    wait: float = 0.0
    """Seconds until the next request may start."""
    gap: float = 0.0
    """Seconds promised between requests, as in force now."""
    crawl_delay: float | None = None
    """``Crawl-delay`` of its robots.txt for us, in seconds."""
    failures: int = 0
    """Failed requests in a row."""
    openings: int = 0
    """How often in a row the circuit breaker has opened."""
    closed_for: float = 0.0
    """Seconds for which nothing is asked of it."""
    closed_reason: str | None = None
    day: int = 0
    """UTC day of the two counters below, in days since 1970-01-01."""
    day_requests: int = 0
    day_bytes: int = 0
    requests: int = 0
    """Ever."""
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a worker would like to lease."""

    urls: int
    full: frozenset[str] = frozenset()
    """Hosts of which it has enough."""
    held: frozenset[int] = frozenset()
    """Keys of all that it has on lease."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What it gets. Where that is nothing, ``unfinished`` says whether there may be more later."""

    leased: tuple[Leased, ...]
    hosts: tuple[HostState, ...]
    unfinished: bool
    soonest: float | None = None
    """Seconds until the next retry is due."""
    all_fresh: bool = False
    """URLs were leased, and done at once: an earlier run has read them lately enough."""
