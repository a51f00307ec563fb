"""Reading sightings that were not read yet, and noting what they mention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Engine, Table, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue import records
from posterbot.catalogue.in_turn import in_turn
from posterbot.catalogue.schema import candidates, claims, film_statements, pages
from posterbot.catalogue.schema_films import film_mentions, film_sightings
from posterbot.films import evidence
from posterbot.films.mentions import Mention, printable
from posterbot.films.reading import (
    MAX_STATEMENTS,
    Claim,
    PageFilms,
    Said,
    Sighting,
    read_page,
    read_sighting,
)
from posterbot.frontier.adding import in_pieces

SIGHTINGS_AT_ONCE = 1000
"""That are read and noted in one transaction."""


def note_sightings(engine: Engine, seen: Callable[[int], None]) -> int:
    """Read all sightings of pictures that were not read yet; gives how many there were.

    What is noted is not yet settled (``settling.py``), and not yet linked (``linking.py``). May be interrupted.

    Args:
        engine: from ``open_catalogue``.
        seen: told after each transaction how many were read so far.
    """
    total = last = 0
    while True:
        with engine.connect() as connection:
            rows = connection.execute(_unread(last)).all()
            if not rows:
                return total
            last = rows[-1].id
            said = list(_read(connection, rows))
        with in_turn(engine) as connection:
            _note(connection, said)
        total += len(rows)
        seen(total)


def _unread(after: int) -> Any:
    read = exists().where(film_sightings.c.candidate_id == candidates.c.id)
    columns = (candidates.c[name] for name in ("id", "page_id", "url", "found_by", "alt", "title", "caption"))
    of_claims = (claims.c[name].label(f"claim_{name}") for name in ("title", "year", "kind", "imdb_id", "genres"))
    return (
        select(
            *columns,
            pages.c.url.label("page_url"),
            pages.c.title.label("page_title"),
            claims.c.directors.label("claim_directors"),
            *of_claims,
        )
        .join(pages, pages.c.id == candidates.c.page_id)
        .outerjoin(claims, claims.c.candidate_id == candidates.c.id)
        .where(candidates.c.id > after, candidates.c.image_id.is_not(None), ~read)
        .order_by(candidates.c.id)
        .limit(SIGHTINGS_AT_ONCE)
    )


def _read(connection: Connection, rows: Sequence[Any]) -> Iterable[tuple[int, Said | None]]:
    """(number of the candidate, what it says); None where it says nothing."""
    statements = _statements(connection, sorted({row.page_id for row in rows}))
    films: dict[int, PageFilms] = {}
    for row in rows:
        if row.page_id not in films:
            films[row.page_id] = read_page(row.page_url, row.page_title, statements.get(row.page_id, ()))
        claim = None
        if row.claim_title is not None:
            claim = Claim(
                row.claim_title,
                row.claim_year,
                row.claim_kind,
                row.claim_imdb_id,
                tuple(row.claim_genres),
                tuple(row.claim_directors),
            )
        sighting = Sighting(row.url, row.found_by, row.alt, row.title, row.caption, claim)
        found = read_sighting(sighting, films[row.page_id])
        for said in found:
            yield row.id, said
        if not found:
            yield row.id, None


def _statements(connection: Connection, page_ids: Sequence[int]) -> dict[int, list[records.Film]]:
    found: dict[int, list[records.Film]] = {}
    for piece in in_pieces(page_ids):
        of_pages = select(film_statements).where(film_statements.c.page_id.in_(piece)).order_by(film_statements.c.id)
        for row in connection.execute(of_pages):
            known = found.setdefault(row.page_id, [])
            if len(known) < MAX_STATEMENTS:
                texts = (tuple(value) for value in (row.genres, row.directors, row.same_as))
                known.append(records.Film(row.kind, row.name, row.year, *texts))
    return found


def _note(connection: Connection, said: Sequence[tuple[int, Said | None]]) -> None:
    numbers = write_mentions(connection, (one.mention for _, one in said if one))
    rows = [
        {
            "candidate_id": candidate,
            "evidence": one.evidence if one else evidence.NOTHING,
            "film_mention_id": numbers[one.mention.digest] if one else None,
            "detail": printable(one.detail) if one else "",
            "linked": one is None,
        }
        for candidate, one in said
    ]
    there = _still_there(connection, {candidate for candidate, _ in said})
    write_sightings(connection, [row for row in rows if row["candidate_id"] in there])


def _still_there(connection: Connection, numbers: set[int]) -> set[int]:
    """Those that nobody has deleted since they were read."""
    found: set[int] = set()
    for piece in in_pieces(sorted(numbers)):
        found.update(connection.scalars(select(candidates.c.id).where(candidates.c.id.in_(piece))))
    return found


def write_mentions(connection: Connection, mentions: Iterable[Mention]) -> dict[str, int]:
    """The numbers of mentions by their digests; those that are new are written, unsettled."""
    rows = {mention.digest: mention for mention in mentions}
    # Sorted: processes that write the same rows in the same order cannot deadlock.
    digests = sorted(rows)
    found = _numbers(connection, digests)
    if new := [rows[digest].row() for digest in digests if digest not in found]:
        connection.execute(inserting(connection, film_mentions).on_conflict_do_nothing(index_elements=["digest"]), new)
        found |= _numbers(connection, [row["digest"] for row in new])
    return found


def write_sightings(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write rows of ``film_sightings`` that are not there; another process may be writing the same."""
    if rows:
        statement = inserting(connection, film_sightings)
        connection.execute(statement.on_conflict_do_nothing(index_elements=["candidate_id", "evidence"]), rows)


def inserting(connection: Connection, table: Table) -> sqlite.Insert:
    """An insert of this database, which knows conflicts. Both dialects write them alike."""
    on_server = connection.dialect.name == "postgresql"
    return cast("Callable[[Table], sqlite.Insert]", postgresql.insert if on_server else sqlite.insert)(table)


def _numbers(connection: Connection, digests: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for piece in in_pieces(digests):
        rows = select(film_mentions.c.digest, film_mentions.c.id).where(film_mentions.c.digest.in_(piece))
        found.update((digest, number) for digest, number in connection.execute(rows))
    return found
