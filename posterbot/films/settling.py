"""Settling: which film each mention means is found out, and the rows of films follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select, text, update

from posterbot.catalogue.in_turn import in_turn
from posterbot.catalogue.schema_films import film_mentions, film_sightings, films
from posterbot.films.conflicts import write_conflicts
from posterbot.films.evidence import BY_ID
from posterbot.films.film_rows import Changed, delete_empty, write_films
from posterbot.films.resolving import Resolution, resolve
from posterbot.films.surroundings import Known, surroundings, unsettled
from posterbot.frontier.adding import in_pieces

MENTIONS_AT_ONCE = 500
"""That are settled in one transaction, with what they have to do with."""
_LOCK = 0x706F7374
"""Advisory lock of who settles or links, on PostgreSQL."""


@dataclass(slots=True)
class Settled:
    """What changed."""

    mentions: int = 0
    films: Changed = field(default_factory=Changed)
    conflicts: int = 0


def alone(connection: Connection) -> None:
    """Be the only one to settle or link, until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def settle_mentions(engine: Engine, settled: Callable[[int], None]) -> Settled:
    """Settle all mentions that are not yet. May be interrupted.

    Args:
        engine: from ``open_catalogue``.
        settled: told after each transaction how many were settled so far.
    """
    total = Settled()
    while True:
        with in_turn(engine) as connection:
            alone(connection)
            numbers = unsettled(connection, MENTIONS_AT_ONCE)
            if not numbers:
                return total
            _settle(connection, surroundings(connection, numbers), total)
        settled(total.mentions)


def _settle(connection: Connection, known: Sequence[Known], total: Settled) -> None:
    found = resolve([one.mention for one in known])
    written = {
        place
        for place, one in enumerate(known)
        if one.active or (place in found.meant and found.meant[place][1] == BY_ID)
    }
    of_group, new = _number_groups(connection, found, known, written)
    if new:
        empty: dict[str, Any] = {"kind": None, "title": "", "year": None, "genres": []}
        connection.execute(films.insert(), [{"id": number} | empty for number in new])
    meant: dict[int, tuple[int | None, float]] = {}
    for place in written:
        group, certainty = found.meant.get(place, (None, 0.0))
        film = None if group is None else of_group.get(group)
        meant[place] = (film, certainty if film is not None else 0.0)
    changed = {place: now for place, now in meant.items() if now != (known[place].film, known[place].certainty)}
    _write(connection, known, changed)
    touched = {film for place in changed for film in (known[place].film, changed[place][0]) if film is not None}
    ids = {number: group.ids for index, group in enumerate(found.groups) if (number := of_group.get(index)) is not None}
    total.films += write_films(connection, touched, ids, new)
    total.films += delete_empty(connection, touched, _moves(known, changed))
    total.mentions += _mark_settled(connection, [one.number for one in known if one.done and not one.settled])
    now = {place: meant[place][0] if place in meant else known[place].film for place in range(len(known))}
    concerned = {now[place] for place in written} | touched
    total.conflicts += write_conflicts(connection, found.contradictions, now, {film for film in concerned if film})


def _number_groups(
    connection: Connection, found: Resolution, known: Sequence[Known], written: set[int]
) -> tuple[dict[int, int], list[int]]:
    """The film of each group, and which of them are new.

    A group is the oldest film that one of its mentions meant before, and that no group before it is.
    """
    members: dict[int, list[int]] = {number: [] for number in range(len(found.groups))}
    for place, (number, _) in found.meant.items():
        members[number].append(place)
    newest = connection.scalar(select(func.max(films.c.id))) or 0
    taken: set[int] = set()
    of_group: dict[int, int] = {}
    new: list[int] = []
    order = sorted(members, key=lambda number: (found.groups[number].root is None, number))
    # A film that one of these was remains that one's, though what joined it goes over to another.
    owner: dict[int, int] = {}
    for number in order:
        for place in found.groups[number].members:
            if (film := known[place].film) is not None:
                owner.setdefault(film, number)
    for number in order:
        before = {known[place].film for place in members[number]}
        free = (film for film in before if film is not None and owner.get(film, number) == number)
        if (oldest := min((film for film in free if film not in taken), default=None)) is not None:
            of_group[number] = oldest
            taken.add(oldest)
    for number in order:
        if number not in of_group and not written.isdisjoint(members[number]):
            newest += 1
            of_group[number] = newest
            new.append(newest)
    return of_group, new


def _write(connection: Connection, known: Sequence[Known], changed: dict[int, tuple[int | None, float]]) -> None:
    if not changed:
        return
    rows = [
        {"number": known[place].number, "film": film, "certainty": certainty}
        for place, (film, certainty) in sorted(changed.items())
    ]
    of_row = update(film_mentions).where(film_mentions.c.id == bindparam("number"))
    connection.execute(of_row.values(film_id=bindparam("film"), certainty=bindparam("certainty")), rows)
    unlink(connection, [known[place].number for place in changed])


def unlink(connection: Connection, mentions: Iterable[int]) -> None:
    """Have the images of these mentions linked again."""
    for piece in in_pieces(sorted(mentions)):
        of_them = film_sightings.c.film_mention_id.in_(piece)
        connection.execute(update(film_sightings).where(of_them, film_sightings.c.linked).values(linked=False))


def _mark_settled(connection: Connection, numbers: Sequence[int]) -> int:
    for piece in in_pieces(numbers):
        connection.execute(update(film_mentions).where(film_mentions.c.id.in_(piece)).values(settled=True))
    return len(numbers)


def _moves(known: Sequence[Known], changed: dict[int, tuple[int | None, float]]) -> dict[int, int]:
    """Where mentions of a film have gone that had one before: old film → new, where that is the same of all."""
    to: dict[int, set[int]] = {}
    for place, (film, _) in changed.items():
        if (before := known[place].film) is not None and film is not None and film != before:
            to.setdefault(before, set()).add(film)
    return {before: next(iter(after)) for before, after in to.items() if len(after) == 1}
