"""The oracle: it knows every page's yield and every link.

On a tree of links, pages one after another and all of one length, the greatest area under the curve is reached by
Horn's rule (Horn 1972, "Single-machine job sequencing with treelike precedence ordering and linear delay penalties",
SIAM J. Appl. Math. 23): a page is worth the best ratio of posters to pages that it and some pages below it have
together, and the page that is worth most is next. The tree here has, for each page, of the shortest ways to it the one
over the page that leads to most posters; a page that is reached otherwise is taken when it is reached. So its curve is
near the best one, not above every other.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from .replay import Found
from .site import Ints, Site


class Oracle:
    """Needs to see the whole site beforehand."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._worth = horn(tree(site), _yields(site))
        self._heap: list[tuple[float, int]] = []

    def add(self, page: int, links: Sequence[Found]) -> None:
        """See :class:`Strategy`."""
        for link in links:
            heapq.heappush(self._heap, (-float(self._worth[link.page]), link.page))

    def next(self) -> int | None:
        """See :class:`Strategy`."""
        return heapq.heappop(self._heap)[1] if self._heap else None

    def done(self, page: int, posters: float, cost: float) -> None:
        """See :class:`Strategy`."""


def _yields(site: Site) -> Ints:
    """Posters of each page, each poster on one page only: the one that has most, else the nearest to the start."""
    depth = site.depths()
    many = np.diff(site.poster_starts)
    on = np.repeat(np.arange(len(site)), many)
    order = np.lexsort((depth[on], -many[on], site.poster_ids))
    _, first = np.unique(site.poster_ids[order], return_index=True)
    return np.bincount(on[order][first], minlength=len(site))


def tree(site: Site) -> Ints:
    """The parent of each page, -1 for page 0."""
    depth, yields = site.depths(), _yields(site)
    sources = np.repeat(np.arange(len(site)), np.diff(site.starts))
    deeper = depth[site.targets] == depth[sources] + 1
    sources, targets = sources[deeper], site.targets[deeper].astype(np.int64)
    pairs = np.unique(sources * len(site) + targets)
    sources, targets = pairs // len(site), pairs % len(site)
    leads_to = yields.astype(float)
    for level in range(int(depth.max()) - 1, -1, -1):  # what is below counts less, the more steps away
        here = depth[sources] == level
        leads_to += np.bincount(
            sources[here], weights=0.5 * np.minimum(leads_to[targets[here]], 30), minlength=len(site)
        )
    order = np.lexsort((-leads_to[sources], targets))
    which, first = np.unique(targets[order], return_index=True)
    parent = np.full(len(site), -1, np.int64)
    parent[which] = sources[order][first]
    return parent


def horn(parent: Ints, yields: Ints) -> np.ndarray:
    """The worth of each page in the tree: posters for a page, with those pages below that are worth as much."""
    number = len(parent)
    has = yields > 0
    at = np.flatnonzero(has)
    while len(at):  # only pages that lead to posters matter
        at = np.unique(parent[at])
        at = at[at >= 0]
        at = at[~has[at]]
        has[at] = True
    children: dict[int, list[int]] = {}
    for page in np.flatnonzero(has).tolist():
        children.setdefault(int(parent[page]), []).append(page)
    worth = np.zeros(number)
    # Blocks below a page, best first: (−ratio, posters, pages); a page merges with blocks that are better than itself.
    blocks: dict[int, list[tuple[float, int, int]]] = {}
    order, stack = [], [0]
    while stack:
        page = stack.pop()
        order.append(page)
        stack += children.get(page, ())
    for page in reversed(order):
        mine: list[tuple[float, int, int]] = []
        for child in children.get(page, ()):
            other = blocks.pop(child)
            if len(other) > len(mine):
                mine, other = other, mine
            for block in other:
                heapq.heappush(mine, block)
        posters, pages = int(yields[page]), 1
        while mine and -mine[0][0] > posters / pages:
            _, more, length = heapq.heappop(mine)
            posters, pages = posters + more, pages + length
        worth[page] = posters / pages
        heapq.heappush(mine, (-posters / pages, posters, pages))
        blocks[page] = mine
    return worth
