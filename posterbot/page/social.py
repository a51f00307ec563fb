"""Images in ``<meta>``: Open Graph and Twitter cards."""

from __future__ import annotations

import re
from collections.abc import Iterable

from posterbot.page.candidates import FoundBy, Offer
from posterbot.page.images import pixels
from posterbot.page.urls import Resolver

# Old galleries number their images: twitter:image0, twitter:image1:src, …
_TWITTER_IMAGE = re.compile(r"twitter:image[0-9]?(?::src|:url)?")


def read_meta(properties: Iterable[tuple[str, str]], resolver: Resolver) -> list[Offer]:
    """The images of a page's ``<meta>`` elements, given as (property or name, content) in document order.

    Open Graph is a flat list with structure: ``og:image`` begins an image, ``og:image:width`` and its kind speak of
    the image begun last.
    """
    offers: list[Offer] = []
    graph: Offer | None = None
    card: Offer | None = None
    card_alt = ""
    for name, content in properties:
        match name:
            case "og:image" | "og:image:url" | "og:image:secure_url":
                url = resolver.image(content)
                if not url:
                    # Its width and alt, which follow, must not land on the image before it.
                    graph = None if name == "og:image" else graph
                elif name != "og:image" and graph and _same_file(url, graph.urls[0]):
                    # Of two addresses that differ in the scheme, https is the one to ask for.
                    graph.urls = sorted({url, *graph.urls}, reverse=True)
                else:
                    graph = Offer([url], FoundBy.OPEN_GRAPH)
                    offers.append(graph)
            case "og:image:width" if graph:
                graph.width = pixels(content)
            case "og:image:height" if graph:
                graph.height = pixels(content)
            case "og:image:alt" if graph:
                graph.alt = content.strip()
            case "twitter:image:alt":
                card_alt = content.strip()
            case _ if _TWITTER_IMAGE.fullmatch(name):
                url = resolver.image(content)
                if url:
                    card = Offer([url], FoundBy.TWITTER)
                    offers.append(card)
    if card:
        card.alt = card_alt
    return offers


def _same_file(one: str, other: str) -> bool:
    """Whether two URLs differ in nothing but http and https."""
    return one.partition(":")[2] == other.partition(":")[2]
