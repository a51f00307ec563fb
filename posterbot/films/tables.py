"""Reading tables of films: IMDb's ``title.basics.tsv``, MovieLens' ``links.csv``, and those that people make.

What a file is shows in its header. A row that cannot be read is told with its line, and the others are read.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from posterbot.films.ids import Ids, read_imdb, read_tmdb, read_wikidata
from posterbot.films.titles import FIRST_YEAR, LAST_YEAR

IMDB, PLAIN = "IMDb's title.basics", "a table of films"
COLUMNS = ("imdb_id", "tmdb_id", "wikidata_id", "title", "year", "genres", "directors", "sha256", "url", "path")
"""Of a plain table; it has some of them."""
LONGEST_LINE = 1 << 20
"""Characters; a longer line is none."""

_SAME = {
    "imdbid": "imdb_id",
    "imdb": "imdb_id",
    "tconst": "imdb_id",
    "tmdbid": "tmdb_id",
    "tmdb": "tmdb_id",
    "wikidata": "wikidata_id",
    "qid": "wikidata_id",
    "name": "title",
    "primarytitle": "title",
    "startyear": "year",
    "genre": "genres",
    "director": "directors",
    "image_url": "url",
}
_IDS = ("imdb_id", "tmdb_id", "wikidata_id")
_EMPTY = frozenset({"", "\\N", "nan", "NaN", "None", "null", "NULL", "N/A"})
_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_YEAR = re.compile(r"([0-9]{4})(?:\.0+)?(?:-[0-9]{2}-[0-9]{2}.*)?")
_NO_TITLES = {
    "averagerating": "IMDb's ratings",
    "nconst": "IMDb's people",
    "titleid": "IMDb's titles in other countries",
    "parenttconst": "IMDb's episodes",
    "directors": "IMDb's crews",
}


class TableError(ValueError):
    """The file is no table of films, or ends too early; one line."""


@dataclass(frozen=True, slots=True)
class FilmRow:
    """One row: a film, and perhaps an image of it."""

    line: int
    """Counted from 1, the header's line included; the last of a row that has several."""
    ids: Ids
    title: str = ""
    other_title: str = ""
    """The original one."""
    year: int | None = None
    kind: str | None = None
    type: str = ""
    """As IMDb calls it: ``movie``, ``tvEpisode``, …"""
    genres: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    sha256: str = ""
    url: str = ""

    @property
    def image(self) -> bool:
        """Does it name an image?"""
        return bool(self.sha256 or self.url)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not read."""

    line: int
    why: str


Rows = Iterator[FilmRow | BadRow]


def open_table(file: Path) -> tuple[str, Rows]:
    """What the table is (:data:`IMDB` or :data:`PLAIN`), and its rows as a stream.

    Plain text or gzip, in UTF-8 or, with a byte order mark, UTF-16.

    Raises:
        TableError: it cannot be read, or its header is not that of a table of films; the stream raises it where the
            file ends in the middle.
    """
    rows = _rows(file)
    return str(next(rows)), rows  # type: ignore[return-value]  # the first is the kind


def _rows(file: Path) -> Iterator[str | FilmRow | BadRow]:
    try:
        with file.open("rb") as raw:
            yield from _rows_of(file, raw)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise TableError(f"{file} is damaged: {error}") from None
        raise TableError(f"cannot read {file}: {error.strerror or error}") from None
    except (EOFError, zlib.error):
        raise TableError(f"{file} ends in the middle, or is damaged; get it again") from None


def _rows_of(file: Path, raw: io.BufferedReader) -> Iterator[str | FilmRow | BadRow]:
    start = raw.read(2)
    raw.seek(0)
    data = gzip.GzipFile(fileobj=raw) if start == b"\x1f\x8b" else raw
    lines = _Lines(_text(data))
    header = lines.next()
    if header is None:
        raise TableError(f"{file} is empty")
    if "\0" in header:
        raise TableError(f"{file} is no text (there are NUL bytes in its first line)")
    between = next((sign for sign in "\t;" if sign in header and (sign == "\t" or "," not in header)), ",")
    try:
        names = next(csv.reader([header], delimiter=between))
    except (csv.Error, StopIteration):
        names = [header]
    kind, columns = _columns(file, names)
    yield kind
    cells = _imdb_cells(lines) if kind == IMDB else _csv_cells(lines, between)
    read = _of_imdb if kind == IMDB else _of_plain
    for line, values, problem in cells:
        if problem:
            yield BadRow(line, problem)
        elif len(values) != len(names):
            yield BadRow(line, f"{len(values)} columns instead of {len(names)}")
        else:
            yield read(line, {name: _value(values[place]) for name, place in columns.items()})


def _text(data: io.BufferedReader | gzip.GzipFile) -> io.TextIOBase:
    encoding = "utf-16" if data.peek(2).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    return io.TextIOWrapper(data, encoding, errors, newline="")


class _Lines:
    """Lines with their numbers; those that are too long or no text are passed over and told."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text
        self.number = 0
        self.bad: list[tuple[int, str]] = []

    def next(self) -> str | None:
        """The next line with its end, None at the end of the file."""
        while True:
            line = self._text.readline(LONGEST_LINE)
            if not line:
                return None
            self.number += 1
            whole = True
            while len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r")):
                whole = False
                line = self._text.readline(LONGEST_LINE)
            if not whole:
                self.bad.append((self.number, "the line is too long"))
            elif self.number > 1 and "\0" in line:
                self.bad.append((self.number, "there are NUL bytes in it"))
            elif not _is_text(line):
                self.bad.append((self.number, "it is not UTF-8"))
            else:
                return line

    def __iter__(self) -> Iterator[str]:
        while (line := self.next()) is not None:
            yield line

    def take_bad(self) -> list[tuple[int, str]]:
        bad, self.bad = self.bad, []
        return bad


