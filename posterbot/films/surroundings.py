"""The mentions that some mentions can have to do with: those that share an id, and those that share a title with them.

What is active is decided anew. What only surrounds it is there to compare with. Of every id that occurs, all mentions
are there, so that it is known what the id is; of every title of what is active, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, select

from posterbot.catalogue.schema_films import film_mentions
from posterbot.films.ids import SCHEMES
from posterbot.films.mentions import Mention, of_row
from posterbot.frontier.adding import in_pieces


@dataclass(frozen=True, slots=True)
class Known:
    """A row of ``film_mentions``."""

    number: int
    mention: Mention
    film: int | None
    certainty: float
    settled: bool
    active: bool
    """All that it depends on is there."""
    done: bool
    """And all that depends on it: it is settled with this."""


def surroundings(connection: Connection, numbers: Sequence[int]) -> list[Known]:
    """The mentions with these numbers as active, and what they have to do with, in the order of their numbers."""
    rows: dict[int, Any] = {}
    _add(rows, _select(connection, film_mentions.c.id, numbers))
    _close(connection, rows, set())
    done = set(rows)
    keys = {row.key for row in rows.values() if row.key}
    for piece in in_pieces(sorted(keys)):
        _add(rows, connection.execute(select(film_mentions).where(film_mentions.c.key.in_(piece))))
    _close(connection, rows, set())
    active = done.union(number for number, row in rows.items() if row.key in keys)
    done.update(number for number in active if not any(rows[number]._mapping[scheme] for scheme in SCHEMES))
    return [
        Known(row.id, of_row(row), row.film_id, row.certainty, row.settled, row.id in active, row.id in done)
        for row in (rows[number] for number in sorted(rows))
    ]


def unsettled(connection: Connection, limit: int) -> list[int]:
    """Numbers of mentions that are to be settled, the oldest first."""
    columns = select(film_mentions.c.id).where(~film_mentions.c.settled).order_by(film_mentions.c.id)
    return list(connection.scalars(columns.limit(limit)))


def _close(connection: Connection, rows: dict[int, Any], asked: set[tuple[str, str]]) -> None:
    """Add all mentions that share an id with one in ``rows``, and with those, and so on."""
    while True:
        wanted = {
            (scheme, value)
            for row in rows.values()
            for scheme in SCHEMES
            if (value := row._mapping[scheme]) and (scheme, value) not in asked
        }
        if not wanted:
            return
        asked |= wanted
        for scheme in SCHEMES:
            values = sorted(value for of, value in wanted if of == scheme)
            _add(rows, _select(connection, film_mentions.c[scheme], values))


def _select(connection: Connection, column: Column[Any], values: Sequence[Any]) -> Iterator[Any]:
    for piece in in_pieces(values):
        yield from connection.execute(select(film_mentions).where(column.in_(piece)))


def _add(rows: dict[int, Any], found: Iterable[Any]) -> None:
    for row in found:
        rows.setdefault(row.id, row)
