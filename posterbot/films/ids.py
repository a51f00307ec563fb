"""What IMDb, TMDb and Wikidata call a film, and where such names stand in URLs. Every URL is a stranger's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

IMDB, TMDB, WIKIDATA = "imdb", "tmdb", "wikidata"
SCHEMES = (IMDB, TMDB, WIKIDATA)
"""The strongest first: where two of them contradict a third, the first decides."""

_MAX_URL = 2500
_IMDB = re.compile(r"(?<![0-9A-Za-z])tt([0-9]{5,9})(?![0-9A-Za-z])")
_IMDB_VALUE = re.compile(r"(?:tt)?0*([1-9][0-9]{0,8})")
_TMDB_PATH = re.compile(r"(?:/[a-z]{2}(?:-[A-Za-z]{2})?)?/(movie|tv)/([1-9][0-9]{0,8})(?![0-9])[^/]*(?:/.*)?")
_TMDB_VALUE = re.compile(r"(tv/|movie/)?0*([1-9][0-9]{0,8})(?:\.0)?")
_WIKIDATA_PATH = re.compile(r"/(?:wiki|entity)/(?:Special:EntityPage/)?(Q[1-9][0-9]{0,9})/?")
_WIKIDATA_VALUE = re.compile(r"Q0*([1-9][0-9]{0,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ids:
    """The names of one film, at most one of each scheme; None: not said."""

    imdb: str | None = None
    """``tt0017136``: seven digits and more."""
    tmdb: str | None = None
    """``19`` for a film, ``tv/1399`` for a series: TMDb counts them apart."""
    wikidata: str | None = None
    """``Q151599``"""

    def __bool__(self) -> bool:
        return bool(self.imdb or self.tmdb or self.wikidata)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(scheme, value) of those that are there, in the order of :data:`SCHEMES`."""
        return tuple((scheme, value) for scheme in SCHEMES if (value := getattr(self, scheme)))

    def filled(self, other: Ids) -> Ids:
        """With those of ``other`` where this has none."""
        return Ids(self.imdb or other.imdb, self.tmdb or other.tmdb, self.wikidata or other.wikidata)


NONE = Ids()


def read_imdb(value: str) -> str | None:
    """``tt0017136`` of ``tt0017136``, ``0017136`` and ``17136``; None for anything else."""
    found = _IMDB_VALUE.fullmatch(value.strip())
    return f"tt{int(found[1]):07d}" if found else None


def read_tmdb(value: str) -> str | None:
    """``19`` of ``19``, ``19.0`` and ``movie/19``, ``tv/1399`` of itself; None for anything else."""
    found = _TMDB_VALUE.fullmatch(value.strip())
    return f"{'tv/' if found[1] == 'tv/' else ''}{found[2]}" if found else None


def read_wikidata(value: str) -> str | None:
    """``Q151599`` of itself or of its URL; None for anything else."""
    value = value.strip()
    found = _WIKIDATA_VALUE.fullmatch(value)
    return f"Q{found[1]}" if found else ids_of_links([value]).wikidata


def ids_of_links(urls: Iterable[str]) -> Ids:
    """What links to pages of IMDb, TMDb and Wikidata name. Where several name different films, none of that scheme."""
    found: dict[str, set[str]] = {scheme: set() for scheme in SCHEMES}
    for url in urls:
        for scheme, value in _of_link(url).pairs():
            found[scheme].add(value)
    return Ids(**{scheme: next(iter(values)) for scheme, values in found.items() if len(values) == 1})


def ids_in_address(url: str) -> Ids:
    """What an address itself says of the film it is about: as :func:`ids_of_links`, and IMDb ids on any host.

    Only the path counts: ``/posters/tt0017136.jpg``. Two different ids name nothing.
    """
    ids = _of_link(url)
    if ids or "tt" not in url:
        return ids
    try:
        path = urlsplit(url[:_MAX_URL]).path
    except ValueError:
        return NONE
    values = {read_imdb(match) for match in _IMDB.findall(path)} - {None}
    return replace(NONE, imdb=values.pop()) if len(values) == 1 else NONE


def _of_link(url: str) -> Ids:
    if "imdb" not in url and "themoviedb" not in url and "wikidata" not in url:
        return NONE
    try:
        parts = urlsplit(url[:_MAX_URL])
        host = (parts.hostname or "").removesuffix(".")
    except ValueError:
        return NONE
    if parts.scheme not in {"http", "https"}:
        return NONE
    if _is_on(host, "imdb.com"):
        values = {read_imdb(match) for match in _IMDB.findall(parts.path)} - {None}
        return Ids(imdb=values.pop()) if len(values) == 1 else NONE
    if _is_on(host, "themoviedb.org") and (found := _TMDB_PATH.fullmatch(parts.path)):
        return Ids(tmdb=f"{'tv/' if found[1] == 'tv' else ''}{found[2]}")
    if _is_on(host, "wikidata.org") and (found := _WIKIDATA_PATH.fullmatch(parts.path)):
        return Ids(wikidata=found[1])
    return NONE


def _is_on(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
