"""Which rows are to be forgotten, for what somebody asked; nothing is changed here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, String, cast, false, func, or_, select
from w3lib.url import safe_url_string

from posterbot.catalogue.schema import candidates, claims, film_statements, images, pages, sources, tombstones
from posterbot.catalogue.tombstones import IMAGE
from posterbot.frontier.adding import AT_ONCE, in_pieces
from posterbot.frontier.tombstones import Host, host_of, image_tombstone, read_host, url_tombstone

HIDDEN = "forgotten:"
"""Begins the name of a forgotten host whose row a crawl knows by its number."""

_IMDB = re.compile(r"tt\d{5,}")
_IMDB_PART = re.compile(r"(?<![a-z\d])tt\d{5,}(?!\d)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ROWS = 1000
"""Rows of a stream that are in memory."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to be forgotten, in the forms in which it is looked for."""

    urls: tuple[str, ...] = ()
    hosts: tuple[Host, ...] = ()
    sha256s: tuple[str, ...] = ()
    """Of the bytes of images, in hexadecimal."""
    titles: frozenset[str] = frozenset()
    """Of films, without regard to case."""
    imdb_ids: frozenset[str] = frozenset()
    """Of films: ``tt0017136``."""

    def on_host(self, url: str) -> bool:
        """Is ``url`` on one of the hosts?"""
        host = host_of(url) if self.hosts else None
        return host is not None and ((host[0], None) in self.hosts or host in self.hosts)

    def is_film(self, title: str | None, imdb_id: str | None, same_as: Collection[str] = ()) -> bool:
        """Is the film with this title, IMDb id, or these addresses elsewhere one of the films?"""
        if _title(title or "") in self.titles or imdb_id in self.imdb_ids:
            return True
        return bool(self.imdb_ids) and any(self.imdb_ids.intersection(_IMDB_PART.findall(url)) for url in same_as)


def read_wanted(
    urls: Iterable[str] = (), hosts: Iterable[str] = (), sha256s: Iterable[str] = (), films: Iterable[str] = ()
) -> Wanted:
    """What a person has typed; ``films`` are titles or IMDb ids.

    Raises:
        ValueError: one of these is none; one line that says which.
    """
    addresses = tuple(_as_fetched(url) for url in urls)
    hashes = tuple(sha256.strip().lower() for sha256 in sha256s)
    for sha256 in hashes:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no sha256: it has 64 digits of 0-9 and a-f")
    titles = {_title(film) for film in films}
    if "" in titles:
        raise ValueError("a film's title is empty")
    ids = frozenset(filter(_IMDB.fullmatch, titles))
    return Wanted(addresses, tuple(map(read_host, hosts)), hashes, frozenset(titles - ids), ids)


def _as_fetched(url: str) -> str:
    with suppress(ValueError):
        safe = safe_url_string(url.strip())
        if host_of(safe) is not None:
            return safe
    raise ValueError(f"{url!r} is no URL: write it whole, as https://images.example.org/poster.jpg")


@dataclass(frozen=True, slots=True)
class Picture:
    """A row of ``images``, as far as it says where the bytes are."""

    sha256: str
    bytes: int
    """That are stored."""
    path: str | None
    dropped_path: str | None


@dataclass(slots=True)
class Found:
    """All that is to be forgotten. Rows by their numbers; it grows with them."""

    wanted: Wanted
    images: dict[int, Picture] = field(default_factory=dict)
    pages: dict[int, str] = field(default_factory=dict)
    """And their URLs. All that was seen on them goes, too."""
    pictureless: set[int] = field(default_factory=set)
    """Sightings of which there is no image."""
    films: set[int] = field(default_factory=set)
    """Named by pages that state others as well, and that stay."""
    urls: set[str] = field(default_factory=set)
    """Not to be fetched again, as the rows spell them."""
    runs: set[int] = field(default_factory=set)
    """That saw one of the images."""
    sightings: int = 0
    elsewhere: int = 0
    """Images that were also seen where nobody asked to forget anything."""

    def names(self, url: str) -> bool:
        """Does ``url`` lead to something that is to be forgotten?"""
        return url in self.urls or self.wanted.on_host(url)

    @property
    def bytes(self) -> int:
        """Of all images that are stored."""
        return sum(picture.bytes for picture in self.images.values())


def find(engine: Engine, wanted: Wanted) -> Found:
    """All rows that ``wanted`` means, and images that were to be forgotten before and are still there.

    Reads whole tables where no index helps: some ten seconds for each million sightings.
    """
    with engine.connect() as connection:
        found = Found(wanted)
        found.urls.update(wanted.urls)
        direct: dict[int, int | None] = {}
        _by_address(connection, found, direct)
        _by_film(connection, found, direct)
        for piece in in_pieces(list(found.pages)):
            on_pages = select(candidates.c.id, candidates.c.image_id).where(candidates.c.page_id.in_(piece))
            direct.update(tuple(row) for row in connection.execute(on_pages))
        found.urls.update(found.pages.values())
        found.pictureless.update(number for number, image in direct.items() if image is None)
        numbers = {image for image in direct.values() if image is not None} | set(_by_hash(connection, wanted))
        _images(connection, found, numbers, direct)
        _pictureless(connection, found)
    found.sightings += len(found.pictureless)
    return found


# --- What is meant --------------------------------------------------------------------------------------------------


