"""What the catalogue says lies in the store, as ``posterbot fsck`` asks for it, and takes back what is not so."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Select,
    and_,
    cast,
    exists,
    false,
    func,
    or_,
    select,
    true,
    union_all,
    update,
)

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.schema import candidates, images, pages, runs, verdicts, workers

ROWS_AT_ONCE = 1000
"""Rows of a stream that are in memory."""

_NAME = re.compile(r"(?:.*/)?([0-9a-f]{64})\.[^/]*")


@dataclass(frozen=True, slots=True)
class Stored:
    """One object that the catalogue says is there."""

    path: str
    image: int
    """Number of the row of ``images``."""
    sha256: str
    """Of the original, in hexadecimal."""
    bytes: int | None
    """Size of the object; None where it is not known."""
    dropped: bool
    """It is what was kept of a rejected image: perhaps not the original, and perhaps not there."""


def stored(engine: Engine) -> Generator[Stored, None, None]:
    """All of them, in the order of their paths' bytes: a stream, as of the moment when it is begun."""
    columns = images.c.id.label("image"), images.c.sha256
    originals = select(images.c.path, *columns, images.c.bytes, false().label("dropped"))
    dropped = select(images.c.dropped_path, *columns, images.c.dropped_bytes, true())
    both = union_all(
        originals.where(images.c.path.is_not(None)), dropped.where(images.c.dropped_path.is_not(None))
    ).subquery()
    # SQLite compares bytes by itself; PostgreSQL would ask its language.
    path = both.c.path.collate("C") if engine.dialect.name == "postgresql" else both.c.path
    with _streaming(engine) as connection:
        for row in connection.execute(select(both).order_by(path, both.c.image)):
            yield Stored(row.path, row.image, row.sha256, row.bytes, bool(row.dropped))


def number_stored(engine: Engine) -> int:
    """How many :func:`stored` gives."""
    with engine.connect() as connection:
        row = connection.execute(select(func.count(images.c.path), func.count(images.c.dropped_path))).one()
    return int(row[0]) + int(row[1])


def known_paths(engine: Engine, paths: Collection[str]) -> set[str]:
    """Those of ``paths`` that have a row, now. Fast for names that are a sha256, which are looked up by that."""
    named = {path: match[1] for path in paths if (match := _NAME.fullmatch(path))}
    others = [path for path in paths if path not in named]
    found: set[str] = set()
    with engine.connect() as connection:
        for condition in (
            images.c.sha256.in_(sorted(set(named.values()))) if named else None,
            or_(images.c.path.in_(others), images.c.dropped_path.in_(others)) if others else None,
        ):
            if condition is not None:
                for row in connection.execute(select(images.c.path, images.c.dropped_path).where(condition)):
                    found |= {row.path, row.dropped_path}
    return found.intersection(paths)


def is_stored(engine: Engine, row: Stored) -> bool:
    """Does the catalogue still say so?"""
    with engine.connect() as connection:
        return connection.scalar(select(images.c.id).where(_same(row))) is not None


def unset(engine: Engine, row: Stored) -> bool:
    """Take back that the object of ``row`` is there; is its image wanted all the same? In one transaction."""
    gone = {"dropped_path": None, "dropped_bytes": None} if row.dropped else {"path": None}
    with engine.execution_options(**IMMEDIATE).begin() as connection:
        connection.execute(update(images).where(_same(row)).values(gone))
        wanted = kept_without_bytes().where(verdicts.c.image_id == row.image)
        return connection.scalar(wanted.limit(1)) is not None


def kept_without_bytes() -> Select[tuple[int]]:
    """Numbers of the images that some page shows, that their newest verdict keeps, and whose bytes are not stored."""
    newer = verdicts.alias("newer")
    return (
        select(verdicts.c.image_id)
        .join(images, images.c.id == verdicts.c.image_id)
        .where(
            verdicts.c.keep,
            images.c.path.is_(None),
            ~exists().where(newer.c.image_id == verdicts.c.image_id, newer.c.policy_id > verdicts.c.policy_id),
            exists().where(candidates.c.image_id == verdicts.c.image_id, candidates.c.reason.is_(None)),
        )
    )


def not_stored(engine: Engine) -> Generator[str, None, None]:
    """The sha256 of each of :func:`kept_without_bytes`, in their order: a stream."""
    with _streaming(engine) as connection:
        wanted = select(images.c.sha256).where(images.c.id.in_(kept_without_bytes())).order_by(images.c.sha256)
        yield from connection.scalars(wanted)


def number_not_stored(engine: Engine) -> int:
    """How many :func:`not_stored` gives."""
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(kept_without_bytes().subquery())) or 0)


def runs_that_saw(connection: Connection) -> list[int]:
    """Runs of which one page or more shows an image of :func:`kept_without_bytes`, newest first."""
    return list(connection.scalars(_seen(pages.c.run_id).distinct().order_by(pages.c.run_id.desc())))


def fewest_runs_that_saw(connection: Connection, among: Collection[int]) -> dict[int, int]:
    """Of each image of :func:`kept_without_bytes` the newest run of ``among`` that saw it: run → images."""
    newest = (
        _seen(func.max(pages.c.run_id).label("run"))
        .where(pages.c.run_id.in_(sorted(among)))
        .group_by(candidates.c.image_id)
        .subquery()
    )
    counted = select(newest.c.run, func.count()).group_by(newest.c.run).order_by(newest.c.run.desc())
    return {run: int(number) for run, number in connection.execute(counted)}


def stores_of_runs(engine: Engine) -> list[str]:
    """Where the runs of this catalogue stored, as far as they have noted it; no passwords."""
    with engine.connect() as connection:
        return list(
            connection.scalars(select(runs.c.store).where(runs.c.store.is_not(None)).distinct().order_by("store"))
        )


def store_of_image(engine: Engine, image: int, store: str) -> str:
    """Where the runs stored that saw the image: ``store`` if one of them may have, else that of the newest."""
    here = or_(runs.c.store.is_(None), runs.c.store == store)
    with engine.connect() as connection:
        name = connection.scalar(
            select(runs.c.store)
            .select_from(
                candidates.join(pages, pages.c.id == candidates.c.page_id).join(runs, runs.c.id == pages.c.run_id)
            )
            .where(candidates.c.image_id == image)
            .order_by(cast(here, Integer).desc(), runs.c.id.desc())
            .limit(1)
        )
    return name or store


def machines_of_runs(engine: Engine) -> set[str]:
    """Host names of the machines whose processes have worked on any run."""
    with engine.connect() as connection:
        return {name.partition("/")[0] for name in connection.scalars(select(workers.c.machine).distinct())}


def _seen(run: ColumnElement[int]) -> Select[Any]:
    return (
        select(run)
        .select_from(candidates.join(pages, pages.c.id == candidates.c.page_id))
        .where(candidates.c.image_id.in_(kept_without_bytes()), candidates.c.reason.is_(None))
    )


def _same(row: Stored) -> ColumnElement[bool]:
    path = images.c.dropped_path if row.dropped else images.c.path
    return and_(images.c.id == row.image, path == row.path)


@contextmanager
def _streaming(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection.execution_options(yield_per=ROWS_AT_ONCE)
