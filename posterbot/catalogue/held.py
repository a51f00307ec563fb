"""Images of which bytes are held, and where they were seen: what ``posterbot recheck`` asks about again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, Select, and_, exists, func, or_, select

from posterbot.catalogue.schema import candidates, images, pages, sources

MAX_SIGHTINGS = 10
"""Of one image, the newest."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One place where an image was seen."""

    url: str
    """Where it lay, after redirects."""
    page_url: str | None
    """The page that showed it; None where no page was read, as with images of a list."""


@dataclass(frozen=True, slots=True)
class Held:
    """One image."""

    number: int
    sha256: str
    seen: tuple[Seen, ...]
    """Newest first, each once."""


def number_held(engine: Engine, run: int | None = None, host: str | None = None) -> int:
    """How many images :func:`held` gives in all."""
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(_held(run, host).subquery())) or 0)


def held(engine: Engine, after: int, most: int, run: int | None = None, host: str | None = None) -> list[Held]:
    """The next ``most`` images by number behind ``after``: of all that a run saw, that lie on or were seen on a host.

    The original is held, or what KEEP_DROPPED keeps of a rejected one.
    """
    of_image = candidates.c.image_id, candidates.c.final_url, pages.c.url, pages.c.status
    with engine.connect() as connection:
        wanted = _held(run, host).where(images.c.id > after).order_by(images.c.id).limit(most)
        rows = connection.execute(wanted).all()
        newest = (
            select(*of_image, func.max(candidates.c.id).label("newest"))
            .join_from(candidates, pages, pages.c.id == candidates.c.page_id)
            .where(candidates.c.image_id.in_([row.id for row in rows]), candidates.c.reason.is_(None))
            .group_by(*of_image)
            .subquery()
        )
        place = func.row_number().over(partition_by=newest.c.image_id, order_by=newest.c.newest.desc())
        placed = select(newest, place.label("place")).subquery()
        seen: dict[int, dict[Seen, None]] = {}
        few = select(placed).where(placed.c.place <= MAX_SIGHTINGS).order_by(placed.c.newest.desc())
        for row in connection.execute(few):
            page = row.url if row.status is not None and row.url.startswith(("http://", "https://")) else None
            seen.setdefault(row.image_id, {})[Seen(row.final_url, page)] = None
    return [Held(row.id, row.sha256, tuple(seen.get(row.id, ()))) for row in rows]


def _held(run: int | None, host: str | None) -> Select[tuple[int, str]]:
    wanted = select(images.c.id, images.c.sha256).where(
        or_(images.c.path.is_not(None), images.c.dropped_path.is_not(None))
    )
    sighting: list[ColumnElement[bool]] = [candidates.c.image_id == images.c.id, candidates.c.reason.is_(None)]
    if run is not None:
        sighting.append(pages.c.run_id == run)
    if host is not None:
        of_host = select(sources.c.id).where(sources.c.name == host)
        sighting.append(or_(candidates.c.source_id.in_(of_host), pages.c.source_id.in_(of_host)))
    return wanted.where(exists().where(pages.c.id == candidates.c.page_id, and_(*sighting)))
