"""TDMRep, the W3C community group's report of 10 May 2024: who reserves the rights of text and data mining.

By a file for the whole site, by header fields, by ``<meta>`` of a page. Pure functions that take any text and never
raise. The time to match a URL is linear in its length and in that of the rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from posterbot.page.consent import Element, Kind, Signal, metas, shortened

WELL_KNOWN = "/.well-known/tdmrep.json"
MAX_BYTES = 512 * 1024
"""Of a file, from its start."""
MAX_RULES = 10_000
RESERVED, NOT_RESERVED = "1", "0"
_MAX_TEXT = 200

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_BETWEEN = " \t\r\n,"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a file."""

    location: str
    """Pattern of a path: ``*`` is anything, ``$`` at the end is the end."""
    reservation: str | None
    """RESERVED, NOT_RESERVED, or None where the file says neither, so that nothing is said of such paths."""
    policy: str = ""


def read_file(body: bytes) -> tuple[Rule, ...]:
    """The rules of a ``tdmrep.json``, in their order; what is none is passed over, as is a page in its place.

    A file that is cut off or damaged counts up to there, one rule without the brackets as a list of one.
    """
    text = body[:MAX_BYTES].decode("utf-8", "replace").lstrip("\ufeff" + _BETWEEN)
    place = 1 if text.startswith("[") else 0
    decoder = json.JSONDecoder()
    rules: list[Rule] = []
    while len(rules) < MAX_RULES:
        while place < len(text) and text[place] in _BETWEEN:
            place += 1
        if place >= len(text) or text[place] != "{":  # the end, or no object
            break
        try:
            found, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        if (rule := _rule(found)) is not None:
            rules.append(rule)
        if not text.startswith("["):
            break
    return tuple(rules)


def _rule(found: dict[str, Any]) -> Rule | None:
    location, reservation = found.get("location"), found.get("tdm-reservation")
    if not isinstance(location, str) or not location.strip() or reservation is None:
        return None
    location = location.strip()
    if not location.startswith(("/", "*")):
        location = f"/{location}"
    policy = found.get("tdm-policy")
    number = isinstance(reservation, int | float | str) and not isinstance(reservation, bool)
    said = value_of(str(reservation).removesuffix(".0")) if number else None
    return Rule(normal_path(location), said, policy[:4096] if isinstance(policy, str) else "")


def rule_for(rules: Iterable[Rule], url: str) -> Rule | None:
    """The rule that ``url`` falls under: "the most specific match is the first in sequence"."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = normal_path((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return next((rule for rule in rules if matches(rule.location, path)), None)


def matches(location: str, path: str) -> bool:
    """Does ``path`` begin as ``location`` says? As with robots.txt; without regular expressions, which can be slow."""
    to_the_end = location.endswith("$")
    first, *others = location.removesuffix("$").replace("$", "%24").split("*")
    path = path.replace("$", "%24").replace("*", "%2A")  # these two stand for themselves only in a URL
    if not path.startswith(first):
        return False
    if not others:
        return not to_the_end or path == first
    place = len(first)
    for part in others[:-1]:
        place = path.find(part, place)
        if place < 0:
            return False
        place += len(part)
    last = others[-1]
    if to_the_end:
        return path.endswith(last) and len(path) - len(last) >= place
    return path.find(last, place) >= 0


def normal_path(path: str) -> str:
    """One spelling of equal paths: unreserved characters as they are, escapes in capitals, UTF-8 escaped."""

    def escape(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if _UNRESERVED.fullmatch(character) else match[0].upper()

    # All of ASCII stays as it is; what is not, and lone surrogates, are escaped.
    ascii_only = path if path.isascii() else quote(path, safe=_ASCII, errors="replace")
    return _ESCAPE.sub(escape, ascii_only)


_ASCII = "".join(map(chr, range(128)))


def value_of(text: str) -> str | None:
    """RESERVED, NOT_RESERVED, or None for any other value, which the report calls unset.

    A list, as proxies make of several fields, is reserved where one of its members is.
    """
    said = {part.strip() for part in text.split(",")}
    if RESERVED in said:
        return RESERVED
    return NOT_RESERVED if said == {NOT_RESERVED} else None


def file_signal(rule: Rule | None, site: str) -> Signal | None:
    """What the file of ``site`` (``https://example.org``) says by ``rule``; None where it says nothing."""
    if rule is None or rule.reservation is None:
        return None
    written = rule.location + (f", tdm-policy {rule.policy}" if rule.policy else "")
    return Signal(Kind.TDM_FILE, rule.reservation, "", shortened(f"location {written}", _MAX_TEXT), site + WELL_KNOWN)


def tdm_header_signals(reservations: Iterable[str], policies: Iterable[str], url: str) -> Iterator[Signal]:
    """What the header fields ``tdm-reservation`` of a response say; ``tdm-policy`` goes into the text."""
    policy = next(iter(policies), "")
    for value in reservations:
        if said := value_of(value):
            text = value + (f", tdm-policy {policy}" if policy and said == RESERVED else "")
            yield Signal(Kind.TDM_HEADER, said, "", shortened(text, _MAX_TEXT), url)


def tdm_meta_signals(root: Element, url: str) -> Iterator[Signal]:
    """What the ``<meta name="tdm-reservation">`` of a page say.

    Rights are reserved by one anywhere on the page, but given free only in its head: into the body, others may write.
    """
    found = list(metas(root))
    policy = next((content for name, content, _ in found if name == "tdm-policy"), "")
    for name, content, in_head in found:
        if name == "tdm-reservation" and (said := value_of(content)) and (in_head or said == RESERVED):
            text = content + (f", tdm-policy {policy}" if policy and said == RESERVED else "")
            yield Signal(Kind.TDM_META, said, "", shortened(text, _MAX_TEXT), url)
