"""A unit of work is a part of one file; a shard is what comes out of it. ``extract`` makes one of the other.

A shard is a file of JSON lines, each a list: ``["row", {…}]`` for a box, ``["file", wiki, …]`` with the fields of a
:class:`~wikidump.rows.FilePage`, ``["redirect", wiki, alias, template]`` for another name of a box, and, last,
``["end", {…}]`` with a :class:`Report`. It is written beside, flushed and renamed, so that it is whole or not there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from wikidump import streams
from wikidump.extract import Extractor
from wikidump.page import Page
from wikidump.read import Seen, pages
from wikidump.source import Source, open_source
from wikidump.streams import FastError, Part, fast_text, plain_text
from wikidump.wikis import template_title, wiki_named

MAX_DAMAGES = 20
MAX_REPORT = 64 * 1024
"""Bytes; a last line is shorter."""


class ShardError(Exception):
    """A shard cannot be written. No other one will be either, so this ends a run; one line."""


class PageError(Exception):
    """A page that the program cannot cope with: one line, with its title."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The streams that begin in the bytes from ``start`` to ``end`` of ``source``.

    ``number`` is the place of its shard. ``kind`` is ``bz2`` or ``xml``; of plain XML the pages that begin there count.
    """

    number: int
    source: str
    kind: str
    start: int
    end: int
    wiki: str
    dump_date: str | None

    def __str__(self) -> str:
        name = self.source.rsplit("/", 1)[-1]
        return name if self.source == "-" else f"{name}, bytes {self.start:,} to {self.end:,}"


@dataclass(frozen=True, slots=True)
class Job:
    """What all units have in common.

    ``redirects`` are (wiki, alias, template) beyond those in the tables. ``threads`` decompress a file that is one
    stream. ``fast`` allows indexed_bzip2 where it is installed.
    """

    folder: str
    kinds: tuple[str, ...] = ("film",)
    templates: tuple[str, ...] = ()
    redirects: tuple[tuple[str, str, str], ...] = ()
    contact: str = ""
    threads: int = 1
    fast: bool = True


@dataclass(slots=True)
class Report:
    """What a unit held. ``damage`` are [offset, what is wrong]; of ``skipped`` pages ``titles`` are the first."""

    bytes: int = 0
    text_bytes: int = 0
    pages: int = 0
    rows: int = 0
    posters: int = 0
    files: int = 0
    skipped: int = 0
    titles: list[str] = field(default_factory=list)
    damage: list[tuple[int, str]] = field(default_factory=list)
    finished: bool = False


Progress = Callable[[int, int, int, int, int], None]
"""Called now and then with what was added: bytes of the file and of text, pages, rows, posters."""


def nobody(size: int, text: int, pages: int, rows: int, posters: int) -> None:
    """The progress is of no interest."""


def shard_path(folder: str, number: int) -> Path:
    """Where the shard of the unit ``number`` lies."""
    return Path(folder) / f"{number:06d}.jsonl"


def extract(unit: Unit, job: Job, progress: Progress = nobody, source: Source | None = None) -> Report:
    """Write the shard of ``unit``. Depends on nothing but its arguments, and writes the same bytes each time.

    Raises:
        SourceError, WebError: the bytes cannot be read.
        PageError: a page cannot be coped with.
        ShardError: the shard cannot be written.
    """
    source = source or open_source(unit.source, job.contact)
    path = shard_path(job.folder, unit.number)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    try:
        try:
            fast = job.fast and streams.HAS_FAST and unit.kind == "bz2" and unit.source != "-"
            report = _write(temporary, unit, job, progress, source, fast)
        except FastError:  # bz2 says what is wrong, and where
            report = _write(temporary, unit, job, nobody, source, False)
        temporary.replace(path)
    except OSError as error:
        raise ShardError(f"cannot write to {job.folder}: {error.strerror}; --resume goes on from here") from None
    finally:
        temporary.unlink(missing_ok=True)
    return report


def _write(path: Path, unit: Unit, job: Job, progress: Progress, source: Source, fast: bool) -> Report:
    extractor = _extractor(unit.wiki, job.kinds, job.templates, job.redirects, unit.dump_date)
    boxes = known_boxes(unit.wiki, job)
    part = Part(source, unit.start, unit.end, at=unit.start)
    text = plain_text(part) if unit.kind == "xml" else fast_text(part, job.threads) if fast else streams.text(part)
    seen, report = Seen(), Report()
    told = (0,) * 5

    def tell(at: int) -> None:
        nonlocal told
        now = (at - unit.start, seen.text_bytes, seen.pages, report.rows, report.posters)
        progress(*(new - old for new, old in zip(now, told, strict=True)))
        told = now

    def watched() -> Iterator[bytes | None]:
        for piece in text:
            yield piece
            tell(min(part.at, unit.end))

    with path.open("wb") as file:
        for page in pages(watched(), extractor.find, seen):
            try:
                lines = list(_lines(page, unit.wiki, extractor, boxes))
            except Exception as error:
                raise PageError(f"page {page.title!r}: {type(error).__name__}: {error}") from None
            for line in lines:
                file.write(_encode(line))
                report.files += line[0] == "file"
                if line[0] == "row":
                    report.rows += 1
                    report.posters += line[1]["image_status"] == "ok"
        tell(unit.end if unit.end < sys.maxsize else part.at)
        if seen.cut and not part.damage:
            part.damage.append((part.at, "the file ends in the middle of a page"))
        report.bytes, report.text_bytes, report.pages = told[:3]
        report.skipped, report.titles, report.finished = seen.skipped, seen.titles, seen.finished
        report.damage = part.damage[:MAX_DAMAGES]
        file.write(_encode(["end", asdict(report)]))
        file.flush()
        os.fsync(file.fileno())
    return report


def _lines(page: Page, wiki: str, extractor: Extractor, boxes: frozenset[str]) -> Iterator[list[Any]]:
    for row in extractor.rows(page):
        yield ["row", row.as_dict()]
    file = extractor.file_page(page)
    if file is not None:
        yield ["file", wiki, *astuple(file)]
    redirect = extractor.template_redirect(page)
    if redirect is not None and redirect[1] in boxes and redirect[0] not in boxes:
        yield ["redirect", wiki, *redirect]


def _encode(line: list[Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


@lru_cache(64)
def known_boxes(wiki: str, job: Job) -> frozenset[str]:
    """Titles of the templates that are looked for on ``wiki``."""
    known = {title for title, (_, kind) in wiki_named(wiki).boxes.items() if kind in job.kinds}
    known |= {template_title(title, wiki) for title in job.templates}
    return frozenset(known | {alias for where, alias, _ in job.redirects if where == wiki})


@lru_cache(8)
def _extractor(
    wiki: str,
    kinds: tuple[str, ...],
    templates: tuple[str, ...],
    redirects: tuple[tuple[str, str, str], ...],
    dump_date: str | None,
) -> Extractor:
    return Extractor(wiki, kinds, templates, {alias: to for where, alias, to in redirects if where == wiki}, dump_date)


def read_shard(folder: str, number: int) -> Iterator[list[Any]]:
    """The lines of a shard, without the last."""
    with shard_path(folder, number).open("rb") as file:
        for line in file:
            if not line.startswith(b'["end",'):
                yield json.loads(line)


def read_report(folder: str, number: int) -> Report | None:
    """What the unit ``number`` held; None if its shard is not there, or is not whole."""
    try:
        with shard_path(folder, number).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - MAX_REPORT))
            last = file.read().splitlines()[-1:]
        kind, content = json.loads(last[0])
        return Report(**content) if kind == "end" else None
    except (OSError, ValueError, IndexError, TypeError):
        return None
