"""The questions everybody asks a catalogue; ``answers.py`` says what is counted, and how.

A run chosen with ``run`` restricts the sightings, never the verdict: what is shown is always what holds now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
)

from posterbot.catalogue.answers import DROPPED, KEPT, Count, Funnel, PolicyRow, RunRow, Sighting
from posterbot.catalogue.gates import measure_gates
from posterbot.catalogue.records import Claim
from posterbot.catalogue.schema import (
    candidates,
    claims,
    film_statements,
    images,
    models,
    pages,
    policies,
    runs,
    scores,
    sources,
    verdicts,
)

_judged = verdicts.alias("judged")
_newest = select(func.max(_judged.c.policy_id)).where(_judged.c.image_id == candidates.c.image_id).scalar_subquery()
_SIGHTINGS = candidates.join(pages, pages.c.id == candidates.c.page_id).outerjoin(
    verdicts,
    and_(verdicts.c.image_id == candidates.c.image_id, verdicts.c.policy_id == _newest.correlate(candidates)),
)
_CLAIM = [field.name for field in fields(Claim)]
_kept = and_(candidates.c.reason.is_(None), func.coalesce(verdicts.c.keep, false()))
_reason = func.coalesce(candidates.c.reason, verdicts.c.reason)


def last_run(engine: Engine) -> int | None:
    """The number of the newest run, None in a catalogue without any."""
    with _snapshot(engine) as connection:
        number: int | None = connection.scalar(select(func.max(runs.c.id)))
        return number


def funnel(engine: Engine, run: int | None = None, *, hosts: int = 20) -> Funnel:
    """Count run ``run``, or all runs; at most ``hosts`` hosts are named. One moment, also while a crawl writes.

    Raises:
        LookupError: there is no such run.
    """
    with _snapshot(engine) as connection:
        _require(connection, run)
        total, fetched, scored, kept = connection.execute(
            _of(
                run,
                func.count(),
                _number_of(or_(candidates.c.image_id.is_not(None), candidates.c.http_status == 200)),
                _number_of(exists().where(scores.c.image_id == candidates.c.image_id)),
                _number_of(_kept),
            )
        ).one()
        read, failed, data_uris = connection.execute(
            _within(
                select(
                    _number_of(pages.c.reason.is_(None)),
                    _number_of(pages.c.reason.is_not(None)),
                    func.coalesce(func.sum(pages.c.data_uris), 0),
                ).select_from(pages),
                run,
            )
        ).one()
        by_host = connection.execute(
            _of(run, sources.c.name, func.count(), _number_of(_kept), joined=True)
            .group_by(sources.c.name)
            .order_by(func.count().desc(), sources.c.name)
        ).all()
        by_label = connection.execute(
            _of(run, verdicts.c.label, func.count(), _number_of(_kept))
            .where(verdicts.c.label.is_not(None))
            .group_by(verdicts.c.label)
            .order_by(func.count().desc(), verdicts.c.label)
        )
        by_reason = connection.execute(
            _of(run, _reason, func.count()).where(~_kept).group_by(_reason).order_by(func.count().desc(), _reason)
        )
        return Funnel(
            run=run,
            pages=int(read),
            pages_failed=int(failed),
            data_uris=int(data_uris),
            candidates=total,
            fetched=int(fetched),
            scored=int(scored),
            kept=int(kept),
            dropped=total - int(kept),
            **_distinct_images(connection, run),
            reasons={str(reason): count for reason, count in by_reason},
            labels=tuple(Count(label, count, int(k)) for label, count, k in by_label),
            hosts=tuple(Count(host, count, int(k)) for host, count, k in by_host[:hosts]),
            host_count=len(by_host),
            policies=_policies(connection, run),
            runs=_runs(connection, run),
            gates=measure_gates(connection, run),
        )


def sightings(
    engine: Engine,
    *,
    verdict: str | None = None,
    reason: str | None = None,
    run: int | None = None,
    limit: int | None = None,
) -> Iterator[Sighting]:
    """Sightings in the order they were recorded, a few hundred in memory at a time.

    Args:
        engine: from ``open_catalogue``.
        verdict: only ``kept`` or only ``dropped``.
        reason: only those with this reason (``relevant`` for kept ones).
        run: only those of this run.
        limit: at most so many.

    Raises:
        LookupError: there is no such run.
    """
    statement = _sightings(run).order_by(candidates.c.id).limit(limit)
    if verdict is not None:
        statement = statement.where(_kept if verdict == KEPT else ~_kept)
    if reason is not None:
        statement = statement.where(_reason == reason)
    yield from _stream(engine, statement, run)


def kept_images(engine: Engine, run: int | None = None, limit: int | None = None) -> Iterator[Sighting]:
    """Each kept image once, with its first kept sighting; the latest found first.

    Raises:
        LookupError: there is no such run.
    """
    firsts = _of(run, func.min(candidates.c.id)).where(_kept).group_by(candidates.c.image_id)
    statement = _sightings(None).where(candidates.c.id.in_(firsts)).order_by(candidates.c.id.desc()).limit(limit)
    yield from _stream(engine, statement, run)


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection on which all statements see the same moment; SQLite does so by itself."""
    options: dict[str, Any] = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection:
        yield connection


