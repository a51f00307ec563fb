"""Importing tables of films: what they say is noted like what pages say, and believed before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Engine, delete, func, select, update

from posterbot.catalogue.in_turn import in_turn
from posterbot.catalogue.rows import url_key
from posterbot.catalogue.schema import candidates, images
from posterbot.catalogue.schema_films import film_mentions, film_sightings
from posterbot.films import evidence, mentions, tables
from posterbot.films.link import Linked, Progress, link
from posterbot.films.mentions import Mention, mention
from posterbot.films.noting import note_sightings, write_mentions, write_sightings
from posterbot.films.settling import alone
from posterbot.films.tables import BadRow, FilmRow, TableError, open_table
from posterbot.films.titles import title_key
from posterbot.frontier.adding import in_pieces

ROWS_AT_ONCE = 2000
BAD_SHOWN = 5
"""Bad rows that are told one by one."""
BY_TITLE = frozenset({"movie", "short", "tvMovie", "tvSeries", "tvMiniSeries"})
"""Types of IMDb's titles that title and year alone may mean; episodes, games and videos are known by their id."""


@dataclass(slots=True)
class Imported:
    """What an import has done."""

    kind: str
    """What the table is."""
    rows: int = 0
    """Read, without the header."""
    taken: int = 0
    """That can matter here."""
    bad: int = 0
    first_bad: list[BadRow] = field(default_factory=list)
    images: int = 0
    """Rows that name an image that is here."""
    unknown_images: int = 0
    """And that is not."""
    changed: int = 0
    """Rows of the catalogue that changed, with those of films and links."""
    linked: Linked | None = None
    broken: str = ""
    """Why it ended before the end of the file."""


def import_table(
    engine: Engine, file: Path, *, all_rows: bool = False, progress: Progress = lambda doing, number: None
) -> Imported:
    """Import a table of films, and link. The same table again changes nothing; a newer one of IMDb replaces the older.

    Of IMDb's table only rows are taken that can matter: those whose id, or whose title and year, somebody mentions.
    A stream: some bytes are in memory for each film that is mentioned here.

    Args:
        engine: from ``open_catalogue``.
        file: see :func:`posterbot.films.tables.open_table`.
        all_rows: take all of IMDb's.
        progress: told what is done, and how many rows or images so far.

    Raises:
        TableError: it is no such table. What ends in the middle is imported as far as it goes, and says so.
    """
    kind, rows = open_table(file)
    done = Imported(kind)
    # What was seen since the last time may make rows matter.
    note_sightings(engine, lambda number: progress("reading sightings", number))
    matters = _Matters(engine) if kind == tables.IMDB and not all_rows else None
    readable = _until_broken(rows, done)
    while batch := list(islice(readable, ROWS_AT_ONCE)):
        films = _sorted_out(batch, done)
        if matters:
            films = matters.of(films)
        done.taken += len(films)
        if films:
            with in_turn(engine) as connection:
                alone(connection)
                done.changed += _write(connection, films, done, of_imdb=kind == tables.IMDB)
        progress("reading rows", done.rows)
    done.linked = link(engine, progress)
    done.changed += done.linked.rows
    return done


def _until_broken(rows: tables.Rows, done: Imported) -> Iterator[FilmRow | BadRow]:
    try:
        yield from rows
    except TableError as error:
        done.broken = str(error)


def _sorted_out(batch: Sequence[FilmRow | BadRow], done: Imported) -> list[FilmRow]:
    done.rows += len(batch)
    for row in batch:
        if isinstance(row, BadRow):
            done.bad += 1
            if len(done.first_bad) < BAD_SHOWN:
                done.first_bad.append(row)
    return [row for row in batch if isinstance(row, FilmRow)]


class _Matters:
    """Which rows somebody mentions: by id, or by title and year."""

    def __init__(self, engine: Engine) -> None:
        with engine.connect() as connection:
            self._ids = _sorted_array(_mentioned_ids(connection))
            self._titles = _sorted_array(_mentioned_titles(connection))

    def of(self, rows: Sequence[FilmRow]) -> list[FilmRow]:
        """Those of ``rows``."""
        ids = np.array([int(row.ids.imdb[2:]) if row.ids.imdb else 0 for row in rows], np.uint64)
        taken = _isin(ids, self._ids)
        places: list[int] = []
        keys: list[int] = []
        for place, row in enumerate(rows):
            if not taken[place] and row.year and row.type in BY_TITLE:
                for title in filter(None, (row.title, row.other_title)):
                    places.append(place)
                    keys.append(_hash(title_key(title), row.year))
        known = _isin(np.array(keys, np.uint64), self._titles)
        taken[np.array(places, np.int64)[known]] = True
        return [row for row, matters in zip(rows, taken, strict=True) if matters]


def _mentioned_ids(connection: Connection) -> Iterator[int]:
    imdb = select(film_mentions.c.imdb).where(
        film_mentions.c.imdb.is_not(None), film_mentions.c.origin != mentions.IMDB
    )
    for value in connection.execution_options(yield_per=10_000).scalars(imdb):
        yield int(value[2:])


def _mentioned_titles(connection: Connection) -> Iterator[int]:
    stated = select(film_mentions.c.key, film_mentions.c.year).where(
        film_mentions.c.key != "", film_mentions.c.year.is_not(None), film_mentions.c.origin != mentions.IMDB
    )
    for key, year in connection.execution_options(yield_per=10_000).execute(stated):
        for near in (year - 1, year, year + 1):
            yield _hash(key, near)


def _hash(key: str, year: int) -> int:
    return int.from_bytes(blake2b(f"{year} {key}".encode(), digest_size=8).digest())


