"""A film database: films in many lists, people, reviews, users, news, a search with facets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .site import FOOT, MAIN, NAV, SIDE, Builder, Ints, Site, paged, scaled
from .wording import names, slug, titles, topics


@dataclass(frozen=True)
class FilmDatabase:
    """About 55,000 pages for ``size`` 1. Film pages are 12 % of them, and 85 % of these have a poster.

    One poster on 80 % of these, two to four on the rest; a gallery of 30 % of the films shows the poster again and one
    or two others. Lists are by genre, year and letter, 30 films a page; thumbnails there are too small to count.
    """

    size: float = 1.0
    films: int = 6_500
    with_poster: float = 0.85
    with_gallery: float = 0.3
    people: int = 13_000
    reviews: int = 9_000
    users: int = 5_000
    news: int = 3_000
    facets: int = 8_000


def film_database(rng: np.random.Generator, given: FilmDatabase = FilmDatabase()) -> Site:
    """One such site."""
    b, host = Builder("film database", rng, "html/body.site.theme-dark/div#wrap.page"), "https://www.filmbase.example"
    count = partial(scaled, given.size)
    films_n = count(given.films)
    front = b.pages("front", [f"{host}/"], ["Home"], images=4)
    film_titles = titles(rng, films_n)
    slugs = [slug(title, n) for n, title in enumerate(film_titles)]
    years = rng.integers(1925, 2026, films_n)
    genres = rng.integers(0, 24, films_n)
    films = b.pages("film", [f"{host}/film/{s}" for s in slugs], film_titles, images=1.5, kilobytes=90)
    cast = b.pages("cast", [f"{host}/film/{s}/cast" for s in slugs], ["Full cast"] * films_n)
    trivia = b.pages("trivia", [f"{host}/film/{s}/trivia" for s in slugs], ["Trivia"] * films_n)
    in_gallery = np.flatnonzero(rng.random(films_n) < given.with_gallery)
    media = b.pages(
        "media", [f"{host}/film/{slugs[f]}/media" for f in in_gallery], ["Photos"] * len(in_gallery), images=6
    )
    people_names = names(rng, count(given.people))
    people = b.pages(
        "person", [f"{host}/person/{slug(name, n)}" for n, name in enumerate(people_names)], people_names, images=1.2
    )
    of_review = rng.integers(0, films_n, count(given.reviews))
    reviews = b.pages(
        "review",
        [f"{host}/film/{slugs[f]}/reviews/{n}" for n, f in enumerate(of_review)],
        ["Read the review"] * len(of_review),
    )
    users = b.pages(
        "user", [f"{host}/user/member{n}" for n in range(count(given.users))], names(rng, count(given.users))
    )
    headlines = topics(rng, count(given.news))
    news = b.pages(
        "news", [f"{host}/news/{slug(text, n)}.html" for n, text in enumerate(headlines)], headlines, images=1.5
    )
    helps = b.pages("help", [f"{host}/help/topic-{n}" for n in range(40)], titles(rng, 40))

    item = "main.content/div.listing/ul.films/li.film/h3/a.title"
    genre_pages = [
        b.listing("list", paged(f"{host}/genre/genre-{g}"), f"Genre {g}", films[genres == g], 30, item)
        for g in range(24)
    ]
    year_pages = [
        b.listing("list", paged(f"{host}/year/{y}"), f"{y}", films[years == y], 30, item) for y in range(1925, 2026)
    ]
    initials = np.array([ord(title[4 if title.startswith("The ") else 0]) % 27 for title in film_titles])
    letter_pages = [
        b.listing("list", paged(f"{host}/films/letter-{n}"), f"{chr(65 + n)}", films[initials == n], 30, item)
        for n in range(27)
    ]
    person_lists = [
        b.listing("people", paged(f"{host}/people/letter-{n}"), "People", some, 50, "main.content/ul.people/li/a.name")
        for n, some in enumerate(np.array_split(rng.permutation(people), 27))
    ]
    news_list = b.listing("news list", paged(f"{host}/news"), "News", news, 20, "main.content/article.teaser/h2/a")
    user_list = b.listing("users", paged(f"{host}/users"), "Members", users, 60, "main.content/table.members/tr/td/a")
    facets = _facets(b, host, count(given.facets), films)

    shows = np.flatnonzero(rng.random(films_n) < given.with_poster)
    many = np.where(rng.random(len(shows)) < 0.8, 1, rng.integers(2, 5, len(shows)))
    posters = b.new_posters(films[shows], many)
    first = dict(zip(shows.tolist(), posters[np.concatenate(([0], np.cumsum(many)[:-1]))].tolist(), strict=True))
    again = [(page, first[f]) for page, f in zip(media.tolist(), in_gallery.tolist(), strict=True) if f in first]
    b.show(np.array([page for page, _ in again], np.int64), np.array([poster for _, poster in again], np.int64))
    b.new_posters(media, rng.integers(0, 3, len(media)))

    everything = np.arange(len(b.urls))
    menu = np.concatenate(
        [front, letter_pages[0][:1], genre_pages[0][:1], person_lists[0][:1], news_list[:1], user_list[:1], facets[:1]]
    )
    b.block(everything, menu, "header.top/nav.main-nav/ul.menu/li.menu-item/a", NAV)
    b.block(everything, helps[:4], "footer.footer/ul.links/li/a", FOOT)
    b.link(everything, rng.choice(news, len(everything)), "aside.sidebar/div.latest/ul/li/a.headline", place=SIDE)
    b.some(everything, films, 0.3, "aside.sidebar/div.trending/ol/li/a.film-link", SIDE)
    for lists, name in ((genre_pages, "genres"), (year_pages, "years"), (letter_pages, "letters")):
        heads = np.array([pages[0] for pages in lists])
        b.block(np.concatenate([front, *lists]), heads, f"main.content/div.filters/ul.{name}/li/a", MAIN)
    heads = np.array([pages[0] for pages in person_lists])
    b.block(np.concatenate([front, *person_lists]), heads, "main.content/div.letters/a.letter", MAIN)
    b.some(front, films, 12, "main.content/section.featured/div.card/a.card-link")
    b.link(helps, np.roll(helps, -1), "main.content/p.more/a")

    tabs = "main.content/ul.tabs/li.tab/a"
    b.link(films, cast, tabs)
    b.link(films, trivia, tabs)
    b.link(films[in_gallery], media, tabs)
    b.link(media, films[in_gallery], "main.content/h1/a.back")
    b.link(np.concatenate([cast, trivia]), np.tile(films, 2), "main.content/h1/a.back")
    b.link(cast, trivia, tabs)
    b.some(films, people, 5, "main.content/div.credits/ul.cast/li/a.person")
    b.some(cast, people, 14, "main.content/table.cast/tr/td.name/a.person")
    b.some(people, films, 4, "main.content/div.filmography/table/tr/td.film/a.film-link")
    b.some(films, films, 4, "main.content/section.similar/div.card/a.card-link")
    b.link(films[of_review], reviews, "main.content/section.reviews/article/a.more")
    b.link(reviews, films[of_review], "main.content/h1/a.back")
    b.link(reviews, rng.choice(users, len(reviews)), "main.content/p.by/a.user")
    b.some(users, reviews, 3, "main.content/ul.reviews/li/a")
    b.some(users, films, 2, "main.content/ul.favourites/li/a.film-link")
    b.some(users, users, 4, "main.content/ul.friends/li/a.user")
    b.some(news, films, 0.7, "main.content/article.body/p/a")
    b.some(news, people, 1, "main.content/article.body/p/a")
    b.some(news, news, 3, "main.content/div.related/ul/li/a")
    return b.site()


def _facets(b: Builder, host: str, number: int, films: Ints) -> Ints:
    """Searches by genre, decade, country and order: each page leads to others, and shows films that lists have too."""
    urls = [
        f"{host}/search?genre={n % 24}&decade={1920 + n // 24 % 11 * 10}&country={n // 264 % 12}&sort={n // 3168}"
        for n in range(number)
    ]
    pages = b.pages("search", urls, [f"Filter {n % 24}" for n in range(number)], kilobytes=120)
    b.link(pages, np.roll(pages, -1), "main.content/form.facets/ul.facet/li/a.facet-value")
    b.some(pages, pages, 7, "main.content/form.facets/ul.facet/li/a.facet-value", SIDE)
    b.some(pages, films, 10, "main.content/div.results/div.result/h4/a.result-title")
    return pages
