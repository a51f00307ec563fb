"""The reference: a bandit over clusters of tag paths (Gauquier, Manolescu, Senellart, arXiv 2602.11874).

Sleeping bandit with AUER (awake upper estimated reward, Kleinberg et al. 2010): of the arms that have links waiting
the one with the greatest mean + α √(2 ln t / pulls), a random link of it. α = 2 √2 as there; reward 1 for each poster.
Simplified: clusters by cosine similarity of 1- and 2-grams as in ``posterbot/frontier/tag_paths.py``, threshold 0.8.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import inf, log, sqrt

from posterbot.frontier.tag_paths import Clusters

from .replay import Found


class TagPathBandit:
    """Forgets nothing, and gives no credit for links."""

    def __init__(self, seed: int, alpha: float = 2 * sqrt(2)) -> None:
        self._rng = random.Random(seed)
        self._clusters = Clusters()
        self._alpha = alpha
        self._waiting: dict[str, list[int]] = {}
        self._arm: dict[int, str] = {}
        self._pulls: dict[str, int] = {}
        self._reward: dict[str, float] = {}
        self._time = 1

    def add(self, page: int, links: Sequence[Found]) -> None:
        """See :class:`Strategy`."""
        for link in links:
            arm = self._clusters.find(link.path)
            self._waiting.setdefault(arm, []).append(link.page)
            self._pulls.setdefault(arm, 0)
            self._reward.setdefault(arm, 0.0)
            self._arm[link.page] = arm

    def next(self) -> int | None:
        """See :class:`Strategy`."""
        awake = [arm for arm, waiting in self._waiting.items() if waiting]
        if not awake:
            return None
        self._time += 1
        log_time = 2 * log(self._time)

        def bound(arm: str) -> float:
            pulls = self._pulls[arm]
            return inf if not pulls else self._reward[arm] / pulls + self._alpha * sqrt(log_time / pulls)

        arm = max(awake, key=bound)
        self._pulls[arm] += 1
        waiting = self._waiting[arm]
        at = self._rng.randrange(len(waiting))
        waiting[at], waiting[-1] = waiting[-1], waiting[at]
        return waiting.pop()

    def done(self, page: int, posters: float, cost: float) -> None:
        """See :class:`Strategy`."""
        self._reward[self._arm.pop(page)] += posters
