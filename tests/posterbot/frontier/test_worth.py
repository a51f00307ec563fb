"""What a pull of an arm is worth, with all that it leads to."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from posterbot.frontier.worth import GENERATIONS, worths

Floats = NDArray[np.float64]


def worth(*arms: tuple[float, float, dict[int, float]], discount: float = 1.0) -> list[float]:
    """Of arms that are given as reward, cost, and child → number."""
    reward, cost = [np.array([arm[field] for arm in arms], dtype=float) for field in (0, 1)]
    children = np.array([[arm[2].get(child, 0.0) for child in range(len(arms))] for arm in arms])
    return worths(reward, cost, children.reshape(len(arms), len(arms)), discount=discount).tolist()


def bisected(reward: Floats, cost: Floats, children: Floats, discount: float = 0.9) -> Floats:
    """The same, slowly: one bisection for each arm, the value of all arms at its price."""
    low, high = np.zeros(len(reward)), np.full(len(reward), (reward / cost).max())
    for _ in range(50):
        price = (low + high) / 2
        own = reward[:, None] - price * cost[:, None]
        value = own
        for _ in range(GENERATIONS - 1):
            value = np.minimum(own + discount * children @ np.maximum(value, 0), 1e9)
        worthy = np.diag(value) > 0
        low, high = np.where(worthy, price, low), np.where(worthy, high, price)
    return low


def web(size: int, seed: int, density: float = 0.1) -> tuple[Floats, Floats, Floats]:
    """Few arms with posters, among many; some link to hundreds of pages."""
    chance = np.random.default_rng(seed)
    reward = chance.gamma(0.5, 1, size) * (chance.random(size) < 0.4)
    reward[0] = 1.0
    children = chance.gamma(0.3, 10 ** chance.normal(0, 1), (size, size)) * (chance.random((size, size)) < density)
    return reward, chance.uniform(1, 10, size), children


def test_a_page_with_a_poster() -> None:
    assert worth((1, 1, {})) == pytest.approx([1.0], rel=0.02)
    assert worth((1, 2, {})) == pytest.approx([0.5], rel=0.02)


def test_a_list_is_worth_nearly_what_is_on_it() -> None:
    film, listing = worth((1, 1, {}), (0, 1, {0: 50}))
    assert film == pytest.approx(1.0, rel=0.02)
    assert listing == pytest.approx(50 / 51, rel=0.02)


def test_a_list_with_a_discount() -> None:
    assert worth((1, 1, {}), (0, 1, {0: 50}), discount=0.9)[1] == pytest.approx(45 / 46, rel=0.02)


def test_a_list_of_lists() -> None:
    _, listing, index = worth((1, 1, {}), (0, 1, {0: 4}), (0, 1, {1: 3}))
    assert listing == pytest.approx(4 / 5, rel=0.02)
    assert index == pytest.approx(12 / 16, rel=0.02)


def test_offspring_that_is_not_worth_it_is_left() -> None:
    """A list that links to ten pages about the weather besides is as good."""
    assert worth((1, 1, {}), (0, 1, {0: 4, 2: 10}), (0.01, 1, {}))[1] == pytest.approx(4 / 5, rel=0.02)


def test_a_dead_end_is_worth_nothing() -> None:
    assert worth((1, 1, {}), (0, 1, {}), (0, 1, {1: 9, 2: 9}))[1:] == [0.0, 0.0]


def test_a_poor_page_that_leads_to_rich_ones() -> None:
    """In place of the fruitless one that it looks like, it comes before a page with a picture in each third."""
    poor, rich, middling = worth((0.01, 1, {1: 2}), (3, 1, {}), (1 / 3, 1, {}))
    assert poor == pytest.approx(6.01 / 3, rel=0.02)
    assert rich > poor > middling


def test_pagination_is_worth_what_the_pages_are() -> None:
    """Each page of a list links to the next one: that adds nothing to a request's worth, nor takes from it."""
    assert worth((1, 1, {}), (0, 1, {0: 9, 1: 1}))[1] == pytest.approx(9 / 10, rel=0.02)


