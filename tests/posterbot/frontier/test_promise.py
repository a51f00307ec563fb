"""Will a link bring something? Told from what stands around it, learned from what came of others."""

from __future__ import annotations

import math
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from link_samples import Sample, samples

from posterbot.frontier.promise import BUCKETS, MAX_FEATURES, PRIOR, Promise, features, of_parent, sane
from posterbot.frontier.records import Place

LINK = ("https://a.example/film/the-matrix?view=1", "/film/{text}?", Place("div/ul.films/li/a", "The Matrix", 7), "/")


def place(text: str = "x", path: str = "ul/li/a", position: int = 0) -> Place:
    return Place(path, text, position)


def numbers(packed: bytes) -> list[int]:
    found: list[int] = np.frombuffer(packed, dtype="<u2").tolist()
    return found


def taught(some: list[Sample]) -> Promise:
    promise = Promise()
    for sample in some:
        promise.learn(sample.features, sample.brings)
    return promise


def auc(promise: Promise, kind: str = "film", seed: int = 99) -> float:
    """How likely a link of ``kind`` is ranked before another one."""
    some = list(samples(2000, seed, fruitful=kind))
    guesses = promise.guess_all([sample.features for sample in some])
    yes = np.array([sample.kind == kind for sample in some])
    return float(np.mean(guesses[yes][:, None] > guesses[~yes][None, :]))


# --- Features -----------------------------------------------------------------------------------------------------
@given(
    st.text(max_size=300),
    st.text(max_size=50),
    st.none() | st.builds(Place, st.text(), st.text(), st.integers()),
    st.text(max_size=50),
)
def test_any_link_has_features(url: str, pattern: str, where: Place | None, parent: str) -> None:
    packed = features(url, pattern, where, parent)
    found = numbers(packed)
    assert found == sorted(set(found))
    assert len(found) <= MAX_FEATURES
    assert all(0 <= feature < BUCKETS for feature in found)
    assert sane(packed) == packed


def test_features_are_the_same_in_every_process() -> None:
    code = (
        f"from posterbot.frontier.promise import *; from posterbot.frontier.records import Place; print(features{LINK})"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == str(features(*LINK))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alien (1979 film)", "Alien (2012 film)"),
        ("ALIEN film", "alien Film"),
        ("part 1234", "part 9876"),
        ("Weiß", "WEISS"),
        ("x-men", "men, x"),
    ],
)
def test_texts_that_say_the_same(one: str, other: str) -> None:
    assert features("", "", place(one), "") == features("", "", place(other), "")


@pytest.mark.parametrize(("one", "other"), [("film", "album"), ("page 1979", "page 12"), ("(1979 film)", "(film)")])
def test_texts_that_differ(one: str, other: str) -> None:
    assert features("", "", place(one), "") != features("", "", place(other), "")


def test_the_host_does_not_count() -> None:
    assert features("https://a.example/film/alien?id=7", "", None, "") == features(
        "http://b.example/film/alien?id=7", "", None, ""
    )


@pytest.mark.parametrize(
    "url",
    ["https://a.example/film", "https://a.example/album", "https://a.example/?film=1", "https://a.example/", ""],
)
def test_path_and_query_keys_count(url: str) -> None:
    others = {"https://a.example/song", "https://a.example/?song=1"}
    assert all(features(url, "", None, "") != features(other, "", None, "") for other in others)


def test_escaped_words_are_words() -> None:
    assert features("https://a.example/%C3%A9toile", "", None, "") == features("https://a.example/étoile", "", None, "")


def test_all_that_surrounds_a_link_counts() -> None:
    url, pattern, where, parent = LINK
    variants = [
        LINK,
        (url, "/{text}", where, parent),
        (url, pattern, None, parent),
        (url, pattern, where, "/list"),
        (url, pattern, place("The Matrix", "div/ul.cast/li/a", 7), parent),
        (url, pattern, place("The Matrix", "div/ul.films/li/a", 70), parent),
    ]
    assert len({features(*variant) for variant in variants}) == len(variants)
    assert features(*LINK) == features(url, pattern, place("The Matrix", "html/body/p/div/ul.films/li/a", 6), parent)


