"""Shapes of image addresses, and when they are barren."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.catalogue.records import Page
from posterbot.filters import barren
from posterbot.filters.barren import FIRST_LOOKS, PATTERNS, WORTH, Barren, Looks, chance_of, image_pattern, share_of
from posterbot.page import Candidate, FoundBy
from posterbot.reasons import Reason

PAGE = Page("https://a.example/")
HOST = "img.example"


def urls(count: int, folder: str = "stills") -> list[str]:
    return [f"https://{HOST}/{folder}/scene-of-{number}-x.jpg" for number in range(count)]


def asked(memory: Barren, addresses: list[str]) -> int:
    kept = 0
    for url in addresses:
        keep, reason = memory(Candidate(url, FoundBy.IMG), PAGE)
        assert reason is (Reason.RELEVANT if keep else Reason.BARREN_PATTERN)
        kept += keep
    return kept


@pytest.mark.parametrize(
    ("url", "shape"),
    [
        ("https://a.example/posters/the-long-noon.jpg", "/posters/{text}.jpg"),
        ("https://a.example/posters/the-salt-wind.jpg?v=7", "/posters/{text}.jpg?v"),
        ("https://a.example/t/p/w92/aB3.jpg", "/t/p/{text}[w92]/{text}.jpg"),
        ("https://a.example/t/p/w500/aB3.jpg", "/t/p/{text}[w500]/{text}.jpg"),
        ("https://a.example/films/12/still-03.jpg", "/films/{n}/still-{n}.jpg"),
        ("https://a.example/films/the-long-noon/poster.jpg", "/films/{text}/poster.jpg"),
        ("https://a.example/x/the-long-noon-150x150.jpg", "/x/{text}-150x150.jpg"),
        ("https://a.example/x/the-long-noon_thumb.PNG", "/x/{text}_thumb.png"),
        ("https://a.example/x/the-long-noon-poster-12.jpg", "/x/{text}-poster-{n}.jpg"),
        ("https://a.example/x/12-the-long-noon.jpg", "/x/{n}-{text}.jpg"),
        ("https://a.example/film-stills/9.jpg", "/{text}[film-stills]/{n}.jpg"),
        ("https://a.example/image.php?id=12&typ=foto", "/image.php?id&typ=foto"),
        ("https://a.example/image.php?typ=plakat&id=8", "/image.php?id&typ=plakat"),
        ("https://a.example/2024/05/17/a-name.webp", "/{date}/{text}.webp"),
        ("https://a.example/", "/"),
        ("nonsense", "/"),
    ],
)
def test_shapes(url: str, shape: str) -> None:
    assert image_pattern(url) == shape


@given(st.text(max_size=200), st.text(max_size=200))
def test_every_text_has_a_short_shape(address: str, rest: str) -> None:
    for url in (address, f"https://a.example/{address}/{rest}", f"https://a.example/{address}?{rest}"):
        assert len(image_pattern(url)) < 1000


@given(st.integers(0, 10_000), st.integers(0, 100), st.integers(0, 100))
def test_the_chance_falls_with_looks_and_rises_with_what_was_kept(seen: int, kept: int, elsewhere: int) -> None:
    chance = chance_of(Looks(seen, kept), elsewhere)
    assert 0 < chance <= 1
    assert chance_of(Looks(seen + 1, kept), elsewhere) <= chance
    assert chance_of(Looks(seen, kept + 1), elsewhere) >= chance
    assert chance_of(Looks(seen, kept), elsewhere + 100) <= chance


def test_a_host_that_keeps_its_posters_elsewhere_is_doubted_sooner() -> None:
    assert chance_of(Looks(FIRST_LOOKS, 0), 10) == 1
    assert chance_of(Looks(2 * FIRST_LOOKS, 0), 10) == 0.0625
    assert chance_of(Looks(WORTH, 0), 9) == 1
    assert chance_of(Looks(2 * WORTH, 0), 0) == 0.0625


def test_a_barren_shape_is_asked_for_less_and_less_but_not_never() -> None:
    memory = Barren(1)
    some = urls(2000)
    assert asked(memory, some) == 2000  # of a stranger nothing is known
    memory.learn(HOST, {image_pattern(some[0]): (WORTH, 0)})
    assert asked(memory, some) == 2000
    memory.learn(HOST, {image_pattern(some[0]): (3 * WORTH, 0)})
    few = asked(memory, some)
    assert 10 < few < 50  # one in 81
    assert asked(memory, some) == few
    other = Barren(2)
    other.learn(HOST, {image_pattern(some[0]): (3 * WORTH, 0)})
    assert [other(Candidate(url, FoundBy.IMG), PAGE) for url in some] != [
        memory(Candidate(url, FoundBy.IMG), PAGE) for url in some
    ]
    assert asked(memory, urls(100, "posters")) == 100


def test_a_kept_one_opens_it_again() -> None:
    memory = Barren(1)
    some = urls(1000)
    memory.learn(HOST, {image_pattern(some[0]): (2 * WORTH, 0)})
    assert asked(memory, some) < 120
    memory.learn(HOST, {image_pattern(some[0]): (2 * WORTH, 1)})
    assert asked(memory, some) == 1000


def test_no_more_is_asked_for_than_it_takes_to_doubt_before_there_are_answers() -> None:
    memory = Barren(1)
    some = urls(200)
    assert not memory.undecided(some)  # of a stranger nothing can be learned
    memory.learn(HOST, {})
    assert not memory.undecided(some)
    begun = memory.begin(some[:FIRST_LOOKS])
    assert memory.undecided(some[FIRST_LOOKS:])
    assert not memory.undecided(urls(3, "posters"))
    assert memory.begin(some[:1])
    memory.end(begun)
    assert not memory.undecided(some)
    shape = image_pattern(some[0])
    memory.begin(some[:FIRST_LOOKS])
    memory.learn(HOST, {shape: (WORTH, 0)})
    assert not memory.undecided(some)  # doubted: few pass
    memory.learn(HOST, {shape: (WORTH, 1)})
    assert not memory.undecided(some)  # it has given something: nobody waits
    memory.learn(HOST, {shape: (1, 0)})
    assert memory.undecided(some)
    memory.note([(url, False) for url in some])
    assert not memory.undecided(some)  # nothing new in them
    assert memory.begin(some) == ()


def test_each_address_counts_once() -> None:
    memory = Barren(1)
    memory.learn(HOST, {})
    logo = f"https://{HOST}/img/logo.png"
    assert memory.note([(logo, False)] * 3) == {(HOST, image_pattern(logo), False): 1}
    assert memory.note([(logo, False)]) == {}
    first, second = urls(2)
    assert memory.note([(first, False), (second, True)]) == {
        (HOST, image_pattern(first), False): 1,
        (HOST, image_pattern(second), True): 1,
    }
    assert memory.note([("https://stranger.example/x.jpg", True), ("nonsense", True)]) == {}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(barren, "HOSTS", 5)
    monkeypatch.setattr(barren, "ADDRESSES", 10)
    memory = Barren(1)
    for number in range(20):
        memory.learn(f"h{number}", {f"/{shape}": (1, 0) for shape in range(PATTERNS + 50)})
    assert memory.strangers([f"https://h{number}/" for number in range(20)]) == {f"h{n}" for n in range(15)}
    assert sum(len(host.shapes) for host in memory._hosts.values()) == 5 * PATTERNS
    memory.learn(HOST, {})
    for url in urls(100):
        memory.note([(url, False)])
    assert len(memory._counted) == 10


def test_what_a_host_kept_is_the_sum_of_its_shapes() -> None:
    memory = Barren(1)
    memory.learn(HOST, {"/a": (10, 3), "/b": (10, 2)})
    memory.learn(HOST, {"/a": (12, 5), "/c": (1, 1)})
    assert memory._hosts[HOST].kept == 5 + 2 + 1


def test_shares_are_spread_evenly() -> None:
    shares = [share_of("1 explore", url) for url in urls(10_000)]
    assert all(0 <= share < 1 for share in shares)
    for tenth in range(10):
        assert 900 < sum(tenth / 10 <= share < (tenth + 1) / 10 for share in shares) < 1100
    assert share_of("1 explore", "\ud800") != share_of("2 explore", "\ud800")