def _by_address(connection: Connection, found: Found, direct: dict[int, int | None]) -> None:
    wanted = found.wanted
    hashes = {url_tombstone(url) for url in wanted.urls}
    names = {host[0] for host in (*wanted.hosts, *map(host_of, wanted.urls)) if host is not None}
    if not names:
        return
    named = or_(sources.c.name.in_(names), sources.c.name.startswith(HIDDEN))
    of_hosts = list(connection.scalars(select(sources.c.id).where(named)))

    def meant(url: str) -> bool:
        return wanted.on_host(url) or (bool(hashes) and url_tombstone(url) in hashes)

    for number, url in _stream(connection, select(pages.c.id, pages.c.url).where(pages.c.source_id.in_(of_hosts))):
        if meant(url):
            found.pages[number] = url
    # Also what such a host gave for another's URL: that is what a redirect leads to.
    starts = [f"{scheme}://{f'[{name}]' if ':' in name else name}" for scheme in ("http", "https") for name in names]
    moved = (candidates.c.final_url.startswith(start, autoescape=True) for start in starts)
    columns = (candidates.c[name] for name in ("id", "image_id", "url", "final_url"))
    on_them = select(*columns).where(or_(candidates.c.source_id.in_(of_hosts), *moved))
    for number, image, url, final_url in _stream(connection, on_them):
        if meant(url) or meant(final_url):
            direct[number] = image


def _by_film(connection: Connection, found: Found, direct: dict[int, int | None]) -> None:
    wanted = found.wanted
    if not wanted.titles and not wanted.imdb_ids:
        return
    of_lists = candidates.join(claims, claims.c.candidate_id == candidates.c.id).join(
        pages, pages.c.id == candidates.c.page_id
    )
    columns = candidates.c.id, candidates.c.image_id, claims.c.title, claims.c.imdb_id, pages.c.url, pages.c.status
    for row in _stream(connection, select(*columns).select_from(of_lists)):
        if wanted.is_film(row.title, row.imdb_id):
            direct[row.id] = row.image_id
            if row.status is None and host_of(row.url):  # the article that the list names
                found.urls.add(row.url)
    stating = film_statements.c
    stated: dict[int, int] = {}
    asked = select(stating.id, stating.page_id, stating.name, stating.same_as)
    if not wanted.titles:
        text = cast(stating.same_as, String)
        asked = asked.where(or_(false(), *(text.contains(key) for key in wanted.imdb_ids)))
    for row in _stream(connection, asked):
        if wanted.is_film(row.name, None, row.same_as):
            stated[row.id] = row.page_id
    for piece in in_pieces(sorted(set(stated.values()))):
        only = (
            select(pages.c.id, pages.c.url)
            .join(film_statements, film_statements.c.page_id == pages.c.id)
            .where(pages.c.id.in_(piece))
            .group_by(pages.c.id, pages.c.url)
            .having(func.count() == 1)
        )
        found.pages.update(tuple(row) for row in connection.execute(only))
    found.films = {film for film, page in stated.items() if page not in found.pages}


def _by_hash(connection: Connection, wanted: Wanted) -> Iterator[int]:
    if wanted.sha256s:
        yield from connection.scalars(select(images.c.id).where(images.c.sha256.in_(wanted.sha256s)))
    # What an earlier call has not come to, or what a crawl had in hand at that moment.
    laid = set(map(bytes, connection.scalars(select(tombstones.c.hash).where(tombstones.c.kind == IMAGE))))
    if laid:
        for number, sha256, kind in _stream(connection, select(images.c.id, images.c.sha256, images.c.format)):
            if image_tombstone(sha256) in laid or not kind:  # without a format: emptied
                yield number


# --- What comes with it ---------------------------------------------------------------------------------------------


def _images(connection: Connection, found: Found, numbers: set[int], direct: dict[int, int | None]) -> None:
    asked_for = set(direct.values())
    others: Counter[int] = Counter()
    for piece in in_pieces(sorted(numbers)):
        for row in connection.execute(select(images).where(images.c.id.in_(piece))):
            size = (row.bytes if row.path else 0) + (row.dropped_bytes or 0)
            found.images[row.id] = Picture(row.sha256, size, row.path, row.dropped_path)
        seen = (
            select(candidates.c.id, candidates.c.image_id, *_addresses(), pages.c.run_id)
            .join(pages, pages.c.id == candidates.c.page_id)
            .where(candidates.c.image_id.in_(piece))
        )
        for row in _stream(connection, seen):
            found.sightings += 1
            found.runs.add(row.run_id)
            _add_addresses(found, row)
            if row.id not in direct and row.image_id in asked_for:
                others[row.image_id] += 1
    found.elsewhere = len(others)


def _pictureless(connection: Connection, found: Found) -> None:
    for piece in in_pieces(sorted(found.pictureless)):
        for row in connection.execute(select(*_addresses()).where(candidates.c.id.in_(piece))):
            _add_addresses(found, row)
    # The same URLs where they gave nothing.
    none: ColumnElement[bool] = candidates.c.image_id.is_(None)
    if len(found.urls) <= AT_ONCE:
        none &= or_(candidates.c.url.in_(found.urls), candidates.c.final_url.in_(found.urls))
    for row in _stream(connection, select(candidates.c.id, candidates.c.url, candidates.c.final_url).where(none)):
        if row.url in found.urls or row.final_url in found.urls:
            found.pictureless.add(row.id)


def _addresses() -> tuple[Any, ...]:
    return candidates.c.url, candidates.c.final_url, candidates.c.alternatives


def _add_addresses(found: Found, row: Any) -> None:
    # Alternatives are the same picture in other sizes.
    found.urls.update(filter(host_of, (row.url, row.final_url, *row.alternatives)))


def _title(text: str) -> str:
    return text.strip().casefold()


def _stream(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    with connection.execution_options(yield_per=_ROWS).execute(statement) as rows:
        yield from rows
