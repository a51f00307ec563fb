"""What the catalogue answers: the funnel of a run, and one sighting of an image.

A *sighting* is a row of ``candidates``: one image URL on one page of one run. The same image seen twice is two
sightings and one image. Every sighting is exactly one of two things:

- **kept**: it has no reason of its own, and the newest policy (highest number) that judged its image keeps it;
- **dropped**: any other. Its reason is the sighting's own (there was no picture to judge), else the verdict's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from posterbot.catalogue.gates import GateLoss
from posterbot.catalogue.records import Claim

KEPT, DROPPED = "kept", "dropped"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One crawl; ``finished_at`` is None while it runs, and for ever where it was killed."""

    number: int
    spider: str
    arguments: dict[str, str]
    version: str
    started_at: datetime
    finished_at: datetime | None
    finish_reason: str | None


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy and the number it got."""

    number: int
    run: int
    labels: tuple[str, ...]
    threshold: float
    model: str
    author: str
    origin: str
    at: datetime
    top: int | None = None

    @property
    def rule(self) -> str:
        """What is asked of the labels: ``0.5``, ``top 5``, or ``0.5, top 5``."""
        threshold = f"{self.threshold:g}" if self.threshold or self.top is None else ""
        return ", ".join(part for part in (threshold, f"top {self.top}" if self.top is not None else "") if part)


@dataclass(frozen=True, slots=True)
class Count:
    """Sightings that have ``name`` in common, and how many of them are kept."""

    name: str
    candidates: int
    kept: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many came in and how many are left, in one run or in all.

    ``pages`` were read, here or for the list that names them; ``pages_failed`` could not be; ``data_uris`` are inline
    images, counted and not fetched.

    Counted by sighting, each stage within the one before it (``candidates`` ≥ ``fetched`` ≥ ``scored``):
    ``candidates``; ``fetched``: the answer was 200, or the image is known; ``scored``: the image has scores of some
    model; ``kept`` and ``dropped``. Always ``candidates == kept + dropped``, ``dropped == sum(reasons.values())`` and,
    over all hosts, ``candidates`` and ``kept`` are the sums of theirs. ``labels`` counts the sightings whose image's
    newest verdict names a label.

    Counted by distinct image: ``images``, seen by any of the sightings; ``kept_images``, by a kept one; ``bytes`` and
    ``kept_bytes``, the sizes of those in bytes.
    """

    run: int | None
    pages: int
    pages_failed: int
    data_uris: int
    candidates: int
    fetched: int
    scored: int
    kept: int
    dropped: int
    images: int
    kept_images: int
    bytes: int
    kept_bytes: int
    reasons: dict[str, int]
    """Why sightings were dropped, most frequent first."""
    labels: tuple[Count, ...]
    hosts: tuple[Count, ...]
    """The hosts that images came from (not the pages'), those with most sightings first; the top ones only."""
    host_count: int
    policies: tuple[PolicyRow, ...]
    """Those decided in the run, in order."""
    runs: tuple[RunRow, ...]
    gates: tuple[GateLoss, ...] = ()
    """What each gate saved and lost before any request; the last is all of them, where there are several."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One image URL on one page, with all that is known of its image; sizes in pixels and bytes."""

    url: str
    page_url: str
    host: str
    alt: str
    title: str
    film: str | None
    """The film that the page is about; None where it states none or several. A list's title comes first."""
    sha256: str | None
    width: int | None
    height: int | None
    bytes: int | None
    phash: str | None
    model: str | None
    scores: dict[str, float]
    """Label → probability, of the policy's model; empty where the image was not scored."""
    label: str | None
    score: float | None
    verdict: str
    """``kept`` or ``dropped``."""
    reason: str | None
    path: str | None
    policy: int | None
    run: int
    final_url: str
    """Where the bytes were found, after redirects; empty where there was no answer."""
    claim: Claim | None
    """What the list says that named the image."""
