"""All images in one order, narrowed down: the numbers of those that pass, and what a tile tells of one.

The numbers of a list are read in one pass and can be held: five bytes each. What is shown of an image is read when
it is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, case, false, func, or_, select

from posterbot.catalogue.schema import candidates, images, models, policies, sources, verdicts
from posterbot.catalogue.schema_films import film_titles, films, image_films
from posterbot.films.titles import title_key

ALL, KEPT, DROPPED, UNSURE = "all", "kept", "dropped", "unsure"
SHOWN = (ALL, KEPT, DROPPED, UNSURE)
NEWEST, HIGHEST, LOWEST = "newest", "highest", "lowest"
ORDERS = (NEWEST, HIGHEST, LOWEST)
NEAR = 1.0
"""Logits from the threshold within which a score is unsure: 0.27–0.73 around 0.5, 0.77–0.96 around 0.9."""
AT_ONCE = 500
_KEPT, _UNSURE = 1, 2

_newer = verdicts.alias("newer")
_newest = (
    select(func.max(_newer.c.policy_id)).where(_newer.c.image_id == images.c.id).correlate(images).scalar_subquery()
)
_JUDGED = images.outerjoin(verdicts, and_(verdicts.c.image_id == images.c.id, verdicts.c.policy_id == _newest))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which images, and in which order. The verdict is that of the newest policy that judged an image."""

    show: str = ALL
    """One of :data:`SHOWN`; dropped is all that is not kept."""
    label: str | None = None
    """Of the verdict."""
    low: float | None = None
    """Least and ..."""
    high: float | None = None
    """... greatest score, 0–1."""
    host: str | None = None
    """That an image came from."""
    film: str | None = None
    """Words: in a title of its film, or in its own alt text, title or caption."""
    reason: str | None = None
    """Of the verdict, or of a sighting."""
    order: str = NEWEST


@dataclass(frozen=True, slots=True)
class Chosen:
    """The images that pass a filter, whatever it shows: one list for all that may be shown."""

    numbers: np.ndarray
    """int32 (N,): of images, in order."""
    kinds: np.ndarray
    """uint8 (N,): 1 kept, + 2 unsure."""

    def shown(self, show: str) -> np.ndarray:
        """int32: the numbers of those that ``show`` means."""
        if show == ALL:
            return self.numbers
        some: np.ndarray = self.numbers[self._are(show)]
        return some

    def counts(self) -> dict[str, int]:
        """How many each of :data:`SHOWN` means."""
        return {show: len(self.numbers) if show == ALL else int(self._are(show).sum()) for show in SHOWN}

    def _are(self, show: str) -> np.ndarray:
        bit, wanted = (_UNSURE, True) if show == UNSURE else (_KEPT, show == KEPT)
        are: np.ndarray = ((self.kinds & bit) != 0) == wanted
        return are


@dataclass(frozen=True, slots=True)
class Tile:
    """What is shown of an image in a gallery."""

    number: int
    sha256: str
    width: int
    height: int
    kept: bool
    label: str | None
    score: float | None
    reason: str | None
    """Where it is not kept."""
    name: str
    """Its film, or what the page calls it."""
    path: str | None
    """In the store: of the original, or of what was kept of a dropped one; None: no bytes are kept."""


def chosen(engine: Engine, asked: Filter) -> Chosen:
    """All images that pass ``asked``, but for what it shows, in its order: one pass over images and verdicts."""
    with engine.connect() as connection:
        kind = case((_keep(), _KEPT), else_=0) + case((_unsure(connection), _UNSURE), else_=0)
        rows = connection.execution_options(yield_per=10_000).execute(_ordered(select(images.c.id, kind), asked))
        parts = [np.array([tuple(row) for row in some], np.int32) for some in rows.partitions()]
    both = np.concatenate(parts) if parts else np.zeros((0, 2), np.int32)
    return Chosen(np.ascontiguousarray(both[:, 0]), both[:, 1].astype(np.uint8))


def first(engine: Engine, asked: Filter, number: int) -> list[Tile]:
    """The first images of a list, before all of it is read."""
    with engine.connect() as connection:
        statement = _ordered(select(images.c.id), asked)
        if asked.show in (KEPT, DROPPED):
            statement = statement.where(_keep() if asked.show == KEPT else ~_keep())
        elif asked.show == UNSURE:
            statement = statement.where(_unsure(connection))
        numbers = list(connection.scalars(statement.limit(number)))
    return [tile for tile in tiles(engine, numbers) if tile is not None]


def tiles(engine: Engine, numbers: Sequence[int]) -> list[Tile | None]:
    """What is to be shown of these images, in their order; None for those that are not there any more."""
    found: dict[int, Tile] = {}
    with engine.connect() as connection:
        for start in range(0, len(numbers), AT_ONCE):
            found |= _tiles(connection, [int(number) for number in numbers[start : start + AT_ONCE]])
    return [found.get(int(number)) for number in numbers]


def state(engine: Engine) -> tuple[int, int, int]:
    """Changes whenever there is a new image, a new policy, or another verdict of the newest one."""
    with engine.connect() as connection:
        last = connection.scalar(select(func.max(images.c.id))) or 0
        count = connection.scalar(select(func.count()).select_from(images)) or 0
        policy = connection.scalar(select(func.max(policies.c.id))) or 0
    return last, count, policy


