"""The rows of films: they follow from the mentions of each. Only what differs is written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, select, update

from posterbot.catalogue.schema_films import (
    film_conflicts,
    film_ids,
    film_mentions,
    film_titles,
    films,
    image_films,
)
from posterbot.films.mentions import ORIGINS, Mention, of_row
from posterbot.films.ownership import Id
from posterbot.films.titles import MAX_TITLE
from posterbot.frontier.adding import in_pieces

MERGED = "merged"
"""Kind of conflict: a film was found to be another one. It stays, for whoever has a note of its number."""
MAX_TITLES = 50
"""Of one film that are looked up."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Films that changed."""

    new: int = 0
    updated: int = 0
    merged: int = 0
    gone: int = 0

    def __add__(self, other: Changed) -> Changed:
        return Changed(
            self.new + other.new,
            self.updated + other.updated,
            self.merged + other.merged,
            self.gone + other.gone,
        )

    def __bool__(self) -> bool:
        return bool(self.new or self.updated or self.merged or self.gone)


def write_films(
    connection: Connection, touched: Collection[int], ids: Mapping[int, Sequence[Id]], new: Collection[int]
) -> Changed:
    """Bring films up to their mentions.

    Args:
        connection: in a transaction that writes.
        touched: films of which other mentions are now than before.
        ids: of these and other films, what they are called; films that are not in it have no ids.
        new: those of ``touched`` whose row is still empty.
    """
    updated: set[int] = set()
    wanted = sorted({*touched, *ids})
    for piece in in_pieces(wanted):
        updated |= _write_ids(connection, piece, ids)
    for piece in in_pieces(sorted(touched)):
        updated |= _write_facts(connection, piece)
    return Changed(len(new), len(updated.difference(new)))


def delete_empty(connection: Connection, numbers: Collection[int], moved: Mapping[int, int]) -> Changed:
    """Delete those films that nobody mentions any more; ``moved``: which film they were found to be."""
    merged = gone = 0
    for piece in in_pieces(sorted(numbers)):
        unmentioned = ~exists().where(film_mentions.c.film_id == films.c.id)
        empty = connection.execute(select(films).where(films.c.id.in_(piece), unmentioned).order_by(films.c.id)).all()
        for row in empty:
            if (other := moved.get(row.id)) is not None:
                of_row = film_conflicts.c.film_id == row.id
                was_merged = and_(of_row, film_conflicts.c.kind == MERGED)
                connection.execute(update(film_conflicts).where(was_merged).values(film_id=other))
                told = {"kind": MERGED, "film_id": other, "detail": f"film {row.id}, {shown(row)}, is this one"}
                connection.execute(film_conflicts.insert(), told)
                merged += 1
            else:
                gone += 1
        delete_films(connection, [row.id for row in empty])
    return Changed(merged=merged, gone=gone)


def delete_films(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete films and all that is said of them; nothing must mention them."""
    for piece in in_pieces(numbers):
        connection.execute(delete(film_conflicts).where(film_conflicts.c.other_film_id.in_(piece)))
        for table in (film_conflicts, image_films, film_ids, film_titles):
            connection.execute(delete(table).where(table.c.film_id.in_(piece)))
        connection.execute(delete(films).where(films.c.id.in_(piece)))


def shown(row: Any) -> str:
    """A film's title and year for a person."""
    return f"{row.title or 'without a title'}" + (f" ({row.year})" if row.year else "")


def _write_ids(connection: Connection, numbers: Sequence[int], ids: Mapping[int, Sequence[Id]]) -> set[int]:
    evidence = _evidence_of_ids(connection, numbers)
    wanted = {
        (scheme, value): (film, evidence.get((film, scheme, value), ""))
        for film in numbers
        for scheme, value in ids.get(film, ())
    }
    there = {
        (row.scheme, row.value): (row.film_id, row.evidence)
        for row in connection.execute(select(film_ids).where(film_ids.c.film_id.in_(numbers)))
    }
    gone = [pair for pair, row in there.items() if wanted.get(pair) != row]
    missing = [pair for pair, row in wanted.items() if there.get(pair) != row]
    changed = {there[pair][0] for pair in gone} | {wanted[pair][0] for pair in missing}
    # One that is another film's until this moment, which is not among these.
    for scheme, value in sorted({*gone, *missing}):
        connection.execute(delete(film_ids).where(film_ids.c.scheme == scheme, film_ids.c.value == value))
    if missing:
        connection.execute(
            film_ids.insert(),
            [
                {"scheme": pair[0], "value": pair[1], "film_id": wanted[pair][0], "evidence": wanted[pair][1]}
                for pair in sorted(missing)
            ],
        )
    return changed


def _evidence_of_ids(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, str, str], str]:
    """The most trusted origin that says so."""
    found: dict[tuple[int, str, str], str] = {}
    for row in connection.execute(select(film_mentions).where(film_mentions.c.film_id.in_(numbers))):
        for pair in of_row(row).ids.pairs():
            known = found.setdefault((row.film_id, *pair), row.origin)
            found[row.film_id, *pair] = min(known, row.origin, key=ORIGINS.index)
    return found


