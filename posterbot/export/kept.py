"""What the catalogue knows of each image that may be exported, as SQL: one row for each image.

An image is kept if the newest policy that judged it keeps it. What was seen several times is told of its first
sighting; its film is that of the link of most confidence, of several the one recorded first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    type_coerce,
)

from posterbot.catalogue.schema import candidates, claims, images, models, pages, policies, sources, verdicts
from posterbot.catalogue.schema_films import clusters, film_ids, films, image_films
from posterbot.export.where import Node
from posterbot.export.where_sql import Words, condition

_judged, _seen, _linked = verdicts.alias("judged"), candidates.alias("seen"), image_films.alias("linked")
_newest = select(func.max(_judged.c.policy_id)).where(_judged.c.image_id == images.c.id).correlate(images)
_first = select(func.min(_seen.c.id)).where(_seen.c.image_id == images.c.id, _seen.c.reason.is_(None)).correlate(images)
_best = (
    select(_linked.c.film_id)
    .where(_linked.c.image_id == images.c.id)
    .order_by(_linked.c.confidence.desc(), _linked.c.film_id)
    .limit(1)
    .correlate(images)
)
_confidence = select(func.max(_linked.c.confidence)).where(_linked.c.image_id == images.c.id).correlate(images)

TABLES = (
    images.join(verdicts, and_(verdicts.c.image_id == images.c.id, verdicts.c.policy_id == _newest.scalar_subquery()))
    .join(candidates, candidates.c.id == _first.scalar_subquery())
    .join(pages, pages.c.id == candidates.c.page_id)
    .join(sources, sources.c.id == candidates.c.source_id)
    .join(policies, policies.c.id == verdicts.c.policy_id)
    .join(models, models.c.id == policies.c.model_id)
    .outerjoin(claims, claims.c.candidate_id == candidates.c.id)
    .outerjoin(films, films.c.id == _best.scalar_subquery())
    .outerjoin(clusters, clusters.c.image_id == images.c.id)
)
"""One row for each image that was ever judged."""

STORED = and_(verdicts.c.keep, images.c.path.is_not(None))
NOT_STORED = and_(verdicts.c.keep, images.c.path.is_(None))


def film_name(of: FromClause) -> ColumnElement[str]:
    """The id by which a row of ``films`` is known elsewhere, see :class:`~posterbot.export.example.Example`."""

    def named(scheme: str) -> ColumnElement[str]:
        found = select(film_ids.c.value).where(film_ids.c.film_id == of.c.id, film_ids.c.scheme == scheme)
        return found.correlate(of).scalar_subquery()

    number = case((of.c.id.is_not(None), "film:" + cast(of.c.id, String)), else_=null())
    return func.coalesce(named("imdb"), "tmdb:" + named("tmdb"), named("wikidata"), number)


CONFIDENCE = _confidence.scalar_subquery()
URL = func.coalesce(func.nullif(candidates.c.final_url, ""), candidates.c.url)
LICENCE = func.nullif(claims.c.licence, "")

FACTS: dict[str, ColumnElement[Any]] = {
    **{name: images.c[name] for name in ("sha256", "path", "bytes", "format", "width", "height", "phash")},
    "url": URL,
    "page_url": pages.c.url,
    "source": sources.c.name,
    "page_source_id": pages.c.source_id,
    "alt": candidates.c.alt,
    "fetched_at": candidates.c.fetched_at,
    "label": func.coalesce(verdicts.c.label, ""),
    "score": func.coalesce(verdicts.c.score, 0.0),
    "policy": verdicts.c.policy_id,
    "model": models.c.name,
    "model_hash": models.c.hash,
    "film": film_name(films),
    "title": films.c.title,
    "year": films.c.year,
    "genres": films.c.genres,
    "confidence": CONFIDENCE,
    "copies": clusters.c.copies,
    "variants": clusters.c.variants,
    "licence": LICENCE,
}
"""Fields of an example that are read as they are, and what its terms are found by."""


def stored() -> Select[Any]:
    """All images that are kept and whose bytes are stored; columns are still to be added."""
    return select().select_from(TABLES).where(STORED)


class Allowance:
    """Which sources allow something and which do not; of most, nothing is known.

    Args:
        allowed: number of a source → does it? None: not known.
    """

    def __init__(self, allowed: Mapping[int, bool | None]) -> None:
        self._yes = [number for number, may in allowed.items() if may is True]
        self._no = [number for number, may in allowed.items() if may is False]

    def column(self) -> ColumnElement[bool]:
        """Of an image: no if its source or that of its page does not, yes if both do, otherwise NULL."""
        either = (candidates.c.source_id, pages.c.source_id)
        return case(
            (or_(*(_among(column, self._no) for column in either)), false()),
            (and_(*(_among(column, self._yes) for column in either)), true()),
            else_=null(),
        )


def matching(
    node: Node, dialect: str, ml_allowed: Mapping[int, bool | None], redistributable: Mapping[int, bool | None]
) -> ColumnElement[bool]:
    """What ``--where`` says, for rows of :data:`TABLES`.

    Args:
        node: from ``where.parse``.
        dialect: of the engine.
        ml_allowed: by source, see :class:`Allowance`.
        redistributable: the same.
    """
    columns = {
        **{name: FACTS[name] for name in FACTS if name not in {"genres", "page_source_id", "fetched_at"}},
        "representative": func.coalesce(clusters.c.representative, true()),
        "ml_allowed": Allowance(ml_allowed).column(),
        "redistributable": Allowance(redistributable).column(),
    }
    return condition(node, columns, {"genre": _genres(dialect)})


def _genres(dialect: str) -> Words:
    unfold = func.json_each if dialect == "sqlite" else func.json_array_elements_text
    genre = unfold(films.c.genres).table_valued("value", name="genre")

    def among(test: Callable[[ColumnElement[Any]], ColumnElement[bool]]) -> ColumnElement[bool]:
        return exists(select(literal_column("1")).select_from(genre).where(test(type_coerce(genre.c.value, String))))

    return among


def _among(column: ColumnElement[int], numbers: Iterable[int]) -> ColumnElement[bool]:
    """Numbers of our own, written out: there may be more than a statement takes values."""
    listed = sorted(numbers)
    return column.in_([literal_column(str(int(number))) for number in listed]) if listed else false()
