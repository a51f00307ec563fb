"""What is known of films goes with what was forgotten: it was read in titles, words and addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, exists, select, update

from posterbot.catalogue.schema import candidates
from posterbot.catalogue.schema_films import (
    film_conflicts,
    film_ids,
    film_mentions,
    film_sightings,
    film_titles,
    films,
    image_films,
)
from posterbot.films.film_rows import delete_films
from posterbot.films.ids import IMDB
from posterbot.films.mentions import IMPORTED
from posterbot.frontier.adding import in_pieces
from posterbot.upkeep.forget_erase import written
from posterbot.upkeep.forget_rows import Wanted

ROWS_AT_ONCE = 500


def unread(connection: Connection, sightings: Sequence[int], images: Collection[int]) -> None:
    """Delete what was read of sightings, and what followed of it for their images, until they are linked again."""
    connection.execute(delete(film_sightings).where(film_sightings.c.candidate_id.in_(sightings)))
    _unlink(connection, images)


def _unlink(connection: Connection, images: Collection[int]) -> None:
    for piece in in_pieces(sorted(images)):
        for table in (image_films, film_conflicts):
            connection.execute(delete(table).where(table.c.image_id.in_(piece)))
        of_them = film_sightings.c.candidate_id.in_(select(candidates.c.id).where(candidates.c.image_id.in_(piece)))
        read = update(film_sightings).where(of_them, film_sightings.c.film_mention_id.is_not(None))
        connection.execute(read.values(linked=False))


def erase_films(engine: Engine, wanted: Wanted) -> None:
    """Delete the films that are to be forgotten, and all that was only said where everything is forgotten."""
    with engine.connect() as connection:
        meant = set(_meant(connection, wanted))
    last = 0
    while (after := written(engine, _erase_mentions, wanted, meant, last)) is not None:
        last = after
    while written(engine, _erase_unmentioned):
        pass


def _meant(connection: Connection, wanted: Wanted) -> Iterator[int]:
    """The films that are to be forgotten: by one of their titles, or by their id."""
    if wanted.imdb_ids:
        of_ids = film_ids.c.scheme == IMDB, film_ids.c.value.in_(wanted.imdb_ids)
        yield from connection.scalars(select(film_ids.c.film_id).where(*of_ids))
    if wanted.titles:
        titles = select(film_titles.c.film_id, film_titles.c.title)
        with connection.execution_options(yield_per=ROWS_AT_ONCE).execute(titles) as rows:
            yield from (film for film, title in rows if wanted.is_film(title, None))


def _erase_mentions(connection: Connection, wanted: Wanted, meant: set[int], last: int) -> int | None:
    """Of some mentions, in the order of their numbers; gives the number of the last, None where there are no more."""
    columns = (film_mentions.c[name] for name in ("id", "title", "imdb", "origin", "film_id"))
    rows = connection.execute(
        select(*columns, exists().where(film_sightings.c.film_mention_id == film_mentions.c.id).label("seen"))
        .where(film_mentions.c.id > last)
        .order_by(film_mentions.c.id)
        .limit(ROWS_AT_ONCE)
    ).all()
    if not rows:
        return None
    gone = [row.id for row in rows if row.film_id in meant or wanted.is_film(row.title, row.imdb)]
    gone += [row.id for row in rows if not row.seen and row.origin not in IMPORTED]
    _delete_mentions(connection, sorted(set(gone)))
    number: int = rows[-1].id
    return number


def _delete_mentions(connection: Connection, numbers: Sequence[int]) -> None:
    if not numbers:
        return
    of_them = film_mentions.c.id.in_(numbers)
    rows = connection.execute(select(film_mentions).where(of_them)).all()
    seen = film_sightings.c.film_mention_id.in_(numbers)
    images = select(candidates.c.image_id).where(candidates.c.id.in_(select(film_sightings.c.candidate_id).where(seen)))
    _unlink(connection, {image for image in connection.scalars(images) if image is not None})
    # They were read, and nothing more is to be read in them.
    nothing: dict[str, Any] = {"film_mention_id": None, "detail": "", "linked": True}
    connection.execute(update(film_sightings).where(seen).values(nothing))
    connection.execute(delete(film_mentions).where(of_them))
    # What else was said of the same films may now mean something else.
    for column, values in (
        (film_mentions.c.film_id, {row.film_id for row in rows if row.film_id is not None}),
        (film_mentions.c.key, {row.key for row in rows if row.key}),
    ):
        for piece in in_pieces(sorted(values)):
            connection.execute(update(film_mentions).where(column.in_(piece)).values(settled=False))


def _erase_unmentioned(connection: Connection) -> bool:
    """Delete some films that nobody mentions; are there more?"""
    unmentioned = ~exists().where(film_mentions.c.film_id == films.c.id)
    numbers = list(connection.scalars(select(films.c.id).where(unmentioned).order_by(films.c.id).limit(ROWS_AT_ONCE)))
    delete_films(connection, numbers)
    return len(numbers) == ROWS_AT_ONCE
