"""The images of a page, gathered element by element as a walk comes across them.

Here is what needs the elements around an image: ``<picture>``, a ``<noscript>`` beside a lazy image, a link to the
full file. What one element says by itself is read in ``images``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from posterbot.page.candidates import MAX_CANDIDATES, FoundBy, Offer
from posterbot.page.captions import Captions
from posterbot.page.css import background_images
from posterbot.page.images import (
    BACKGROUND_ATTRIBUTES,
    LAZY_ATTRIBUTES,
    UNREADABLE_TYPES,
    VAGUE_ATTRIBUTES,
    clean,
    declared_size,
    read_img,
    read_source,
    read_srcset,
)
from posterbot.page.srcset import Source, best_first
from posterbot.page.urls import Resolver, is_image

MAX_OFFERS = 2 * MAX_CANDIDATES
"""Places in the markup that are read; several make one candidate."""

MAX_PAGE_CSS = 1_000_000
"""Characters of CSS that are read on one page."""

ICON = 48
"""Pixels: an image declared smaller, inside a link to an image file, is a symbol and no thumbnail."""

Element = Any  # of lxml, which ships no types
Attributes = dict[str, str]
Leave = Callable[[], None]


@dataclass(slots=True)
class _Picture:
    """An open ``<picture>``: the files of its sources, until an ``<img>`` or the end takes them."""

    sources: list[Source]
    taken: bool = False


class Offers:
    """All offers of a page, in document order."""

    def __init__(self, resolver: Resolver, captions: Captions) -> None:
        self.all: list[Offer] = []
        self._resolver = resolver
        self._captions = captions
        self._css_left = MAX_PAGE_CSS
        self._pictures: list[_Picture] = []
        self._anchors: list[list[Offer]] = []
        self._noscript: list[Offer] | None = None
        # The element and the offer of the last lazy image and of the last <noscript> with one image: if they are
        # neighbours, the second shows what the first will load.
        self._lazy: tuple[Element, Offer] | None = None
        self._spare: tuple[Element, Offer] | None = None

    def add(self, offer: Offer | None) -> Offer | None:
        """Note an offer where it stands; None where there is none or the page has offered enough."""
        if offer is None or len(self.all) >= MAX_OFFERS:
            return None
        if self._noscript is not None:
            offer.found_by = FoundBy.NOSCRIPT
            self._noscript.append(offer)
        self.all.append(offer)
        self._captions.expect(offer)
        return offer

    def img(self, node: Element, attributes: Attributes) -> None:
        """An ``<img>``, in a ``<picture>`` or by itself."""
        if len(self.all) >= MAX_OFFERS:
            return
        picture = self._pictures[-1] if self._pictures and not self._pictures[-1].taken else None
        offer = self.add(read_img(attributes, self._resolver, picture.sources if picture else ()))
        if picture:
            picture.taken = True
        if not offer:
            return
        for thumbnails in self._anchors[-1:]:
            thumbnails.append(offer)
        if offer.found_by in {FoundBy.LAZY, FoundBy.PICTURE}:
            place = _picture_around(node)
            self._lazy = (place, offer)
            if self._spare and _element_before(place) is self._spare[0]:
                offer.urls.append(self._spare[1].urls[0])

    def open_picture(self) -> Leave:
        """Enter a ``<picture>``; the result is to be called as it is left."""
        picture = _Picture([])
        self._pictures.append(picture)

        def leave() -> None:
            self._pictures.pop()
            # A script has yet to put the <img> in.
            if picture.sources and not picture.taken:
                self.add(Offer([source.url for source in best_first(picture.sources)], FoundBy.PICTURE))

        return leave

    def source(self, attributes: Attributes) -> None:
        """A ``<source>``; those of video and audio are none of ours."""
        if self._pictures:
            self._pictures[-1].sources += read_source(attributes, self._resolver)

    def open_noscript(self, node: Element) -> Leave | None:
        """Enter a ``<noscript>``; None where it is inside of another."""
        if self._noscript is not None:
            return None
        offers: list[Offer] = []
        self._noscript = offers

        def leave() -> None:
            self._noscript = None
            if len(offers) == 1 and max(offers[0].width or ICON, offers[0].height or ICON) >= ICON:
                self._spare = (node, offers[0])
                if self._lazy and _element_before(node) is self._lazy[0]:
                    self._lazy[1].urls.append(offers[0].urls[0])

        return leave

    def embedded(self, attributes: Attributes) -> None:
        """An ``<object>`` or ``<embed>``, if it is an image."""
        address = attributes.get("data") or attributes.get("src") or ""
        media_type = attributes.get("type", "").strip().lower()
        if media_type in UNREADABLE_TYPES:
            return
        if media_type.startswith("image/") or (not media_type and is_image(self._resolver.link(address))):
            self.simple(address, FoundBy.OBJECT, attributes)

    def preload(self, attributes: Attributes) -> None:
        """A ``<link rel=preload as=image>``: the words of an ``<img>`` under other names."""
        if len(self.all) >= MAX_OFFERS or attributes.get("type", "").strip().lower() in UNREADABLE_TYPES:
            return
        words = {"src": attributes.get("href", ""), "srcset": attributes.get("imagesrcset", "")}
        offer = self.add(read_img(words, self._resolver))
        if offer:
            offer.found_by = FoundBy.LINK

    def simple(self, address: str | None, found_by: FoundBy, attributes: Attributes) -> None:
        """An element with one address and the usual attributes."""
        if len(self.all) >= MAX_OFFERS:
            return
        url = self._resolver.image(address)
        if url:
            width, height = declared_size(attributes)
            alt = clean(attributes.get("alt") or attributes.get("aria-label") or "")
            self.add(Offer([url], found_by, alt, clean(attributes.get("title", "")), "", width, height))

    def css(self, css: str, attributes: Attributes, found_by: FoundBy = FoundBy.CSS) -> None:
        """The backgrounds of a style sheet or a ``style`` attribute."""
        if len(self.all) >= MAX_OFFERS:
            return
        css = css[: self._css_left]
        self._css_left -= len(css)
        for picture in background_images(css):
            urls = [url for source in best_first(picture) if (url := self._resolver.image(source.url))]
            if urls:
                alt = clean(attributes.get("aria-label", ""))
                self.add(Offer(urls, found_by, alt, clean(attributes.get("title", ""))))

    def backgrounds(self, tag: str, attributes: Attributes) -> None:
        """The pictures any element may have: CSS, the old ``background`` attribute, and those kept for a script."""
        style = attributes.get("style", "")
        if "url(" in style.lower() or "image-set(" in style.lower():
            self.css(style, attributes)
        if tag in {"body", "table", "tr", "td", "th"}:
            self.simple(attributes.get("background"), FoundBy.CSS, attributes)
        for name in BACKGROUND_ATTRIBUTES:
            value = attributes.get(name, "").strip()
            if "url(" in value:
                self.css(f"background: {value}", attributes, FoundBy.LAZY)
            elif value and (name != "data-background" or is_image(self._resolver.link(value))):
                self.simple(value, FoundBy.LAZY, attributes)
        if "data-bgset" in attributes:
            sources = best_first(read_srcset(attributes["data-bgset"], self._resolver))
            if sources:
                self.add(Offer([source.url for source in sources], FoundBy.LAZY))
        if tag not in {"img", "amp-img", "source"}:
            # On a <div> these may hold anything, so only what looks like an image file is believed.
            for name in (*LAZY_ATTRIBUTES, *VAGUE_ATTRIBUTES):
                if name in attributes and is_image(self._resolver.link(attributes[name])):
                    self.simple(attributes[name], FoundBy.LAZY, attributes)

    def open_anchor(self, url: str, attributes: Attributes) -> Leave | None:
        """Enter an ``<a>`` whose ``url`` is an image file; the result is to be called as it is left."""
        title = clean(attributes.get("title", ""))
        offer = self.add(Offer([url], FoundBy.ANCHOR, title=title))
        if not offer:
            return None
        thumbnails: list[Offer] = []
        self._anchors.append(thumbnails)
        text = self._captions.text_from_here()

        def leave() -> None:
            self._anchors.pop()
            offer.title = title or text()
            # The image in the link is the same picture, if it is the only one and no symbol.
            small = {each.urls[0]: each for each in thumbnails if each.found_by is not FoundBy.NOSCRIPT}
            small = small or {each.urls[0]: each for each in thumbnails}
            for thumbnail in small.values() if len(small) == 1 else ():
                if max(thumbnail.width or ICON, thumbnail.height or ICON) >= ICON and url != thumbnail.urls[0]:
                    offer.urls.append(thumbnail.urls[0])

        return leave


def _picture_around(node: Element) -> Element:
    """The ``<picture>`` an image stands in, else the image: what stands beside a ``<noscript>``."""
    outer = node
    for _ in range(10):  # the parser nests the <source> elements before the image
        outer = outer.getparent()
        if outer is None or outer.tag not in {"source", "picture"}:
            return node
        if outer.tag == "picture":
            return outer
    return node


def _element_before(node: Element) -> Element | None:
    return next(node.itersiblings("*", preceding=True), None)
