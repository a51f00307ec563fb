"""A crawl of a site in memory: a strategy says what is next, the site answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .site import POSTER_BYTES, Site

IN_FLIGHT = 8
"""Pages asked for before the first of them is done."""
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A URL seen for the first time."""

    page: int
    url: str
    pattern: str
    path: str
    text: str
    position: int
    depth: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page brought."""

    posters: int
    """New ones, in truth."""
    told: float
    """New ones, as the classifier has it."""
    requests: int
    """The page, and its pictures that are new."""
    size: int
    """Bytes of them all."""

    @property
    def cost(self) -> float:
        """As the frontier counts it."""
        return self.requests + self.size / MEGABYTE


class Strategy(Protocol):
    """What to fetch next. Page 0 is added first, found on page -1."""

    def add(self, page: int, links: Sequence[Found]) -> None:
        """Links found on ``page`` to URLs never seen before."""

    def next(self) -> int | None:
        """A page that was added; each once. None: there is none."""

    def done(self, page: int, posters: float, cost: float) -> None:
        """``page`` brought so many new posters, for so many requests. Its links were added before."""


@dataclass(frozen=True)
class Noise:
    """What the classifier gets wrong.

    The defaults are those of ``models/weights/web-images/card.md`` at the threshold 0.5: recall 0.886, false alarms
    among pictures of the web mix 0.001, among those designed like posters 0.257.
    """

    recall: float = 0.886
    false_alarms: float = 0.001
    covers_passing: float = 0.257


class World:
    """Sites as they answer: what is new is new once, and a layout may change after some fetches."""

    def __init__(
        self, site: Site, *, later: Site | None = None, change_at: int = 0, noise: Noise | None = None, seed: int = 0
    ) -> None:
        """``later``, the same site in other clothes, takes over after ``change_at`` fetches."""
        self.site, self._later, self._change_at = site, later, change_at
        self.latest = site if later is None else later
        self.seen = np.zeros(len(site), bool)
        self.seen[0] = True
        self.depth = np.zeros(len(site), np.int16)
        self._shown = np.zeros(int(site.poster_ids.max(initial=-1)) + 1, bool)
        self.fetched = 0
        self.noise = None if noise is None else (noise, np.random.default_rng([seed, 1]))
        # A poster is judged once: what the classifier misses it misses everywhere.
        self._missed = np.zeros(len(self._shown), bool)
        if self.noise is not None:
            self._missed = self.noise[1].random(len(self._shown)) > self.noise[0].recall

    def start(self) -> list[Found]:
        """Page 0."""
        return [Found(0, self.site.urls[0], self.site.patterns[0], "", "", 0, 0)]

    def fetch(self, page: int) -> Answer:
        """Ask for a page. What it brings is new once."""
        self.fetched += 1
        if self._later is not None and self.fetched > self._change_at:
            self.site, self._later = self._later, None
        site = self.site
        shown = site.shown(page)
        new = np.unique(shown[~self._shown[shown]]) if len(shown) else shown
        self._shown[new] = True
        told = float(len(new))
        if self.noise is not None:
            noise, rng = self.noise
            covers = int(site.covers[page])
            others = max(0, int(site.images[page]) - len(shown) - covers)
            told = float((~self._missed[new]).sum())
            told += rng.binomial(covers, noise.covers_passing) + rng.binomial(others, noise.false_alarms)
        known = len(shown) - len(new)
        requests = 1 + int(site.images[page]) - known
        return Answer(len(new), told, requests, int(site.size[page]) - POSTER_BYTES * known)

    def new_links(self, page: int) -> list[Found]:
        """Links of ``page`` to what was never seen before, each target once."""
        site = self.site
        of_page = site.links(page)
        targets = site.targets[of_page]
        new = np.flatnonzero(~self.seen[targets])
        if not len(new):
            return []
        new = new[np.sort(np.unique(targets[new], return_index=True)[1])]
        self.seen[targets[new]] = True
        self.depth[targets[new]] = self.depth[page] + 1
        return self._found(page, new, targets)

    def links(self, page: int) -> list[Found]:
        """All links of ``page``."""
        targets = self.site.targets[self.site.links(page)]
        return self._found(page, np.arange(len(targets)), targets)

    def _found(self, page: int, which: npt.NDArray[np.int64], targets: npt.NDArray[np.int32]) -> list[Found]:
        site, of_page, depth = self.site, self.site.links(page), int(self.depth[page]) + 1
        paths, texts = site.paths[of_page], site.texts[of_page]
        found = []
        for n in which.tolist():
            to = int(targets[n])
            url, pattern = site.urls[to], site.patterns[to]
            found.append(Found(to, url, pattern, site.path_names[paths[n]], site.words[texts[n]], n, depth))
        return found


def replay(world: World, strategy: Strategy, most: int | None = None) -> npt.NDArray[np.int32]:
    """Crawl until all posters are found, or ``most`` pages fetched; gives how many each page brought, in order.

    A site without posters is crawled to its last page.
    """
    brought: list[int] = []
    left = world.site.posters or -1
    strategy.add(-1, world.start())
    flying: deque[tuple[int, Answer, list[Found]]] = deque()
    most = len(world.site) if most is None else most
    while left and len(brought) < most:
        page = strategy.next() if len(flying) < IN_FLIGHT else None
        if page is not None:
            answer = world.fetch(page)
            brought.append(answer.posters)
            left -= answer.posters
            flying.append((page, answer, world.new_links(page)))
            continue
        if not flying:
            break
        page, answer, links = flying.popleft()
        strategy.add(page, links)
        strategy.done(page, answer.told, answer.cost)
    return np.array(brought, np.int32)
