"""What a crawl's curve of posters against requests says, next to others of the same site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .baselines import BreadthFirst
from .oracle import Oracle
from .replay import World, replay

GOAL = 0.9
"""Share of the posters to be reached."""


def requests_to(brought: npt.NDArray[np.int32], posters: int, share: float = GOAL) -> float:
    """Requests until ``share`` of all ``posters`` were found; infinity where they never were."""
    found = np.cumsum(brought)
    at = int(np.searchsorted(found, np.ceil(share * posters)))
    return float(at + 1) if at < len(found) else float("inf")


def area(brought: npt.NDArray[np.int32], posters: int, until: int) -> float:
    """Mean share of the posters found, over the first ``until`` requests; from 0 to 1."""
    found = np.cumsum(brought[:until])
    last = float(found[-1]) if len(found) else 0.0
    return (float(found.sum()) + last * (until - len(found))) / until / max(1, posters)


@dataclass(frozen=True)
class Figures:
    """Of one crawl."""

    requests: float
    """To 90 % of the posters."""
    ratio: float
    """Of these to those that breadth-first takes."""
    area: float
    """Under the curve, up to where breadth-first has 90 %, as a share of the oracle's."""
    area_all: float
    """The same up to the last page of the site."""


class Yardstick:
    """Breadth-first and oracle on one site."""

    def __init__(self, world: Callable[[], World]) -> None:
        """``world`` gives the same one anew each time."""
        site = world().latest
        self.posters, self.pages = site.posters, len(site)
        self.breadth_first = replay(world(), BreadthFirst())
        self.oracle = replay(world(), Oracle(site))
        self.until = int(requests_to(self.breadth_first, self.posters)) if self.posters else self.pages

    def figures(self, brought: npt.NDArray[np.int32]) -> Figures:
        """Of a crawl of the same site."""
        requests = requests_to(brought, self.posters)
        areas = [
            area(brought, self.posters, until) / max(1e-9, area(self.oracle, self.posters, until))
            for until in (self.until, self.pages)
        ]
        return Figures(requests, requests / self.until, *areas)