def test_megabytes_are_cut() -> None:
    start = time.perf_counter()
    big = "a1%20é " * 500_000
    assert len(features(big, big[:200], Place(big, big, 10**9), "")) <= 2 * MAX_FEATURES
    assert len(features("https://a.example/?" + "a=1&" * 500_000, "", None, "")) <= 2 * MAX_FEATURES
    assert time.perf_counter() - start < 1


# --- In the database ----------------------------------------------------------------------------------------------
def test_a_word_above_is_not_the_same_word_below() -> None:
    own = features(*LINK)
    above = of_parent(own, None, 0, 0)
    assert len(above) == len(own) + 4
    assert not set(numbers(own)) & set(numbers(above))


def test_what_the_page_above_has_brought_counts() -> None:
    own = features(*LINK)
    told = [(None, 0, 0), (False, 0, 0), (True, 0, 0), (True, 1, 0), (True, 1, 1), (True, 8, 1)]
    assert len({of_parent(own, *news) for news in told}) == len(told)
    assert of_parent(own, True, 8, 1) == of_parent(own, True, 9, 1)


@pytest.mark.parametrize("packed", [None, b"", b"\x01", b"\x01\x00\x02", bytes(2 * MAX_FEATURES + 2)])
def test_bad_bytes_are_nothing(packed: bytes | None) -> None:
    assert sane(packed) == b""


@given(st.binary(max_size=70))
def test_any_bytes(packed: bytes) -> None:
    """Whatever stands in the database: nothing fails."""
    promise = Promise()
    told = sane(packed) + of_parent(sane(packed), None, 0, 0)
    promise.learn(told, True)
    assert 0 < promise.guess(told) < 1
    assert promise.guess_all([told]) == pytest.approx([promise.guess(told)], rel=1e-5)


# --- Learning -----------------------------------------------------------------------------------------------------
def test_nothing_is_known_at_first() -> None:
    promise = Promise()
    assert promise.guess(features(*LINK)) == pytest.approx(PRIOR)
    assert promise.guess(b"") == pytest.approx(PRIOR)
    assert promise.guess_all([]).shape == (0,)


def test_one_guess_is_as_many_are() -> None:
    promise = taught(list(samples(200, 1)))
    some = [sample.features for sample in samples(50, 2)] + [b""]
    assert promise.guess_all(some) == pytest.approx([promise.guess(one) for one in some], rel=1e-5)


@pytest.mark.parametrize("wrong", [0.0, 0.05])
def test_ranks_after_500_pages(wrong: float) -> None:
    for seed in range(3):
        assert auc(taught(list(samples(500, seed, wrong=wrong)))) >= 0.9


def test_is_about_right() -> None:
    """What is said to be likely so often comes true so often."""
    promise = taught(list(samples(3000, 3)))
    some = list(samples(3000, 4))
    guesses = promise.guess_all([sample.features for sample in some])
    brings = np.array([sample.brings for sample in some])
    assert guesses.mean() == pytest.approx(brings.mean(), abs=0.03)
    likely = guesses > 0.35
    assert brings[likely].mean() == pytest.approx(guesses[likely].mean(), abs=0.2)


def test_a_web_that_changes_is_learned_anew() -> None:
    promise = taught(list(samples(4000, 5, wrong=0.05)))
    assert auc(promise, "album") < 0.7
    for sample in samples(1500, 6, fruitful="album", wrong=0.05):
        promise.learn(sample.features, sample.brings)
    assert auc(promise, "album") >= 0.9


def test_the_same_page_for_ever() -> None:
    promise = Promise()
    for fruitful in (True, False):
        for _ in range(5000):
            promise.learn(features(*LINK), fruitful)
        assert 0 < promise.guess(features(*LINK)) < 1
        assert (promise.guess(features(*LINK)) > 0.9) == fruitful
    assert np.all(np.abs(promise.weights) <= 8)


