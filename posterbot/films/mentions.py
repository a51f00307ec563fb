"""What is said of one film in one place: evidence for which films there are, before anybody decides."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from posterbot.catalogue.rows import clean
from posterbot.films.genres import read_genres
from posterbot.films.ids import NONE, Ids
from posterbot.films.titles import FIRST_YEAR, LAST_YEAR, people_words, split_title, title_key

TABLE, IMDB, LIST, PAGE, TEXT, ADDRESS = "table", "imdb", "list", "page", "text", "address"
ORIGINS = (TABLE, IMDB, LIST, PAGE, TEXT, ADDRESS)
"""Who says it, the most trusted first: a table that a person made, IMDb's own, a list, a page's markup, words beside a
picture, its address."""
IMPORTED = frozenset({TABLE, IMDB})

_KINDS = {"movie": "Movie", "film": "Movie", "tvseries": "TVSeries", "series": "TVSeries", "television": "TVSeries"}


@dataclass(frozen=True)
class Mention:
    """A film as it is mentioned; made by :func:`mention`."""

    origin: str
    """One of :data:`ORIGINS`."""
    key: str
    """Of the title; empty where none is said."""
    title: str
    year: int | None
    kind: str | None
    """``Movie``, ``TVSeries``, or None."""
    ids: Ids
    directors: tuple[str, ...]
    """The words of their names."""
    genres: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """The same for equal mentions: 32 hexadecimal digits."""
        facts = (
            self.origin,
            self.title,
            self.year,
            self.kind,
            self.ids.imdb,
            self.ids.tmdb,
            self.ids.wikidata,
            self.directors,
            self.genres,
        )
        return sha256(json.dumps(facts).encode()).hexdigest()[:32]

    @property
    def listed(self) -> bool:
        """Does it come from a list, whose years may be those of another country?"""
        return self.origin == LIST or self.origin in IMPORTED

    def row(self) -> dict[str, Any]:
        """For ``film_mentions``, unsettled."""
        return {
            "digest": self.digest,
            "origin": self.origin,
            "key": self.key,
            "title": self.title,
            "year": self.year,
            "kind": self.kind,
            "imdb": self.ids.imdb,
            "tmdb": self.ids.tmdb,
            "wikidata": self.ids.wikidata,
            "directors": list(self.directors),
            "genres": list(self.genres),
            "film_id": None,
            "certainty": 0.0,
            "settled": False,
        }


def mention(
    origin: str,
    title: str = "",
    year: int | None = None,
    *,
    kind: str | None = None,
    ids: Ids = NONE,
    directors: Iterable[str] = (),
    genres: Iterable[str] = (),
) -> Mention:
    """A mention of what a stranger says: everything is cleaned, cut to its bounds, and in one spelling.

    A year in brackets behind the title is the year, where none is given.
    """
    titled = split_title(printable(title))
    year = year if year is not None and FIRST_YEAR <= year < LAST_YEAR else None
    return Mention(
        origin,
        title_key(titled.title),
        titled.title,
        year or titled.year,
        _KINDS.get((kind or "").casefold().replace(" ", "")),
        ids,
        people_words(tuple(directors)),
        read_genres(genres),
    )


def printable(text: str) -> str:
    """``text`` without control signs and lone surrogates."""
    text = clean(text[:4000])
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def of_row(row: Any) -> Mention:
    """The mention of a row of ``film_mentions``."""
    return Mention(
        row.origin,
        row.key,
        row.title,
        row.year,
        row.kind,
        Ids(row.imdb, row.tmdb, row.wikidata),
        tuple(row.directors),
        tuple(row.genres),
    )
