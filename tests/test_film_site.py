"""The film site of the benchmark: the same each time, in the proportions that it promises, and it ends."""

from __future__ import annotations

import urllib.request
from collections import Counter

from film_site import FilmSite
from film_site_pictures import Pictures
from film_site_server import Served
from parsel import Selector

from posterbot.page import read_page


def test_proportions() -> None:
    site = FilmSite(500)
    assert len(site.pages) >= 500
    assert site.references >= 10_000
    kinds = Counter("poster" if each.film is not None else each.kind for each in site.pictures.values())
    assert kinds["poster"] * 6 < kinds.total()
    assert {each.film for each in site.pictures.values()} - {None} == set(range(500))
    assert (again := FilmSite(500)).pages == site.pages
    assert again.pictures == site.pictures
    assert FilmSite(500, seed=2).pages != site.pages


def test_all_is_found_and_nothing_else() -> None:
    site = FilmSite(40)
    base = "http://127.0.0.1:1"
    found, links = set(), {"/"}
    for path, html in site.pages.items():
        content = read_page(Selector(text=html), base + path)
        for candidate in content.candidates:
            found |= {url.removeprefix(base) for url in (candidate.url, *candidate.alternatives)}
        links |= {link.url.removeprefix(base) for link in content.links}
    assert links == site.pages.keys()
    assert found <= site.pictures.keys()
    assert site.poster_films(found, full=True) == set(range(40))


def test_pictures_are_the_same_each_time_and_differ() -> None:
    pictures = Pictures()
    some = [pictures.draw("poster", number, (120, 180)) for number in range(20)]
    assert len(set(some)) == 20
    assert some == [Pictures().draw("poster", number, (120, 180)) for number in range(20)]


def test_it_says_what_it_was_asked_for() -> None:
    site = FilmSite(8)
    path = next(path for path, each in site.pictures.items() if each.kind == "poster")
    with Served(8) as served:
        sizes = []
        for wanted in (path, path, "/"):
            with urllib.request.urlopen(served.url + wanted, timeout=30) as answer:
                sizes.append(len(answer.read()))
        # It notes what it has sent when all is sent: we may have it before that.
        asked = served.asked().get(path, [])
        while len(asked) < 2:
            asked += served.asked().get(path, [])
        assert asked == sizes[:2]
        assert served.asked() == {}
        process = served._process
    assert process.poll() is not None
