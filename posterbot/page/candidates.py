"""An image that a page offers, and how several offers of the same picture become one candidate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from posterbot.page.srcset import usefulness
from posterbot.page.variants import size_variant

MAX_CANDIDATES = 5_000
"""Candidates read from one page; the rest of a page that has more is ignored."""

MAX_ALTERNATIVES = 16
"""Other addresses kept for one picture."""


class FoundBy(StrEnum):
    """Which markup offered an image. The values are stable: they are stored in catalogues.

    Icons (``rel=icon``, ``apple-touch-icon``, ``mask-icon``) are not among them: they are never posters.
    """

    IMG = "img"
    SRCSET = "srcset"
    PICTURE = "picture"
    LAZY = "lazy"
    """A ``data-…`` attribute that a script would read."""
    NOSCRIPT = "noscript"
    CSS = "css"
    LINK = "link"
    """``<link>``: ``image_src``, or ``preload`` of an image."""
    OPEN_GRAPH = "open_graph"
    TWITTER = "twitter"
    JSON_LD = "json_ld"
    MICRODATA = "microdata"
    LIST = "list"
    """No markup: a list of URLs named it."""
    ANCHOR = "anchor"
    """``<a href>`` straight to an image file."""
    VIDEO_POSTER = "video_poster"
    INPUT = "input"
    SVG = "svg"
    OBJECT = "object"
    """``<object data>`` and ``<embed src>``."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One picture of a page: the address to ask for, and all that the page says of it."""

    url: str
    found_by: FoundBy
    alt: str = ""
    title: str = ""
    caption: str = ""
    """The ``figcaption``, else the nearest heading around or before it."""
    declared_width: int | None = None
    """Pixels the page gives the file at ``url``; says nothing of the alternatives."""
    declared_height: int | None = None
    alternatives: tuple[str, ...] = ()
    """Other addresses of the same picture, best first."""


@dataclass(slots=True)
class Offer:
    """One place in the markup that offers a picture; ``urls`` is never empty and best first."""

    urls: list[str]
    found_by: FoundBy
    alt: str = ""
    title: str = ""
    caption: str = ""
    width: int | None = None
    height: int | None = None
    fallback: str = ""
    """What stands in the place until a script has run: a small version, or a placeholder many pictures share."""


def merge(offers: Sequence[Offer]) -> tuple[Candidate, ...]:
    """One candidate per picture, in the order of the first offer of each.

    Offers are of the same picture when their best addresses are equal or differ only in size, or when one names the
    other's best address as an alternative. An address that several pictures name as theirs (a zoom icon inside many
    links, a grey placeholder) belongs to none of them and brings nothing together.
    """
    groups = _groups(offers)
    owners = _owners(offers, groups)
    members: dict[int, list[Offer]] = {}
    for index, offer in enumerate(offers):
        members.setdefault(groups.root(index), []).append(offer)
        if len(members) > MAX_CANDIDATES:
            members.popitem()
    return tuple(_candidate(group, root, owners) for root, group in members.items())


class _Groups:
    """Sets of indices that grow together (union-find); the smallest index stands for its set."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, index: int) -> int:
        while self._parents[index] != index:
            self._parents[index] = self._parents[self._parents[index]]
            index = self._parents[index]
        return index

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._parents[high] = low


def _groups(offers: Sequence[Offer]) -> _Groups:
    """Which offers are of the same picture."""
    groups = _Groups(len(offers))
    first_of: dict[str, int] = {}
    first_variant: dict[str, int] = {}
    for index, offer in enumerate(offers):
        best = offer.urls[0]
        groups.join(index, first_of.setdefault(best, index))
        groups.join(index, first_variant.setdefault(size_variant(best)[0], index))
    claimants: dict[str, list[int]] = {}
    for index, offer in enumerate(offers):
        for url in offer.urls[1:]:
            if url in first_of:
                claimants.setdefault(url, []).append(index)
    for url, indices in claimants.items():
        others = {groups.root(index) for index in indices} - {groups.root(first_of[url])}
        if len(others) == 1:
            groups.join(first_of[url], others.pop())
    return groups


def _owners(offers: Sequence[Offer], groups: _Groups) -> dict[str, int | None]:
    """The picture each address belongs to: the one that has it as its best, else the only one that names it."""
    owners: dict[str, int | None] = {offer.urls[0]: groups.root(index) for index, offer in enumerate(offers)}
    for urls_of in (lambda offer: offer.urls[1:], lambda offer: [offer.fallback] if offer.fallback else []):
        claims: dict[str, int | None] = {}
        for index, offer in enumerate(offers):
            root = groups.root(index)
            for url in urls_of(offer):
                if claims.setdefault(url, root) != root:
                    claims[url] = None
        owners = claims | owners
    return owners


def _candidate(offers: list[Offer], root: int, owners: dict[str, int | None]) -> Candidate:
    """The one candidate of offers of the same picture."""
    claimed = {url for offer in offers for url in offer.urls[1:] if url != offer.urls[0]}

    def rank(offer: Offer) -> tuple[bool, bool, tuple[int, int]]:
        size = size_variant(offer.urls[0])[1]
        # An address that names no size is the original, of which the others were made.
        return offer.urls[0] not in claimed, size is None, usefulness(size or 0)

    ordered = sorted(offers, key=rank, reverse=True)
    url = ordered[0].urls[0]
    urls = dict.fromkeys(each for offer in ordered for each in offer.urls if owners[each] == root)
    urls |= dict.fromkeys(offer.fallback for offer in ordered if owners.get(offer.fallback) == root)
    # A declared size speaks of one file. The same file may be shown small here and large there.
    sized = max(
        (offer for offer in ordered if offer.urls[0] == url), key=lambda offer: (offer.width or 0, offer.height or 0)
    )
    return Candidate(
        url=url,
        found_by=ordered[0].found_by,
        alt=_first(offer.alt for offer in ordered),
        title=_first(offer.title for offer in ordered),
        caption=_first(offer.caption for offer in ordered),
        declared_width=sized.width,
        declared_height=sized.height,
        alternatives=tuple(each for each in urls if each != url)[:MAX_ALTERNATIVES],
    )


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
