"""How much a pull of each arm is worth, with all that it leads to: a pure function of counts.

A page brings pictures and, as new links, pages of other kinds. Which kind to fetch next is then a *branching bandit*
(Weiss 1988, "Branching bandit processes", Probability in the Engineering and Informational Sciences 2): it is optimal
to go by a number for each arm, the best ratio of reward to cost that can be had by pulling it and then those of its
offspring that are worth as much. So a list is worth nearly what the films on it are, and nobody has to say what a
list is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GENERATIONS = 8
"""Pulls in a row that are looked ahead. Links lead to ever more links: counts hold for the near future only."""
PRICES = 160
"""Prices of a request at which each arm's value is computed: 0, and then each 4 % above the one before."""
RANGE = 1e-3
"""The lowest of them, of the highest. What is worth less is told only roughly."""
_COLUMNS = 4
"""Prices at a time."""
_MOST = 1e9
"""Of what a pull brings, and of the value of an arm: above it, only the sign matters."""
_LEAST = 1e-300
"""A ratio of reward to cost below it is none: parts of it would not be numbers."""
_PRICES = np.concatenate(([0.0], np.geomspace(RANGE, 1.0, PRICES - 1)))

Floats = NDArray[np.float64]


def worths(reward: Floats, cost: Floats, children: Floats, *, discount: float = 0.9) -> Floats:
    """The index of each arm: posters for each request, in the long run. Never above the best ``reward / cost``.

    The value of arm a, each request being charged λ, is ``reward[a] - λ cost[a] + discount Σ children[a, b]
    max(0, value of b)``: offspring that are not worth it are left. It falls with λ; the index is the λ where it is 0.
    Within 2.5 % of that, for what is worth more than RANGE of the best.

    Args:
        reward: of n arms, posters expected of a pull; 0 or more.
        cost: requests expected of a pull; above 0.
        children: n × n; ``children[a, b]`` new URLs of arm b expected of a pull of a; 0 or more.
        discount: what a poster is worth that comes one pull later; from 0 to 1.

    Returns:
        n numbers, 0 or more; 0 for what leads nowhere.
    """
    reward, cost = _sane(reward), np.maximum(_sane(cost), 1 / _MOST)
    children = _sane(children) * discount
    best = float(np.max(reward / cost, initial=0.0))
    if best < _LEAST:
        return np.zeros(len(reward))
    prices = _PRICES * best
    # Shape (prices / 4, arms, 4): products so small that BLAS starts no threads, which would wait for busy cores.
    own = reward[:, None] - prices.reshape(-1, 1, _COLUMNS) * cost[:, None]
    own[-1, :, -1] = np.minimum(own[-1, :, -1], 0.0)  # at the best price of all, whatever rounding says
    values = np.clip(own, -_MOST, _MOST)
    for _ in range(GENERATIONS - 1):
        values = np.clip(own + children @ np.maximum(values, 0.0), -_MOST, _MOST)
    return _crossings(prices, values.transpose(1, 0, 2).reshape(len(reward), PRICES))


def _sane(numbers: Floats) -> Floats:
    return np.clip(np.nan_to_num(np.asarray(numbers, dtype=np.float64), posinf=_MOST), 0.0, _MOST)


def _crossings(prices: Floats, values: Floats) -> Floats:
    """Where each row of ``values``, convex and falling, goes through 0.

    Between two prices such a function lies under their chord, and above the chords on either side, prolonged: where
    the crossing is the middle of what these leave open.
    """
    arms, last = np.arange(len(values)), len(prices) - 1
    after = np.clip((values > 0.0).sum(axis=1), 1, last)
    before = after - 1

    def crossing(one: NDArray[np.intp], other: NDArray[np.intp]) -> Floats:
        high, low = values[arms, one], values[arms, other]
        drop = high - low
        share = np.divide(high, drop, out=np.zeros_like(drop), where=drop > 0.0)
        return np.clip(prices[one] + share * (prices[other] - prices[one]), prices[before], prices[after])

    most = crossing(before, after)
    left = np.where(before > 0, crossing(np.maximum(before - 1, 0), before), prices[before])
    right = np.where(after < last, crossing(after, np.minimum(after + 1, last)), prices[before])
    return (most + np.minimum(np.maximum(left, right), most)) / 2
