"""Linking: what the mentions of an image's sightings mean becomes the films that it shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, delete, func, or_, select, tuple_, update

from posterbot.catalogue.in_turn import in_turn
from posterbot.catalogue.schema import candidates
from posterbot.catalogue.schema_films import film_mentions, film_sightings, films, image_films
from posterbot.films import evidence
from posterbot.films.conflicts import IMAGE, Row, of_images, replace_rows
from posterbot.films.film_rows import shown
from posterbot.films.settling import alone
from posterbot.frontier.adding import in_pieces

SIGHTINGS_AT_ONCE = 500
Key = tuple[int, int, str]
"""Image, film, evidence."""


@dataclass(slots=True)
class Links:
    """What changed."""

    images: int = 0
    """That were looked at."""
    rows: int = 0
    """Links written or deleted."""
    conflicts: int = 0


def link_images(engine: Engine, linked: Callable[[int], None]) -> Links:
    """Link all images of which something new was noted or settled. May be interrupted.

    Args:
        engine: from ``open_catalogue``.
        linked: told after each transaction how many images were linked so far.
    """
    total = Links()
    while True:
        with in_turn(engine) as connection:
            alone(connection)
            unlinked = (
                select(film_sightings.c.candidate_id)
                .where(~film_sightings.c.linked)
                .order_by(film_sightings.c.candidate_id)
                .limit(SIGHTINGS_AT_ONCE)
            )
            numbers = sorted(set(connection.scalars(unlinked)))
            if not numbers:
                return total
            of_them = select(candidates.c.image_id).where(candidates.c.id.in_(numbers)).distinct()
            images = sorted(image for image in connection.scalars(of_them) if image is not None)
            if images:
                total.rows += _link(connection, images)
                total.conflicts += _write_conflicts(connection, images)
            total.images += len(images)
            _mark_linked(connection, numbers, images)
        linked(total.images)


def _link(connection: Connection, images: Sequence[int]) -> int:
    wanted = _wanted(connection, images)
    there = {
        (row.image_id, row.film_id, row.evidence): (row.confidence, row.detail)
        for row in connection.execute(select(image_films).where(image_films.c.image_id.in_(images)))
    }
    gone = sorted(key for key, row in there.items() if not _same(row, wanted.get(key)))
    new = sorted(key for key, row in wanted.items() if not _same(row, there.get(key)))
    keys = tuple_(image_films.c.image_id, image_films.c.film_id, image_films.c.evidence)
    for start in range(0, len(gone), 100):
        connection.execute(delete(image_films).where(keys.in_(gone[start : start + 100])))
    if new:
        names = ("image_id", "film_id", "evidence", "confidence", "detail")
        rows = [dict(zip(names, (*key, *wanted[key]), strict=True)) for key in new]
        connection.execute(image_films.insert(), rows)
    return len({*gone, *new})


def _same(one: tuple[float, str] | None, other: tuple[float, str] | None) -> bool:
    """Databases may keep fewer digits."""
    if one is None or other is None:
        return one is other
    return abs(one[0] - other[0]) < 1e-6 and one[1] == other[1]


def _wanted(connection: Connection, images: Sequence[int]) -> dict[Key, tuple[float, str]]:
    certainty = func.max(film_mentions.c.certainty)
    asked = (
        select(
            candidates.c.image_id,
            film_mentions.c.film_id,
            film_sightings.c.evidence,
            certainty.label("certainty"),
            func.min(film_sightings.c.detail).label("detail"),
        )
        .join(film_sightings, film_sightings.c.candidate_id == candidates.c.id)
        .join(film_mentions, film_mentions.c.id == film_sightings.c.film_mention_id)
        .where(candidates.c.image_id.in_(images), film_mentions.c.film_id.is_not(None))
        .group_by(candidates.c.image_id, film_mentions.c.film_id, film_sightings.c.evidence)
    )
    found: dict[int, dict[Key, tuple[float, str]]] = defaultdict(dict)
    for row in connection.execute(asked):
        confidence = round(evidence.CONFIDENCE[row.evidence] * row.certainty, 4)
        found[row.image_id][row.image_id, row.film_id, row.evidence] = (confidence, row.detail)
    kept: dict[Key, tuple[float, str]] = {}
    for links in found.values():
        kept |= _believable(links)
    return kept


def _believable(links: dict[Key, tuple[float, str]]) -> dict[Key, tuple[float, str]]:
    """The links of one image: none where it is said to show many films; a table's word stands alone."""
    of_tables = {key: row for key, row in links.items() if key[2] == evidence.TABLE}
    if of_tables:
        meant = {film for _, film, _ in of_tables}
        return {key: row for key, row in links.items() if key[1] in meant}
    return links if len({film for _, film, _ in links}) <= evidence.MOST_FILMS else {}


def _write_conflicts(connection: Connection, images: Sequence[int]) -> int:
    best: dict[int, dict[int, float]] = defaultdict(dict)
    for row in connection.execute(select(image_films).where(image_films.c.image_id.in_(images))):
        films_of = best[row.image_id]
        films_of[row.film_id] = max(row.confidence, films_of.get(row.film_id, 0.0))
    pairs: dict[int, tuple[int, int]] = {}
    for image, films_of in best.items():
        order = sorted(films_of, key=lambda film: (-films_of[film], film))
        if len(order) > 1 and films_of[order[0]] - films_of[order[1]] < evidence.SIMILAR:
            low, high = sorted(order[:2])
            pairs[image] = (low, high)
    names = _names(connection, {film for pair in pairs.values() for film in pair})
    wanted: set[Row] = set()
    for image, (film, other) in pairs.items():
        told = " or ".join(f"{names[one]}, {best[image][one]:.2f}" for one in (film, other))
        wanted.add((IMAGE, film, other, image, told))
    return replace_rows(connection, of_images(connection, images), wanted)


def _names(connection: Connection, numbers: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for piece in in_pieces(sorted(numbers)):
        rows = connection.execute(select(films.c.id, films.c.title, films.c.year).where(films.c.id.in_(piece)))
        found.update((row.id, shown(row)) for row in rows)
    return found


def _mark_linked(connection: Connection, numbers: Sequence[int], images: Sequence[int]) -> None:
    of_images = select(candidates.c.id).where(candidates.c.image_id.in_(images))
    meant = or_(film_sightings.c.candidate_id.in_(numbers), film_sightings.c.candidate_id.in_(of_images))
    connection.execute(update(film_sightings).where(and_(meant, ~film_sightings.c.linked)).values(linked=True))
