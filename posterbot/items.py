"""What the spider hands to the pipeline: one page and the images it offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from posterbot.catalogue.records import Claim, Page
from posterbot.filters.gates import Gated
from posterbot.frontier.ticket import Ticket
from posterbot.page import Candidate
from posterbot.page.consent import Signal


@dataclass(slots=True)
class PageItem:
    """One page (or one piece of a list of URLs) and its candidates; ``images`` is filled in by the pipeline.

    Each entry of ``images`` is what Scrapy's own pipeline gives (``url, path, checksum, status``) with the sha256 as
    checksum, plus ``keep``, ``reason``, ``label`` and ``score``. ``claim`` is what a list says of its one candidate,
    ``ticket`` the lease of the URL of which the item came. ``gated`` has what the gates say of a candidate, by its
    index; ``signals`` what the page says of the use of its images.
    """

    page: Page
    candidates: tuple[Candidate, ...]
    claim: Claim | None = None
    ticket: Ticket | None = None
    gated: dict[int, Gated] = field(default_factory=dict)
    signals: tuple[Signal, ...] = ()
    images: list[dict[str, Any]] = field(default_factory=list)
