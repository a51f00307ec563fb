"""One record to one row: names become numbers, and text becomes what every database can hold."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from posterbot.catalogue.records import Claim, Film, Image, Outcome, Page

Row = dict[str, Any]

LONGEST_KEY = 2500
"""Bytes of a text that is looked up by an index; PostgreSQL's index entries end at 2,704 bytes."""

_LARGEST_INTEGER = 2**31 - 1


def source_of(url: str, otherwise: str) -> str:
    """The host of ``url``, lower-case and without port, or ``otherwise`` where it has none."""
    try:
        return urlsplit(url).hostname or otherwise
    except ValueError:
        return otherwise


def clean(text: str) -> str:
    """``text`` as both databases can store it: lone surrogates (JSON has them) become ``?``, NUL is left out."""
    text = str(text)  # a StrEnum is its value, for every driver
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def url_key(url: str) -> str:
    """``url`` as it is stored and found again: of a longer one than LONGEST_KEY, the beginning and its sha256."""
    url = clean(url)
    data = url.encode()
    if len(data) <= LONGEST_KEY:
        return url
    digest = "…" + hashlib.sha256(data).hexdigest()
    return data[: LONGEST_KEY - len(digest.encode())].decode(errors="ignore") + digest


def page_row(url: str, page: Page, run: int, source: int) -> Row:
    """A row of ``pages``."""
    return {
        "run_id": run,
        "source_id": source,
        "url": url,
        "status": page.status,
        "title": clean(page.title),
        "referrer": clean(page.referrer),
        "depth": page.depth,
        "reason": page.reason,
        "data_uris": page.data_uris,
        "fetched_at": page.at,
        "etag": clean(page.etag),
        "last_modified": clean(page.last_modified),
        "evidence": None if page.evidence is None else clean(page.evidence),
    }


def film_row(film: Film, page: int) -> Row:
    """A row of ``film_statements``."""
    return {
        "page_id": page,
        "kind": clean(film.kind),
        "name": url_key(film.name),  # looked up by an index
        "year": _small(film.year),
        "genres": [clean(genre) for genre in film.genres],
        "directors": [clean(director) for director in film.directors],
        "same_as": [clean(link) for link in film.same_as],
    }


def image_row(image: Image, seen_at: datetime) -> Row:
    """A row of ``images``."""
    return {
        "sha256": image.sha256,
        "bytes": image.bytes,
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "phash": image.phash,
        "path": image.path,
        "dropped_path": image.dropped_path,
        "dropped_bytes": image.dropped_bytes,
        **dict(zip(("sharpness", "spread", "entropy"), image.quality or (None, None, None), strict=True)),
        "first_seen_at": seen_at,
    }


def candidate_row(outcome: Outcome, page: int, image: int | None, source: int) -> Row:
    """A row of ``candidates``."""
    return {
        "page_id": page,
        "image_id": image,
        "source_id": source,
        "url": url_key(outcome.url),
        "found_by": clean(outcome.found_by),
        "alt": clean(outcome.alt),
        "title": clean(outcome.title),
        "caption": clean(outcome.caption),
        "declared_width": _small(outcome.declared_width),
        "declared_height": _small(outcome.declared_height),
        "alternatives": [clean(url) for url in outcome.alternatives],
        "final_url": clean(outcome.final_url),
        "http_status": outcome.http_status,
        "content_type": clean(outcome.content_type),
        "etag": clean(outcome.etag),
        "last_modified": clean(outcome.last_modified),
        "reason": None if outcome.reason is None else clean(outcome.reason),
        "fetched_at": outcome.at,
        "gate": outcome.gate,
        "evidence": None if outcome.evidence is None else clean(outcome.evidence),
    }


def claim_row(claim: Claim, candidate: int) -> Row:
    """A row of ``claims``."""
    facts: Row = {"candidate_id": candidate}
    for field in fields(claim):
        value = getattr(claim, field.name)
        if isinstance(value, tuple):
            value = [clean(text) for text in value]
        elif isinstance(value, str):
            value = clean(value)
        facts[field.name] = value
    return facts | {"year": _small(claim.year)}


def verdict_row(outcome: Outcome, image: int, policy: int) -> Row:
    """A row of ``verdicts``."""
    return {
        "image_id": image,
        "policy_id": policy,
        "keep": outcome.keep,
        "reason": clean(outcome.verdict_reason or ""),
        "label": None if outcome.label is None else clean(outcome.label),
        "score": outcome.score,
    }


def _small(number: int | None) -> int | None:
    """A number that a page states, or None where no picture or year can be that large."""
    return number if number is not None and 0 <= number <= _LARGEST_INTEGER else None
