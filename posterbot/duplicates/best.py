"""Which of several copies stands for all of them."""

from __future__ import annotations

from math import log2
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, update
from sqlalchemy.sql import case

from posterbot.catalogue.schema import images
from posterbot.catalogue.schema_films import clusters

FACTS = ("sha256", "path", "width", "height", "bytes", "sharpness")
"""Columns of ``images`` that :func:`merit` asks for."""
_STEPS = 2
"""Of resolution, in twice as many pixels: less is no better picture, but a frame around it or a cut edge."""


def merit(image: Any) -> tuple[bool, int, float, float, int]:
    """The larger, the better; no two images have the same.

    Stored bytes first, then resolution in steps, then the bytes spent on a pixel, which every compression takes away
    and every frame thins out, then sharpness.

    Args:
        image: a row with FACTS.
    """
    pixels = max(1, image.width * image.height)
    return (
        image.path is not None,
        round(_STEPS * log2(pixels)),
        image.bytes / pixels,
        image.sharpness or 0.0,
        -int(image.sha256, 16),
    )


def elect(connection: Connection, names: list[str]) -> None:
    """Choose the representatives of whole clusters of copies anew.

    Args:
        connection: in a transaction that writes.
        names: of clusters, at most 500.
    """
    columns = (images.c[name] for name in FACTS)
    members = (
        select(clusters.c.image_id, clusters.c.copies, clusters.c.representative, *columns)
        .join(images, images.c.id == clusters.c.image_id)
        .where(clusters.c.copies.in_(names))
    )
    best: dict[str, Any] = {}
    former = set()
    for row in connection.execute(members):
        if row.representative:
            former.add(row.image_id)
        if row.copies not in best or merit(row) > merit(best[row.copies]):
            best[row.copies] = row
    appoint(connection, former, {row.image_id for row in best.values()})


def appoint(connection: Connection, former: set[int], chosen: set[int]) -> None:
    """Let the images ``chosen`` be representatives, and those of ``former`` that are not chosen none."""
    for numbers, is_one in ((former - chosen, False), (chosen - former, True)):
        ordered = sorted(numbers)
        for start in range(0, len(ordered), 500):
            these = clusters.c.image_id.in_(ordered[start : start + 500])
            connection.execute(update(clusters).where(these).values(representative=is_one))


def badly_represented(connection: Connection) -> list[str]:
    """Clusters of copies whose representative is gone, or has no bytes while another has; by name.

    Reads all clusters: some seconds for each million images.
    """
    stored = images.c.path.is_not(None)
    count = func.sum(case((clusters.c.representative, 1), else_=0))
    stored_ones = func.sum(case((and_(clusters.c.representative, stored), 1), else_=0))
    found = (
        select(clusters.c.copies)
        .join(images, images.c.id == clusters.c.image_id)
        .group_by(clusters.c.copies)
        .having(or_(count != 1, and_(stored_ones == 0, func.sum(case((stored, 1), else_=0)) > 0)))
        .order_by(clusters.c.copies)
    )
    return list(connection.scalars(found))
