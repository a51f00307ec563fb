from __future__ import annotations

import numpy as np
import pytest

from posterbot.duplicates.clusters import Clusters, Link
from posterbot.duplicates.likeness import CROWD, Kind, crowded, kinds, loosely

NAN = float("nan")


def clusters_of(number: int) -> Clusters:
    empty = np.empty(0, np.uint64)
    made = Clusters(np.empty(0, np.int64), empty, empty, empty)
    made.add(np.arange(1, number + 1), np.arange(101, number + 101, dtype=np.uint64))
    return made


def copy_of(other: int) -> Link:
    return Link(other, Kind.COPY, 2, 0.95)


def variant_of(other: int) -> Link:
    return Link(other, Kind.VARIANT, 2, 0.75)


def names(clusters: Clusters, kind: Kind, number: int) -> list[int]:
    return [clusters.name(kind, place) for place in range(number)]


def always(kind: Kind, one: int, other: int) -> bool:
    return True


def test_a_copy_joins_and_the_older_name_stays() -> None:
    clusters = clusters_of(4)
    assert clusters.link(2, [copy_of(1)], always) == [copy_of(1)]
    assert names(clusters, Kind.COPY, 4) == [101, 102, 102, 104]
    clusters.link(3, [copy_of(2), copy_of(0)], always)
    assert names(clusters, Kind.COPY, 4) == [101] * 4


def test_variants_hold_copies() -> None:
    clusters = clusters_of(4)
    clusters.link(1, [copy_of(0)], always)
    clusters.link(3, [copy_of(2)], always)
    assert clusters.link(3, [variant_of(1)], always) == [variant_of(1)]
    assert names(clusters, Kind.COPY, 4) == [101, 101, 103, 103]
    assert names(clusters, Kind.VARIANT, 4) == [101] * 4


def test_a_chain_ends_where_the_first_is_no_longer_like_the_last() -> None:
    clusters = clusters_of(40)

    def near(kind: Kind, one: int, other: int) -> bool:
        return abs(one - other) <= 3

    for place in range(1, 40):
        clusters.link(place, [copy_of(place - 1)], near)
    found = names(clusters, Kind.COPY, 40)
    assert found[:8] == [101] * 4 + [105] * 4
    assert len(set(found)) == 10


def test_what_is_not_followed_is_not_told() -> None:
    clusters = clusters_of(3)

    def one_copy(kind: Kind, one: int, other: int) -> bool:
        return kind is Kind.VARIANT or {one, other} == {2, 0}

    told = clusters.link(2, [copy_of(0), copy_of(1)], one_copy)
    assert told == [copy_of(0), Link(1, Kind.VARIANT, 2, 0.95)]
    assert names(clusters, Kind.COPY, 3) == [101, 102, 101]
    assert names(clusters, Kind.VARIANT, 3) == [101] * 3


def test_a_cluster_whose_first_image_is_gone_keeps_its_name() -> None:
    own = np.array([11, 12, 13, 14], np.uint64)
    called = np.array([99, 12, 99, 12], np.uint64)
    clusters = Clusters(np.array([1, 2, 3, 4]), own, called, called)
    assert [clusters.first(Kind.COPY, place) for place in range(4)] == [0, 1, 0, 1]
    place = clusters.add(np.array([5]), np.array([15], np.uint64))
    clusters.link(place, [copy_of(2), copy_of(3)], always)
    assert names(clusters, Kind.COPY, 5) == [99] * 5


def test_an_image_that_comes_late_does_not_give_its_name() -> None:
    own = np.array([20], np.uint64)
    clusters = Clusters(np.array([7]), own, own, own)
    place = clusters.add(np.array([3]), np.array([30], np.uint64))
    clusters.link(place, [copy_of(0)], always)
    assert names(clusters, Kind.COPY, 2) == [20, 20]


@pytest.mark.parametrize(
    ("distance", "similarity", "small", "kind"),
    [
        (0, 0.81, False, Kind.COPY),
        (0, 0.79, False, Kind.VARIANT),
        (0, 0.71, False, Kind.OTHER),
        (16, 0.88, False, Kind.COPY),
        (16, 0.87, False, Kind.VARIANT),
        (16, 0.85, False, Kind.OTHER),
        (4, 0.61, True, Kind.COPY),
        (6, 0.81, True, Kind.COPY),
        (4, NAN, False, Kind.COPY),
        (6, NAN, False, Kind.VARIANT),
        (10, NAN, False, Kind.OTHER),
    ],
)
def test_thresholds(distance: int, similarity: float, small: bool, kind: Kind) -> None:
    found = kinds(np.array([distance], np.uint8), np.array([similarity], np.float32), np.array([small]))
    assert Kind(found[0]) is kind


def test_what_is_together_is_loosely_alike() -> None:
    for distance in range(17):
        for similarity in (*np.arange(0.5, 1.0, 0.01), NAN):
            for small in (False, True):
                kind = Kind(kinds(np.array([distance]), np.array([similarity]), np.array([small]))[0])
                if kind is Kind.COPY:
                    assert loosely(Kind.COPY, distance, similarity, small)
                if kind is not Kind.OTHER:
                    assert loosely(Kind.VARIANT, distance, similarity, small)


def test_pictures_of_one_make_are_told_by_their_number() -> None:
    rng = np.random.default_rng(0)
    cards = rng.integers(0, 2**64, CROWD, np.uint64)
    distance, similarity = np.array([2, *[12] * CROWD]), np.array([0.97, *[0.9] * CROWD])
    hashes = np.append(np.uint64(7), cards)
    assert crowded(distance, similarity, hashes).tolist() == [True] + [False] * CROWD
    assert crowded(distance[:-1], similarity[:-1], hashes[:-1]).all()
    # Many copies of one picture are no crowd.
    assert crowded(np.full(9, 12), np.full(9, 0.9), np.full(9, np.uint64(5))).all()
