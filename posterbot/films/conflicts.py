"""Conflicts: what does not fit together. All but merges are derived anew; what is still so keeps its row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, or_, select

from posterbot.catalogue.schema import images
from posterbot.catalogue.schema_films import film_conflicts, films
from posterbot.films.resolving import CONTESTED_FACTS, CONTESTED_ID, Contradiction
from posterbot.frontier.adding import in_pieces

IMAGE = "image"
"""Kind of conflict: an image whose evidence names several films about as surely."""
Row = tuple[str, int | None, int | None, int | None, str]
"""Kind, film, other film, image, detail."""


def write_conflicts(
    connection: Connection,
    contradictions: Iterable[Contradiction],
    films_of: Mapping[int, int | None],
    concerned: Collection[int],
) -> int:
    """Write contradictions between mentions; gives how many rows changed.

    Args:
        connection: in a transaction that writes.
        contradictions: of a resolution.
        films_of: the film of each mention by its place.
        concerned: films of which all contradictions are given.
    """
    wanted: set[Row] = set()
    for one in contradictions:
        pair = sorted({film for film in (films_of[one.place], films_of[one.other]) if film is not None})
        if pair and not set(pair).isdisjoint(concerned):
            wanted.add((one.kind, pair[0], pair[1] if len(pair) > 1 else None, None, one.detail))
    numbers = sorted(concerned)
    there: dict[int, Row] = {}
    for piece in in_pieces(numbers):
        of_films = or_(film_conflicts.c.film_id.in_(piece), film_conflicts.c.other_film_id.in_(piece))
        kinds = film_conflicts.c.kind.in_([CONTESTED_ID, CONTESTED_FACTS])
        there.update(_rows(connection.execute(select(film_conflicts).where(of_films, kinds))))
    return replace_rows(connection, there, wanted)


def replace_rows(connection: Connection, there: Mapping[int, Row], wanted: Collection[Row]) -> int:
    """Have ``wanted`` in place of the rows that are ``there``; those that are both stay."""
    gone = [number for number, row in there.items() if row not in wanted]
    for piece in in_pieces(sorted(gone)):
        connection.execute(delete(film_conflicts).where(film_conflicts.c.id.in_(piece)))
    new = sorted(set(wanted).difference(there.values()), key=repr)
    names = ("kind", "film_id", "other_film_id", "image_id", "detail")
    if new:
        connection.execute(film_conflicts.insert(), [dict(zip(names, row, strict=True)) for row in new])
    return len(gone) + len(new)


def of_images(connection: Connection, numbers: Sequence[int]) -> dict[int, Row]:
    """The conflicts of some images by their numbers."""
    of_them = film_conflicts.c.image_id.in_(numbers)
    return _rows(connection.execute(select(film_conflicts).where(of_them, film_conflicts.c.kind == IMAGE)))


def _rows(rows: Iterable[object]) -> dict[int, Row]:
    return {
        row.id: (row.kind, row.film_id, row.other_film_id, row.image_id, row.detail)  # type: ignore[attr-defined]
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Conflict:
    """A conflict for a person to look at."""

    kind: str
    """``image``, ``id``, ``facts`` or ``merged``."""
    film: int | None
    title: str | None
    year: int | None
    other_film: int | None
    sha256: str | None
    """Of the image it is about."""
    detail: str


def conflicts(engine: Engine) -> Iterator[Conflict]:
    """All conflicts, by kind, then in the order in which they were found."""
    columns = (film_conflicts.c[name] for name in ("kind", "film_id", "other_film_id", "detail"))
    asked = (
        select(*columns, films.c.title, films.c.year, images.c.sha256)
        .outerjoin(films, films.c.id == film_conflicts.c.film_id)
        .outerjoin(images, images.c.id == film_conflicts.c.image_id)
        .order_by(film_conflicts.c.kind, film_conflicts.c.id)
    )
    with engine.connect() as connection:
        for row in connection.execution_options(yield_per=1000).execute(asked):
            yield Conflict(row.kind, row.film_id, row.title, row.year, row.other_film_id, row.sha256, row.detail)
