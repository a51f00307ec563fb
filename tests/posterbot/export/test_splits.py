from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.export.splits import Links, assign, components, digests, shuffled

SHARES = (0.8, 0.1, 0.1)


def names(count: int) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]


def links(values: list[int]) -> Links:
    """Image ``i`` is linked with ``values[i]``; negative: with nothing."""
    given = np.array(values, np.int64)
    places = np.flatnonzero(given >= 0)
    return places, given[places]


def images_of(split: np.ndarray) -> list[int]:
    return [int((split == number).sum()) for number in range(3)]


def test_digests_sort_as_their_texts_do() -> None:
    hexadecimal = names(50)
    order = np.lexsort(digests(hexadecimal).T[::-1])
    assert [hexadecimal[place] for place in order] == sorted(hexadecimal)


def test_chains_are_one_group() -> None:
    films, copies = links([0, 0, 1, 2, -1, -1]), links([5, 6, 6, 7, 8, 8])
    group = components(6, [films, copies])
    assert [list(np.flatnonzero(group == number)) for number in dict.fromkeys(group.tolist())] == [
        [0, 1, 2],
        [3],
        [4, 5],
    ]


@given(
    st.lists(st.tuples(st.integers(-1, 12), st.integers(-1, 12)), min_size=1, max_size=40),
    st.sampled_from([SHARES, (1.0, 0.0, 0.0), (0.5, 0.0, 0.5), (0.0, 0.2, 0.8), (1 / 3, 1 / 3, 1 / 3)]),
    st.integers(0, 5),
)
def test_no_link_crosses(linked: list[tuple[int, int]], shares: tuple[float, ...], seed: int) -> None:
    both = [links([pair[side] for pair in linked]) for side in range(2)]
    found = assign(digests(names(len(linked))), both, shares, seed)
    for places, values in both:
        for value in set(values.tolist()):
            assert len(set(found.split[places[values == value]].tolist())) == 1
    used = [number for number, share in enumerate(shares) if share]
    assert set(found.split.tolist()) <= set(used)
    groups = len(set(found.group.tolist()))
    assert len(set(found.split.tolist())) == min(groups, len(used))
    assert found.largest == np.bincount(found.group).max()


@given(st.lists(st.integers(0, 8), min_size=1, max_size=30), st.randoms())
def test_numbers_of_a_catalogue_do_not_matter(values: list[int], random: object) -> None:
    count = len(values)
    order = list(range(count))
    random.shuffle(order)  # type: ignore[attr-defined]
    sha256 = names(count)
    one = assign(digests(sha256), [links(values)], SHARES, 7)
    other = assign(digests([sha256[at] for at in order]), [links([values[at] + 100 for at in order])], SHARES, 7)
    assert {sha256[at]: one.split[at] for at in range(count)} == {
        sha256[at]: other.split[place] for place, at in enumerate(order)
    }


@pytest.mark.parametrize("shares", [SHARES, (0.5, 0.25, 0.25), (0.6, 0.4, 0.0)])
def test_shares_are_met(shares: tuple[float, ...]) -> None:
    films = [number // 3 for number in range(3000)]
    found = assign(digests(names(3000)), [links(films)], shares, 0)
    assert images_of(found.split) == [pytest.approx(3000 * share, abs=2) for share in shares]


def test_large_groups_go_where_most_goes() -> None:
    films = [0] * 400 + list(range(1, 601))
    found = assign(digests(names(1000)), [links(films)], SHARES, 0)
    assert set(found.split[:400].tolist()) == {0}
    assert images_of(found.split) == [800, 100, 100]
    assert found.largest == 400


def test_a_group_larger_than_any_share() -> None:
    films = [0] * 950 + list(range(1, 51))
    found = assign(digests(names(1000)), [links(films)], SHARES, 0)
    assert images_of(found.split) == [950, 25, 25]


def test_another_seed_is_another_split_and_order() -> None:
    sha256 = digests(names(1000))
    splits = [assign(sha256, [], SHARES, seed).split for seed in (0, 0, 1)]
    assert (splits[0] == splits[1]).all()
    assert (splits[0] != splits[2]).mean() > 0.2
    assert (shuffled(sha256, 0) == shuffled(sha256, 0)).all()
    assert (np.argsort(shuffled(sha256, 0)) != np.argsort(shuffled(sha256, 1))).mean() > 0.9


def test_most_stay_when_a_catalogue_grows() -> None:
    before = assign(digests(names(1000)), [], SHARES, 0).split
    after = assign(digests(names(1100)), [], SHARES, 0).split[:1000]
    assert (before == after).mean() > 0.97
