"""Everything the catalogue knows of one image, for a person who wants to understand it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, or_, select

from posterbot.catalogue.records import Model, Policy
from posterbot.catalogue.schema import candidates, images, models, pages, policies, reviews, scores, sources, verdicts
from posterbot.catalogue.schema_films import clusters, duplicates, film_ids, films, image_films

MOST = 30
"""Rows of a kind that are told of."""
BARS = 10
"""Labels whose scores are told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy said of the image."""

    number: int
    """Of the policy."""
    policy: Policy
    keep: bool
    reason: str
    label: str | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting."""

    url: str
    page_url: str
    page_title: str
    host: str
    alt: str
    title: str
    caption: str
    found_by: str
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Film:
    """A film that the image is said to show, and why."""

    number: int
    title: str
    year: int | None
    evidence: str
    confidence: float
    detail: str
    ids: tuple[tuple[str, str], ...]
    """Scheme and value."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another image of its clusters."""

    sha256: str
    width: int
    height: int
    kept: bool | None
    has_picture: bool
    copy: bool
    """Else a variant."""
    distance: int | None
    """Bits in which the hashes differ; None where the two were never compared with each other."""
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody said of it."""

    answer: str
    label: str | None
    picked: str
    reviewer: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OneImage:
    """All of it; lists hold at most :data:`MOST`."""

    number: int
    sha256: str
    format: str
    width: int
    height: int
    bytes: int
    phash: str | None
    sharpness: float | None
    spread: float | None
    entropy: float | None
    first_seen_at: datetime
    path: str | None
    dropped_path: str | None
    verdicts: tuple[Verdict, ...]
    """The newest first: that one holds."""
    scores: tuple[tuple[str, float, bool], ...]
    """Label, score, wanted? Of the newest verdict's model, the highest first: :data:`BARS`, and what is wanted."""
    seen: tuple[Seen, ...]
    sightings: int
    """In all."""
    films: tuple[Film, ...]
    duplicates: tuple[Duplicate, ...]
    in_cluster: int
    """Images in its cluster of variants, itself included; 0: it was not compared."""
    reviews: tuple[Review, ...]
    """The newest first: that one holds."""
    labels: tuple[str, ...]
    """Of the model."""

    @property
    def kept(self) -> bool:
        """Does the newest verdict keep it?"""
        return bool(self.verdicts) and self.verdicts[0].keep

    @property
    def name(self) -> str:
        """Its film, or what the first page calls it."""
        if self.films:
            film = self.films[0]
            return f"{film.title} ({film.year})" if film.year else film.title
        for seen in self.seen:
            if seen.alt or seen.title:
                return seen.alt or seen.title
        return f"Image {self.sha256[:12]}"


def picture_path(engine: Engine, sha256: str) -> str | None:
    """Where its bytes are, of the original or of what was kept of a dropped one; None: none are kept.

    Raises:
        LookupError: there is no such image.
    """
    path = func.coalesce(images.c.path, images.c.dropped_path)
    with engine.connect() as connection:
        row = connection.execute(select(path).where(images.c.sha256 == sha256)).first()
    if row is None:
        raise LookupError(f"no image {sha256[:12]}… here, or not any more: it may have been forgotten")
    found: str | None = row[0]
    return found


def original_path(engine: Engine, sha256: str) -> str | None:
    """Where the original is; None: it is not kept. Raises LookupError: there is no such image."""
    with engine.connect() as connection:
        row = connection.execute(select(images.c.path).where(images.c.sha256 == sha256)).first()
    if row is None:
        raise LookupError(f"no image {sha256[:12]}… here, or not any more: it may have been forgotten")
    found: str | None = row[0]
    return found


def one_image(engine: Engine, sha256: str) -> OneImage:
    """Raises LookupError: there is no such image."""
    names = ("sha256", "format", "width", "height", "bytes", "phash", "sharpness", "spread", "entropy")
    columns = [images.c[name] for name in (*names, "first_seen_at", "path", "dropped_path")]
    with engine.connect() as connection:
        row = connection.execute(select(images.c.id, *columns).where(images.c.sha256 == sha256)).first()
        if row is None:
            raise LookupError(f"no image {sha256[:12]}… here, or not any more: it may have been forgotten")
        judged, model_id = _verdicts(connection, row.id)
        sightings = select(func.count()).select_from(candidates).where(candidates.c.image_id == row.id)
        others, in_cluster = _duplicates(connection, row.id)
        return OneImage(
            number=row.id,
            **{str(column.name): row._mapping[column] for column in columns},
            verdicts=judged,
            scores=_scores(connection, row.id, model_id, judged),
            seen=_seen(connection, row.id),
            sightings=connection.scalar(sightings) or 0,
            films=_films(connection, row.id),
            duplicates=others,
            in_cluster=in_cluster,
            reviews=_reviews(connection, row.id),
            labels=judged[0].policy.model.labels if judged else (),
        )


