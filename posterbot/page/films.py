"""Films as schema.org describes them, whichever markup the description is written in."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from posterbot.catalogue.records import Film

KINDS = ("Movie", "TVSeries")
"""The schema.org types that are films here."""

PROPERTIES = frozenset({"name", "datePublished", "dateCreated", "startDate", "genre", "director", "sameAs"})
"""What is read of a film (and, of its director, the name)."""

MAX_VALUES = 20
"""Genres, directors and the like that are read of one film."""

MAX_TEXT = 300

Thing = Mapping[str, object]
"""A schema.org thing as in JSON-LD: ``@type``, ``@id`` and properties, each with one value or a list of them."""

_YEAR = re.compile(r"(?<![0-9])(18[7-9][0-9]|19[0-9]{2}|20[0-9]{2})(?![0-9])")


def types_of(thing: Thing) -> tuple[str, ...]:
    """The short names of the types of a thing: ``Movie`` for ``http://schema.org/Movie`` and ``schema:Movie``."""
    return tuple(re.split("[/:#]", each)[-1] for each in values(thing, "@type") if isinstance(each, str))


def values(thing: Thing, name: str) -> list[object]:
    """The values of a property; none, one and many written the same way."""
    value = thing.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def read_film(thing: Thing, things: Mapping[str, Thing]) -> Film | None:
    """The film that ``thing`` describes; None where it is no film or has no name.

    Args:
        thing: the description.
        things: what ``@id`` references may point to.
    """
    kind = next((kind for kind in KINDS if kind in types_of(thing)), None)
    name = next(iter(texts(thing, "name", things)), "")
    if kind is None or not name:
        return None
    return Film(
        kind=kind,
        name=name,
        year=_year(thing, things),
        genres=texts(thing, "genre", things),
        directors=texts(thing, "director", things),
        same_as=tuple(url for url in texts(thing, "sameAs", things) if url.startswith(("http://", "https://"))),
    )


def texts(thing: Thing, name: str, things: Mapping[str, Thing]) -> tuple[str, ...]:
    """The values of a property as plain texts, each once; of things (a person, a tagged string) their name."""
    found: dict[str, None] = {}
    for value in values(thing, name)[:MAX_VALUES]:
        if isinstance(value, Mapping):
            reference = value.get("@id")
            if "name" not in value and isinstance(reference, str):
                value = things.get(reference, value)
            value = next((value[key] for key in ("name", "@value", "@id") if value.get(key)), None)
            if isinstance(value, list):
                value = next(iter(value), None)
            if isinstance(value, Mapping):
                value = value.get("@value")
        if isinstance(value, str):
            # JSON needs no character references, but many sites write "&apos;" into it.
            text = " ".join(html.unescape(value[: 4 * MAX_TEXT]).split())[:MAX_TEXT]
            if text:
                found[text] = None
    return tuple(found)


def _year(thing: Thing, things: Mapping[str, Thing]) -> int | None:
    for name in ("datePublished", "dateCreated", "startDate"):
        for value in values(thing, name):
            if isinstance(value, int) and 1870 <= value < 2100:
                return value
        for text in texts(thing, name, things):
            if match := _YEAR.search(text):
                return int(match.group(1))
    return None
