from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.frontier.choosing import FLOOR_EVERY, Arm, choose, floors, hope


def arm(number: int, worth: float, pulls: float = 1000.0, served_at: float = 0.0, available: int = 1000) -> Arm:
    return Arm(number, worth, pulls, served_at, available)


def test_the_best_arm_is_chosen_but_for_the_floor() -> None:
    chosen = Counter(number for number, _ in choose([arm(1, 0.1), arm(2, 0.9)], 100, 0.1, {}, floors(), 1.0))
    assert chosen[2] > 90
    assert 0 < chosen[1] <= 100 // FLOOR_EVERY


def test_an_arm_that_is_not_known_is_tried_and_then_left() -> None:
    arms = [arm(1, 0.5, pulls=500), arm(2, 0.3, pulls=0)]
    numbers = [number for number, _ in choose(arms, 19, 0.5, {}, floors(), 1.0)]
    assert numbers[0] == 2
    assert numbers[-2:] == [1, 1], "pulls under way count as made"


def test_pulls_of_earlier_leases_count_as_made() -> None:
    arms = [arm(1, 0.5, pulls=500), arm(2, 0.45, pulls=0)]
    assert choose(arms, 1, 0.5, {2: 400}, floors(), 1.0)[0][0] == 1


def test_what_was_served_longest_ago_has_the_floor() -> None:
    arms = [arm(1, 0.9), *(arm(number, 0.0, served_at=number) for number in range(2, 7))]
    chosen = [number for number, _ in choose(arms, 5 * FLOOR_EVERY, 0.1, {}, floors(), 100.0)]
    assert chosen[FLOOR_EVERY - 1 :: FLOOR_EVERY] == [2, 3, 4, 5, 6], "the first is always served just now"


def test_no_more_is_chosen_than_there_is() -> None:
    arms = [arm(1, 0.9, available=2), arm(2, 0.1, available=3)]
    assert Counter(number for number, _ in choose(arms, 100, 0.1, {}, floors(), 1.0)) == {1: 2, 2: 3}
    assert choose([], 10, 0.1, {}, floors(), 1.0) == []


@given(st.floats(0, 1), st.floats(0, 1e6), st.floats(0, 1))
def test_hope_is_never_below_worth_and_falls_with_pulls(worth: float, pulls: float, mean: float) -> None:
    assert hope(worth, pulls + 1, mean) <= hope(worth, pulls, mean)
    assert hope(worth, pulls, mean) >= worth


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e4), st.integers(1, 50)), max_size=20), st.integers(0, 60))
def test_every_choice_is_an_arm_with_something_left(given_arms: list[tuple[float, float, int]], number: int) -> None:
    arms = [Arm(place, worth, pulls, 0.0, left) for place, (worth, pulls, left) in enumerate(given_arms)]
    chosen = Counter(arm for arm, _ in choose(arms, number, 0.1, {}, floors(), 1.0))
    assert sum(chosen.values()) == min(number, sum(left for _, _, left in given_arms))
    assert all(times <= given_arms[arm][2] for arm, times in chosen.items())


@pytest.mark.parametrize("every", [1, 2, 20])
def test_floors(every: int) -> None:
    turns = floors(every)
    assert sum(next(turns) for _ in range(100)) == 100 // every
