"""Which images go into a dataset, and what of them decides their place in it: numbers only, in arrays.

At a million images this is some hundred megabytes; what is told of each is read later, a few at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Select, func, select

from posterbot.catalogue.schema import candidates, images, pages, verdicts
from posterbot.catalogue.schema_films import clusters, films, image_films
from posterbot.export import kept
from posterbot.export.options import Options
from posterbot.export.splits import Links, digests
from posterbot.export.terms import AllTerms
from posterbot.export.where import Part, parse

ROWS_AT_ONCE = 5000
Told = Callable[[str, int], None]
"""What is done, and with how many images so far."""

NOT_STORED = "its bytes are not stored"
NOT_CHOSEN = "not chosen by --where"
CLUSTERED = ("copies", "variants")


class EmptyError(ValueError):
    """There is nothing to export; ``str()`` is one line that says why."""


@dataclass(slots=True, eq=False)
class Selection:
    """The ``n`` images of a dataset, in the order of their numbers."""

    image: np.ndarray
    """int64, (n,): numbers of ``images``, ascending."""
    sha256: np.ndarray
    """uint64, (n, 4)."""
    label: np.ndarray
    """int32, (n,): place in ``labels``."""
    source: np.ndarray
    """int64, (n,)."""
    policy: np.ndarray
    """int64, (n,)."""
    film: np.ndarray
    """int64, (n,): the best; -1: none."""
    links: list[Links]
    """Of films, copies, variants and perceptual hashes."""
    labels: list[str]
    unclustered: int
    """Images with a perceptual hash that are in no cluster yet."""
    left_out: dict[str, int] = field(default_factory=dict)


@contextmanager
def one_moment(engine: Engine) -> Iterator[Connection]:
    """A connection on which all statements see the same moment; SQLite does so by itself."""
    options: dict[str, Any] = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection:
        yield connection


def choose(
    connection: Connection, options: Options, terms: AllTerms, today: datetime, told: Told = lambda verb, done: None
) -> Selection:
    """The images that ``options`` ask for.

    Raises:
        EmptyError: there are none.
        WhereError: ``options.where`` is no expression.
    """
    parts = parse(options.where)
    statement = _narrowed(connection, kept.stored(), parts, terms)
    read = _Columns()
    asked = statement.add_columns(
        images.c.id,
        images.c.sha256,
        images.c.phash,
        verdicts.c.label,
        verdicts.c.policy_id,
        candidates.c.source_id,
        pages.c.source_id.label("page_source_id"),
        candidates.c.fetched_at,
        films.c.id.label("film_id"),
        clusters.c.copies,
        clusters.c.variants,
    ).order_by(images.c.id)
    streamed = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(asked)
    for rows in streamed.partitions():
        read.add(rows)
        told("chosen", read.count)
    left_out = _counted(connection, read.count)
    if not read.count:
        raise EmptyError(_why_empty(connection, parts, terms, left_out))
    out = np.zeros(read.count, bool)
    if options.purpose is not None:
        of = (read.of("source"), read.of("page_source"), read.of("fetched"))
        out, why = terms.barred(options.purpose, *of, today)
        left_out |= why
    if out.all():
        raise EmptyError(f"--purpose {options.purpose} leaves none of {read.count:,} images: {_listed(left_out)}")
    selection = read.selection(~out)
    selection.links.insert(0, _films(connection, selection.image))
    selection.left_out = left_out
    return selection


class _Columns:
    """Rows as they come, kept as numbers."""

    def __init__(self) -> None:
        self.count = 0
        self._parts: dict[str, list[np.ndarray]] = {}
        self._labels: dict[str, int] = {}

    def add(self, rows: Sequence[Any]) -> None:
        self.count += len(rows)
        self._put("image", np.array([row.id for row in rows], np.int64))
        self._put("sha256", digests([row.sha256 for row in rows]))
        self._put("phash", _hashes([row.phash for row in rows]))
        self._put("label", np.array([self._labels.setdefault(row.label or "", len(self._labels)) for row in rows]))
        self._put("policy", np.array([row.policy_id for row in rows], np.int64))
        self._put("source", np.array([row.source_id for row in rows], np.int64))
        self._put("page_source", np.array([row.page_source_id for row in rows], np.int64))
        self._put("fetched", np.array([int(row.fetched_at.timestamp()) for row in rows], np.int64))
        self._put("film", np.array([-1 if row.film_id is None else row.film_id for row in rows], np.int64))
        for name in CLUSTERED:
            self._put(name, _hashes([getattr(row, name) for row in rows]))

    def of(self, name: str) -> np.ndarray:
        if len(self._parts[name]) > 1:
            self._parts[name] = [np.concatenate(self._parts[name])]
        return self._parts[name][0]

    def selection(self, chosen: np.ndarray) -> Selection:
        names = sorted(self._labels)
        place = np.array([names.index(label) for label in self._labels], np.int32)
        links = []
        for name in (*CLUSTERED, "phash"):
            values = self.of(name)[chosen]
            places = np.flatnonzero(values)
            links.append((places, values[places]))
        label = place[self.of("label")[chosen]]
        used = np.unique(label)
        return Selection(
            image=self.of("image")[chosen],
            sha256=self.of("sha256")[chosen],
            label=np.searchsorted(used, label).astype(np.int32),
            source=self.of("source")[chosen],
            policy=self.of("policy")[chosen],
            film=self.of("film")[chosen],
            links=links,
            labels=[names[number] for number in used],
            unclustered=int(((self.of("copies") == 0) & (self.of("phash") != 0))[chosen].sum()),
        )

    def _put(self, name: str, values: np.ndarray) -> None:
        self._parts.setdefault(name, []).append(values)


def _hashes(texts: Sequence[str | None]) -> np.ndarray:
    """Names as numbers: uint64, 0 for None."""
    numbers = (
        0 if text is None else int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) or 1
        for text in texts
    )
    return np.fromiter(numbers, np.uint64, len(texts))


def _films(connection: Connection, chosen: np.ndarray) -> Links:
    """All films that any evidence links the images with."""
    places, values = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    asked = select(image_films.c.image_id, image_films.c.film_id)
    for rows in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(asked).partitions():
        both = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
        at = np.searchsorted(chosen, both[:, 0])
        there = chosen[np.minimum(at, len(chosen) - 1)] == both[:, 0]
        places.append(at[there])
        values.append(both[there, 1])
    return np.concatenate(places), np.concatenate(values)


def _narrowed(connection: Connection, statement: Select[Any], parts: Sequence[Part], terms: AllTerms) -> Select[Any]:
    dialect = connection.dialect.name
    allowed = terms.ml_allowed(), terms.redistributable()
    return statement.where(*(kept.matching(part.node, dialect, *allowed) for part in parts))


def _counted(connection: Connection, chosen: int) -> dict[str, int]:
    """Images that are kept and not chosen: why → how many."""
    gone = _number(connection, select().select_from(kept.TABLES).where(kept.NOT_STORED))
    rest = _number(connection, kept.stored()) - chosen
    return {why: number for why, number in ((NOT_STORED, gone), (NOT_CHOSEN, rest)) if number}


def _number(connection: Connection, statement: Select[Any]) -> int:
    return int(connection.execute(statement.add_columns(func.count())).scalar_one())


def _why_empty(connection: Connection, parts: Sequence[Part], terms: AllTerms, left_out: dict[str, int]) -> str:
    stored = _number(connection, kept.stored())
    if not stored:
        gone = left_out.get(NOT_STORED, 0)
        also = f"; of {gone:,} kept images the bytes are not stored: posterbot fsck" if gone else ""
        return f"there are no kept images in this catalogue{also or ': run a crawl first'}"
    each = [
        f"{part.text} is true of {_number(connection, _narrowed(connection, kept.stored(), [part], terms)):,}"
        for part in parts
    ]
    return f"--where leaves none of {stored:,} kept images: {'; '.join(each)}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {why}" for why, number in counts.items())
