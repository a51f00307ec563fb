"""What a page declares of a picture's size, before anything is asked for.

A width in markup is first of all how large a picture is *shown*: behind a thumbnail there is often a large file. So a
declared size drops only what would be too small were its file several times as large, or what has no poster's
proportions; a small upright picture is asked for, and a host whose thumbnails really are thumbnails is learned by
:mod:`posterbot.filters.barren`. Sizes that are the file's own (in its address, in linked data, of Open Graph) count as
they stand.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from posterbot.catalogue.records import Page
from posterbot.filters.names import LABELS
from posterbot.page import Candidate, FoundBy
from posterbot.page.variants import size_variant
from posterbot.reasons import Reason

SYMBOL = 48
"""Pixels: what is shown smaller is a symbol, whatever its proportions."""
DENSE = 3
"""Pixels of a file for one of the page, on the densest screens that pages have files for."""
UPRIGHT = (0.5, 0.9)
"""Width by height within which a picture may be a poster's thumbnail."""
NARROWEST, WIDEST = 0.3, 1.65
"""Width by height of covers and posters: from a door panel (20 × 60 inches) to prints of 16 × 10. Of 16,554 pictures
that Wikipedia has for films since 1930, 0.3 % are wider, and most of these are title cards; of stills 94 % are, of
frames of videos all."""
FLAT_THINGS = frozenset({"poster", "poster_square", "book_cover", "album_cover", "comic_cover", "game_box", "magazine"})
"""Labels of which these proportions are known."""
UPRIGHT_THINGS = frozenset({"poster", "book_cover", "comic_cover", "game_box", "magazine"})
"""And those that are upright."""

# WordPress: name-1024x576.jpg; TMDB: /w1920_and_h800_face/. Both cut the file to this very size.
_BOTH_SIDES = re.compile(
    r"-([1-9][0-9]{1,3})x([1-9][0-9]{1,3})\.[a-z]{3,4}$|/w([0-9]{2,4})_and_h([0-9]{2,4})[^/]*/[^/]*$"
)
LEAST_PIXELS = 2_000
"""Smaller ones are the tenth season's twelfth episode."""
_SYMBOLS = frozenset({"icon", "logo"})
_OF_THE_FILE = frozenset({FoundBy.OPEN_GRAPH, FoundBy.TWITTER, FoundBy.JSON_LD, FoundBy.MICRODATA})
_UNKNOWN = float("inf")


class DeclaredSize:
    """Drops what will be smaller than wanted, by what the page and the address say.

    How large a picture is shown tells least where symbols are wanted, or labels of which nothing is known: then only
    the file's own size counts. Small pictures that are not upright are dropped only where all that is wanted is.

    Args:
        width, height: the smallest file that is kept, in pixels.
        wanted: labels that are looked for.
    """

    def __init__(self, width: int, height: int, wanted: Collection[str]) -> None:
        self.width, self.height = width, height
        self._smallest = min(width, height)
        self._symbols_wanted = not LABELS.issuperset(wanted) or not _SYMBOLS.isdisjoint(wanted)
        self._upright_wanted = UPRIGHT_THINGS.issuperset(wanted)

    def __call__(self, candidate: Candidate, page: Page) -> tuple[bool, Reason]:
        """(True, RELEVANT) or (False, DECLARED_SIZE)."""
        small = self._is_small(candidate)
        return (False, Reason.DECLARED_SIZE) if small else (True, Reason.RELEVANT)

    def _is_small(self, candidate: Candidate) -> bool:
        if _named_size(candidate.url) < self._smallest:
            return True
        sides = _named_sides(candidate.url)
        if sides is not None and (sides[0] < self.width or sides[1] < self.height):
            return True
        width, height = candidate.declared_width or 0, candidate.declared_height or 0
        if not width and not height:
            return False
        if candidate.found_by in _OF_THE_FILE:
            return (width or _UNKNOWN) < self.width or (height or _UNKNOWN) < self.height
        if candidate.found_by is FoundBy.LAZY and max(width, height) <= 1:
            return False  # so large is what stands in the place until a script has run
        if self._symbols_wanted:
            return False
        dense = DENSE if candidate.alternatives else 1
        if max(width, height) * dense < min(SYMBOL, self._smallest):
            return True
        if not (width and height and self._upright_wanted) or UPRIGHT[0] <= width / height <= UPRIGHT[1]:
            return False
        return width * dense < self.width or height * dense < self.height


class DeclaredAspect:
    """Drops what is declared far wider or taller than any poster or cover is.

    Args:
        wanted: labels that are looked for; where one is not among FLAT_THINGS, nothing is dropped.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = wanted

    def __call__(self, candidate: Candidate, page: Page) -> tuple[bool, Reason]:
        """(True, RELEVANT) or (False, DECLARED_ASPECT)."""
        declared = candidate.declared_width, candidate.declared_height
        width, height = _named_sides(candidate.url) or declared
        if not width or not height or has_proportions(width, height, self._wanted):
            return True, Reason.RELEVANT
        return False, Reason.DECLARED_ASPECT


def has_proportions(width: int, height: int, wanted: Collection[str]) -> bool:
    """May it be one of what is wanted, by its proportions? True where one of the labels is not among FLAT_THINGS."""
    return NARROWEST <= width / height <= WIDEST or not FLAT_THINGS.issuperset(wanted)


def _named_size(url: str) -> float:
    """Pixels of the file as its address has them; infinite where it has none."""
    try:
        size = size_variant(url)[1]
    except ValueError:
        return _UNKNOWN
    return _UNKNOWN if size is None or size < 10 else size  # under 10 it is only a mark of some size


def _named_sides(url: str) -> tuple[int, int] | None:
    """Width and height of the file as its address has them."""
    match = _BOTH_SIDES.search(url.partition("?")[0][:2_000])
    if match is None:
        return None
    width, height = int(match[1] or match[3]), int(match[2] or match[4])
    return (width, height) if width * height >= LEAST_PIXELS else None
