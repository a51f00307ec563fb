"""What a response says about the use of what it brings: ``X-Robots-Tag`` and ``<meta name="robots">``, as text.

Nobody has specified these two. What is read is Google's documentation of them, MDN's of the header, and DeviantArt's of
``noai`` and ``noimageai``; where they leave room, the reading that forbids more. Pure functions that take any text,
never raise, and take time linear in its length. What a signal forbids is decided elsewhere (``filters/consent.py``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

MAX_SHOWN = 500
"""Characters of ``str(signal)``."""
_MAX_DIRECTIVE, _MAX_TEXT, _MAX_URL = 60, 160, 230

UNAVAILABLE_AFTER = "unavailable_after"
DIRECTIVES = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "nofollow", "none"})
"""Those without a value that ask for something to be left alone; ``unavailable_after`` is the one that has a value."""
MAX_DATES = 10
"""Of ``unavailable_after`` in one field; one would do."""

_MUTE = frozenset({"all", "index", "follow", "nosnippet", "noarchive", "nocache", "notranslate", "indexifembedded"})
"""Directives that forbid no use; named here because nothing of this name is a crawler."""
_VALUED = frozenset({UNAVAILABLE_AFTER, "max-snippet", "max-image-preview", "max-video-preview"})
_EVERYBODY = frozenset({"*", "robots"})
_SEPARATORS = re.compile(r"[\s;\"']+")  # what others write between directives, or around all of them
_REST_OF_DATE = re.compile(r"\d{1,4}(?=[\s-]|$)")  # behind the comma of "Wed, 03 Dec 2025 …"; but no "360Spider"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

Element = Any  # of lxml, which ships no types


class Kind(StrEnum):
    """Where a signal was found."""

    HEADER = "X-Robots-Tag"
    META = "meta robots"
    TDM_FILE = "tdmrep.json"
    TDM_HEADER = "tdm-reservation"
    TDM_META = "meta tdm-reservation"
    USAGE = "Content-Usage"
    USAGE_ROBOTS_TXT = "robots.txt Content-Usage"
    ROBOTS_TXT = "robots.txt"


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that was said; ``str`` of it is evidence in one line of at most MAX_SHOWN characters."""

    kind: Kind
    directive: str
    """In lower case, such as ``noai``; with a value after ``": "``; of TDM ``1`` or ``0``; of AIPREF ``train-ai=n``."""
    scope: str
    """The crawler addressed, in lower case; empty: all of them."""
    text: str
    """As it was written, or the start of it."""
    url: str
    """Of the response that said it."""

    def __str__(self) -> str:
        said = f"{self.scope}: {self.directive}" if self.scope else self.directive
        said = shortened(said, _MAX_DIRECTIVE)
        text = shortened(self.text, _MAX_TEXT)
        written = f"; as written: {text}" if text.lower() not in {"", said.lower()} else ""
        return f"{self.kind}: {said} ({shortened(self.url, _MAX_URL)}{written})"


def shortened(text: str, most: int) -> str:
    """At most ``most`` characters of ``text``, on one line; what no database or terminal takes becomes a space."""
    clean = _UNPRINTABLE.sub(" ", text[: most + 1]).strip()
    return clean if len(text) <= most else clean[: most - 1] + "…"


def read_robots(value: str, agents: Collection[str], scope: str = "") -> list[tuple[str, str]]:
    """The directives in one header field, or in the ``content`` of one tag, that are for ``agents`` or for everybody.

    A crawler's name and a colon before a directive hold up to the next such name. A crawler addressed by its name
    obeys what is for everybody as well: the sum of what is forbidden counts.

    Args:
        value: of the field, any text.
        agents: our names, in lower case.
        scope: whom the directives are for in front of which there is no name; empty: everybody.

    Returns:
        (scope, directive), each once, in their order; only of DIRECTIVES, and ``unavailable_after: …``.
    """
    found: dict[tuple[str, str], None] = {}
    dates: list[tuple[str, list[str]]] = []
    date: list[str] | None = None
    for piece in value.split(","):
        if date is not None and _REST_OF_DATE.match(piece.strip()):
            date.append(piece.strip())
            continue
        date = None
        parts = piece.split(":")
        for place, part in enumerate(parts):
            words = _words(part)
            named = words.pop() if words and place < len(parts) - 1 else ""
            found |= {(scope, word): None for word in words if word in DIRECTIVES}
            if named == UNAVAILABLE_AFTER:
                date = [":".join(parts[place + 1 :]).strip()]
                dates.append((scope, date))
            if named in _VALUED or named.startswith("max-"):
                break
            if named in DIRECTIVES:
                found[scope, named] = None
            elif named and named not in _MUTE:
                name = named.partition("/")[0]
                scope = "" if name in _EVERYBODY else name
    for of, written in dates[:MAX_DATES]:
        found[of, f"{UNAVAILABLE_AFTER}: {', '.join(written)}"[:100]] = None
    return [(of, directive) for of, directive in found if of == "" or of in agents]


def _words(text: str) -> list[str]:
    return [word for word in _SEPARATORS.split(text.lower()) if word]


def header_signals(values: Iterable[str], agents: Collection[str], url: str) -> Iterator[Signal]:
    """What the ``X-Robots-Tag`` fields of a response say; ``values`` are the fields, each by itself."""
    for value in values:
        for scope, directive in read_robots(value, agents):
            yield Signal(Kind.HEADER, directive, scope, shortened(value, _MAX_TEXT), url)


def meta_signals(root: Element, agents: Collection[str], url: str) -> Iterator[Signal]:
    """What the ``<meta name="robots">`` of a page say, and those with one of ``agents`` for a name.

    They belong into the head. Those in the body are read as well: on a page whose markup is broken, parsers end the
    head before them.
    """
    for name, content, _ in metas(root):
        if name in _EVERYBODY or name in agents:
            for scope, directive in read_robots(content, agents, "" if name in _EVERYBODY else name):
                yield Signal(Kind.META, directive, scope, shortened(content, _MAX_TEXT), url)


def metas(root: Element) -> Iterator[tuple[str, str, bool]]:
    """Name in lower case, content, and "is it in the head?" of each ``<meta>`` that has a name."""
    head = next(root.iter("{*}head"), None)
    of_head = set() if head is None else set(head.iter("{*}meta"))
    for node in root.iter("{*}meta"):
        attributes = {name.rpartition("}")[2].lower(): value for name, value in node.attrib.items()}
        if attributes.get("name"):
            yield attributes["name"].strip().lower(), attributes.get("content", ""), node in of_head


def moment_of(directive: str) -> datetime | None:
    """When something becomes unavailable, aware; None where ``directive`` is no ``unavailable_after`` with a date.

    RFC 822, RFC 850 and ISO 8601, as Google documents; in UTC where nothing else is said.
    """
    name, _, value = directive.partition(": ")
    if name != UNAVAILABLE_AFTER:
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(value.strip())
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
            continue
    return None
