"""The ``srcset`` attribute: parsed as the HTML standard says, and sorted by how useful each file is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_USEFUL_WIDTH = 2560
"""Pixels. A wider file costs transfer and shows a classifier nothing more."""

MIN_USEFUL_WIDTH = 640
"""Pixels. Where everything up to the maximum is narrower than this, a file beyond the maximum is worth it."""

MAX_SOURCES = 64
"""Entries read from one attribute; real ones have fewer than twenty."""

MAX_ENTRIES = 4 * MAX_SOURCES
"""The same, with those that make no sense."""

_NOT_SPACE = re.compile(r"[^ \t\n\f\r]+")
_SPACE_OR_COMMA = re.compile(r"[ \t\n\f\r,]+")
_WIDTH = re.compile(r"([0-9]{1,9})w")
_HEIGHT = re.compile(r"[0-9]{1,9}h")
_DENSITY = re.compile(r"([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,3})?)x")


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a picture: its address and what is said of its size."""

    url: str
    width: int | None = None
    """The file's width in pixels (``w`` descriptor)."""
    density: float | None = None
    """Pixels of the file per CSS pixel (``x`` descriptor)."""


def parse_srcset(text: str) -> list[Source]:
    """The sources of a ``srcset``, in the order written; those with descriptors that make no sense are left out."""
    sources: list[Source] = []
    position, end, entries = 0, len(text), 0
    while position < end and len(sources) < MAX_SOURCES and entries < MAX_ENTRIES:
        entries += 1
        separator = _SPACE_OR_COMMA.match(text, position)
        if separator:
            position = separator.end()
        # A URL runs to the next space, so commas within it (and within data: URIs) are part of it.
        found = _NOT_SPACE.match(text, position)
        if not found:
            break
        url, position = found.group(), found.end()
        descriptors: list[str] = []
        if url.endswith(","):
            url = url.rstrip(",")
        else:
            descriptors, position = _descriptors(text, position)
        source = _source(url, descriptors)
        if source:
            sources.append(source)
    return sources


def usefulness(width: int) -> tuple[int, int]:
    """A sort key for widths, the most useful highest: wide, but not absurdly wider than anyone needs."""
    if width > MAX_USEFUL_WIDTH:
        return 1, -width
    return (2 if width >= MIN_USEFUL_WIDTH else 0), width


def best_first(sources: Iterable[Source]) -> list[Source]:
    """``sources`` by usefulness: those of known width first, then by density; equals stay in their order."""

    def key(source: Source) -> tuple[int, tuple[int, int], float]:
        if source.width is not None:
            return 1, usefulness(source.width), 0.0
        return 0, (0, 0), source.density or 1.0

    return sorted(sources, key=key, reverse=True)


def _descriptors(text: str, position: int) -> tuple[list[str], int]:
    """The words up to the next comma outside parentheses, and where the text goes on behind that comma."""
    start, depth = position, 0
    while position < len(text):
        character = text[position]
        if character == "(":
            depth += 1
        elif character == ")" and depth:
            depth = 0  # the standard does not nest them
        elif character == "," and not depth:
            return text[start:position].split(), position + 1
        position += 1
    return text[start:].split(), position


def _source(url: str, descriptors: list[str]) -> Source | None:
    width: int | None = None
    density: float | None = None
    for word in descriptors:
        if (match := _WIDTH.fullmatch(word)) and width is None and density is None:
            width = int(match.group(1))
            if width == 0:
                return None
        elif (match := _DENSITY.fullmatch(word)) and width is None and density is None:
            density = float(match.group(1))
        elif not _HEIGHT.fullmatch(word):
            return None
    return Source(url, width, density)
