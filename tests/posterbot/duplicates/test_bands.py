from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.duplicates import bands
from posterbot.duplicates.bands import ALIKE, REACH, SURE, Hashes

BITS = st.sets(st.integers(0, 63), max_size=SURE)


def some(number: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, number, np.uint64)


def found(near: bands.Near) -> list[tuple[int, int, int]]:
    return list(zip(near.query.tolist(), near.place.tolist(), near.distance.tolist(), strict=True))


@pytest.fixture(params=[0, 10**9], ids=["tables", "one by one"])
def _tail(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "_TAIL", request.param)


@pytest.mark.usefixtures("_tail")
def test_all_that_differs_in_fifteen_bits_is_found() -> None:
    background = some(3000)

    @given(st.integers(0, 2**64 - 1), BITS)
    def check(phash: int, bits: set[int]) -> None:
        hashes = Hashes(10_000)
        hashes.add(np.append(background, np.uint64(phash)))
        query = phash
        for bit in bits:
            query ^= 1 << bit
        assert (0, 3000, len(bits)) in found(hashes.near(np.array([query], np.uint64)))

    check()


def test_tables_give_what_comparing_one_by_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    base = np.tile(some(300, 2), 8)
    for _ in range(7):
        base ^= np.uint64(1) << rng.integers(0, 64, len(base), np.uint64)
    answers = []
    for tail in (0, 10**9):
        monkeypatch.setattr(bands, "_TAIL", tail)
        hashes = Hashes(10**6)
        hashes.add(base[:2000])
        answers.append(found(hashes.near(base[2000:])))
    assert answers[0] == answers[1]
    assert {distance for *_, distance in answers[0]} >= {10, 12, 14, REACH}
    assert max(distance for *_, distance in answers[0]) == REACH


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(1, 40))
def test_it_does_not_matter_how_many_are_added_at_once(steps: list[int], most: int) -> None:
    number = sum(steps)
    all_ = np.tile(some(5, 3), 100)[:number] ^ (np.uint64(1) << (np.arange(number, dtype=np.uint64) % 7))
    at_once, in_steps, begin = Hashes(most), Hashes(most), 0
    expected, got = found(at_once.add_new(all_)), []
    for step in steps:
        near = in_steps.add_new(all_[begin : begin + step])
        got += [(query + begin, place, distance) for query, place, distance in found(near)]
        begin += step
    assert got == expected
    assert all(place < query for query, place, _ in got)


def test_the_nearest_are_given_and_of_equally_near_ones_the_first() -> None:
    hashes = Hashes(3)
    hashes.add(np.array([0b111, 0b1, 0b0, 0b10, 0b0], np.uint64))
    assert found(hashes.near(np.array([0, 2**64 - 1], np.uint64))) == [(0, 2, 0), (0, 4, 0), (0, 1, 1)]


def test_a_crowd_gives_the_nearest_as_well() -> None:
    crowd = (np.uint64(1) << np.arange(40, dtype=np.uint64)) - np.uint64(1)  # 0 to 39 bits
    hashes = Hashes(4)
    hashes.add(np.tile(crowd[::-1], 20))
    near = hashes.near(crowd[:1].repeat(3))
    assert near.distance.tolist() == [0, 0, 0, 0] * 3
    assert near.place.tolist() == [39, 79, 119, 159] * 3


def test_equal_hashes_are_no_burden() -> None:
    hashes, begun = Hashes(32), time.process_time()
    for _ in range(60):
        near = hashes.add_new(np.zeros(1000, np.uint64))
    assert time.process_time() - begun < 10  # 1.8 billion pairs would take minutes
    assert len(hashes) == 60_000
    assert np.bincount(near.query).tolist() == [32] * 1000
    assert near.place.max() < ALIKE
