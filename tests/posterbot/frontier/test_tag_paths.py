"""Tag paths: one list is one cluster on all pages, two lists are two."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.frontier.tag_paths import MAX_CLASSES, MAX_PATH, MAX_STEPS, Clusters, normal

NAMES = "films item-12 active is-open css-1x2y3z deadbeefcafe filmList bdVaJa md:w-1 İx ² hentry"
TAGS = "html body div ul li a h2 tbody film-card"
names = st.one_of(
    st.sampled_from(NAMES.split()),
    st.text(max_size=30),
)
tags = st.sampled_from(TAGS.split()) | st.text(max_size=5)
steps = st.builds(
    lambda tag, signs: tag + "".join(signs),
    tags,
    st.lists(st.builds(str.__add__, st.sampled_from(".#"), names), max_size=5),
)
paths = st.text() | st.lists(steps, max_size=14).map("/".join)

PAGE = (
    "html/body/header/nav.main/ul/li/a",
    "html/body/div.page/aside.sidebar/ul.list/li.item/a.link",
    "html/body/div.page/main.content/ul.list/li.item/a.link",
    "html/body/div.page/main.content/ul.films/li/a",
    "html/body/div.page/main.content/ul.cast/li/a",
    "html/body/div.page/main.content/div.breadcrumbs/a",
    "html/body/div.page/main.content/div.pagination/a",
    "html/body/div.page/main.content/p/a",
    "html/body/div.page/main.content/table.infobox/tbody/tr/td/a",
    "html/body/footer/ul/li/a",
)
"""Ten places of one page that lead to different things."""
WIKI = (
    "html/body/div#content/div#bodyContent/div#mw-content-text/div.mw-parser-output/p/a",
    "html/body/div#content/div#bodyContent/div#mw-content-text/div.mw-parser-output/ul/li/a",
    "html/body/div#content/div#bodyContent/div#mw-content-text/div.mw-parser-output/ul/li/i/a",
    "html/body/div#content/div#bodyContent/div#mw-content-text/div.mw-parser-output/table.wikitable.sortable/tbody/tr/td/a",
    "html/body/div#content/div#bodyContent/div#mw-content-text/div.mw-parser-output/table.infobox.vevent/tbody/tr/td/a",
    "html/body/div#content/div#bodyContent/div#mw-content-text/div.mw-parser-output/div.navbox/table.nowraplinks/tbody/tr/td.navbox-list/div/ul/li/a",
    "html/body/div#content/div#bodyContent/div#catlinks/div#mw-normal-catlinks/ul/li/a",
)
PLAIN = ("html/body/div/ul/li/a", "html/body/nav/ul/li/a", "html/body/div/table/tr/td/a", "html/body/div/p/a")
"""No class anywhere."""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("html/body.home/div#main/ul.films.list-12/li.active/a.css-1x2y3z", "div#main/ul.films.list/li/a.css"),
        ("html/body/table/tbody/tr/td/a", "table/tr/td/a"),
        ("ul.b.a.d.c/li", "ul.a.b.c/li"),
        ("li.post-1234.type-post.hentry.category-drama.tag-cult/a", "li.hentry.post.type-post/a"),
        ("div.bdVaJa/a.deadbeefcafe", "div/a"),
        ("div.FilmGrid_title__3xY9z/a.filmTitle", "div.filmgrid-title/a.filmtitle"),
        ("ul.menu/li.current-menu-item.menu-item-77/a", "ul.menu/li.menu-item/a"),
        ("div.col-md-6.is-open/h2/a", "div.col-md/h2/a"),
        ("div#film-4711/a#x9f8e7d", "div#film/a"),
        ("a/b/c/d/e/f/g/h/i/j", "c/d/e/f/g/h/i/j"),
        ("UL.Films/LI/A", "ul.films/li/a"),
        ("", ""),
        ("///..##", ""),
        ("html/body", ""),
    ],
)
def test_normal(path: str, expected: str) -> None:
    assert normal(path) == expected


@given(paths)
def test_normal_is_bounded_and_stays(path: str) -> None:
    once = normal(path)
    assert normal(once) == once
    assert len(once) <= MAX_PATH
    assert once.count("/") < MAX_STEPS
    assert all(step.count(".") + step.count("#") <= MAX_CLASSES for step in once.split("/"))
    once.encode()  # no surrogates
    assert once.isprintable()  # no control characters


@pytest.mark.parametrize("page", [PAGE, WIKI, PLAIN])
def test_places_of_one_page_stay_apart(page: tuple[str, ...]) -> None:
    for order in (page, page[::-1]):
        clusters = Clusters()
        assert len({clusters.find(path) for path in order}) == len(page)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("html/body/div.main/ul.films.list-12/li/a", "html/body/div.main/ul.films.list-40/li/a"),  # number of items
        ("html/body/div.main/ul.films/li/a", "html/body/div.main/ul.films/li.active/a.current"),
        ("html/body.film-1/div#film-1/ul.films/li#f17/a", "html/body.film-2/div#film-2/ul.films/li#f99/a"),
        ("html/body/div.css-1x2y3z/ul.films/li/a.sc-9f8e7d", "html/body/div.css-4q5r6s/ul.films/li/a.sc-1a2b3c"),
        ("div.page.page-matrix/div.content/ul.films/li/a", "div.page.page-alien/div.content/ul.films/li/a"),
        ("div#alien/div.content/div.row/ul.films/li/a", "div#the-matrix/div.content/div.row/ul.films/li/a"),
        ("div.page/div.content/ul.films/li/a", "div.page/div.content/div/ul.films/li/a"),  # one more wrapper
        ("div.main/ul.films/li.film/a.title", "div.main/ul.films/li.film.new/a.title"),
        ("article.post-1.hentry.category-drama/h2/a", "article.post-2.hentry.category-war.tag-cult/h2/a"),
    ],
)
def test_one_list_on_two_pages_is_one(one: str, other: str) -> None:
    clusters = Clusters()
    assert clusters.find(one) == clusters.find(other)
    clusters = Clusters()
    assert clusters.find(other) == clusters.find(one)


def test_the_nearest_one_is_joined() -> None:
    clusters = Clusters(["div.page/div.content/ul.cast/li/a", "div.page/div.content/ul.films/li/a"])
    assert clusters.find("div.page/div.content/div/ul.films/li/a") == "div.page/div.content/ul.films/li/a"


def test_goes_on_with_the_exemplars_of_another() -> None:
    first = Clusters()
    found = [first.find(path) for path in PAGE + WIKI]
    second = Clusters(first.exemplars)
    assert second.exemplars == first.exemplars
    assert [second.find(path) for path in PAGE + WIKI] == found


def test_numbers_in_names_fill_no_memory() -> None:
    clusters = Clusters()
    assert {clusters.find(f"div.page/ul.films/li#post-{number}/a") for number in range(1000)} == {
        "div.page/ul.films/li#post/a"
    }
    assert len(clusters._found) == 1


def test_full_clusters_take_the_nearest_whatever_it_is() -> None:
    clusters = Clusters(most=2)
    clusters.find("nav.main/ul/li/a")
    clusters.find("div.content/ul.films/li/a")
    assert clusters.find("section.new/ul.films/li/a") == "div.content/ul.films/li/a"
    assert clusters.find("") in clusters.exemplars
    assert len(clusters.exemplars) == 2


@given(st.lists(paths, max_size=40), st.integers(1, 10))
def test_any_paths(some: list[str], most: int) -> None:
    clusters = Clusters(most=most)
    found = [clusters.find(path) for path in some]
    assert set(found) <= set(clusters.exemplars)
    assert len(clusters.exemplars) <= most
    assert [clusters.find(path) for path in some] == found
    assert [clusters.find(exemplar) for exemplar in clusters.exemplars] == clusters.exemplars


def test_a_site_that_makes_up_paths() -> None:
    chance = random.Random(1)
    clusters = Clusters()
    for _ in range(10_000):
        clusters.find("/".join(f"div.{chance.getrandbits(64):x}{chance.choice('xyz')}" for _ in range(6)))
        clusters.find("/".join("div." + "".join(chance.choices("ghklmnop", k=6)) for _ in range(6)))
        if len(clusters.exemplars) == 100 and chance.random() < 0.9:
            break
    assert len(clusters.exemplars) <= 100


def test_megabytes_are_cut() -> None:
    start = time.perf_counter()
    clusters = Clusters()
    assert clusters.find("div.x/" * 1_000_000 + "ul.films/li/a") == normal("div.x/" * 5 + "ul.films/li/a")
    clusters.find("." * 3_000_000)
    clusters.find("a" * 3_000_000)
    assert time.perf_counter() - start < 1


def test_is_fast() -> None:
    """Five times what it may take on a quiet machine."""
    chance = random.Random(2)
    kinds = ["".join(chance.choices("ghklmnop", k=6)) for _ in range(60)]
    some = ["/".join(f"div.{chance.choice(kinds)}.{chance.choice(kinds)}" for _ in range(9)) for _ in range(1500)]
    clusters = Clusters()
    for path in some[:500]:
        clusters.find(path)
    assert len(clusters.exemplars) == 100

    def each(paths: list[str]) -> float:
        start = time.perf_counter()
        for path in paths:
            clusters.find(path)
        return (time.perf_counter() - start) / len(paths)

    assert min(each(some[at : at + 250]) for at in range(500, 1500, 250)) < 500e-6
    assert min(each(some[-100:]) for _ in range(5)) < 15e-6
