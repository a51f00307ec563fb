"""The films of a catalogue, as ``posterbot films ls`` shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from posterbot.catalogue.schema_films import film_ids, films, image_films

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Film:
    """A film, and how many images show it, each counted at all of its films."""

    film: int
    title: str
    year: int | None
    kind: str | None
    genres: tuple[str, ...]
    ids: dict[str, str]
    images: int


def list_films(engine: Engine, limit: int | None = None) -> Iterator[Film]:
    """All films, those with most images first, then by number; at most ``limit`` of them. A stream."""
    number = func.count(image_films.c.image_id.distinct())
    asked = (
        select(films, number.label("images"))
        .outerjoin(image_films, image_films.c.film_id == films.c.id)
        .group_by(films.c.id, films.c.kind, films.c.title, films.c.year)
        .order_by(number.desc(), films.c.id)
        .limit(limit)
    )
    if engine.dialect.name == "postgresql":  # JSON cannot be compared there, and need not: the number is the key
        asked = asked.with_only_columns(*(films.c[name] for name in films.c.keys()), number.label("images"))  # noqa: SIM118
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=_AT_ONCE).execute(asked)
        for part in rows.partitions():
            yield from _films(connection, part)


def _films(connection: Connection, rows: Sequence[Any]) -> Iterator[Film]:
    ids: dict[int, dict[str, str]] = {}
    of_them = film_ids.c.film_id.in_([row.id for row in rows])
    for row in connection.execute(select(film_ids).where(of_them).order_by(film_ids.c.scheme)):
        ids.setdefault(row.film_id, {})[row.scheme] = row.value
    for row in rows:
        yield Film(row.id, row.title, row.year, row.kind, tuple(row.genres), ids.get(row.id, {}), row.images)