def _is_text(line: str) -> bool:
    if line.isascii():
        return True
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


Cells = Iterator[tuple[int, Sequence[str], str]]
"""Line, values, and what is wrong instead."""


def _imdb_cells(lines: _Lines) -> Cells:
    """IMDb quotes nothing: a quote is a part of the title."""
    for line in lines:
        yield from ((number, (), why) for number, why in lines.take_bad())
        yield lines.number, line.rstrip("\r\n").split("\t"), ""
    yield from ((number, (), why) for number, why in lines.take_bad())


def _csv_cells(lines: _Lines, between: str) -> Cells:
    reader = csv.reader(lines, delimiter=between)
    while True:
        try:
            values = next(reader, None)
        except csv.Error as error:
            yield from ((number, (), why) for number, why in lines.take_bad())
            yield lines.number, (), f"it is no row of a table ({error})"
            continue
        yield from ((number, (), why) for number, why in lines.take_bad())
        if values is None:
            return
        if values:
            yield lines.number, values, ""


def _columns(file: Path, names: Sequence[str]) -> tuple[str, dict[str, int]]:
    """What the table is, and where its columns are."""
    folded = [name.strip().casefold() for name in names]
    if "tconst" in folded and "primarytitle" in folded:
        return IMDB, {name: place for place, name in enumerate(folded)}
    of_imdb = {"tconst", "nconst", "titleid", "parenttconst"}.intersection(folded)
    if of_imdb and (other := next((what for sign, what in _NO_TITLES.items() if sign in folded), None)):
        raise TableError(f"{file} has {other}, which say nothing of films' names; give title.basics.tsv.gz")
    columns: dict[str, int] = {}
    for place, name in enumerate(folded):
        columns.setdefault(_SAME.get(name.replace(" ", "_"), name.replace(" ", "_")), place)
    found = {name: place for name, place in columns.items() if name in COLUMNS}
    if not {*_IDS, "title"}.intersection(found):
        shown = ", ".join(name.strip()[:30] for name in names[:8]) or "nothing"
        shown = "".join(sign if sign.isprintable() else "?" for sign in shown)
        raise TableError(
            f"{file} is no table of films: it needs a header with one of {', '.join((*_IDS, 'title'))} (found: {shown})"
        )
    return PLAIN, found


def _value(text: str) -> str:
    text = text.strip()
    return "" if text in _EMPTY else text


_KINDS = {
    "movie": "Movie",
    "short": "Movie",
    "tvMovie": "Movie",
    "video": "Movie",
    "tvSeries": "TVSeries",
    "tvMiniSeries": "TVSeries",
}


def _of_imdb(line: int, values: dict[str, str]) -> FilmRow | BadRow:
    imdb = read_imdb(values["tconst"])
    if not imdb or not values["tconst"].startswith("tt"):
        return BadRow(line, f"{_shown(values['tconst'])} is no id of IMDb")
    year, problem = _year(values.get("startyear", ""))
    if problem:
        return BadRow(line, problem)
    type_ = values.get("titletype", "")
    return FilmRow(
        line,
        Ids(imdb=imdb),
        values["primarytitle"],
        values.get("originaltitle", ""),
        year,
        _KINDS.get(type_),
        type_,
        tuple(filter(None, values.get("genres", "").split(","))),
    )


def _of_plain(line: int, values: dict[str, str]) -> FilmRow | BadRow:
    readers: tuple[tuple[str, Callable[[str], str | None], str], ...] = (
        ("imdb_id", read_imdb, "IMDb"),
        ("tmdb_id", read_tmdb, "TMDb"),
        ("wikidata_id", read_wikidata, "Wikidata"),
    )
    ids: list[str | None] = []
    for name, read, whose in readers:
        value = values.get(name, "")
        found = read(value) if value else None
        if value and not found:
            return BadRow(line, f"{_shown(value)} is no id of {whose}")
        ids.append(found)
    year, problem = _year(values.get("year", ""))
    if problem:
        return BadRow(line, problem)
    if not any(ids) and not values.get("title"):
        return BadRow(line, "it names no film")
    sha256 = values.get("sha256", "").lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        return BadRow(line, f"{_shown(sha256)} is no sha256")
    in_path = _SHA256.search(values.get("path", "").lower())
    return FilmRow(
        line,
        Ids(*ids),
        values.get("title", ""),
        "",
        year,
        genres=tuple(part for part in re.split(r"[|,;]", values.get("genres", "")) if part.strip()),
        directors=tuple(part.strip() for part in re.split(r"[|;]", values.get("directors", "")) if part.strip()),
        sha256=sha256 or (in_path[0] if in_path else ""),
        url=values.get("url", ""),
    )


def _year(text: str) -> tuple[int | None, str]:
    if not text:
        return None, ""
    found = _YEAR.fullmatch(text)
    if not found or not FIRST_YEAR <= int(found[1]) < LAST_YEAR:
        return None, f"{_shown(text)} is no year of a film"
    return int(found[1]), ""


def _shown(text: str) -> str:
    return repr(text[:40])
