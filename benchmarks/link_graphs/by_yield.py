"""The strategy of the frontier, in memory and for one host, with all of its constants in one place to be tried.

Shares with ``posterbot/frontier/by_yield.py`` what decides: ``worth.py``, ``tag_paths.py``, ``promise.py``.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posterbot.frontier.promise import Promise, features, of_parent
from posterbot.frontier.records import Place
from posterbot.frontier.tag_paths import Clusters
from posterbot.frontier.worth import worths

from .replay import Found


@dataclass(frozen=True)
class Constants:
    """Chosen on four of the sites."""

    optimism: float = 0.5
    """Standard deviations added to an arm's worth; 0: no bonus."""
    floor_every: int = 20
    """Each so manieth page is of the arm served longest ago; 0: no floor."""
    reach: float = 30_000
    """Links of an arm that a sure one overtakes; 0: in the order found."""
    guesses: int = 32
    """So many links at the head of an arm are guessed again before one is taken; 1: as guessed when found."""
    of_parent: bool = True
    """The promise of a link is told also by the words of its parent, by parameters of queries, and by what the parent
    and the links beside it have brought."""
    likely: tuple[float, float] = (0.2, 5.0)
    """How much promise may change what is expected of a new arm; (1, 1): nothing."""
    prior: float = 1.0
    memory: float = 512
    """Pulls after which counts of an arm are halved."""
    link_memory: float = 16
    """Pulls after which its counts of new links are: what is new runs out."""
    discount: float = 0.9
    """0: no credit for what pages lead to."""
    horizon: float = 2_000
    """Pages: a new link that has so many before it is worth 1/e of one that has none; 0: just as much."""
    most_arms: int = 256
    first_reward: float = 0.1
    first_cost: float = 2.0
    share: float = 0.05
    least: int = 4
    most: int = 64
    by_path: bool = True
    by_pattern: bool = True


@dataclass(slots=True)
class _Link:
    """A page that waits or was fetched."""

    arm: int
    found: Found
    parent: int
    number: int
    features: bytes
    fruitful: bool | None = None
    led: int = 0
    """Links found here that were fetched since."""
    led_to: int = 0
    """And that brought posters."""


