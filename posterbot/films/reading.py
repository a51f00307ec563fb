"""What one sighting of a picture says of films: pure functions on what the catalogue has of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from posterbot.catalogue import records
from posterbot.films import evidence, mentions
from posterbot.films.ids import Ids, ids_in_address, ids_of_links, read_imdb
from posterbot.films.mentions import Mention, mention, printable
from posterbot.films.titles import (
    Titled,
    begins_with_title,
    is_telling,
    names_film,
    read_text,
    split_title,
    title_key,
)

OWN_PICTURE = frozenset({"json_ld", "microdata", "open_graph", "twitter", "link"})
"""Markup by which a page says which picture is its own, or its film's (``page/candidates.py``)."""
MAX_STATEMENTS = 300
"""Of one page that are read; what states more is a list, and names its pictures by their words."""
NO_FILMS = frozenset({"video_game", "book", "album"})
"""Kinds of things that lists of wikidump name besides films."""
MAX_DETAIL = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """What a list says of the picture: part of a row of ``claims``."""

    title: str
    year: int | None = None
    kind: str | None = None
    imdb_id: str | None = None
    genres: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """A picture in its place: part of a row of ``candidates``."""

    url: str
    found_by: str
    alt: str = ""
    title: str = ""
    caption: str = ""
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Film:
    """A film that a page states, and the words of its directors."""

    mention: Mention
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageFilms:
    """What a page says of films."""

    films: tuple[Film, ...] = ()
    by_key: dict[str, list[Film]] = field(default_factory=dict)
    by_title: Mention | None = None
    """Where it states none: the film in the page's own title."""

    @property
    def only(self) -> Film | None:
        """The one film it states."""
        return self.films[0] if len(self.films) == 1 else None


@dataclass(frozen=True, slots=True)
class Said:
    """One piece of evidence: how, of which film, and what was read."""

    evidence: str
    mention: Mention
    detail: str


def read_page(url: str, title: str, statements: Sequence[records.Film]) -> PageFilms:
    """The films of a page. The same film stated twice is one; an id in the page's address is that of its only film."""
    groups: dict[str, list[list[records.Film]]] = {}
    order: list[list[records.Film]] = []
    for statement in statements[:MAX_STATEMENTS]:
        named = split_title(printable(statement.name))
        key = title_key(named.title)
        if not key:
            continue
        for group in groups.setdefault(key, []):
            if _may_be_one(group, statement):
                group.append(statement)
                break
        else:
            groups[key].append([statement])
            order.append(groups[key][-1])
    address = ids_in_address(url)
    if not order:
        titled = begins_with_title(printable(title))
        if address:
            about = mention(mentions.PAGE, titled.title if titled else "", titled.year if titled else None, ids=address)
            return _page([Film(about, ())])
        of_title = mention(mentions.TEXT, titled.title, titled.year) if titled else None
        return PageFilms(by_title=of_title)
    films = [_stated(group) for group in order]
    if len(films) == 1 and address:
        one = films[0].mention
        merged = replace(one, ids=one.ids.filled(address))
        films = [Film(merged, films[0].people)]
    return _page(films)


def read_sighting(sighting: Sighting, page: PageFilms) -> list[Said]:
    """All that the sighting says, each kind of evidence at most once."""
    said: list[Said] = []
    if claim := sighting.claim:
        if claim.kind in NO_FILMS:
            return []
        ids = Ids(imdb=read_imdb(claim.imdb_id or ""))
        of_list = mention(
            mentions.LIST,
            claim.title,
            claim.year,
            kind=claim.kind,
            ids=ids,
            directors=claim.directors,
            genres=claim.genres,
        )
        if of_list.key or ids:
            said.append(Said(evidence.LIST, of_list, _detail("list", claim.title)))
    elif found := _beside(sighting, page):
        said.append(found)
    if ids := ids_in_address(sighting.url):
        said.append(Said(evidence.ADDRESS, mention(mentions.ADDRESS, ids=ids), _detail("address", ids.pairs()[0][1])))
    return said


def _page(films: list[Film]) -> PageFilms:
    by_key: dict[str, list[Film]] = {}
    for film in films:
        by_key.setdefault(film.mention.key, []).append(film)
    return PageFilms(tuple(films), by_key)


def _may_be_one(group: Sequence[records.Film], other: records.Film) -> bool:
    years = {one.year for one in group if one.year} | ({other.year} if other.year else set())
    kinds = {one.kind for one in group} | {other.kind}
    links = [ids_of_links(one.same_as).imdb for one in (*group, other)]
    return len(years) < 2 and len(kinds) < 2 and len(set(filter(None, links))) < 2


def _stated(group: Sequence[records.Film]) -> Film:
    first = group[0]
    directors = tuple(dict.fromkeys(name for one in group for name in one.directors))
    said = mention(
        mentions.PAGE,
        first.name,
        next((one.year for one in group if one.year), None),
        kind=first.kind,
        ids=ids_of_links([url for one in group for url in one.same_as]),
        directors=directors,
        genres=[genre for one in group for genre in one.genres],
    )
    return Film(said, said.directors)


def _beside(sighting: Sighting, page: PageFilms) -> Said | None:
    """What markup and words beside the picture say; the first words that say anything decide."""
    where, text = _words(sighting)
    # JSON-LD gives the name of what the picture belongs to as its caption.
    owner = sighting.caption if sighting.found_by == "json_ld" else ""
    only = page.only
    if only and sighting.found_by in OWN_PICTURE:
        telling = [words for words in (owner, text) if is_telling(words)]
        if all(_holds_title(words, only) for words in telling):
            return Said(evidence.MARKUP, only.mention, _detail(sighting.found_by, text))
    if text:
        if only and _names(text, only):
            return Said(evidence.PAGE, only.mention, _detail(where, text))
        if len(page.films) > 1 and (named := _named(text, page)):
            # Of two films with one title nobody knows which it is, though one of them may be known elsewhere.
            return Said(evidence.NAMED, named[0].mention, _detail(where, text)) if len(named) == 1 else None
        if (by_title := page.by_title) and names_film(text, by_title.title, by_title.year):
            return Said(evidence.HEADING, by_title, _detail(where, text))
        if titled := read_text(text):
            how = evidence.HEADING if where == "caption" and not owner else evidence.WORDS
            return Said(how, mention(mentions.TEXT, titled.title, titled.year), _detail(where, text))
    elif page.by_title and sighting.found_by in OWN_PICTURE:
        return Said(evidence.HEADING, page.by_title, _detail(sighting.found_by, page.by_title.title))
    return None


def _words(sighting: Sighting) -> tuple[str, str]:
    for where in ("alt", "title", "caption"):
        text = printable(getattr(sighting, where))
        if is_telling(text):
            return where, text
    return "", ""


def _holds_title(text: str, film: Film) -> bool:
    wanted = f" {film.mention.key} "
    return bool(film.mention.key) and wanted in f" {title_key(text)} "


def _names(text: str, film: Film) -> bool:
    return names_film(text, film.mention.title, film.mention.year, film.people)


def _named(text: str, page: PageFilms) -> list[Film]:
    titles: dict[str, Titled] = {}
    for titled in (read_text(text), split_title(text), Titled(text)):
        if titled:
            titles.setdefault(title_key(titled.title), titled)
    return [
        film
        for key, titled in titles.items()
        for film in page.by_key.get(key, ())
        if titled.year is None or film.mention.year in {None, titled.year}
    ]


def _detail(where: str, text: str) -> str:
    return f"{where}: {text}"[:MAX_DETAIL]