def _sorted_array(values: Iterable[int]) -> np.ndarray:
    return np.unique(np.fromiter(values, np.uint64))


def _isin(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Which of ``values`` are in the sorted array ``among``, as bools."""
    if not len(among):
        return np.zeros(len(values), bool)
    places = np.minimum(np.searchsorted(among, values), len(among) - 1)
    return np.asarray(among[places] == values)


def _write(connection: Connection, rows: Sequence[FilmRow], done: Imported, *, of_imdb: bool) -> int:
    origin = mentions.IMDB if of_imdb else mentions.TABLE
    of_row = [_mention(origin, row, row.title) for row in rows]
    others = [_mention(origin, row, row.other_title) for row in rows if row.other_title not in {"", row.title}]
    said = {one.digest: one for one in (*of_row, *others)}
    before = connection.scalar(select(func.count()).select_from(film_mentions)) or 0
    film_of = _delete_older(connection, said.values()) if of_imdb else {}
    numbers = write_mentions(connection, said.values())
    for imdb, film in film_of.items():
        new = film_mentions.c.imdb == imdb, film_mentions.c.film_id.is_(None)
        connection.execute(update(film_mentions).where(*new).values(film_id=film))
    after = connection.scalar(select(func.count()).select_from(film_mentions)) or 0
    changed = after - before + 2 * len(film_of)
    return changed + _write_images(connection, rows, [numbers[one.digest] for one in of_row], done)


def _mention(origin: str, row: FilmRow, title: str) -> Mention:
    return mention(origin, title, row.year, kind=row.kind, ids=row.ids, directors=row.directors, genres=row.genres)


def _delete_older(connection: Connection, said: Iterable[Mention]) -> dict[str, int | None]:
    """Delete what an older table of IMDb said of the same titles; gives which film each id was."""
    new = {one.digest: one.ids.imdb for one in said}
    gone: dict[int, str] = {}
    keys: set[str] = set()
    film_of: dict[str, int | None] = {}
    for piece in in_pieces(sorted({imdb for imdb in new.values() if imdb})):
        older = film_mentions.c.imdb.in_(piece), film_mentions.c.origin == mentions.IMDB
        for row in connection.execute(select(film_mentions).where(*older)):
            if row.digest not in new:
                gone[row.id] = row.imdb
                keys.add(row.key)
                film_of[row.imdb] = row.film_id
    for keys_of in in_pieces(sorted(keys)):
        of_titles = film_mentions.c.key.in_(keys_of)
        connection.execute(update(film_mentions).where(of_titles).values(settled=False))
    for piece in in_pieces(sorted(gone)):
        connection.execute(delete(film_mentions).where(film_mentions.c.id.in_(piece)))
    return film_of


def _write_images(connection: Connection, rows: Sequence[FilmRow], numbers: Sequence[int], done: Imported) -> int:
    """Note that images show the films of their rows: once for each, at the sighting of it that was first."""
    wanted = [(row, number) for row, number in zip(rows, numbers, strict=True) if row.image]
    if not wanted:
        return 0
    first = _first_sightings(connection, [row for row, _ in wanted])
    found: dict[int, int] = {}
    for row, number in wanted:
        sighting = first.get(row.sha256) or first.get(row.url)
        if sighting is None:
            done.unknown_images += 1
        else:
            done.images += 1
            found[sighting] = number
    there: dict[int, int | None] = {}
    of_table = film_sightings.c.evidence == evidence.TABLE
    for piece in in_pieces(sorted(found)):
        asked = select(film_sightings.c.candidate_id, film_sightings.c.film_mention_id)
        there.update(
            (row[0], row[1])
            for row in connection.execute(asked.where(film_sightings.c.candidate_id.in_(piece), of_table))
        )
    other = sorted(sighting for sighting, number in found.items() if there.get(sighting) != number)
    for sighting in other:
        if sighting in there:
            of_it = film_sightings.c.candidate_id == sighting
            values = {"film_mention_id": found[sighting], "linked": False}
            connection.execute(update(film_sightings).where(of_it, of_table).values(values))
    names = {"evidence": evidence.TABLE, "detail": "table", "linked": False}
    new = [{"candidate_id": one, "film_mention_id": found[one]} | names for one in other if one not in there]
    write_sightings(connection, new)
    return len(other)


def _first_sightings(connection: Connection, rows: Sequence[FilmRow]) -> dict[str, int]:
    """By the sha256 or the URL of an image, whichever its row has."""
    found: dict[str, int] = {}
    first = func.min(candidates.c.id)
    for piece in in_pieces(sorted({row.sha256 for row in rows if row.sha256})):
        of_hash = (
            select(images.c.sha256, first)
            .join(candidates, candidates.c.image_id == images.c.id)
            .where(images.c.sha256.in_(piece))
            .group_by(images.c.sha256)
        )
        found.update((sha256, number) for sha256, number in connection.execute(of_hash))
    urls = {url_key(row.url): row.url for row in rows if row.url}
    for piece in in_pieces(sorted(urls)):
        # Any sighting of the image with this address, so that two addresses of one image are one row.
        here = select(candidates.c.url, candidates.c.image_id).where(
            candidates.c.url.in_(piece), candidates.c.image_id.is_not(None)
        )
        of_url = dict(tuple(row) for row in connection.execute(here.order_by(candidates.c.id.desc())))
        asked = (
            select(candidates.c.image_id, first)
            .where(candidates.c.image_id.in_(sorted(set(of_url.values()))))
            .group_by(candidates.c.image_id)
        )
        of_image = dict(tuple(row) for row in connection.execute(asked))
        found.update((urls[url], of_image[image]) for url, image in of_url.items())
    return found