def test_never_stops_learning() -> None:
    """Whatever the pages were before, and however many."""
    promise = Promise()
    for number in range(10_000):
        promise.learn(features(*LINK), number % 2 == 0)
    for _ in range(30):
        promise.learn(features(*LINK), True)
    assert promise.guess(features(*LINK)) > 0.9


# --- Several workers ----------------------------------------------------------------------------------------------
def test_changes_are_told_once() -> None:
    promise = Promise()
    promise.learn(b"\x01\x00\x02\x00\x03\x00", True)
    changes = promise.changes()
    assert changes == {bucket: pytest.approx(promise.weights[bucket]) for bucket in (1, 2, 3)}
    assert promise.changes() == {}


def test_what_others_learned_is_not_passed_on() -> None:
    promise = Promise()
    promise.add({5: 1.5})
    assert promise.weights[5] == 1.5
    assert promise.changes() == {}


def test_numbers_that_cannot_be_are_left_out() -> None:
    promise = Promise()
    promise.add({-1: 1.0, BUCKETS: 1.0, 3: math.nan, 4: math.inf, 5: 1e30, 6: -1e300, 7: 0.5})
    assert {int(bucket): float(promise.weights[bucket]) for bucket in np.flatnonzero(promise.weights)} == {
        5: 8,
        6: -8,
        7: 0.5,
    }


def together(some: list[Sample], workers: int, pages: int) -> list[Promise]:
    """Promises that share ``some``, each telling the others what it learned after every ``pages`` of its own."""
    promises = [Promise() for _ in range(workers)]
    for number, sample in enumerate(some):
        promises[number % workers].learn(sample.features, sample.brings)
        if (number + 1) % (workers * pages) == 0:
            for teller, changes in [(promise, promise.changes(workers)) for promise in promises]:
                for other in promises:
                    if other is not teller:
                        other.add(changes)
    return promises


def test_two_that_tell_each_other_are_as_one() -> None:
    some = list(samples(2000, 7, wrong=0.05))
    alone, (one, other) = taught(some), together(some, workers=2, pages=10)
    asked = [sample.features for sample in samples(500, 8)]
    assert one.guess_all(asked) == pytest.approx(other.guess_all(asked), abs=1e-3)
    assert np.abs(one.guess_all(asked) - alone.guess_all(asked)).mean() < 0.03
    assert np.corrcoef(one.guess_all(asked), alone.guess_all(asked))[0, 1] > 0.98


@pytest.mark.parametrize(("workers", "pages"), [(4, 50), (16, 10), (16, 100)])
def test_many_workers_do_not_overshoot(workers: int, pages: int) -> None:
    """Each mends what it sees; if all of it were added up, the sum would be too much, and then too little."""
    for promise in together(list(samples(8000, 9, wrong=0.05)), workers, pages)[:2]:
        assert auc(promise) > 0.9
        some = list(samples(500, 10))
        brings = np.mean([sample.brings for sample in some])
        assert promise.guess_all([sample.features for sample in some]).mean() == pytest.approx(brings, abs=0.08)


def test_is_fast() -> None:
    """Five times what it may take on a quiet machine: 25 µs for the features of a link, 15 µs to learn."""
    some = [sample.features for sample in samples(300, 11)]
    promise = Promise()
    links = [(f"{LINK[0]}{number}", LINK[1], place(f"The Matrix {number} (1999 film)"), "/") for number in range(300)]

    def each(work: object) -> float:
        took = []
        for _ in range(5):
            start = time.perf_counter()
            work()  # type: ignore[operator]
            took.append(time.perf_counter() - start)
        return min(took) / 300

    assert each(lambda: [features(*link) for link in links]) < 125e-6
    assert each(lambda: [promise.learn(one, False) for one in some]) < 75e-6
