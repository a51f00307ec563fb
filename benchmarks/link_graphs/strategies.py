"""All strategies by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .baselines import BreadthFirst, DepthFirst, PatternMeans, Random, UrlClassifier
from .by_yield import ByYield, Constants
from .oracle import Oracle
from .replay import Strategy
from .site import Site
from .tag_path_bandit import TagPathBandit

OURS = "yield"
STRATEGIES: dict[str, Callable[[Site, int], Strategy]] = {
    "breadth-first": lambda site, seed: BreadthFirst(),
    "depth-first": lambda site, seed: DepthFirst(),
    "random": lambda site, seed: Random(seed),
    "URL pattern": lambda site, seed: PatternMeans(seed),
    "URL classifier": lambda site, seed: UrlClassifier(seed),
    "tag-path bandit": lambda site, seed: TagPathBandit(seed),
    OURS: lambda site, seed: ByYield(),
    "oracle": lambda site, seed: Oracle(site),
}

_C = Constants()
WITHOUT: dict[str, Constants] = {
    "without promise": replace(_C, reach=0.0, likely=(1.0, 1.0), guesses=1),
    "without guessing again": replace(_C, guesses=1),
    "without the parent": replace(_C, of_parent=False),
    "without backlog": replace(_C, horizon=0.0),
    "links remembered for 512": replace(_C, link_memory=512),
    "as first designed": replace(_C, guesses=1, of_parent=False, horizon=0.0, link_memory=512),
    "without children": replace(_C, discount=0.0),
    "without bonus": replace(_C, optimism=0.0),
    "without floor": replace(_C, floor_every=0),
    "without tag paths": replace(_C, by_path=False),
    "without patterns": replace(_C, by_pattern=False),
}
"""What each part of ours is worth: the rest without it."""
STRATEGIES |= {name: lambda site, seed, given=given: ByYield(given) for name, given in WITHOUT.items()}  # type: ignore[misc]
