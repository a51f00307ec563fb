"""What the crawl hands to the catalogue: plain facts, one class per kind of row.

A record names other rows by what identifies them in the world (URL, sha256), never by a number, so that it can be
made without asking the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np


def now() -> datetime:
    """The time of a record, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Model:
    """A classifier, identified by the sha256 of its weights file; ``labels`` in the order of its score vector."""

    name: str
    hash: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Which scores make a poster: keep where the probabilities of ``labels`` sum to at least ``threshold`` (0–1).

    Where ``top`` is given, one of ``labels`` must also be among the model's so many likeliest.
    """

    labels: tuple[str, ...]
    threshold: float
    """0 where ``top`` alone decides: any probability is at least that."""
    model: Model
    author: str
    origin: str
    """Where the change came from: ``arguments``, ``telnet``, …"""
    at: datetime = field(default_factory=now)
    top: int | None = None


@dataclass(frozen=True, slots=True)
class Film:
    """A film as one page states it (schema.org ``Movie`` or ``TVSeries``); evidence, not identity."""

    kind: str
    name: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """What a list says of an image it names, in the columns of ``wikidump``; evidence, as the films of a page are.

    ``wiki``, ``page_id`` and ``rev_id`` name the revision of the article that was read, ``title`` the article and so
    the film (or what else ``kind`` says it is). None and empty: the list does not say.
    """

    list: str
    """URI of the list."""
    wiki: str
    title: str
    page_id: int | None = None
    rev_id: int | None = None
    template: str | None = None
    kind: str | None = None
    image_name: str | None = None
    repository: str | None = None
    licence: str | None = None
    """A short name as ``CC BY-SA 4.0``, or ``non-free``."""
    year: int | None = None
    directors: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    imdb_id: str | None = None
    dump_date: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page that offered candidates. For images named in a list: the article the list names, or the list."""

    url: str
    status: int | None = None
    title: str = ""
    referrer: str = ""
    depth: int = 0
    reason: str | None = None
    """Why the page could not be read; None where it was."""
    data_uris: int = 0
    """Inline ``data:`` images: counted, not fetched."""
    films: tuple[Film, ...] = ()
    etag: str = ""
    last_modified: str = ""
    evidence: str | None = None
    """What it says that forbids to use its images."""
    at: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Image:
    """Facts about bytes that are a picture, as they came over the wire."""

    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    phash: str | None = None
    """64-bit perceptual hash (DCT) as 16 hex digits; None where the pixels were never decoded."""
    path: str | None = None
    """``aa/bb/<sha256>.<ext>`` in the store; None where the bytes were not kept."""
    dropped_path: str | None = None
    """In the store, of what was kept of an image that was rejected."""
    dropped_bytes: int | None = None
    quality: tuple[float, float, float] | None = None
    """Sharpness, spread and entropy: see :mod:`models.quality`."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one candidate of one page: the unit of a transaction.

    ``reason`` is set where there is no picture to judge (not fetched, not decodable); then ``image`` is usually
    None. Otherwise ``image`` is set with ``policy``, ``keep`` and ``verdict_reason``, and, where the pixels were
    scored, ``scores``: float32, one probability per label of ``policy.model``.
    """

    page: Page
    url: str
    found_by: str
    alt: str = ""
    title: str = ""
    caption: str = ""
    declared_width: int | None = None
    declared_height: int | None = None
    alternatives: tuple[str, ...] = ()
    # the fetch
    final_url: str = ""
    http_status: int | None = None
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    reason: str | None = None
    # the picture
    image: Image | None = None
    scores: np.ndarray | None = None
    embedding: np.ndarray | None = None
    """float16, of ``policy.model``."""
    # the decision
    policy: Policy | None = None
    keep: bool = False
    verdict_reason: str | None = None
    label: str | None = None
    """The model's label of highest probability."""
    score: float | None = None
    """Summed probability of the policy's labels, 0–1."""
    claim: Claim | None = None
    """What the list says that named it."""
    gate: str | None = None
    """Fetched only to measure what is lost: the reason for which it would not have been."""
    evidence: str | None = None
    """What page, image or host say that forbids to use it."""
    at: datetime = field(default_factory=now)