def _verdicts(connection: Connection, image: int) -> tuple[tuple[Verdict, ...], int | None]:
    statement = (
        select(verdicts, policies, models.c.name, models.c.hash, models.c.labels.label("known"))
        .join(policies, policies.c.id == verdicts.c.policy_id)
        .join(models, models.c.id == policies.c.model_id)
        .where(verdicts.c.image_id == image)
        .order_by(verdicts.c.policy_id.desc())
        .limit(MOST)
    )
    found, model_id = [], None
    for row in connection.execute(statement):
        model_id = row.model_id if model_id is None else model_id
        model = Model(row.name, row.hash, tuple(row.known))
        policy = Policy(tuple(row.labels), row.threshold, model, row.author, row.origin, row.at, row.top)
        found.append(Verdict(row.policy_id, policy, row.keep, row.reason, row.label, row.score))
    return tuple(found), model_id


def _scores(
    connection: Connection, image: int, model: int | None, judged: tuple[Verdict, ...]
) -> tuple[tuple[str, float, bool], ...]:
    vector = connection.scalar(select(scores.c.vector).where(scores.c.image_id == image, scores.c.model_id == model))
    if vector is None or not judged:
        return ()
    policy = judged[0].policy
    named = zip(policy.model.labels, vector.tolist(), strict=False)
    told = [(label, score, label in policy.labels) for label, score in named]
    told.sort(key=lambda one: -one[1])
    return tuple(told[:BARS] + [one for one in told[BARS:] if one[2]])


def _seen(connection: Connection, image: int) -> tuple[Seen, ...]:
    c = candidates.c
    statement: Any = (
        select(
            *(c.url, pages.c.url, pages.c.title, sources.c.name),
            *(c.alt, c.title, c.caption, c.found_by, c.reason, c.fetched_at),
        )
        .join_from(candidates, pages, pages.c.id == c.page_id)
        .join(sources, sources.c.id == c.source_id)
        .where(c.image_id == image)
        .order_by(c.id)
        .limit(MOST)
    )
    return tuple(Seen(*row) for row in connection.execute(statement))


def _films(connection: Connection, image: int) -> tuple[Film, ...]:
    f, i = films.c, image_films.c
    rows = connection.execute(
        select(f.id, f.title, f.year, i.evidence, i.confidence, i.detail)
        .join_from(image_films, films, f.id == i.film_id)
        .where(i.image_id == image)
        .order_by(i.confidence.desc(), f.id, i.evidence)
        .limit(MOST)
    ).all()
    ids: dict[int, list[tuple[str, str]]] = {}
    for film, scheme, value in connection.execute(
        select(film_ids.c.film_id, film_ids.c.scheme, film_ids.c.value)
        .where(film_ids.c.film_id.in_({row.id for row in rows}))
        .order_by(film_ids.c.scheme)
    ):
        ids.setdefault(film, []).append((scheme, value))
    return tuple(Film(*row, tuple(ids.get(row.id, ()))) for row in rows)


def _duplicates(connection: Connection, image: int) -> tuple[tuple[Duplicate, ...], int]:
    mine = connection.execute(
        select(clusters.c.copies, clusters.c.variants).where(clusters.c.image_id == image)
    ).first()
    if mine is None:
        return (), 0
    newer = verdicts.alias("newer")
    newest = (
        select(func.max(newer.c.policy_id)).where(newer.c.image_id == images.c.id).correlate(images).scalar_subquery()
    )
    keep = (
        select(verdicts.c.keep)
        .where(verdicts.c.image_id == images.c.id, verdicts.c.policy_id == newest)
        .correlate(images)
        .scalar_subquery()
    )
    copy = clusters.c.copies == mine.copies
    bytes_of = or_(images.c.path.is_not(None), images.c.dropped_path.is_not(None))
    rows: Any = connection.execute(
        select(images.c.id, images.c.sha256, images.c.width, images.c.height, keep, bytes_of, copy)
        .join_from(clusters, images, images.c.id == clusters.c.image_id)
        .where(clusters.c.variants == mine.variants, clusters.c.image_id != image)
        .order_by(copy.desc(), images.c.id)
        .limit(MOST)
    ).all()
    d = duplicates.c
    pairs = select(d.image_id, d.other_id, d.distance, d.similarity).where(
        or_(d.image_id == image, d.other_id == image)
    )
    found: dict[int, tuple[int, float | None]] = {}
    for one, other, distance, similarity in connection.execute(pairs.limit(1000)):
        found[other if one == image else one] = distance, similarity
    number = connection.scalar(select(func.count()).where(clusters.c.variants == mine.variants)) or 0
    told = []
    for number_of, sha256, width, height, kept, has_picture, is_copy in rows:
        one = Duplicate(
            *(sha256, width, height, None if kept is None else bool(kept), bool(has_picture), bool(is_copy)),
            *found.get(number_of, (None, None)),
        )
        told.append(one)
    return tuple(told), number


def _reviews(connection: Connection, image: int) -> tuple[Review, ...]:
    columns: list[Any] = [reviews.c[name] for name in ("answer", "label", "picked", "reviewer", "at")]
    statement = select(*columns).where(reviews.c.image_id == image).order_by(reviews.c.id.desc()).limit(MOST)
    return tuple(Review(*row) for row in connection.execute(statement))