def test_a_web_without_end() -> None:
    """Film pages that link to twelve new ones each: no more than a poster a request."""
    assert worth((0.5, 1, {0: 12})) == pytest.approx([0.5], rel=0.02)
    assert worth((0.5, 1, {1: 12}), (0, 1, {0: 12}))[1] == pytest.approx(6 / 13, rel=0.02)


@pytest.mark.parametrize("size", [1, 7, 60])
def test_as_bisected(size: int) -> None:
    for seed in range(6):
        arms = web(size, seed, density=(0.02, 0.1, 0.3)[seed % 3])
        exact = bisected(*arms)
        told = exact > 1e-3 * exact.max()
        assert worths(*arms)[told] == pytest.approx(exact[told], rel=0.025)
        assert np.all(worths(*arms)[~told] <= 1.1e-3 * exact.max())


def test_no_arms() -> None:
    assert worths(np.zeros(0), np.zeros(0), np.zeros((0, 0))).shape == (0,)


def test_no_rewards() -> None:
    assert worth((0, 1, {1: 5}), (0, 1, {0: 5})) == [0.0, 0.0]


@pytest.mark.parametrize("huge", [1e12, 1e300, np.inf, np.nan])
def test_numbers_beyond_reason(huge: float) -> None:
    for arms in (
        [(1, 1, {}), (0, 1, {0: huge, 1: huge})],
        [(1, huge, {}), (0, 1, {0: 5})],
        [(huge, 1, {}), (0, 1, {0: 5})],
        [(1, 0, {}), (0, 1, {0: 5})],
    ):
        got = np.array(worth(*arms))
        assert np.all(np.isfinite(got))
        assert np.all(got >= 0)


def test_rounding_is_not_multiplied() -> None:
    """At the best price of all an arm's value is 0, or a millionth of a millionth more: times a million, each time."""
    many = {0: 1e6, 1: 1e6}
    assert worth((0, 1, many), (7, 76.5, many))[1] == pytest.approx(7 / 76.5, rel=0.025)


sizes = st.integers(1, 6)
counts = st.floats(0, 50) | st.sampled_from([0.0, 1.0, 1e6])


@st.composite
def arms(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    size = draw(sizes)
    return (
        draw(arrays(float, size, elements=st.floats(0, 20))),
        draw(arrays(float, size, elements=st.floats(0.5, 100))),
        draw(arrays(float, (size, size), elements=counts)),
    )


@settings(deadline=None, max_examples=60)
@given(arms())
def test_between_its_own_ratio_and_the_best(some: tuple[Floats, Floats, Floats]) -> None:
    reward, cost, _ = some
    got = worths(*some)
    own, best = reward / cost, (reward / cost).max()
    assert np.all(got <= best * (1 + 1e-9))
    assert np.all(got >= own * 0.975 - 1e-3 * best - 1e-300)


@settings(deadline=None, max_examples=60)
@given(arms(), st.integers(0, 5), st.integers(0, 5))
def test_more_is_never_worth_less(some: tuple[Floats, Floats, Floats], parent: int, child: int) -> None:
    reward, cost, children = some
    before = worths(*some)
    more = children.copy()
    more[parent % len(reward), child % len(reward)] += 3
    slack = 1e-3 * before.max() + 1e-300
    assert np.all(worths(reward, cost, more) >= before * 0.95 - slack)
    richer = reward.copy()
    richer[parent % len(reward)] += 1
    assert np.all(worths(richer, cost, children) >= before * 0.95 - 1e-3 * (richer / cost).max() - 1e-300)


@settings(deadline=None, max_examples=30)
@given(arms())
def test_the_order_of_arms_does_not_matter(some: tuple[Floats, Floats, Floats]) -> None:
    reward, cost, children = some
    order = np.random.default_rng(len(reward)).permutation(len(reward))
    shuffled = worths(reward[order], cost[order], children[np.ix_(order, order)])
    assert shuffled == pytest.approx(worths(*some)[order], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("size", "allowed"), [(60, 0.001), (256, 0.010)])
def test_is_fast(size: int, allowed: float) -> None:
    """The best of some; five times what it may take on a quiet machine."""
    some = web(size, seed=1)
    took = []
    for _ in range(10):
        start = time.perf_counter()
        worths(*some)
        took.append(time.perf_counter() - start)
    assert min(took) < 5 * allowed
