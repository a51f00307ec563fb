"""Strategies to compare with that learn nothing, or next to nothing."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict, deque
from collections.abc import Sequence
from math import exp

from .replay import Found


class BreadthFirst:
    """As the frontier has been until now: least depth first, then first found."""

    def __init__(self) -> None:
        self._levels: defaultdict[int, deque[int]] = defaultdict(deque)

    def add(self, page: int, links: Sequence[Found]) -> None:
        """See :class:`Strategy`."""
        for link in links:
            self._levels[link.depth].append(link.page)

    def next(self) -> int | None:
        """See :class:`Strategy`."""
        for depth in sorted(self._levels):
            if waiting := self._levels[depth]:
                return waiting.popleft()
            del self._levels[depth]
        return None

    def done(self, page: int, posters: float, cost: float) -> None:
        """See :class:`Strategy`."""


class DepthFirst:
    """The last found first; of a page's links the first."""

    def __init__(self) -> None:
        self._stack: list[int] = []

    def add(self, page: int, links: Sequence[Found]) -> None:
        """See :class:`Strategy`."""
        self._stack += [link.page for link in reversed(links)]

    def next(self) -> int | None:
        """See :class:`Strategy`."""
        return self._stack.pop() if self._stack else None

    def done(self, page: int, posters: float, cost: float) -> None:
        """See :class:`Strategy`."""


class Random:
    """Any that waits, each as likely."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._waiting: list[int] = []

    def add(self, page: int, links: Sequence[Found]) -> None:
        """See :class:`Strategy`."""
        self._waiting += [link.page for link in links]

    def next(self) -> int | None:
        """See :class:`Strategy`."""
        if not self._waiting:
            return None
        at = self._rng.randrange(len(self._waiting))
        self._waiting[at], self._waiting[-1] = self._waiting[-1], self._waiting[at]
        return self._waiting.pop()

    def done(self, page: int, posters: float, cost: float) -> None:
        """See :class:`Strategy`."""


class PatternMeans:
    """The URL alone: the pattern with the best mean of posters a page, an unknown one counted as two pages with one
    poster. Best first, and within a pattern first found first. No credit for what a page leads to; one page in 20 at
    random, or it would never leave the first pattern that has any.
    """

    SHARE = 0.05

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._waiting: dict[str, deque[int]] = {}
        self._pattern: dict[int, str] = {}
        self._pulls: defaultdict[str, float] = defaultdict(lambda: 2.0)
        self._reward: defaultdict[str, float] = defaultdict(lambda: 1.0)

    def add(self, page: int, links: Sequence[Found]) -> None:
        """See :class:`Strategy`."""
        for link in links:
            self._waiting.setdefault(link.pattern, deque()).append(link.page)
            self._pattern[link.page] = link.pattern

    def next(self) -> int | None:
        """See :class:`Strategy`."""
        if not self._waiting:
            return None
        if self._rng.random() < self.SHARE:
            pattern = self._rng.choice(list(self._waiting))
        else:
            pattern = max(self._waiting, key=lambda name: self._reward[name] / self._pulls[name])
        page = self._waiting[pattern].popleft()
        if not self._waiting[pattern]:
            del self._waiting[pattern]
        self._pulls[pattern] += 1
        return page

    def done(self, page: int, posters: float, cost: float) -> None:
        """See :class:`Strategy`."""
        self._reward[self._pattern.pop(page)] += posters


class UrlClassifier:
    """An online logistic regression on pattern and words of the URL, best first; one page in 20 at random."""

    RATE, SHARE = 0.5, 0.05

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._weights: defaultdict[str, float] = defaultdict(float)
        self._squares: defaultdict[str, float] = defaultdict(lambda: 1e-6)
        self._features: dict[int, list[str]] = {}
        self._open: dict[int, list[str]] = {}
        """Of pages in flight."""
        self._heap: list[tuple[float, int, int]] = []
        self._all: list[int] = []
        self._number = 0

    def add(self, page: int, links: Sequence[Found]) -> None:
        """See :class:`Strategy`."""
        for link in links:
            features = url_features(link.url, link.pattern)
            self._features[link.page] = features
            self._number += 1
            heapq.heappush(self._heap, (-self._score(features), self._number, link.page))
            self._all.append(link.page)

    def _score(self, features: list[str]) -> float:
        return sum(map(self._weights.__getitem__, features))

    def next(self) -> int | None:
        """See :class:`Strategy`."""
        if self._rng.random() < self.SHARE:
            while self._all:
                at = self._rng.randrange(len(self._all))
                self._all[at], self._all[-1] = self._all[-1], self._all[at]
                if (page := self._all.pop()) in self._features:
                    return self._taken(page)
        while self._heap:
            score, number, page = heapq.heappop(self._heap)
            if page not in self._features:
                continue
            now = -self._score(self._features[page])
            if self._heap and now > self._heap[0][0] + 1e-9 and now > score + 1e-9:  # it has learned since
                heapq.heappush(self._heap, (now, number, page))
                continue
            return self._taken(page)
        return None

    def _taken(self, page: int) -> int:
        self._open[page] = self._features.pop(page)
        return page

    def done(self, page: int, posters: float, cost: float) -> None:
        """See :class:`Strategy`."""
        features = self._open.pop(page)
        error = (1.0 if posters > 0 else 0.0) - 1 / (1 + exp(-max(-30.0, min(30.0, self._score(features)))))
        for feature in features:  # AdaGrad
            self._squares[feature] += error * error
            self._weights[feature] += self.RATE * error / self._squares[feature] ** 0.5


def url_features(url: str, pattern: str) -> list[str]:
    """Pattern, and words of path and query."""
    return ["", f"pattern {pattern}", *dict.fromkeys(url_words(url))]


def url_words(url: str) -> list[str]:
    """Of path and query, without numbers; in order."""
    path = url.split("/", 3)[-1].lower()
    return [word for word in path.translate(_SIGNS).split() if not word.isdecimal()]


_SIGNS = str.maketrans(dict.fromkeys("/-_?=&.+%:()", " "))
