"""The links of a page, and where they stand: what is known of a page before it is fetched."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from posterbot.page.captions import Captions
from posterbot.page.images import clean

MAX_LINKS = 10_000
MAX_PATH = 400
"""Characters of a path; of a longer one the innermost elements are kept."""
MAX_CLASSES = 3
"""Of one element."""
MAX_NAME = 40
"""Characters of a tag or a class."""
MAX_TEXT = 100

Element = Any  # of lxml, which ships no types
Attributes = dict[str, str]
Leave = Callable[[], None]

_CLASSES_READ = 500
"""Characters of an attribute; more cannot be of the first few classes that anybody gives an element."""
_UNSAFE = re.compile(r"[^\w:-]")


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page to go to next."""

    url: str
    path: str
    """Tags and classes from the root to the link, outermost first: ``html/body.home/ul.films/li.film/a.title``."""
    text: str
    """What it says; of a link without words what is said of the picture in it, or else of the link."""
    position: int
    """How many links of the page come before it."""


@dataclass(slots=True)
class _Found:
    """A link whose text is known only once it has been left."""

    path: str
    text: str = ""
    picture: str = ""


class Links:
    """The links of a page as its elements open and close, each URL once, where it stands first."""

    def __init__(self, captions: Captions) -> None:
        self._captions = captions
        self._found: dict[str, _Found] = {}
        self._open: list[_Found] = []
        self.paths: list[str] = []
        """Of the outermost open elements; made only when a link is found below them."""
        self._steps: dict[tuple[str, str], str] = {}

    def all(self) -> tuple[PageLink, ...]:
        """In document order."""
        found = enumerate(self._found.items())
        return tuple(PageLink(url, link.path, link.text, position) for position, (url, link) in found)

    def add(self, url: str, node: Element, around: Sequence[tuple[Element, *tuple[Any, ...]]]) -> Leave | None:
        """Note a link to ``url``; the result, if any, is to be called as ``node`` is left.

        Args:
            url: of a page.
            node: the element that links.
            around: the open elements around it, outermost first, each the first of a tuple.
        """
        link = self._found.get(url)
        if link is None:
            if len(self._found) >= MAX_LINKS:
                return None
            link = self._found[url] = _Found(self._path(node, around))
        elif link.text:
            return None
        return self._read(link, node)

    def picture(self, attributes: Attributes) -> None:
        """An image, perhaps in a link."""
        if self._open and not self._open[-1].picture:
            self._open[-1].picture = _label(attributes)

    def _read(self, link: _Found, node: Element) -> Leave:
        self._open.append(link)
        text = self._captions.text_from_here(MAX_TEXT)

        def leave() -> None:
            self._open.pop()
            link.text = link.text or text() or link.picture or _label(node.attrib)

        return leave

    def _path(self, node: Element, around: Sequence[tuple[Element, *tuple[Any, ...]]]) -> str:
        paths = self.paths
        for outer, *_ in around[len(paths) :]:
            paths.append(self._below(paths[-1] if paths else "", outer))
        return self._below(paths[-1] if paths else "", node)

    def _below(self, path: str, node: Element) -> str:
        name = node.tag, (node.get("class") or "")[:_CLASSES_READ]
        step = self._steps.get(name)
        if step is None:
            step = self._steps[name] = _step(*name)
        path = f"{path}/{step}" if path else step
        return path if len(path) <= MAX_PATH else path[-MAX_PATH:].partition("/")[2]


def _step(tag: str, classes: str) -> str:
    names = [tag.rpartition("}")[2].lower(), *classes.split()[:MAX_CLASSES]]
    return ".".join(_UNSAFE.sub("_", name[:MAX_NAME]) for name in names)


def _label(attributes: Attributes) -> str:
    said = (attributes.get(name) for name in ("alt", "title", "aria-label"))
    return next((text for value in said if value and (text := clean(value, MAX_TEXT))), "")
