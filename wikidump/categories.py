"""What the categories of a page say: genres, and the year as a last resort."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from wikidump.wikis import prefix_pattern, table

MAX_VALUE = 500
"""Characters of a genre parameter that are looked at."""

_link = re.compile(r"\[\[([^\[\]|\n]{1,255})(?:\|[^\[\]\n]*)?\]\]")
_english = re.compile(r"(.*)\bfilms\b", re.IGNORECASE)
_YEAR = r"(18[7-9]\d|19\d\d|20\d\d)"
_english_year = re.compile(rf"{_YEAR}(?: .*)?")
_year = re.compile(rf"\D{{3,20}}? (?:\w{{1,6}} ){{0,2}}{_YEAR}(?: \D{{1,6}})?|{_YEAR}\D{{1,8}}")


def categories(text: str) -> list[str]:
    """The names of a page's categories, in their order."""
    category = prefix_pattern("category")
    found = []
    for match in _link.finditer(text):
        if ":" in match[1] and (prefix := category.match(match[1])):
            found.append(" ".join(match[1][prefix.end() :].replace("_", " ").split()))
    return found


def genres(names: Iterable[str], wiki: str, values: Iterable[str] = ()) -> tuple[str, ...]:
    """Genres by ``tables/genres.toml``, of categories' ``names`` and the ``values`` of genre parameters, sorted."""
    of_names = (genre for name in names if (about := _about_film(name, wiki)) for genre in _genres_in(about))
    of_values = (genre for value in values for genre in _genres_in(value[:MAX_VALUE]))
    return tuple(sorted({*of_names, *of_values}))


def year_of(names: Iterable[str], wiki: str) -> int | None:
    """The year of the first category that is of the films of one year: ``1999 films``, ``Películas de 1999``."""
    for name in names:
        about = _about_film(name, wiki)
        if about:
            match = (_english_year if wiki in _ENGLISH else _year).fullmatch(about.strip())
            if match:
                return int(next(year for year in match.groups() if year))
    return None


_ENGLISH = frozenset({"enwiki", "simplewiki"})


def _about_film(category: str, wiki: str) -> str:
    """The part of a category's name that tells what kind of film it holds; empty if it holds none."""
    if wiki in _ENGLISH:
        match = _english.match(category)
        return match[1] if match else ""
    folded = category.casefold()
    return category if any(word in folded for word in _film_words()) else ""


@cache
def _film_words() -> tuple[str, ...]:
    return tuple(word.casefold() for word in table("genres")["film_words"])


@lru_cache(16384)
def _genres_in(text: str) -> tuple[str, ...]:
    text += " "
    return tuple(genre for genre, words in _genre_words() if words.search(text))


@cache
def _genre_words() -> tuple[tuple[str, re.Pattern[str]], ...]:
    def pattern(words: list[str]) -> re.Pattern[str]:
        anywhere = [re.escape(word) for word in words if word >= "\u3000"]
        begins = [re.escape(word) for word in words if word < "\u3000"]
        return re.compile("|".join([rf"(?:\b|film)(?:{'|'.join(begins)})", *anywhere]), re.IGNORECASE)

    return tuple((genre, pattern(words)) for genre, words in table("genres")["words"].items())
