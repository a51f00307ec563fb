"""Texts from anywhere as Markdown and as YAML: what is in them is text there, and never markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

LONGEST = 300
"""Characters of a text that are shown."""

_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_SIGNS = re.compile(r"([\\`*_\[\]|~$!#])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_LINKED = re.compile(r"://|www\.", re.IGNORECASE)
"""What GitHub and others make a link of by themselves."""


def markdown(text: str) -> str:
    """``text`` in a line or a table's cell: no markup, no HTML, no link, no new line; what is long is cut."""
    text = "".join(sign if sign.isprintable() else "\ufffd" for sign in _SPACE.sub(" ", text).strip())
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    text = _SIGNS.sub(r"\\\1", text)
    text = "".join(_ENTITIES.get(sign, sign) for sign in text)
    return _LINKED.sub(lambda found: found[0].replace("/", "&#47;").replace(".", "&#46;"), text)


def link(url: str | None, text: str) -> str:
    """A link to an address of the web; only ``text`` where it is none. ``text`` is Markdown already."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return text
    if parts.scheme not in {"http", "https"} or not parts.netloc or len(url or "") > 2000:
        return text
    return f"[{text}]({quote(url or '', safe=_SAFE)})"


_SAFE = "/:?#@!$&'*+,;=%~"
"""Of an address in a link; brackets and spaces would end it."""


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[int] = ()) -> list[str]:
    """Lines of a table. Cells are Markdown already; whole numbers get their commas.

    Args:
        headings: of the columns.
        rows: their cells.
        numbers: columns, from 0, that are set to the right.
    """
    right = set(numbers)
    lines = [
        f"| {' | '.join(headings)} |",
        f"|{'|'.join('---:' if at in right else '---' for at in range(len(headings)))}|",
    ]
    for row in rows:
        cells = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def yaml(value: Any, indent: int = 0) -> list[str]:
    """Lines of block-style YAML that is the same in versions 1.1 and 1.2; keys are plain words."""
    pad = "  " * indent
    lines: list[str] = []
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, dict | list) and each:
                lines += [f"{pad}{key}:", *yaml(each, indent + 1)]
            else:
                lines.append(f"{pad}{key}: {_scalar(each)}")
        return lines
    for each in value:
        if isinstance(each, dict) and each:
            first, *more = yaml(each, indent + 1)
            lines += [f"{pad}- {first.lstrip()}", *more]
        else:
            lines.append(f"{pad}- {_scalar(each)}")
    return lines


_PLAIN = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value not in _WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else _escaped(ord(sign)) for sign in quoted)


def _escaped(code: int) -> str:
    """JSON has no sign above U+FFFF as one escape, and YAML no surrogates: those become ``?``."""
    if 0xD800 <= code < 0xE000:
        return "?"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def ordered(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """Most first; equal ones by name, whatever the order in which they came."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0] is None, str(each[0])))


def top(counts: Mapping[Any, int], most: int) -> tuple[list[tuple[Any, int]], list[int]]:
    """The ``most`` that have most, and the numbers of the others."""
    found = ordered(counts)
    return found[:most], [number for _, number in found[most:]]


def and_more(rest: Sequence[int], what: str) -> Iterator[str]:
    """A line for what a table does not show, where there is something."""
    if rest:
        yield f"And {number_of(len(rest), f'more {what}')}, with {sum(rest):,} in sum."
        yield ""


def share_of(part: float, whole: float) -> str:
    """``12.3%``."""
    return f"{part / whole:.1%}" if whole else "0%"


def number_of(number: int, what: str) -> str:
    """``1 image``, ``2,000 images``."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")
