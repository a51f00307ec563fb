"""Which films had no picture in a catalogue before: what a page is rewarded for (``Recorder.call``).

A cheap guess while the crawl goes on, by names and IMDb's numbers. What the films really are is found later, by
``films/resolving.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, exists, select

from posterbot.catalogue.records import Claim, Page
from posterbot.catalogue.rows import clean, url_key
from posterbot.catalogue.schema import candidates, film_statements, images, pages
from posterbot.films.ids import ids_of_links, read_imdb
from posterbot.films.titles import split_title

LOOKED_AT = 50
"""Statements of one name, and pages of one article, that are looked at: some sites state the same film on each page."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A film as a page or a list names it."""

    name: str
    year: int | None = None
    imdb: str | None = None
    """``tt0017136``"""
    article: str | None = None
    """Of a list: URL of the page that it names for the film."""

    @property
    def key(self) -> str:
        """Equal for all that could be the same film."""
        return self.name.casefold()

    def same(self, other: Stated) -> bool:
        """Is it the same film? IMDb's numbers decide; where one has none, name and year; what is not said may be so."""
        if self.imdb is not None and other.imdb is not None:
            return self.imdb == other.imdb
        return self.key == other.key and (self.year == other.year or self.year is None or other.year is None)


def stated(page: Page, claim: Claim | None) -> list[Stated]:
    """The films that a page states, and the one that a list names it for; each once."""
    found = [Stated(clean(film.name), film.year, ids_of_links(film.same_as).imdb) for film in page.films]
    if claim is not None:
        titled = split_title(claim.title)
        year, imdb = claim.year or titled.year, read_imdb(claim.imdb_id or "")
        # Where the list names no article, its page is a part of the list, with other films on it.
        article = page.url if page.url.startswith("http") else None
        found.append(Stated(clean(titled.title), year, imdb, article))
    films: list[Stated] = []
    for film in found:
        if not any(film.same(other) for other in films):
            films.append(film)
    return films


def new_films(connection: Connection, calls: Sequence[tuple[Sequence[Stated], int]]) -> list[list[Stated]]:
    """For each list of films: those of which no page that states them has a kept picture, at most so many.

    Films that only a list has named are found by the article that it names for them.
    """
    found = []
    for films, most in calls:
        new: list[Stated] = []
        for film in films:
            if len(new) == most:
                break
            if not _has_picture(connection, film):
                new.append(film)
        found.append(new)
    return found


def _has_picture(connection: Connection, film: Stated) -> bool:
    # The database can neither fold the case of all letters nor search the links.
    spellings = {film.name, film.name.casefold(), film.name.upper(), film.name.title(), film.name.capitalize()}
    named = (
        select(film_statements.c.page_id, film_statements.c.name, film_statements.c.year, film_statements.c.same_as)
        .where(film_statements.c.name.in_({url_key(spelling) for spelling in spellings}))
        .limit(LOOKED_AT)
        .subquery()
    )
    rows = connection.execute(select(named.c.name, named.c.year, named.c.same_as).where(_kept_on(named.c.page_id)))
    for name, year, links in rows:
        if film.same(Stated(name, year, ids_of_links(links).imdb)):
            return True
    if film.article is None:
        return False
    article = select(pages.c.id).where(pages.c.url == url_key(film.article)).limit(LOOKED_AT).subquery()
    return connection.execute(select(article.c.id).where(_kept_on(article.c.id)).limit(1)).first() is not None


def _kept_on(page: ColumnElement[int]) -> ColumnElement[bool]:
    pictures = candidates.join(images, images.c.id == candidates.c.image_id)
    kept = select(candidates.c.id).select_from(pictures).where(candidates.c.page_id == page, images.c.path.is_not(None))
    return exists(kept)
