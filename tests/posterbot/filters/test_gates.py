"""The gates together: their order, what switches them off, and the share that passes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.catalogue.records import Page
from posterbot.filters.barren import WORTH, Barren, image_pattern
from posterbot.filters.gates import GATES, Gated, Gates, GateSettings
from posterbot.filters.words import UnlikelyWords
from posterbot.page import Candidate, FoundBy
from posterbot.reasons import Reason

PAGE = Page("https://a.example/film/7", title="The Long Noon (1998)")
STILL = "https://a.example/stills/{}-x.jpg"
POSTER = Candidate("https://a.example/posters/noon.jpg", FoundBy.IMG, alt="The Long Noon movie poster")
# Each is struck by one gate, and by those behind it.
STRUCK = (
    Candidate("https://a.example/ads/logo.png", FoundBy.IMG, "Company logo", declared_width=90, declared_height=20),
    Candidate("https://a.example/ads/logo.png?2", FoundBy.IMG, "Company logo", declared_width=970, declared_height=250),
    Candidate("https://a.example/ads/logo.png?3", FoundBy.IMG, "Company logo"),
    Candidate(STILL.format(7), FoundBy.IMG, "Screenshot 3"),
    Candidate("https://a.example/x/s3.jpg", FoundBy.IMG, "Screenshot 3"),
)


def memory(run: int = 1) -> Barren:
    known = Barren(run)
    known.learn("a.example", {image_pattern(STILL.format(1)): (1000 * WORTH, 0)})
    return known


def gates(*on: Reason, explore: float = 0.0, run: int = 1, wanted: tuple[str, ...] = ("poster",)) -> Gates:
    return Gates(GateSettings(on or GATES, explore), run, wanted, memory())


def reasons(of: Gates, candidates: tuple[Candidate, ...] = STRUCK) -> list[Reason | None]:
    found = of.judge(candidates, PAGE)
    return [found[index].reason if index in found else None for index in range(len(candidates))]


def test_the_cheapest_is_the_reason() -> None:
    assert reasons(gates()) == list(GATES)
    assert reasons(gates(), (POSTER,)) == [None]
    mixed = (STRUCK[2], POSTER, STRUCK[4], POSTER, STRUCK[0])
    expected = [Reason.NAME_PATTERN, None, Reason.UNLIKELY_WORDS, None, Reason.DECLARED_SIZE]
    assert reasons(gates(), mixed) == expected


@pytest.mark.parametrize("gate", GATES)
def test_each_can_be_the_only_one(gate: Reason) -> None:
    found = reasons(gates(gate), (*STRUCK, POSTER))
    assert found[GATES.index(gate)] is gate
    assert set(found) == {gate, None}


@pytest.mark.parametrize("gate", GATES)
def test_each_can_be_switched_off(gate: Reason) -> None:
    on = tuple(other for other in GATES if other is not gate)
    assert gate not in reasons(gates(*on))
    assert Gates(GateSettings(()), 1, ["poster"], memory()).judge(STRUCK, PAGE) == {}


def test_what_a_person_named_is_never_gated() -> None:
    listed = tuple(Candidate(each.url, FoundBy.LIST, each.alt) for each in STRUCK)
    assert gates().judge(listed, PAGE) == {}
    icon = Candidate(PAGE.url, FoundBy.ANCHOR)
    assert gates().judge((icon,), Page("https://a.example/icons/x.png")) == {}
    itself = Candidate("https://a.example/icons/x.png", FoundBy.ANCHOR)
    assert gates().judge((itself,), Page(itself.url)) == {}
    assert gates().judge((itself,), PAGE) == {0: Gated(Reason.NAME_PATTERN, False)}


def test_other_labels_have_other_gates() -> None:
    icons = (
        Candidate("https://a.example/icons/x.png", FoundBy.IMG, "icon", declared_width=24, declared_height=24),
        Candidate("https://a.example/spacer.gif", FoundBy.IMG),
        Candidate("https://a.example/t/p/w45/x.jpg", FoundBy.IMG),
    )
    assert reasons(gates(), icons) == [Reason.DECLARED_SIZE, Reason.NAME_PATTERN, Reason.DECLARED_SIZE]
    assert reasons(gates(wanted=("icon",)), icons) == [None, Reason.NAME_PATTERN, Reason.DECLARED_SIZE]
    assert reasons(gates(wanted=("poster", "logo")), icons) == [None, Reason.NAME_PATTERN, Reason.DECLARED_SIZE]


def test_the_share_that_is_explored_is_of_addresses() -> None:
    many = tuple(Candidate(f"https://a.example/icons/{n}.png", FoundBy.IMG) for n in range(5000))
    one = gates(explore=0.02).judge(many, PAGE)
    assert len(one) == 5000
    explored = {index for index, gated in one.items() if gated.explored}
    assert 60 < len(explored) < 140
    again = gates(explore=0.02).judge(many[::-1], Page("https://b.example/"))
    assert {4999 - index for index, gated in again.items() if gated.explored} == explored
    other = gates(explore=0.02, run=2).judge(many, PAGE)
    assert {index for index, gated in other.items() if gated.explored} != explored
    assert all(gated.explored for gated in gates(explore=1).judge(many, PAGE).values())


def test_words_are_asked_of_posters_only() -> None:
    said = [Candidate("https://a.example/x/logo.png", FoundBy.IMG, "Company logo")]
    assert UnlikelyWords(["poster"]).judge_all(said) == [(False, Reason.UNLIKELY_WORDS)]
    assert UnlikelyWords(["poster", "poster_square"]).judge_all(said) == [(False, Reason.UNLIKELY_WORDS)]
    for wanted in (["logo"], ["poster", "logo"], ["goldfish"]):
        assert UnlikelyWords(wanted).judge_all(said) == [(True, Reason.RELEVANT)]


@given(
    st.lists(st.builds(Candidate, st.text(max_size=60), st.sampled_from(FoundBy), st.text(), st.text(), st.text())),
    st.text(),
)
def test_nothing_is_too_odd(candidates: list[Candidate], title: str) -> None:
    found = ALL.judge(candidates, Page("https://a.example/", title=title))
    assert set(found) <= set(range(len(candidates)))


ALL = gates()
