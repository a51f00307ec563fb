"""What may be done with images of a source, as somebody who has read its terms recorded it.

Each of these is allowed, forbidden or unknown, and unknown is not allowed. What holds for a domain holds for its
sub-domains, where they have nothing of their own. A few well-known sources come with the program; what a person records
goes before that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, String, cast, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.schema import candidates, sources

MAX_TEXT = 2000
"""Characters of an attribution or an address."""
_HIDDEN = "forgotten:"
"""As in ``upkeep/forget_rows.py``."""
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a source allows. None: nobody has said."""

    ml_allowed: bool | None = None
    """May its images be used to train models?"""
    redistributable: bool | None = None
    """May they be passed on?"""
    attribution: str | None = None
    """What has to be said where they are shown."""
    max_age_days: int | None = None
    """They may be kept no longer."""
    terms_url: str | None = None
    """Where one can read that."""

    def __bool__(self) -> bool:
        return self != UNKNOWN

    def filled(self, other: Terms) -> Terms:
        """With those of ``other`` where this says nothing."""
        missing = {name: getattr(other, name) for name in NAMES if getattr(self, name) is None}
        return replace(self, **missing)


UNKNOWN = Terms()
NAMES = tuple(field.name for field in fields(Terms))
"""The columns of ``sources`` with terms."""

_TMDB = Terms(
    ml_allowed=False,  # "without an agreement": not to be used to train
    attribution="This product uses the TMDB API but is not endorsed or certified by TMDB.",
    max_age_days=180,  # its content is not to be kept for longer than six months
    terms_url="https://www.themoviedb.org/api-terms-of-use",
)
_IMDB = Terms(ml_allowed=False, redistributable=False, terms_url="https://www.imdb.com/conditions")
SHIPPED: Mapping[str, Terms] = {
    "themoviedb.org": _TMDB,
    "image.tmdb.org": _TMDB,
    "imdb.com": _IMDB,
    "m.media-amazon.com": _IMDB,
    "images-amazon.com": _IMDB,
    "ssl-images-amazon.com": _IMDB,
}
"""Of sources whose terms everybody meets. They may have changed since: read them."""


class SourceError(ValueError):
    """This is no name of a source; one line."""


@dataclass(frozen=True, slots=True)
class SourceTerms:
    """A source with what holds for it."""

    source: str
    images: int
    """That lie on it."""
    own: Terms
    """As a person recorded it for this very source."""
    effective: Terms
    """With what holds for its domain, and what comes with the program."""


def effective_terms(engine: Engine) -> Callable[[str], Terms]:
    """What holds for a source, by its name (a host, or the address of a list), as it is recorded at this moment.

    Each part is that of the source itself; else of the closest domain above it; else what comes with the program for
    these, in the same order.
    """
    with engine.connect() as connection:
        recorded = _recorded(connection)
    known: dict[str, Terms] = {}

    def effective(source: str) -> Terms:
        if source not in known:
            terms = UNKNOWN
            for table in (recorded, SHIPPED):
                for name in domains_of(source):
                    terms = terms.filled(table.get(name, UNKNOWN))
            known[source] = terms
        return known[source]

    return effective


def domains_of(source: str) -> Iterator[str]:
    """A source, then the domains above it; not those of one word. An IP address is no domain."""
    yield source
    try:
        ip_address(source)
        return
    except ValueError:
        pass
    name = source
    while name.count(".") > 1 and _HOST.fullmatch(name):
        name = name.partition(".")[2]
        yield name


def list_terms(engine: Engine) -> Iterator[SourceTerms]:
    """All sources with images, those with most first, and others of which something is recorded."""
    effective = effective_terms(engine)
    images = func.count(candidates.c.image_id.distinct())
    asked = (
        select(sources, images.label("images"))
        .outerjoin(candidates, candidates.c.source_id == sources.c.id)
        .where(sources.c.name != "", ~sources.c.name.startswith(_HIDDEN))
        .group_by(sources.c.id)
        .having(or_(images > 0, *(func.max(_as_text(name)).is_not(None) for name in NAMES)))
        .order_by(images.desc(), sources.c.name)
    )
    with engine.connect() as connection:
        for row in connection.execution_options(yield_per=1000).execute(asked):
            yield SourceTerms(row.name, row.images, _of_row(row), effective(row.name))


def terms_of(engine: Engine, source: str) -> SourceTerms:
    """One source, seen yet or not.

    Raises:
        SourceError: ``source`` is no host's name, and no source that was seen.
    """
    with engine.connect() as connection:
        name = _name(connection, source)
        row = connection.execute(select(sources).where(sources.c.name == name)).first()
        number = 0
        if row is not None:
            of_it = select(func.count(candidates.c.image_id.distinct())).where(candidates.c.source_id == row.id)
            number = connection.scalar(of_it) or 0
    return SourceTerms(name, number, UNKNOWN if row is None else _of_row(row), effective_terms(engine)(name))


def set_terms(engine: Engine, source: str, changes: Mapping[str, Any]) -> SourceTerms:
    """Record what a person has read; also of a source that was not seen yet.

    Args:
        engine: from ``open_catalogue``.
        source: a host, a URL on it, or the name of a source that was seen.
        changes: fields of :class:`Terms` and their values; None: nobody knows. Others stay as they are.

    Raises:
        SourceError: as :func:`terms_of`.
    """
    assert set(changes) <= set(NAMES)
    for left in (True, False):
        try:
            with engine.execution_options(**IMMEDIATE).begin() as connection:
                name = _name(connection, source)
                known = connection.scalar(select(sources.c.id).where(sources.c.name == name))
                if known is None:
                    connection.execute(insert(sources).values(name=name, **changes))
                else:
                    connection.execute(update(sources).where(sources.c.id == known).values(**changes))
            break
        except IntegrityError:  # a crawl has just met it
            if not left:
                raise
    return terms_of(engine, source)


def _name(connection: Connection, source: str) -> str:
    source = source.strip()
    if source.isprintable() and connection.scalar(select(sources.c.id).where(sources.c.name == source)) is not None:
        return source
    try:
        host = _hostname(source)
    except ValueError:
        host = ""
    if _HOST.fullmatch(host) or _is_address(host):
        return host
    raise SourceError(f"{source!r} is no host, and no source of this catalogue: write a name such as example.org")


def _hostname(source: str) -> str:
    if not source.isprintable():
        return ""
    host = (urlsplit(source if "//" in source else f"//{source}").hostname or "").removesuffix(".").lower()
    return host if host.isascii() else host.encode("idna").decode()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _recorded(connection: Connection) -> dict[str, Terms]:
    said = or_(*(sources.c[name].is_not(None) for name in NAMES))
    return {row.name: _of_row(row) for row in connection.execute(select(sources).where(said))}


def _of_row(row: Any) -> Terms:
    return Terms(**{name: getattr(row, name) for name in NAMES})


def _as_text(name: str) -> Any:
    return cast(sources.c[name], String)
