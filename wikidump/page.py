"""One page of a dump."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """The current revision of one page.

    ``namespace`` is MediaWiki's number (0 articles, 6 files, 10 templates); ``title`` carries the namespace's name.
    ``redirect`` is the title a redirect page points at. ``text`` is the wikitext with XML entities resolved once.
    """

    page_id: int
    namespace: int
    title: str
    redirect: str | None
    rev_id: int
    text: str
