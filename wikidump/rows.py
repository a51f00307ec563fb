"""What comes out: one row for each box, and what a file's own page says about it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One film box of one page; kept without an image too, ``image_status`` says why.

    ``kind`` is film, television, video_game, book or album. ``image_status`` is ok, empty, absent, url, not_image or
    unparsed, see :func:`wikidump.filename.image_name`. ``image_name`` is the file's canonical name (there also for a
    file that is no picture), ``url`` its original, only where the status is ok.

    ``repository`` is local, commons, or enwiki for a poster that another wiki names on the English one; it is None as
    long as the File: pages have not been seen, and ``url`` a guess until then. ``licence`` is a short name as in
    ``CC BY-SA 4.0`` or ``non-free``. ``imdb_id`` is as in tt0114709; ``dump_date`` as in 20260801.
    """

    wiki: str
    page_id: int
    title: str
    rev_id: int
    template: str
    kind: str
    image_name: str | None
    image_status: str
    url: str | None
    repository: str | None
    licence: str | None
    year: int | None
    directors: tuple[str, ...]
    countries: tuple[str, ...]
    languages: tuple[str, ...]
    genres: tuple[str, ...]
    imdb_id: str | None
    dump_date: str | None

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON and Arrow take it: tuples become lists."""
        return {
            name: list(value) if isinstance(value := getattr(self, name), tuple) else value
            for name in (field.name for field in fields(self))
        }


@dataclass(frozen=True, slots=True)
class FilePage:
    """What a File: page says: the canonical name of its file, a short licence name, whether it is non-free.

    ``target`` is the name of the file that a moved file's page points at.
    """

    name: str
    licence: str | None
    nonfree: bool
    target: str | None = None
