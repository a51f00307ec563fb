"""An encyclopaedia: articles of all sorts under one kind of URL, films among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .site import FOOT, NAV, SIDE, Builder, Site, paged, scaled
from .wording import names, titles, topics


@dataclass(frozen=True)
class Wiki:
    """About 57,000 pages for ``size`` 1. 6 % of the articles are of films, and 55 % of these show a poster.

    Two fifths of the films say in their title that they are one ("The Silent River (1987 film)"). All links within
    texts have one tag path and one pattern. Articles link to ones of their own topic in seven cases of ten, but films
    know of people as well. Lists (one a year, each leads to the one before) and categories (in a tree of three levels)
    lead to the films. A picture's own page (File:) shows a
    poster again.
    """

    size: float = 1.0
    articles: int = 25_000
    film_share: float = 0.06
    said: float = 0.4
    with_poster: float = 0.55
    talk: int = 9_000
    history: int = 14_000
    files: int = 6_000
    special: int = 1_500


def wiki(rng: np.random.Generator, given: Wiki = Wiki()) -> Site:
    """One such site."""
    b, host = Builder("wiki", rng, "html/body.skin-vector.ns-0/div#content.mw-body"), "https://en.wikilore.example"
    count = partial(scaled, given.size)
    number = count(given.articles)
    front = b.pages("front", [f"{host}/wiki/Main_Page"], ["Main page"], images=4)
    topic = rng.integers(2, 20, number)
    topic[rng.random(number) < 0.15] = 1  # people
    topic[rng.random(number) < given.film_share] = 0
    years = rng.integers(1930, 2026, number)
    plain, people, headline = titles(rng, number), names(rng, number), topics(rng, number)
    said = rng.random(number) < given.said
    article_titles = [
        (f"{plain[n]} ({years[n]} film)" if said[n] else plain[n])
        if topic[n] == 0
        else people[n]
        if topic[n] == 1
        else (plain[n] if n % 3 == 0 else headline[n].replace(":", ""))
        for n in range(number)
    ]
    slugs = [f"{title.replace(' ', '_')}_{n}" for n, title in enumerate(article_titles)]
    articles = b.pages("article", [f"{host}/wiki/{s}" for s in slugs], article_titles, images=1.5, kilobytes=120)
    of_talk, of_history = (rng.integers(0, number, count(many)) for many in (given.talk, given.history))
    of_talk = np.unique(of_talk)
    talk = b.pages("talk", [f"{host}/wiki/Talk:{slugs[a]}" for a in of_talk], ["Talk"] * len(of_talk))
    history = b.pages(
        "history",
        [f"{host}/w/index.php?title={slugs[a]}&action=history&offset={n}" for n, a in enumerate(of_history)],
        ["View history"] * len(of_history),
    )
    of_file = rng.integers(0, number, count(given.files))
    films_at = np.flatnonzero(topic == 0)
    of_file[: len(films_at) // 2] = films_at[: len(films_at) // 2]
    files = b.pages(
        "file",
        [f"{host}/wiki/File:{slugs[a]}_{n}.jpg" for n, a in enumerate(of_file)],
        ["File"] * len(of_file),
        images=0.9,
    )
    special = b.pages(
        "special",
        [f"{host}/wiki/Special:Page_{n}" for n in range(count(given.special))],
        topics(rng, count(given.special)),
    )
    in_list = "div.mw-parser-output/table.wikitable/tbody/tr/td/i/a"
    films = articles[topic == 0]
    of_year = years[topic == 0]
    lists = b.pages(
        "list",
        [f"{host}/wiki/List_of_films_of_{y}" for y in range(1930, 2026)],
        [f"List of films of {y}" for y in range(1930, 2026)],
    )
    b.link(lists[of_year - 1930], films, in_list)
    members = "div#mw-pages/div.mw-category/div.mw-category-group/ul/li/a"
    # Three levels: 8 fields, 6 subjects in each, and in a subject leaves with the articles themselves.
    fields = b.pages(
        "category", [f"{host}/wiki/Category:Field_{n}" for n in range(8)], [f"Field {n}" for n in range(8)]
    )
    subject_names = ["Films by year", "People", *(f"Subject {n}" for n in range(2, 48))]
    subjects = b.pages(
        "category",
        [f"{host}/wiki/Category:{name.replace(' ', '_')}" for name in subject_names],
        [f"Category:{name}" for name in subject_names],
    )
    leaf_of = np.where(topic == 0, years - 1930, 96 + topic * 12 + rng.integers(0, 12, number))
    leaf_names = [f"{year} films" for year in range(1930, 2026)] + [f"Leaf {n}" for n in range(96, 96 + 20 * 12)]
    leaves = [
        b.listing(
            "category",
            paged(f"{host}/wiki/Category:{name.replace(' ', '_')}", "?from={}"),
            f"Category:{name}",
            articles[leaf_of == n],
            60,
            members,
            pager="div#mw-pages/a",
        )
        for n, name in enumerate(leaf_names)
    ]
    heads = np.array([pages[0] for pages in leaves])
    under = np.concatenate([np.zeros(96, np.int64), np.arange(20).repeat(12) * 2 + np.tile([0, 1], 120)])
    under[96 : 96 + 12] = 0
    under[96 + 12 : 96 + 24] = 1
    below = "div#mw-subcategories/div.mw-category/ul/li/a"

    has = films[rng.random(len(films)) < given.with_poster]
    posters = b.new_posters(has)
    poster_of = dict(zip(has.tolist(), posters.tolist(), strict=True))
    again = [
        (page, poster_of[int(articles[a])])
        for page, a in zip(files.tolist(), of_file.tolist(), strict=True)
        if int(articles[a]) in poster_of
    ]
    b.show(np.array([page for page, _ in again], np.int64), np.array([poster for _, poster in again], np.int64))

    everything = np.arange(len(b.urls))
    b.block(everything, np.concatenate([front, special[:5]]), "nav#mw-panel/div.portal/div.body/ul/li/a", NAV)
    b.block(everything, special[5:8], "footer#footer/ul#footer-places/li/a", FOOT)
    b.link(special, np.roll(special, -1), "div.mw-parser-output/ul.special/li/a")
    b.some(special, articles, 8, "div.mw-parser-output/ul.special/li/a")
    b.block(front, fields, "div.mw-parser-output/div.main-page/ul.portals/li/a")
    places = rng.permutation(48)  # which field the films are in
    b.link(fields[places // 6], subjects, below)
    b.link(subjects[under], heads, below)
    b.some(front, articles, 25, "div.mw-parser-output/div.main-page/p/a")
    b.link(subjects[:1], lists[-1:], "div.mw-parser-output/p/a")
    b.link(lists[1:], lists[:-1], "div.mw-parser-output/table.infobox/tbody/tr/td/a.previous")
    text = "div.mw-parser-output/p/a"
    for t in range(20):
        mine = articles[topic == t]
        b.some(mine, mine, 7, text)
    b.link(articles, heads[leaf_of], "div#catlinks/ul/li/a")
    b.some(articles, articles, 3, text)
    b.some(films, articles[topic == 1], 4, "div.mw-parser-output/table.infobox/tbody/tr/td/a")
    b.some(articles[topic == 1], films, 1.5, "div.mw-parser-output/ul/li/i/a")
    b.some(films, lists, 0.4, "div.mw-parser-output/div.navbox/ul/li/a")
    b.link(articles[of_talk], talk, "div#mw-head/div#p-namespaces/ul/li/a", "Talk", NAV)
    b.link(talk, articles[of_talk], "div#mw-head/div#p-namespaces/ul/li/a", "Article", NAV)
    b.link(articles[of_history], history, "div#mw-head/div#p-views/ul/li/a", "View history", NAV)
    b.link(history, articles[of_history], "div#mw-head/div#p-namespaces/ul/li/a", "Article", NAV)
    b.link(articles[of_file], files, "div.mw-parser-output/figure.thumb/a.image", "", SIDE)
    b.link(files, articles[of_file], "div.mw-parser-output/ul.usage/li/a")
    b.some(talk, special[8:], 2, "div.mw-parser-output/p/a.user")
    return b.site()
