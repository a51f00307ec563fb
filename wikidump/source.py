"""Where the bytes of a dump lie: a file, a URL that answers range requests, or the standard input."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import IO

from wikidump.web import TRIES, ContactError, WebError, fetch

BLOCK = 256 * 1024
HEAD = 64 * 1024


class SourceError(Exception):
    """The bytes cannot be read: one line that says what is wrong where."""


class LocalFile:
    """A file.

    ``size`` is in bytes. ``stamp`` tells whether it is still the same file: the size and a digest of both ends.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            with Path(name).open("rb") as file:
                self.size = file.seek(0, 2)
                file.seek(0)
                ends = file.read(HEAD)
                file.seek(max(0, self.size - HEAD))
                ends += file.read(HEAD)
        except OSError as error:
            raise SourceError(f"cannot read {name}: {error.strerror}") from None
        self.stamp = f"{self.size} {hashlib.sha1(ends, usedforsecurity=False).hexdigest()}"

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` to the end of the file; ``end`` is where most callers stop."""
        try:
            with Path(self.name).open("rb") as file:
                file.seek(start)
                while block := file.read(BLOCK):
                    yield block
        except OSError as error:
            raise SourceError(f"cannot read {self.name}: {error.strerror}") from None


class RemoteFile:
    """A file on a web server; ``stamp`` is its size and its ETag (or its date).

    A connection that breaks is taken up again where it broke.
    """

    def __init__(self, url: str, contact: str = "") -> None:
        self.name, self._contact = url, contact
        self.size, self.stamp = 0, ""
        for _ in self._ask(0, HEAD):
            pass

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` to the end of the file; asks for those up to ``end`` first, then for more."""
        more = BLOCK
        tries = TRIES
        while start < self.size:
            before = start
            for block in self._ask(start, min(end, self.size)):
                start += len(block)
                yield block
            if start >= end:
                end, more = start + more, 2 * more
            # The server hung up early. Nothing at all, several times, is an end.
            tries = TRIES if start > before else tries - 1
            if not tries:
                raise SourceError(f"{self.name}: the server breaks off at byte {start:,}")

    def _ask(self, start: int, end: int) -> Iterator[bytes]:
        try:
            response = fetch(self.name, self._contact, headers={"Range": f"bytes={start}-{max(start, end - 1)}"})
        except ContactError:
            raise
        except WebError as error:
            if start == 0 and str(error).endswith("416 Requested Range Not Satisfiable"):
                return  # an empty file has no byte 0
            raise SourceError(str(error)) from None
        with response:
            place = re.match(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
            if response.status != 206 or not place or int(place[1]) != start:
                raise SourceError(f"{self.name}: the server gives no byte ranges; download the file first")
            stamp = f"{place[2]} {response.headers.get('ETag') or response.headers.get('Last-Modified') or ''}"
            if self.stamp and stamp != self.stamp:
                raise SourceError(f"{self.name}: the file was replaced while it was read; start again")
            self.size, self.stamp = int(place[2]), stamp
            try:
                while block := response.read(BLOCK):
                    yield block
            except (OSError, HTTPException):
                return


class StandardInput:
    """What comes down a pipe: read once, from the beginning on. Its size is not known before it ends."""

    name = "-"
    stamp = ""
    size = sys.maxsize

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self._stream = stream or sys.stdin.buffer
        self._head: list[bytes] = []

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """All there is. What was read before is given again as long as nothing behind the first MiB was."""
        assert start == 0
        yield from self._head
        while block := self._stream.read(BLOCK):
            if sum(map(len, self._head)) < 4 * BLOCK:
                self._head.append(block)
            yield block


Source = LocalFile | RemoteFile | StandardInput


def open_source(name: str, contact: str = "") -> Source:
    """The file, URL or ``-`` called ``name``.

    Raises:
        SourceError: it cannot be read, or its server gives no byte ranges.
        ContactError: it is a URL, and there is no ``contact``.
    """
    if name == "-":
        return StandardInput()
    return RemoteFile(name, contact) if name.startswith(("https://", "http://")) else LocalFile(name)