def labels_known(engine: Engine) -> list[str]:
    """All labels of all models, those of the newest first."""
    with engine.connect() as connection:
        known = connection.scalars(select(models.c.labels).order_by(models.c.id.desc()).limit(100))
        return list(dict.fromkeys(label for labels in known for label in labels))


def hosts_known(engine: Engine, limit: int = 200) -> list[str]:
    """Some hosts, sorted."""
    with engine.connect() as connection:
        return sorted(connection.scalars(select(sources.c.name).order_by(sources.c.id).limit(limit)))


def host_number(engine: Engine, name: str) -> int | None:
    """Is there such a host?"""
    with engine.connect() as connection:
        return connection.scalar(select(sources.c.id).where(sources.c.name == name))


def without_show(asked: Filter) -> Filter:
    """The same for all that may be shown."""
    return replace(asked, show=ALL)


def _keep() -> ColumnElement[bool]:
    return func.coalesce(verdicts.c.keep, false())


def _unsure(connection: Connection) -> ColumnElement[bool]:
    """Is the score near the threshold of its policy?"""
    by_threshold: dict[float, list[int]] = {}
    for number, threshold in connection.execute(select(policies.c.id, policies.c.threshold)):
        by_threshold.setdefault(threshold or 0.5, []).append(number)
    near: list[ColumnElement[bool]] = [
        and_(verdicts.c.policy_id.in_(numbers), verdicts.c.score.between(*near_threshold(threshold)))
        for threshold, numbers in by_threshold.items()
    ]
    return or_(false(), *near)


def near_threshold(threshold: float) -> tuple[float, float]:
    """Least and greatest score that are unsure."""
    odds = math.log(threshold / (1 - threshold)) if 0 < threshold < 1 else 0.0
    return 1 / (1 + math.exp(NEAR - odds)), 1 / (1 + math.exp(-NEAR - odds))


def _ordered(statement: Select[Any], asked: Filter) -> Select[Any]:
    statement = statement.select_from(_JUDGED)
    if asked.label is not None:
        statement = statement.where(verdicts.c.label == asked.label)
    # A score is a float32: what is written as 0.9 is a little less or more.
    if asked.low is not None:
        statement = statement.where(verdicts.c.score >= asked.low - 1e-6)
    if asked.high is not None:
        statement = statement.where(verdicts.c.score <= asked.high + 1e-6)
    if asked.host is not None:
        seen = select(candidates.c.image_id).join(sources, sources.c.id == candidates.c.source_id)
        statement = statement.where(images.c.id.in_(seen.where(sources.c.name == asked.host)))
    if asked.film is not None:
        statement = statement.where(_named(asked.film))
    if asked.reason is not None:
        failed = select(candidates.c.image_id).where(
            candidates.c.reason == asked.reason, candidates.c.image_id.is_not(None)
        )
        statement = statement.where(or_(verdicts.c.reason == asked.reason, images.c.id.in_(failed)))
    if asked.order == NEWEST:
        return statement.order_by(images.c.id.desc())
    score = verdicts.c.score
    return statement.order_by(score.is_(None), score.desc() if asked.order == HIGHEST else score, images.c.id.desc())


def _named(words: str) -> ColumnElement[bool]:
    key = title_key(words)
    said = select(candidates.c.image_id).where(
        candidates.c.image_id.is_not(None),
        or_(*(candidates.c[name].icontains(words, autoescape=True) for name in ("alt", "title", "caption"))),
    )
    if not key:
        return images.c.id.in_(said)
    shown = (
        select(image_films.c.image_id)
        .join(film_titles, film_titles.c.film_id == image_films.c.film_id)
        .where(film_titles.c.key.contains(key, autoescape=True))
    )
    return or_(images.c.id.in_(shown), images.c.id.in_(said))


def _tiles(connection: Connection, numbers: list[int]) -> dict[int, Tile]:
    film = (
        select(image_films.c.film_id)
        .where(image_films.c.image_id == images.c.id)
        .order_by(image_films.c.confidence.desc(), image_films.c.film_id)
        .limit(1)
        .correlate(images)
        .scalar_subquery()
    )
    seen = (
        select(candidates.c.id)
        .where(candidates.c.image_id == images.c.id)
        .order_by(candidates.c.reason.is_not(None), candidates.c.id)
        .limit(1)
        .correlate(images)
        .scalar_subquery()
    )
    statement = (
        select(
            *(images.c[name] for name in ("id", "sha256", "width", "height")),
            _keep().label("kept"),
            verdicts.c.label,
            verdicts.c.score,
            func.coalesce(verdicts.c.reason, candidates.c.reason).label("reason"),
            films.c.title.label("film"),
            films.c.year,
            candidates.c.alt,
            candidates.c.title,
            candidates.c.url,
            func.coalesce(images.c.path, images.c.dropped_path).label("path"),
        )
        .select_from(_JUDGED.outerjoin(candidates, candidates.c.id == seen).outerjoin(films, films.c.id == film))
        .where(images.c.id.in_(numbers))
    )
    return {row.id: _tile(row) for row in connection.execute(statement)}


def _tile(row: Any) -> Tile:
    name = row.film and (f"{row.film} ({row.year})" if row.year else row.film)
    name = name or row.alt or row.title or (row.url or "").rpartition("/")[2] or row.sha256[:12]
    kept = bool(row.kept)
    return Tile(
        *(row.id, row.sha256, row.width, row.height, kept, row.label, row.score),
        *(None if kept else row.reason, name[:200], row.path),
    )
