"""Images that were looked at before, under the address they were found at (``Recorder.call``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, and_, func, select

from posterbot.catalogue.records import Image
from posterbot.catalogue.rows import url_key
from posterbot.catalogue.schema import candidates, images, models, pages, scores

AT_ONCE = 500
"""URLs in one statement: databases have limits."""
_QUALITY = ("sharpness", "spread", "entropy")


class Known(NamedTuple):
    """The last answer under one address, and what the picture in it is."""

    run: int
    image: Image
    scores: np.ndarray | None
    """Of the model that was asked for."""
    final_url: str
    content_type: str
    etag: str
    last_modified: str


def known_images(connection: Connection, calls: Sequence[tuple[Sequence[str], str]]) -> list[dict[str, Known]]:
    """For each list of URLs, and hash of a model: of those that are known, the newest sighting that gave a picture."""
    urls = sorted({url for these, _ in calls for url in these})
    found: dict[tuple[str, str | None], Known] = {}
    for start in range(0, len(urls), AT_ONCE):
        found |= _newest(connection, urls[start : start + AT_ONCE], {model for _, model in calls})
    return [
        {url: known for url in these if (known := found.get((url_key(url), model)) or found.get((url_key(url), None)))}
        for these, model in calls
    ]


def _newest(connection: Connection, urls: Sequence[str], hashes: set[str]) -> dict[tuple[str, str | None], Known]:
    """By key of the URL, and hash of the model whose scores are there; None: of none."""
    keys = {url_key(url) for url in urls}
    newest = (
        select(func.max(candidates.c.id))
        .where(candidates.c.url.in_(keys), candidates.c.image_id.is_not(None))
        .group_by(candidates.c.url)
    )
    sighting = ("url", "final_url", "content_type", "etag", "last_modified")
    of_image = ("sha256", "bytes", "format", "width", "height", "phash", "path", "dropped_path", "dropped_bytes")
    statement = (
        select(
            *(candidates.c[name].label(f"sighting.{name}") for name in sighting),
            *(images.c[name].label(f"image.{name}") for name in (*of_image, *_QUALITY)),
            pages.c.run_id,
            models.c.hash,
            scores.c.vector,
        )
        .select_from(
            candidates.join(images, images.c.id == candidates.c.image_id)
            .join(pages, pages.c.id == candidates.c.page_id)
            .outerjoin(models, models.c.hash.in_(hashes))
            .outerjoin(scores, and_(scores.c.image_id == images.c.id, scores.c.model_id == models.c.id))
        )
        .where(candidates.c.id.in_(newest))
    )
    found: dict[tuple[str, str | None], Known] = {}
    for row in connection.execute(statement).mappings():
        sharpness, spread, entropy = (row[f"image.{name}"] for name in _QUALITY)
        image = Image(*(row[f"image.{name}"] for name in of_image))
        if sharpness is not None:
            image = replace(image, quality=(sharpness, spread, entropy))
        said = (row[f"sighting.{name}"] for name in sighting[1:])
        known = Known(row["run_id"], image, row["vector"], *said)
        found[row["sighting.url"], row["hash"]] = known
        found[row["sighting.url"], None] = known._replace(scores=None)
    return found
