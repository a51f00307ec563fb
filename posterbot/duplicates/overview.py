"""What the catalogue says of duplicates: how many there are, and the largest clusters with all that is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from sqlalchemy import Connection, Engine, case, func, select

from posterbot.catalogue.schema import candidates, images
from posterbot.catalogue.schema_films import clusters
from posterbot.duplicates.rows import AT_ONCE, Looks, as_numbers

MEMBERS = 60
"""Images of one cluster that are told of."""
HOSTS = 5
"""Of a cluster, and of an image."""
_SIGHTINGS = 50
"""Of an image that are read for its hosts."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How much of what was seen was seen before."""

    images: int
    """In clusters: all that were decoded."""
    copies: int
    """Clusters of copies of more than one image."""
    in_copies: int
    """Images in them."""
    variants: int
    """Clusters of variants of more than one image."""
    in_variants: int
    """Images in them."""
    stored: int
    """Images in clusters whose bytes are stored."""
    saved: int
    """Of these, those that would go if only the representative of each cluster of copies stayed."""
    saved_bytes: int
    """Their bytes."""


@dataclass(frozen=True, slots=True)
class Member:
    """An image of a cluster."""

    image_id: int
    sha256: str
    url: str
    """Where it was seen first."""
    hosts: tuple[str, ...]
    """That had it, at most HOSTS, sorted."""
    width: int
    height: int
    bytes: int
    format: str
    path: str | None
    """In the store; None: its bytes were not kept."""
    copies: str
    """Name of its cluster of copies."""
    kind: str
    """``representative``, ``copy`` or ``variant`` of the representative that stands first."""
    distance: int
    """Bits in which its hash differs from that one's."""
    similarity: float | None
    """Cosine of the embeddings with that one's; None: one has none."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of more than one image."""

    name: str
    kind: str
    """``copy`` or ``variant``."""
    images: int
    members: tuple[Member, ...]
    """The representative first, then the copies, then the variants, each from the nearest on; at most MEMBERS."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Of all that are told of, at most HOSTS, sorted."""
        return tuple(sorted({host for member in self.members for host in member.hosts})[:HOSTS])


def totals(engine: Engine) -> Totals:
    """Count; some seconds for each million images."""
    stored = case((images.c.path.is_not(None), 1), else_=0)
    kept_bytes = case((images.c.path.is_not(None), images.c.bytes), else_=0)
    spared = case((clusters.c.representative, 0), else_=1)
    with engine.connect() as connection:
        asked = (
            func.count(),
            func.sum(stored),
            func.sum(stored * spared),
            func.sum(kept_bytes * spared),
        )
        joined = clusters.join(images, images.c.id == clusters.c.image_id)
        number, kept, saved, saved_bytes = connection.execute(select(*asked).select_from(joined)).one()
        counted = [_of_several(connection, column) for column in (clusters.c.copies, clusters.c.variants)]
    (copies, in_copies), (variants, in_variants) = counted
    return Totals(
        number, copies, in_copies, variants, in_variants, int(kept or 0), int(saved or 0), int(saved_bytes or 0)
    )


def _of_several(connection: Connection, column: Any) -> tuple[int, int]:
    several = select(column, func.count().label("number")).group_by(column).having(func.count() > 1).subquery()
    number, in_them = connection.execute(select(func.count(), func.sum(several.c.number))).one()
    return number, int(in_them or 0)


def largest(engine: Engine, kind: str = "copy", limit: int = 20) -> list[Cluster]:
    """The clusters with most images, of equally large ones by name.

    Args:
        engine: from ``open_catalogue``.
        kind: ``copy``, or ``variant`` for clusters of variants, with the copies in them.
        limit: at most so many clusters.
    """
    column = clusters.c.copies if kind == "copy" else clusters.c.variants
    number = func.count().label("number")
    sizes = select(column, number).group_by(column).having(number > 1).order_by(number.desc(), column).limit(limit)
    with engine.connect() as connection:
        return [
            Cluster(name, kind, count, _members(connection, column, name))
            for name, count in connection.execute(sizes).all()
        ]


def _members(connection: Connection, column: Any, name: str) -> tuple[Member, ...]:
    columns = images.c.id, images.c.phash, images.c.width, images.c.height, clusters.c.copies
    joined = select(*columns, clusters.c.representative).join(clusters, clusters.c.image_id == images.c.id)
    # Of a representative, the cluster's own first: that of the name's copies.
    ordered = joined.where(column == name).order_by(
        clusters.c.representative.desc(), (clusters.c.copies == name).desc(), images.c.id
    )
    rows = connection.execute(ordered.limit(AT_ONCE)).all()
    head = rows[0]
    numbers = np.array([row.id for row in rows], np.int64)
    ones, hashes = np.full(len(rows), head.id, np.int64), as_numbers([row.phash for row in rows])
    distances = np.bitwise_count(hashes ^ hashes[0]).tolist()
    cosines = Looks(connection, np.sort(numbers)).similarity(ones, numbers).tolist()
    told: list[tuple[Any, ...]] = []
    for row, distance, cosine in zip(rows, distances, cosines, strict=True):
        kind = "representative" if row is head else "copy" if row.copies == head.copies else "variant"
        order = 0 if row is head else 2 - (kind == "copy"), distance, row.id
        told.append((order, row.id, kind, distance, None if np.isnan(cosine) else cosine))
    told.sort(key=lambda each: each[0])
    told = told[:MEMBERS]
    return tuple(_member(connection, number, *why) for _, number, *why in told)


def _member(connection: Connection, number: int, kind: str, distance: int, similarity: float | None) -> Member:
    columns = (images.c[name] for name in ("sha256", "width", "height", "bytes", "format", "path"))
    of_image = select(*columns, clusters.c.copies).join(clusters, clusters.c.image_id == images.c.id)
    row = connection.execute(of_image.where(images.c.id == number)).one()
    seen = select(candidates.c.url).where(candidates.c.image_id == number).order_by(candidates.c.id)
    urls = list(connection.scalars(seen.limit(_SIGHTINGS)))
    return Member(
        image_id=number,
        **row._mapping,
        url=urls[0] if urls else "",
        hosts=tuple(sorted({host_of(url) for url in urls})[:HOSTS]),
        kind=kind,
        distance=distance,
        similarity=similarity,
    )


def host_of(url: str) -> str:
    """The host of an address; the address itself where it has none."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