class ByYield:
    """One host's arms, and their links."""

    def __init__(self, constants: Constants = Constants()) -> None:
        self._c = constants
        self._clusters = Clusters()
        self._promise = Promise()
        self._numbers: dict[tuple[str, str], int] = {}
        self.names: list[tuple[str, str]] = []
        self._heaps: list[list[tuple[float, int, int]]] = []
        self._links: dict[int, _Link] = {}
        self._told: dict[int, bytes] = {}
        """Features of pages in flight, as they were when one was chosen."""
        room = constants.most_arms + 2
        self.pulls, self.reward, self.cost, self.worth, self._added, self._guessed = np.zeros((6, room))
        self._served, self._flying, self._link_pulls = np.zeros((3, room))
        self._leads = np.zeros((room, room))
        self._count = self._fresh = self._turns = 0
        self.fetched: Counter[int] = Counter()

    # --- in

    def add(self, page: int, links: Sequence[Found]) -> None:
        """Into their arms, by what they promise."""
        parent = self._links.get(page)
        of_arms: dict[int, list[int]] = {}
        for one in links:
            arm = self._arm(one)
            self._links[one.page] = _Link(arm, one, page, self._count, self._features(one, parent))
            self._count += 1
            self._added[arm] += 1
            if parent is not None:
                self._leads[parent.arm, arm] += 1
            of_arms.setdefault(arm, []).append(one.page)
        for arm, pages in of_arms.items():
            self._push(arm, pages)

    def _features(self, one: Found, parent: _Link | None) -> bytes:
        above = "" if parent is None else parent.found.pattern
        return features(one.url, one.pattern, Place(one.path, one.text, one.position), above)

    def _with_news(self, page: int) -> bytes:
        """The features of a link and what is known by now of its parent."""
        link = self._links[page]
        parent = self._links.get(link.parent)
        if not self._c.of_parent:
            return link.features
        if parent is None:
            return link.features + of_parent(b"", None, 0, 0)
        return link.features + of_parent(parent.features, parent.fruitful, parent.led, parent.led_to)

    def _push(self, arm: int, pages: Sequence[int], first: bool = True) -> None:
        guesses = self._promise.guess_all([self._with_news(page) for page in pages]).tolist()
        if first:
            self._guessed[arm] += sum(guesses)
        for page, guess in zip(pages, guesses, strict=True):
            number = self._links[page].number
            heapq.heappush(self._heaps[arm], (number - self._c.reach * guess, number, page))

    def _arm(self, one: Found) -> int:
        name = (self._clusters.find(one.path) if self._c.by_path else "", one.pattern if self._c.by_pattern else "")
        if name not in self._numbers and len(self._numbers) >= self._c.most_arms:
            name = ("", "")
        arm = self._numbers.get(name)
        if arm is None:
            arm = self._numbers[name] = len(self.names)
            self.names.append(name)
            self._heaps.append([])
            reward, cost = self._usual()
            self.worth[arm] = reward / cost
            self._served[arm] = self._turns
        return arm

    def _usual(self) -> tuple[float, float]:
        """Reward and cost of any page."""
        c = self._c
        pulls = float(self.pulls.sum()) + c.prior
        reward = (float(self.reward.sum()) + c.prior * c.first_reward) / pulls
        return reward, (float(self.cost.sum()) + c.prior * c.first_cost) / pulls

    # --- out

    def next(self) -> int | None:
        """The best link of the best arm."""
        awake = np.array([arm for arm, heap in enumerate(self._heaps) if heap])
        if not len(awake):
            return None
        c = self._c
        if self._fresh >= min(max(c.share * float(self.pulls.sum()), c.least), c.most):
            self._judge()
        self._turns += 1
        by_turns = c.floor_every > 0 and self._turns % c.floor_every == 0
        arm = int(awake[self._served[awake].argmin() if by_turns else self.hopes()[awake].argmax()])
        self._served[arm] = self._turns
        self._flying[arm] += 1
        self.fetched[arm] += 1
        heap = self._heaps[arm]
        if c.guesses > 1:
            self._push(arm, [heapq.heappop(heap)[2] for _ in range(min(c.guesses, len(heap)))], first=False)
        page = heapq.heappop(heap)[2]
        self._told[page] = self._with_news(page)
        return page

    def hopes(self) -> npt.NDArray[np.float64]:
        """Worth and what may be hoped beyond, of each arm."""
        reward, cost = self._usual()
        number = len(self.names)
        worth, pulls = self.worth[:number], (self.pulls + self._flying)[:number]
        return worth + self._c.optimism * np.sqrt(np.maximum(worth, reward / cost) / (pulls + 1))

    def done(self, page: int, posters: float, cost: float) -> None:
        """Count and learn."""
        link, arm = self._links[page], self._links[page].arm
        self._flying[arm] -= 1
        self.pulls[arm] += 1
        self._link_pulls[arm] += 1
        self.reward[arm] += posters
        self.cost[arm] += cost
        self._fresh += 1
        self._promise.learn(self._told.pop(page), posters > 0)
        link.fruitful = posters > 0
        if (parent := self._links.get(link.parent)) is not None:
            parent.led += 1
            parent.led_to += posters > 0
        if self.pulls[arm] >= self._c.memory:
            for counts in (self.pulls, self.reward, self.cost):
                counts[arm] /= 2
        if self._link_pulls[arm] >= self._c.link_memory:
            self._link_pulls[arm] /= 2
            self._leads[arm] /= 2

    def _judge(self) -> None:
        self._fresh = 0
        c, number = self._c, len(self.names)
        reward, cost = self._usual()
        pulls, added, guessed = self.pulls[:number], self._added[:number], self._guessed[:number]
        guesses = guessed / np.maximum(added, 1)
        likely = np.clip(guesses / max(guessed.sum() / max(added.sum(), 1), 1e-9), *c.likely)
        rewards = (self.reward[:number] + c.prior * reward * likely) / (pulls + c.prior)
        costs = (self.cost[:number] + c.prior * cost) / (pulls + c.prior)
        children = self._leads[:number, :number] / (self._link_pulls[:number] + c.prior)[:, None]
        if c.horizon:
            # As good ones that wait already are fetched before any that would be found.
            waiting = np.array([len(heap) for heap in self._heaps], float)
            order = np.argsort(-self.worth[:number], kind="stable")
            before = np.empty(number)
            before[order] = np.cumsum(waiting[order])
            children *= np.exp(-before / c.horizon)
        self.worth[:number] = worths(rewards, costs, children, discount=c.discount)
