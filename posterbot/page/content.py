"""Everything one HTML page offers a crawl for posters."""

from __future__ import annotations

from dataclasses import dataclass

import parsel

from posterbot.catalogue.records import Film
from posterbot.page.candidates import Candidate, merge
from posterbot.page.jsonld import read_json_ld
from posterbot.page.links import PageLink
from posterbot.page.social import read_meta
from posterbot.page.urls import Resolver, absolute_url
from posterbot.page.walk import Walk


@dataclass(frozen=True, slots=True)
class PageContent:
    """What a page offers; all addresses are absolute http(s) URLs without fragment."""

    title: str
    candidates: tuple[Candidate, ...]
    """The page's pictures, each once: those of its metadata first, then in document order."""
    films: tuple[Film, ...]
    """Films the page describes as JSON-LD or microdata."""
    data_uris: int
    """Inline ``data:`` images: counted, not offered."""
    base_url: str
    """What relative addresses on the page are relative to."""
    links: tuple[PageLink, ...]
    """Pages to go to next, each once, in document order; neither ``nofollow`` links nor image files."""


def read_page(selector: parsel.Selector, url: str) -> PageContent:
    """What the HTML page behind ``selector``, fetched from ``url``, offers.

    A pure function that takes any HTML, however broken: what cannot be read is left out. Time and memory are
    linear in the size of the page.
    """
    base_url = _base_url(selector, url)
    resolver = Resolver(base_url)
    walk = Walk(resolver)
    walk.read(selector.root)
    described, films = read_json_ld(walk.json_ld, resolver)
    properties = dict(reversed(walk.meta))  # of equal names the first
    return PageContent(
        title=walk.title or " ".join(properties.get("og:title", "").split())[:1_000],
        candidates=merge([*read_meta(walk.meta, resolver), *described, *walk.offers.all]),
        films=tuple(dict.fromkeys([*films, *walk.items.films()])),
        data_uris=resolver.data_uris,
        base_url=base_url,
        links=walk.links.all(),
    )


def _base_url(selector: parsel.Selector, url: str) -> str:
    """The address of the first ``<base>`` that has one, itself relative to the page's."""
    for base in selector.root.iter("{*}base"):
        if base.get("href") is not None:
            return absolute_url(url, base.get("href")) or url
    return url