def _write_facts(connection: Connection, numbers: Sequence[int]) -> set[int]:
    of_film: dict[int, list[Mention]] = defaultdict(list)
    mentions = select(film_mentions).where(film_mentions.c.film_id.in_(numbers)).order_by(film_mentions.c.digest)
    for row in connection.execute(mentions):
        of_film[row.film_id].append(of_row(row))
    changed: set[int] = set()
    rows = []
    for row in connection.execute(select(films).where(films.c.id.in_(numbers))):
        if row.id in of_film:
            facts = facts_of(of_film[row.id])
            if facts != {"kind": row.kind, "title": row.title, "year": row.year, "genres": row.genres}:
                rows.append({"number": row.id} | facts)
    if rows:
        values: dict[str, Any] = {name: bindparam(name) for name in ("kind", "title", "year", "genres")}
        connection.execute(update(films).where(films.c.id == bindparam("number")).values(values), rows)
        changed.update(row["number"] for row in rows)
    return changed | _write_titles(connection, numbers, of_film)


def _write_titles(connection: Connection, numbers: Sequence[int], of_film: Mapping[int, list[Mention]]) -> set[int]:
    wanted: dict[tuple[str, int], str] = {}
    for film, mentions in of_film.items():
        for mention in sorted(mentions, key=lambda one: (ORIGINS.index(one.origin), one.digest))[: 10 * MAX_TITLES]:
            if mention.key:
                wanted.setdefault((mention.key, film), mention.title)
    there = {
        (row.key, row.film_id): row.title
        for row in connection.execute(select(film_titles).where(film_titles.c.film_id.in_(numbers)))
    }
    gone = sorted(key for key, title in there.items() if wanted.get(key) != title)
    missing = sorted(key for key, title in wanted.items() if there.get(key) != title)
    for key, film in gone:
        connection.execute(delete(film_titles).where(film_titles.c.key == key, film_titles.c.film_id == film))
    if missing:
        rows = [{"key": key, "film_id": film, "title": wanted[key, film]} for key, film in missing]
        connection.execute(film_titles.insert(), rows)
    return {film for _, film in (*gone, *missing)}


def facts_of(mentions: Sequence[Mention]) -> dict[str, Any]:
    """What is told of a film: what the most trusted say, the most of them where they differ."""
    best: dict[str, Any] = {"kind": None, "title": "", "year": None, "genres": []}
    for origin in ORIGINS:
        some = [mention for mention in mentions if mention.origin == origin]
        best["kind"] = best["kind"] or _commonest(mention.kind for mention in some)
        best["title"] = best["title"] or (_commonest(mention.title for mention in some) or "")[:MAX_TITLE]
        best["year"] = best["year"] or _commonest(mention.year for mention in some)
        best["genres"] = best["genres"] or sorted({genre for mention in some for genre in mention.genres})
    return best


def _commonest(values: Iterable[Any]) -> Any:
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value), default=None)
