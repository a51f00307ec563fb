"""The page that all markup cases are written for, and a short way to say what is expected of it."""

from __future__ import annotations

from typing import Any

import parsel

from posterbot.page import Candidate, FoundBy, PageContent, read_page

SITE = "https://films.example"
PAGE = f"{SITE}/list/page.html"


def read(html: str, url: str = PAGE) -> PageContent:
    return read_page(parsel.Selector(text=html, type="html"), url)


def expect(path: str, found_by: FoundBy, *alternatives: str, **facts: Any) -> Candidate:
    """A candidate; addresses without a host are of the page's site."""
    return Candidate(_absolute(path), found_by, alternatives=tuple(map(_absolute, alternatives)), **facts)


def _absolute(path: str) -> str:
    return SITE + path if path.startswith("/") else path