def _require(connection: Connection, run: int | None) -> None:
    if run is not None and connection.scalar(select(runs.c.id).where(runs.c.id == run)) is None:
        newest = connection.scalar(select(func.max(runs.c.id)))
        raise LookupError(f"no run {run}; " + ("there is none yet" if newest is None else f"the newest is {newest}"))


def _within(statement: Select[Any], run: int | None) -> Select[Any]:
    return statement if run is None else statement.where(pages.c.run_id == run)


def _of(run: int | None, *columns: ColumnElement[Any], joined: bool = False) -> Select[Any]:
    """``columns`` over the sightings of ``run``; with ``joined``, of their hosts too."""
    tables = _SIGHTINGS.join(sources, sources.c.id == candidates.c.source_id) if joined else _SIGHTINGS
    return _within(select(*columns).select_from(tables), run)


def _number_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _distinct_images(connection: Connection, run: int | None) -> dict[str, int]:
    seen = (
        _of(run, candidates.c.image_id, func.max(case((_kept, 1), else_=0)).label("kept"))
        .where(candidates.c.image_id.is_not(None))
        .group_by(candidates.c.image_id)
        .subquery()
    )
    row = connection.execute(
        select(
            func.count().label("images"),
            func.coalesce(func.sum(seen.c.kept), 0).label("kept_images"),
            func.coalesce(func.sum(images.c.bytes), 0).label("bytes"),
            func.coalesce(func.sum(seen.c.kept * images.c.bytes), 0).label("kept_bytes"),
        ).select_from(seen.join(images, images.c.id == seen.c.image_id))
    ).one()
    return {name: int(value) for name, value in row._mapping.items()}


def _policies(connection: Connection, run: int | None) -> tuple[PolicyRow, ...]:
    statement = select(policies, models.c.name.label("model")).join(models).order_by(policies.c.id)
    if run is not None:
        statement = statement.where(policies.c.run_id == run)
    return tuple(
        PolicyRow(
            row["id"],
            row["run_id"],
            tuple(row["labels"]),
            row["threshold"],
            row["model"],
            row["author"],
            row["origin"],
            row["at"],
            row["top"],
        )
        for row in connection.execute(statement).mappings()
    )


def _runs(connection: Connection, run: int | None) -> tuple[RunRow, ...]:
    columns = ("id", "spider", "arguments", "version", "started_at", "finished_at", "finish_reason")
    statement = select(*(runs.c[name] for name in columns)).order_by(runs.c.id)
    if run is not None:
        statement = statement.where(runs.c.id == run)
    return tuple(RunRow(*row) for row in connection.execute(statement))


def _sightings(run: int | None) -> Select[Any]:
    # The name of a page's only film: a list of films names none of its pictures.
    film = (
        select(func.min(film_statements.c.name))
        .where(film_statements.c.page_id == pages.c.id)
        .group_by(film_statements.c.page_id)
        .having(func.count() == 1)
        .correlate(pages)
        .scalar_subquery()
    )
    tables = (
        _SIGHTINGS.join(sources, sources.c.id == candidates.c.source_id)
        .outerjoin(claims, claims.c.candidate_id == candidates.c.id)
        .outerjoin(images, images.c.id == candidates.c.image_id)
        .outerjoin(policies, policies.c.id == verdicts.c.policy_id)
        .outerjoin(models, models.c.id == policies.c.model_id)
        .outerjoin(scores, and_(scores.c.image_id == candidates.c.image_id, scores.c.model_id == models.c.id))
    )
    columns = (
        candidates.c.url,
        pages.c.url.label("page_url"),
        sources.c.name.label("host"),
        candidates.c.alt,
        candidates.c.title,
        func.coalesce(claims.c.title, film).label("film"),
        *(images.c[name] for name in ("sha256", "width", "height", "bytes", "phash", "path")),
        models.c.name.label("model"),
        models.c.labels,
        scores.c.vector,
        verdicts.c.label,
        verdicts.c.score,
        _kept.label("kept"),
        _reason.label("reason"),
        policies.c.id.label("policy"),
        pages.c.run_id.label("run"),
        candidates.c.final_url,
        *(claims.c[name].label(f"claim.{name}") for name in _CLAIM),
    )
    return _within(select(*columns).select_from(tables), run)


def _stream(engine: Engine, statement: Select[Any], run: int | None) -> Iterator[Sighting]:
    with _snapshot(engine) as connection:
        _require(connection, run)
        for row in connection.execution_options(yield_per=500).execute(statement).mappings():
            yield _sighting(row)


def _sighting(row: RowMapping) -> Sighting:
    facts = {name: row[name] for name in row if name not in {"labels", "vector", "kept"} and "." not in name}
    vector: np.ndarray | None = row["vector"]
    # str() of a float32 is its shortest exact form: 0.9, not 0.8999999761581421.
    named = {} if vector is None else dict(zip(row["labels"], (float(str(value)) for value in vector), strict=False))
    return Sighting(**facts, scores=named, verdict=KEPT if row["kept"] else DROPPED, claim=_claim(row))


def _claim(row: RowMapping) -> Claim | None:
    said: dict[str, Any] = {}
    for name in _CLAIM:
        value = row[f"claim.{name}"]
        said[name] = tuple(value) if isinstance(value, list) else value
    return Claim(**said) if said["list"] is not None else None
