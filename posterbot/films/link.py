"""From all that was seen to films and their posters: the one function that a crawl's end and an export call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from posterbot.catalogue.schema_films import film_conflicts, films, image_films
from posterbot.films.film_rows import Changed
from posterbot.films.linking import link_images
from posterbot.films.noting import note_sightings
from posterbot.films.settling import settle_mentions

Progress = Callable[[str, int], None]
"""Told what is done, and with how many so far."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What linking has done, and what there is now."""

    sightings: int
    """Read for the first time."""
    changed: Changed
    """Films."""
    links: int
    """Rows of ``image_films`` written or deleted."""
    conflict_rows: int
    """Rows of ``film_conflicts`` written or deleted."""
    films: int
    images: int
    """Linked with a film."""
    conflicts: int

    @property
    def rows(self) -> int:
        """That changed: films, links and conflicts."""
        changed = self.changed
        return changed.new + changed.updated + changed.merged + changed.gone + self.links + self.conflict_rows


def link(engine: Engine, progress: Progress = lambda doing, number: None) -> Linked:
    """Find the film of every picture, as far as the evidence allows.

    Only what is new since the last call is looked at, and what has to do with it; a second call changes nothing. May
    be interrupted at any time: the next call goes on. A crawl may be at work.

    Args:
        engine: from ``open_catalogue``.
        progress: called after each transaction.
    """
    sightings = note_sightings(engine, lambda number: progress("reading", number))
    settled = settle_mentions(engine, lambda number: progress("settling", number))
    links = link_images(engine, lambda number: progress("linking", number))
    with engine.connect() as connection:
        numbers = [
            connection.scalar(select(func.count()).select_from(films)) or 0,
            connection.scalar(select(func.count(image_films.c.image_id.distinct()))) or 0,
            connection.scalar(select(func.count()).select_from(film_conflicts)) or 0,
        ]
    return Linked(sightings, settled.films, links.rows, settled.conflicts + links.conflicts, *numbers)
