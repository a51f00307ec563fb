"""What addresses say, and what films are called."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.catalogue.records import Film, Page
from posterbot.filters.names import KINDS, LABELS, NamePattern, read_name
from posterbot.page import Candidate, FoundBy
from posterbot.reasons import Reason

PAGE = Page("https://films.example/film/7", title="The Long Noon (1998)")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://a.example/images/spacer.gif", "nothing"),
        ("https://a.example/pixel.gif?u=1", "nothing"),
        ("https://a.example/assets/sprite-icons@2x.png", "nothing"),
        ("https://a.example/sprites/main.png", "nothing"),
        ("https://ad.doubleclick.net/ddm/activity/src=1;type=x?", "nothing"),
        ("https://www.facebook.com/tr?id=1&ev=PageView&noscript=1", "nothing"),
        ("https://stats.g.doubleclick.net/x.jpg", "nothing"),
        ("https://pixel.shop.example/i.jpg", "nothing"),
        ("https://a.example/favicon-32x32.png", "icon"),
        ("https://a.example/apple-touch-icon-180x180.png", "icon"),
        ("https://a.example/img/icons/film.png", "icon"),
        ("https://a.example/img/icons32/film.png", "icon"),
        ("https://a.example/img/icon-search.png", "icon"),
        ("https://a.example/img/iconSearch.png", "icon"),
        ("https://a.example/img/search_icon@2x.png", "icon"),
        ("https://a.example/img/facebook.png", "icon"),
        ("https://a.example/img/btnPlay.gif", "icon"),
        ("https://a.example/img/star-empty.gif", "icon"),
        ("https://twemoji.maxcdn.com/v/14/72x72/1f600.png", "icon"),
        ("https://a.example/pay/visa.png", "icon"),
        ("https://a.example/badges/app-store.png", "icon"),
        ("https://a.example/logo.png", "logo"),
        ("https://a.example/img/logo-white.png", "logo"),
        ("https://a.example/img/halde-pictures-logo.webp", "logo"),
        ("https://a.example/logos/studio.jpg", "logo"),
        ("https://flagcdn.com/w20/gb.png", "flag"),
        ("https://a.example/flags/4x3/gb.png", "flag"),
        ("https://upload.example/23px-Flag_of_France.png", "flag"),
        ("https://a.example/img/flag_gb.png", "flag"),
        ("https://www.gravatar.com/avatar/205e460b479e2e5b48aec07710c08d50?s=80", "avatar"),
        ("https://a.example/avatars/12/anna.jpg", "avatar"),
        ("https://a.example/avatar/205e460b479e2e5b48aec07710c08d50.jpg", "avatar"),
        ("https://a.example/users/avatar/1234.jpg", "avatar"),
        ("https://a.example/img/default-avatar.jpg", "avatar"),
        ("https://a.example/ads/spring.jpg", "advertisement"),
        ("https://ads.shop.example/spring.jpg", "advertisement"),
        ("https://a.example/_next/image?url=%2Ficons%2Fstar.png&w=64&q=75", "icon"),
    ],
)
def test_what_is_no_film(url: str, kind: str) -> None:
    named = read_name(url)
    assert named is not None
    assert named.kind == kind


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/posters/avatar.jpg",
        "https://a.example/movies/avatar/poster.jpg",
        "https://a.example/movies/avatar/main.jpg",
        "https://a.example/avatar-2009.jpg",
        "https://a.example/avatar-the-way-of-water.png",
        "https://a.example/posters/icon.png",
        "https://a.example/img/icon-2005-movie-poster.png",
        "https://a.example/film/icon.jpg",
        "https://a.example/flags-of-our-fathers.png",
        "https://a.example/films/flags-of-our-fathers/1.jpg",
        "https://a.example/the-emoji-movie.png",
        "https://a.example/benjamin-button.png",
        "https://a.example/red-badge-of-courage.png",
        "https://a.example/badge-373.png",
        "https://a.example/bullet-train.png",
        "https://a.example/skyscraper.png",
        "https://a.example/pixels-2015.png",
        "https://a.example/blank-check.png",
        "https://a.example/star-80.jpg",
        "https://a.example/star-wars.png",
        "https://a.example/iconic.png",
        "https://a.example/logan.png",
        "https://a.example/trackers.jpg",
        "https://a.example/adspace/x.jpg",
        "https://avatar.example/posters/1.jpg",
        "https://notdoubleclick.net/x.jpg",
        "https://m.media-amazon.com/images/M/MV5Bxyz@._V1_.jpg",
        "https://image.tmdb.org/t/p/w500/a1B2.jpg",
        "https://a.example/1234.png",
        "https://a.example/205e460b479e2e5b48aec07710c08d50.png",
    ],
)
def test_what_may_be_a_film(url: str) -> None:
    assert read_name(url) is None


def test_the_film_that_the_page_is_about_is_asked_for() -> None:
    gate = NamePattern(["poster"])
    icon = Candidate("https://a.example/img/star.png", FoundBy.IMG)
    assert gate(icon, PAGE) == (False, Reason.NAME_PATTERN)
    assert gate(icon, Page(PAGE.url, title="Star! (1968) – films")) == (True, Reason.RELEVANT)
    assert gate(icon, Page(PAGE.url, title="x", films=(Film("Movie", "Star"),))) == (True, Reason.RELEVANT)
    tracker = Candidate("https://ad.doubleclick.net/star.png", FoundBy.IMG)
    assert not gate(tracker, Page(PAGE.url, title="doubleclick"))[0]


@pytest.mark.parametrize(
    ("wanted", "dropped"),
    [
        (["poster"], {"nothing", "icon", "logo", "flag", "avatar", "advertisement"}),
        (["poster", "film_still"], {"nothing", "icon", "logo", "flag", "avatar", "advertisement"}),
        (["icon"], {"nothing", "advertisement"}),
        (["poster", "logo"], {"nothing"}),
        (["portrait"], {"nothing", "icon", "logo", "flag", "advertisement"}),
        (["goldfish"], {"nothing"}),
        (["poster", "cat"], {"nothing"}),
    ],
)
def test_only_what_is_not_wanted_is_dropped(wanted: list[str], dropped: set[str]) -> None:
    urls = {
        "nothing": "/spacer.gif",
        "icon": "/icons/a.png",
        "logo": "/logos/a.png",
        "flag": "/flags/gb.png",
        "avatar": "/avatars/a.png",
        "advertisement": "/ads/a.png",
    }
    gate = NamePattern(wanted)
    assert urls.keys() == KINDS.keys()
    found = {
        kind for kind, path in urls.items() if not gate(Candidate(f"https://a.example{path}", FoundBy.IMG), PAGE)[0]
    }
    assert found == dropped


def test_the_labels_are_those_of_the_model() -> None:
    labels = Path("models/weights/web-images/labels.txt").read_text().split()
    assert set(labels) == LABELS
    assert LABELS.issuperset(label for labels_of_kind in KINDS.values() for label in labels_of_kind)


@given(
    st.text(max_size=80), st.text(max_size=80), st.sampled_from(["", "http://", "https://a.example/", "//", "data:"])
)
def test_no_text_is_too_odd(address: str, rest: str, start: str) -> None:
    read_name(f"{start}{address}/{rest}")
    read_name(f"{start}{address}?{rest}")


FORMS = (
    "/posters/{s}.jpg",
    "/posters/{s}.png",
    "/films/{s}/poster.jpg",
    "/films/{s}/1.png",
    "/images/{s}-{y}.jpg",
    "/img/{s}.png",
    "/img/{c}.webp",
    "/{s}/main.jpg",
    "/wp-content/uploads/2020/01/{s}-300x450.png",
    "/_next/image?url=%2Fimages%2F{s}.png&w=640",
)


def test_real_posters_and_real_titles(real_data: Path) -> None:
    lists = sorted((real_data / "wiki/prust-urls").glob("*.gz"))
    films = [film for file in lists for film in json.loads(gzip.decompress(file.read_bytes()))]
    posters = [film["thumbnail"] for film in films if film.get("thumbnail")]
    struck = [url for url in posters if read_name(url)]
    assert len(posters) > 20_000
    assert len(struck) <= 5  # and those are logos
    titles = {(film["title"], film["year"]) for film in films}
    for form in FORMS:
        lost = 0
        for title, year in titles:
            slug = re.sub(r"[\W_]+", "-", title.lower()).strip("-")
            camel = "".join(word.capitalize() for word in slug.split("-"))
            lost += read_name("https://a.example" + form.format(s=slug, c=camel, y=year)) is not None
        assert lost / len(titles) < 0.0005, form
