"""One image of a dataset, with all that may be said of it: a row of the lockfile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Example:
    """An image, where it comes from, what it shows, who decided so, and what may be done with it.

    Sizes are those of the original, in pixels and bytes. None: not known. What of an image was seen several times is
    told of its first kept sighting.
    """

    # the picture
    sha256: str
    path: str
    """In the store, of the original."""
    bytes: int
    format: str
    """As Pillow calls it: ``JPEG``, ``PNG``, …"""
    width: int
    height: int
    phash: str | None
    # the place in the dataset
    split: str
    """One of :data:`SPLITS`."""
    shard: int
    """Counted from 0 within the split."""
    # where it was found
    url: str
    """Of the bytes, after redirects."""
    page_url: str
    source: str
    """Host of the image, or name of the list."""
    alt: str
    fetched_at: datetime
    # what it is
    label: str
    score: float
    """Summed probability of the labels wanted, 0–1."""
    policy: int
    model: str
    model_hash: str
    # the film
    film: str | None
    """An id that is stable: ``tt0017136``, else ``tmdb:19``, ``Q151599``, else ``film:`` and its number here."""
    films: tuple[str, ...]
    """All films that some evidence links it with, sorted; none of them is in two splits."""
    title: str | None
    year: int | None
    genres: tuple[str, ...]
    confidence: float | None
    """Of the link with ``film``, 0–1."""
    # what is like it
    copies: str | None
    """Name of its cluster of copies, see ``catalogue/schema_films.py``."""
    variants: str | None
    # terms
    licence: str | None
    """Of the image, as a list states it."""
    ml_allowed: bool | None
    redistributable: bool | None
    attribution: str | None
    terms_url: str | None
