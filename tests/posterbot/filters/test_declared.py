"""Declared sizes: true, wrong, of the page and of the file."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsel import Selector

from posterbot.catalogue.records import Page
from posterbot.filters.declared import DeclaredAspect, DeclaredSize
from posterbot.page import Candidate, FoundBy, read_page
from posterbot.reasons import Reason

PAGE = Page("https://a.example/")
SIZE = DeclaredSize(100, 100, ["poster"])
ASPECT = DeclaredAspect(["poster"])


def candidate(width: int | None, height: int | None, **facts: Any) -> Candidate:
    given = {"url": "https://a.example/x.jpg", "found_by": FoundBy.IMG} | facts
    return Candidate(**given, declared_width=width, declared_height=height)


@pytest.mark.parametrize(
    ("width", "height", "facts", "keep"),
    [
        (None, None, {}, True),
        (300, 450, {}, True),
        (100, 100, {}, True),
        (1, 1, {}, False),
        (16, 16, {}, False),
        (24, None, {}, False),
        (None, 20, {}, False),
        (64, 64, {}, False),  # square
        (300, 60, {}, False),
        (60, 90, {}, True),  # upright: perhaps a large file shown small
        (48, 72, {}, True),
        (30, 45, {}, False),  # a symbol
        (80, None, {}, True),  # of unknown shape
        (64, 64, {"alternatives": ("https://a.example/1.jpg",)}, True),  # 192 pixels on dense screens
        (24, 24, {"alternatives": ("https://a.example/1.jpg",)}, False),
        (1, 1, {"found_by": FoundBy.LAZY}, True),  # the placeholder's
        (16, 16, {"found_by": FoundBy.LAZY}, False),
        (60, 90, {"found_by": FoundBy.OPEN_GRAPH}, False),  # the file's
        (90, 200, {"found_by": FoundBy.JSON_LD}, False),
        (600, None, {"found_by": FoundBy.OPEN_GRAPH}, True),
        (None, None, {"url": "https://a.example/t/p/w92/x.jpg"}, False),
        (300, 450, {"url": "https://a.example/t/p/w92/x.jpg"}, False),
        (None, None, {"url": "https://a.example/t/p/w500/x.jpg"}, True),
        (None, None, {"url": "https://a.example/x-50x75.jpg"}, False),
        (None, None, {"url": "https://a.example/x.jpg?w=64"}, False),
        (None, None, {"url": "https://a.example/x._V1_UX67_CR0,0,67,98_AL_.jpg"}, False),
        (None, None, {"url": "https://a.example/thumb/a/ab/N.jpg/60px-N.jpg"}, False),
        (None, None, {"url": "https://a.example/files/styles/thumbnail/public/x.jpg"}, True),  # names no size
    ],
)
def test_sizes(width: int | None, height: int | None, facts: dict[str, Any], keep: bool) -> None:
    expected = (True, Reason.RELEVANT) if keep else (False, Reason.DECLARED_SIZE)
    assert SIZE(candidate(width, height, **facts), PAGE) == expected


@pytest.mark.parametrize(
    ("wanted", "size", "keep"),
    [
        (["poster"], (64, 64), False),
        (["photo"], (64, 64), True),  # thumbnails of photographs are of any shape
        (["photo"], (30, 30), False),
        (["icon"], (30, 30), True),  # and icons are shown small, from files of any size
        (["goldfish"], (30, 30), True),
        (["poster", "book_cover"], (64, 64), False),
        (["poster", "album_cover"], (64, 64), True),
    ],
)
def test_what_is_wanted_counts(wanted: list[str], size: tuple[int, int], keep: bool) -> None:
    assert DeclaredSize(100, 100, wanted)(candidate(*size), PAGE)[0] is keep
    named = candidate(None, None, url="https://a.example/t/p/w92/x.jpg")
    assert not DeclaredSize(100, 100, wanted)(named, PAGE)[0]


def test_the_smallest_that_is_kept_counts() -> None:
    assert DeclaredSize(16, 16, ["poster"])(candidate(24, 24), PAGE)[0]
    assert not DeclaredSize(400, 400, ["poster"])(candidate(300, 300), PAGE)[0]


@pytest.mark.parametrize(
    ("html", "keep"),
    [
        ('<a href="/full.jpg"><img src="/thumb.jpg" width="64" height="64"></a>', True),
        ('<img src="/s.jpg" srcset="/m.jpg 300w, /l.jpg 600w" width="60" height="60">', True),
        ('<img src="/s.jpg" data-src="/l.jpg" width="1" height="1">', True),
        ('<img src="/s.jpg" data-large-file="/l.jpg" width="60" height="60">', True),
        ('<img src="/a.jpg" width="60" height="60"><img src="/a.jpg" width="400" height="600">', True),
        ('<img src="/a.jpg" srcset="/a2.jpg 2x" width="70" height="70">', True),
        ('<img src="/a.jpg" width="70" height="70">', False),
        ('<img src="/s.jpg" srcset="/m.jpg 16w, /l.jpg 32w" width="16" height="16">', False),
    ],
)
def test_thumbnails_with_a_larger_file_behind(html: str, keep: bool) -> None:
    (found,) = read_page(Selector(text=html), "https://a.example/").candidates
    assert SIZE(found, PAGE)[0] is keep


@pytest.mark.parametrize(
    ("width", "height", "keep"),
    [
        (728, 90, False),
        (160, 600, False),
        (468, 60, False),
        (120, 600, False),
        (300, 250, True),
        (200, 300, True),
        (200, 600, True),
        (900, 400, False),
        (1024, 576, False),  # of a video
        (640, 400, True),
        (400, 300, True),
        (728, None, True),
        (None, None, True),
    ],
)
def test_proportions(width: int | None, height: int | None, keep: bool) -> None:
    expected = (True, Reason.RELEVANT) if keep else (False, Reason.DECLARED_ASPECT)
    assert ASPECT(candidate(width, height), PAGE) == expected
    assert DeclaredAspect(["banner", "poster"])(candidate(width, height), PAGE)[0]


@pytest.mark.parametrize(
    ("path", "size", "aspect"),
    [
        ("/x/the-long-noon-1024x576.jpg", True, False),
        ("/x/the-long-noon-600x900.jpg", True, True),
        ("/t/p/w1920_and_h800_face/x.jpg", True, False),
        ("/t/p/w600_and_h900_bestv2/x.jpg", True, True),
        ("/t/p/w138_and_h90_face/x.jpg", False, True),
        ("/x/the-long-noon-300x50.jpg", False, False),
        ("/x/episode-10x12.jpg", True, True),
        ("/x/the-long-noon.jpg?size=1024x576", True, True),  # a box that it is fitted into
    ],
)
def test_sides_in_addresses(path: str, size: bool, aspect: bool) -> None:
    found = candidate(None, None, url=f"https://a.example{path}")
    assert (SIZE(found, PAGE)[0], ASPECT(found, PAGE)[0]) == (size, aspect)


@given(
    st.one_of(st.none(), st.integers(1, 100_000)),
    st.one_of(st.none(), st.integers(1, 100_000)),
    st.text(max_size=60),
    st.sampled_from(FoundBy),
)
def test_nothing_is_too_odd(width: int | None, height: int | None, text: str, found_by: FoundBy) -> None:
    odd = candidate(width, height, url=f"https://a.example/{text}", found_by=found_by)
    SIZE(odd, PAGE)
    ASPECT(odd, PAGE)
    SIZE(candidate(width, height, url=text), PAGE)
