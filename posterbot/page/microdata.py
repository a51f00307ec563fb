"""Films in microdata: ``itemscope``, ``itemtype`` and ``itemprop`` attributes."""

from __future__ import annotations

from collections.abc import Mapping

from posterbot.catalogue.records import Film
from posterbot.page.films import MAX_VALUES, PROPERTIES, Thing, read_film, types_of

MAX_ITEMS = 10_000

_ADDRESS = {
    "a": "href",
    "area": "href",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "embed": "src",
    "object": "data",
}


class Items:
    """The items of a page, collected as its elements open and close, in the shape JSON-LD has."""

    def __init__(self) -> None:
        self._items: list[dict[str, object]] = []
        self._open: list[dict[str, object]] = []

    def open(self, attributes: Mapping[str, str]) -> None:
        """Begin the item of an element with ``itemscope``; it is a value of the item around it if it says so."""
        item: dict[str, object] = {"@type": attributes.get("itemtype", "").split()[:MAX_VALUES]}
        self.add(attributes.get("itemprop", ""), item)
        self._open.append(item)
        if len(self._items) < MAX_ITEMS:
            self._items.append(item)

    def close(self) -> None:
        """End the item opened last."""
        self._open.pop()

    def add(self, names: str, value: object) -> None:
        """Give the item around an element a value; ``names`` are those in its ``itemprop``."""
        if not self._open:
            return
        for name in names.split()[:MAX_VALUES]:
            # Some write the whole address of the property: http://schema.org/name.
            name = name.rpartition("/")[2]
            if name in PROPERTIES:
                known = self._open[-1].setdefault(name, [])
                if isinstance(known, list) and len(known) < MAX_VALUES:
                    known.append(value)

    def in_image(self) -> bool:
        """Whether the item around is an ``ImageObject``."""
        return bool(self._open) and "ImageObject" in types_of(self._open[-1])

    def films(self) -> list[Film]:
        """The films among the items."""
        nothing: dict[str, Thing] = {}
        return [film for item in self._items if (film := read_film(item, nothing))]


def stated_value(tag: str, attributes: Mapping[str, str]) -> str | None:
    """The value of an ``itemprop`` element as its attributes give it; None where it is the element's text."""
    if tag in _ADDRESS:
        return attributes.get(_ADDRESS[tag])
    return attributes.get("content") or attributes.get("datetime") or attributes.get("value")
