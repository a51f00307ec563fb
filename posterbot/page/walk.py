"""One walk over a page in document order, which notes everything the page offers.

Each element is entered once and left once, however deep it lies; nothing ever searches backwards. What needs the
whole of an element (the text of a heading, the picture inside a link) is done when it is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import parsel

from posterbot.page.candidates import FoundBy
from posterbot.page.captions import Captions
from posterbot.page.images import clean
from posterbot.page.links import Links
from posterbot.page.microdata import Items, stated_value
from posterbot.page.offers import Offers
from posterbot.page.urls import Resolver, is_image, is_page

MAX_META = 10_000
MAX_SCRIPTS = 1_000
"""Of JSON-LD."""

Element = Any  # of lxml, which ships no types
Attributes = dict[str, str]
Leave = Callable[[], None]

_WITHOUT_TEXT = frozenset({"script", "style", "noscript", "template", "iframe", "svg", "title"})
_IMAGE_PROPERTIES = frozenset({"image", "thumbnailUrl", "contentUrl"})


class Walk:
    """What a page offers, after :meth:`read`."""

    def __init__(self, resolver: Resolver) -> None:
        self.title = ""
        self.meta: list[tuple[str, str]] = []
        """Property or name, in lower case, and content of each ``<meta>``."""
        self.json_ld: list[str] = []
        self.items = Items()
        self._captions = Captions()
        self.links = Links(self._captions)
        self.offers = Offers(resolver, self._captions)
        self._resolver = resolver
        self._open: list[tuple[Element, Iterator[Element], list[Leave]]] = []

    def read(self, root: Element) -> None:
        """Walk over ``root`` and all within it."""
        self._walk(root)
        self._captions.settle()

    def _walk(self, root: Element) -> None:
        open_elements, paths = self._open, self.links.paths
        around = len(open_elements)  # there are some where the content of a <noscript> is read
        open_elements.append((root, iter(root), self._enter(root)))
        while len(open_elements) > around:
            node, children, leaves = open_elements[-1]
            child = next(children, None)
            if child is None:
                open_elements.pop()
                if len(paths) > len(open_elements):
                    paths.pop()
                for leave in leaves:
                    leave()
                if len(open_elements) > around and node.tail:
                    self._captions.add_text(node.tail)
            elif isinstance(child.tag, str):
                open_elements.append((child, iter(child), self._enter(child)))
            elif child.tail:  # of a comment or a processing instruction
                self._captions.add_text(child.tail)

    def _enter(self, node: Element) -> list[Leave]:
        """Read what an element offers; the result is what is left to do when it is left."""
        # XHTML puts elements and attributes into namespaces.
        tag = node.tag.rpartition("}")[2].lower()
        attributes = {name.rpartition("}")[2]: value for name, value in node.attrib.items()}
        offered = len(self.offers.all)
        leaves = [self._element(tag, node, attributes), self._captions.open(tag)]
        if attributes:
            self.offers.backgrounds(tag, attributes)
            leaves.append(self._microdata(tag, attributes, offered))
        if node.text and tag not in _WITHOUT_TEXT:
            self._captions.add_text(node.text)
        return [leave for leave in leaves if leave]

    def _element(self, tag: str, node: Element, attributes: Attributes) -> Leave | None:
        match tag:
            case "a" | "area":
                return self._anchor(node, attributes)
            case "img" | "amp-img":
                self.offers.img(node, attributes)
                self.links.picture(attributes)
            case "picture":
                return self.offers.open_picture()
            case "source":
                self.offers.source(attributes)
            case "noscript":
                return self._noscript(node)
            case "br":
                self._captions.add_text("\n")
            case "meta":
                self._meta(attributes)
            case "link":
                return self._link(node, attributes)
            case "script":
                of_data = attributes.get("type", "").partition(";")[0].strip().lower() == "application/ld+json"
                if of_data and len(self.json_ld) < MAX_SCRIPTS:
                    self.json_ld.append(node.text or "")
            case "style":
                self.offers.css(node.text or "", {})
            case "title":
                # Drawings have titles too, but the page's comes first.
                self.title = self.title or clean(node.text or "")
            case "iframe" | "frame":
                return self._follow(self._resolver.link(attributes.get("src")), node)
            case "video" | "amp-video":
                self.offers.simple(attributes.get("poster"), FoundBy.VIDEO_POSTER, attributes)
            case "image":
                # The HTML parser keeps the prefix of xlink:href; outside of <svg> browsers take <image> for <img>.
                address = attributes.get("href") or attributes.get("xlink:href") or attributes.get("src")
                self.offers.simple(address, FoundBy.SVG, attributes)
            case "input":
                if attributes.get("type", "").strip().lower() == "image":
                    self.offers.simple(attributes.get("src"), FoundBy.INPUT, attributes)
            case "object" | "embed":
                self.offers.embedded(attributes)
        return None

    def _noscript(self, node: Element) -> Leave | None:
        leave = self.offers.open_noscript(node)
        if leave and len(node) == 0 and "<" in (node.text or ""):
            # Some parsers leave the content as text, as a browser with scripts does.
            self._walk(parsel.Selector(text=node.text, type="html").root)
        return leave

    def _anchor(self, node: Element, attributes: Attributes) -> Leave | None:
        if "nofollow" in attributes.get("rel", "").lower().split():
            return None
        url = self._resolver.link(attributes.get("href"))
        if is_image(url):
            return self.offers.open_anchor(url, attributes)
        return self._follow(url, node)

    def _link(self, node: Element, attributes: Attributes) -> Leave | None:
        # Icons (icon, apple-touch-icon, mask-icon) are passed over: they are never posters.
        relations = attributes.get("rel", "").lower().split()
        if "image_src" in relations:
            self.offers.simple(attributes.get("href"), FoundBy.LINK, attributes)
        if "preload" in relations and attributes.get("as", "").strip().lower() == "image":
            self.offers.preload(attributes)
        if "next" in relations and "nofollow" not in relations:
            return self._follow(self._resolver.link(attributes.get("href")), node)
        return None

    def _follow(self, url: str, node: Element) -> Leave | None:
        return self.links.add(url, node, self._open) if url and is_page(url) else None

    def _meta(self, attributes: Attributes) -> None:
        name = attributes.get("property") or attributes.get("name")
        if name and attributes.get("content") and len(self.meta) < MAX_META:
            self.meta.append((name.strip().lower(), attributes["content"]))

    def _microdata(self, tag: str, attributes: Attributes, offered: int) -> Leave | None:
        """Note the element's item or property; ``offered`` counts the offers before this element."""
        if "itemscope" in attributes:
            self.items.open(attributes)
            return self.items.close
        if "itemprop" not in attributes:
            return None
        properties = attributes["itemprop"]
        names = set(properties.split())
        if names & _IMAGE_PROPERTIES or ("url" in names and self.items.in_image()):
            if tag in {"link", "meta", "a"} and len(self.offers.all) == offered:
                self.offers.simple(attributes.get("content") or attributes.get("href"), FoundBy.MICRODATA, {})
            for offer in self.offers.all[offered:]:
                offer.found_by = FoundBy.MICRODATA
        value = stated_value(tag, attributes)
        if value is not None:
            self.items.add(properties, value)
            return None
        text = self._captions.text_from_here()
        return lambda: self.items.add(properties, text())
