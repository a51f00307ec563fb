"""What a file is before it is read: a dump, of which wiki and date, and into which units it is cut."""

from __future__ import annotations

import bz2
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, pairwise

from wikidump.source import BLOCK, Source, StandardInput, open_source
from wikidump.streams import MAGIC, MAGIC_SIZE, many_streams
from wikidump.units import Unit

UNIT = {"bz2": 8 << 20, "xml": 32 << 20}
"""Bytes of a file in one unit: a second or two of work, and little to hold in memory or to do again."""

CHECKED = 16
"""Offsets of an index that are looked up in the dump."""

_name = re.compile(r"([a-z][a-z0-9_]*wiki)[-.]")
_date = re.compile(r"-(\d{8})-")
_part = re.compile(r"-p\d+p\d+")
_dbname = re.compile(rb"<dbname>\s*([a-z][a-z0-9_]*)\s*</dbname>")
_begins = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:mediawiki|page|siteinfo)\b", re.DOTALL
)
_offset = re.compile(rb"^(\d{1,18}):\d+:", re.MULTILINE)
_base = re.compile(rb"<base>\s*https?://([a-z-]+)\.wikipedia\.org/")


class DumpError(Exception):
    """A file that cannot be used: one line that says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Dump:
    """One file. ``kind`` is bz2 or xml; ``part`` is set for one of several files with the pages of a wiki.

    ``cuts`` are the offsets at which its units begin, and its end.
    """

    source: Source
    kind: str
    wiki: str
    date: str | None
    part: bool
    cuts: tuple[int, ...]


def open_dump(name: str, *, wiki: str | None = None, index: str | None = None, contact: str = "") -> Dump:
    """Look into the file, URL or ``-`` called ``name``: what it is, and of which wiki.

    The wiki is ``wiki``, or as its <siteinfo> says, or as in a name like enwiki-20260801-pages-articles.xml.bz2, from
    where the date is too. With an ``index`` units begin where it says that streams do.

    Raises:
        DumpError: it is no dump, or the index is another dump's.
        SourceError, ContactError: see :func:`wikidump.source.open_source`.
    """
    source = open_source(name, contact)
    kind, head = _head(source)
    last = name.rsplit("/", 1)[-1]
    named, dated, numbered = _name.match(last), _date.search(last), _part.search(last)
    wiki = wiki or _wiki_of(head) or (named[1] if named else None)
    if wiki is None:
        raise DumpError(f"{name}: neither <siteinfo> nor the file's name says which wiki this is; add --wiki enwiki")
    if isinstance(source, StandardInput):
        if index:
            raise DumpError("an index is of no use for what comes down a pipe; leave --index out")
        cuts: tuple[int, ...] = (0, source.size)
    elif index:
        cuts = _cuts_of_index(source, kind, open_source(index, contact))
    elif kind == "xml" or (source.size > UNIT["bz2"] and many_streams(source)):
        cuts = (*range(0, source.size, UNIT[kind]), source.size)
    else:
        cuts = (0, source.size)
    return Dump(source, kind, wiki, dated[1] if dated else None, numbered is not None, cuts)


def units(dumps: list[Dump]) -> list[Unit]:
    """All units of all files, in order."""
    found: list[Unit] = []
    for dump in dumps:
        for start, end in pairwise(dump.cuts):
            found.append(Unit(len(found), dump.source.name, dump.kind, start, end, dump.wiki, dump.date))
    return found


def _head(source: Source) -> tuple[str, bytes]:
    """(bz2 or xml, the first bytes of the text)."""
    blocks = source.blocks(0, BLOCK)
    head = next(blocks, b"")
    if not head:
        raise DumpError(f"{source.name} is empty")
    kind = "bz2" if head.startswith(b"BZh") else "xml"
    if kind == "bz2":
        try:
            head = b"".join(islice(decompressed(chain([head], islice(blocks, 3))), 4))
        except OSError:
            raise DumpError(f"{source.name} begins like bz2, but is none") from None
        if not head:
            raise DumpError(f"{source.name} ends before its first page; is the download complete?")
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):
        raise DumpError(f"{source.name} is UTF-16, not UTF-8; convert it first: iconv -f UTF-16 -t UTF-8")
    if not _begins.match(head):
        start = head[:40].decode("utf-8", "replace")
        shown = repr(start) if start.replace("\n", "").isprintable() and "\ufffd" not in start[:-1] else "other data"
        raise DumpError(f"{source.name} is no dump: it begins with {shown} and not with <mediawiki> or <page>")
    return kind, head


def decompressed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """bz2 streams as text in pieces of at most 64 KiB, as far as they go. Raises OSError for what is no bz2."""
    decompressor = bz2.BZ2Decompressor()
    for block in blocks:
        data = block
        while data or not decompressor.needs_input:
            if decompressor.eof:
                decompressor = bz2.BZ2Decompressor()
            piece = decompressor.decompress(data, 1 << 16)
            if piece:
                yield piece
            data = decompressor.unused_data if decompressor.eof else b""
            if decompressor.eof and not data:
                break


def _cuts_of_index(source: Source, kind: str, index: Source) -> tuple[int, ...]:
    """Where the units begin, by an index: lines ``offset:page id:title``, a hundred of them for each stream."""
    if kind != "bz2":
        raise DumpError(f"{source.name} is not compressed, so an index cannot be its; leave --index out")
    blocks = index.blocks(0, index.size)
    first = next(blocks, b"")
    blocks = chain([first], blocks)
    text = decompressed(blocks) if first.startswith(b"BZh") else blocks
    offsets, rest = array("Q"), b""
    try:
        for piece in text:
            rest += piece
            cut = rest.rfind(b"\n") + 1
            for number in dict.fromkeys(_offset.findall(rest[:cut])):
                if not offsets or offsets[-1] != int(number):
                    offsets.append(int(number))
            rest = rest[cut:]
    except (OSError, OverflowError):
        offsets = array("Q")
    if not offsets or len(rest) > BLOCK:
        raise DumpError(f"{index.name} is no index of a multistream dump: no lines like 638:12:Title")
    step = max(1, len(offsets) // CHECKED)
    for offset in {*offsets[::step], offsets[-1]}:
        if not MAGIC.match(next(source.blocks(offset, offset + MAGIC_SIZE), b"")):
            raise DumpError(
                f"{index.name} is the index of another dump: at byte {offset:,} of {source.name} begins no stream"
            )
    cuts = [0]
    for offset in offsets:
        if offset - cuts[-1] >= UNIT["bz2"]:
            cuts.append(offset)
    return (*cuts, source.size)


def _wiki_of(head: bytes) -> str | None:
    name, base = _dbname.search(head), _base.search(head)
    if name is not None and (name[1].endswith(b"wiki") or base is None):
        return name[1].decode()
    return base[1].decode().replace("-", "_") + "wiki" if base else None
