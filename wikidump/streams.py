"""The text of one part of a dump: bz2 streams found by their magic number and decompressed, or plain XML.

A part owns the streams that begin in it; of plain XML, the bytes themselves. Everything here yields text in pieces of
at most :data:`WINDOW` bytes, then, once, None, and then what follows the part, for a reader that is in the middle of a
page (files packed by pbzip2 cut pages in two).
"""

from __future__ import annotations

import bz2
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from wikidump.source import LocalFile, Source

try:
    import indexed_bzip2  # the extra "fast"
except ImportError:
    indexed_bzip2 = None
HAS_FAST = indexed_bzip2 is not None

WINDOW = 1 << 20
"""Bytes of text in one piece. A stream of a multistream dump has about as many."""

MAGIC = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
"""How a stream begins: its header and its first block's, or, of an empty stream, its end's. It begins with a byte."""
MAGIC_SIZE = 10

SEARCH = 4 << 20
"""A file without a second stream in so many bytes is taken to be a single one."""


@dataclass(slots=True)
class Part:
    """The bytes from ``start`` to ``end`` of ``source``.

    While it is read, ``at`` is how far that is, and ``damage`` gets (offset, what is wrong there).
    """

    source: Source
    start: int
    end: int
    at: int = 0
    damage: list[tuple[int, str]] = field(default_factory=list)


class FastError(Exception):
    """indexed_bzip2 does not like the data; :func:`text` of the same part, with bz2, tells why."""


def text(part: Part) -> Iterator[bytes | None]:
    """The text of a part of a bz2 file; of damaged streams, what comes before the damage."""
    source, end = part.source, part.end
    blocks = _Input(source, part.start, end)
    between = part.start == 0
    owned = True
    while True:
        skipped = blocks.find_stream(end if owned else sys.maxsize)
        if skipped and between:
            part.damage.append((blocks.at - skipped, f"{skipped:,} bytes are no bz2 stream"))
        if blocks.ended:
            return
        at, between = blocks.at, True
        if owned and at >= end:
            owned = False
            yield None
        decompressor = bz2.BZ2Decompressor()
        try:
            while not decompressor.eof:
                data = blocks.take() if decompressor.needs_input else b""
                if not data and decompressor.needs_input:
                    raise EOFError
                piece = decompressor.decompress(data, WINDOW)
                part.at = blocks.at
                if piece:
                    yield piece
        except (OSError, EOFError) as error:
            if not owned:
                return  # the part that owns it will say so
            ended = isinstance(error, EOFError)
            part.damage.append((at, "the file ends in the middle of a bz2 stream" if ended else "a damaged bz2 stream"))
            blocks = _Input(source, at + 1, end)
            between = False
        else:
            blocks.give_back(decompressor.unused_data)


class _Input:
    """Blocks of a source as one buffer that knows where in the file it is."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self._blocks = source.blocks(start, end)
        self._buffer = b""
        self.at, self.ended = start, False

    def take(self) -> bytes:
        """All that is at hand, or the next block; empty at the end of the file."""
        data = self._buffer or next(self._blocks, b"")
        self._buffer = b""
        self.at += len(data)
        return data

    def give_back(self, data: bytes) -> None:
        """Undo part of :meth:`take`."""
        self._buffer = data + self._buffer
        self.at -= len(data)

    def find_stream(self, limit: int) -> int:
        """Go on to where a stream begins; how many bytes were passed over, zero padding not counted.

        ``ended`` is set where the file ends first, or none begins before ``limit``.
        """
        skipped = 0
        while (match := MAGIC.search(self._buffer)) is None:
            skipped += self._drop(len(self._buffer) - MAGIC_SIZE + 1)
            block = next(self._blocks, b"") if self.at < limit else b""
            if not block:
                self.ended = True
                return skipped + self._drop(len(self._buffer))
            self._buffer += block
        return skipped + self._drop(match.start())

    def _drop(self, size: int) -> int:
        dropped, self._buffer = self._buffer[: max(0, size)], self._buffer[max(0, size) :]
        self.at += len(dropped)
        return len(dropped) if dropped.strip(b"\0") else 0


def fast_text(part: Part, threads: int = 1) -> Iterator[bytes | None]:
    """The same as :func:`text`, by indexed_bzip2; a local file as a whole is decompressed by several ``threads``.

    Raises:
        FastError: something is damaged. Pieces given before are right.
    """
    if isinstance(part.source, LocalFile) and part.start == 0 and part.end >= part.source.size:
        yield from _fast(part, part.source.name, part.source.size, threads)
        return
    data, follows = _streams_of(part.source, part.start, part.end)
    if data:
        yield from _fast(part, io.BytesIO(data), len(data), 1)
    if follows is not None:
        yield None
        yield from filter(None, text(Part(part.source, follows, follows + 1)))


def _fast(part: Part, file: str | io.BytesIO, size: int, threads: int) -> Iterator[bytes]:
    try:
        with indexed_bzip2.open(file, parallelization=threads) as reader:
            pieces = 0
            while piece := reader.read(WINDOW):
                if pieces % 64 == 0:  # with several threads this is not for nothing
                    part.at = part.start + max(reader.available_block_offsets(), default=0) // 8
                pieces += 1
                yield piece
            # In bits: several threads keep the end as a last block, one thread knows where it stands.
            ended = (max(reader.tell_compressed(), max(reader.block_offsets(), default=0)) + 7) // 8
    except (RuntimeError, ValueError, OSError) as error:
        raise FastError(str(error)) from None
    if ended != size:
        raise FastError(f"only {ended} of {size} bytes are bz2 streams")


def _streams_of(source: Source, start: int, end: int) -> tuple[bytes, int | None]:
    """The streams that begin in a part as bytes, and the offset of the first behind it, None at the end of the file.

    Raises:
        FastError: the last one is so long that it is better not held in memory.
    """
    data = bytearray()
    first: int | None = None
    for block in source.blocks(start, end):
        searched = max(0, len(data) - MAGIC_SIZE + 1)
        data += block
        if first is None:
            match = MAGIC.search(data, searched)
            if match is None and start + len(data) < end + MAGIC_SIZE:
                continue
            if match is None:
                return b"", None  # all of the part is inside of one stream
            first = match.start()
            if start + first >= end:
                return b"", start + first
        if start + len(data) > end:
            match = MAGIC.search(data, max(searched, end - start))
            if match:
                return bytes(memoryview(data)[first : match.start()]), start + match.start()
            if start + len(data) > end + SEARCH:
                raise FastError("a very long stream")
    return (b"", None) if first is None else (bytes(memoryview(data)[first:]), None)


def plain_text(part: Part) -> Iterator[bytes | None]:
    """The same of a file that is not compressed."""
    at = part.start
    for block in part.source.blocks(part.start, part.end):
        part.at = at + len(block)
        if at < part.end <= part.at:
            yield block[: part.end - at]
            yield None
            block = block[part.end - at :]
        yield block
        at = part.at


def many_streams(source: Source) -> bool:
    """Whether a bz2 file looks like a multistream one: a second stream begins within :data:`SEARCH` bytes."""
    data = bytearray()
    for block in source.blocks(0, SEARCH):
        data += block
        if len(data) >= SEARCH:
            break
    return sum(1 for _ in MAGIC.finditer(data)) > 1
