"""One robots.txt: from any bytes to what it asks of us. Pure functions; Protego reads the rules and judges URLs."""

from __future__ import annotations

import re

from protego import Protego

MAX_BYTES = 512 * 1024
"""Of a file, from its start. RFC 9309 §2.5 asks for 500 KiB at least."""
MAX_DELAY = 300.0
"""Seconds between two requests; who asks for more gets this."""

# Lines as parsers in use take them, with a space for the hyphen or without the colon. Groups end as for Protego.
_AGENT = re.compile(r"user[\s-]*agent\s*[\s:]\s*(.*)|user[\s-]*agent$", re.IGNORECASE)
_RULE = re.compile(
    r"(?:allow|di(?:s{1,2}al{1,2}ow|asllow|sallaw)|(?:crawl[\s-]delay|request[\s-]rate))\s*[\s:]", re.IGNORECASE
)
_WORD = re.compile(r"[a-z0-9_-]+")


def product_tokens(user_agent: str) -> frozenset[str]:
    """The names under which a robots.txt may address us, in lower case: the words before the contact, no versions."""
    words = _WORD.findall(re.split(r"[(;]\s*\+", user_agent.lower())[0])
    return frozenset(word for word in words if not word.isdigit())


def rules_for(names: frozenset[str], body: bytes) -> bytes:
    """The rules of the robots.txt ``body`` that are for ``names``, as lines of UTF-8; empty if nothing is asked of us.

    Any bytes will do: what is no rule is passed over, as are HTML pages sent in the place of a missing file. Of a
    ``body`` longer than MAX_BYTES the start counts, up to the last whole line.

    Groups for the longest of ``names`` found count together, else those for ``*`` (§2.2.1). That a parser sees only
    these keeps its work and memory linear: Protego copies each rule for every agent of its group.
    """
    encoding = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(body[:2], "utf-8")
    text = body[:MAX_BYTES].decode(encoding, "replace").lstrip("\ufeff").replace("\0", "")
    if len(body) >= MAX_BYTES:
        text = text[: 1 + max(text.rfind("\n"), text.rfind("\r"))]
    found: dict[str, list[str]] = {}
    group: set[str] = set()
    heading = False
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        if agent := _AGENT.match(line):
            value = (agent[1] or "").lower()
            named = names.intersection(_WORD.findall(value)) or ({"*"} if value and not value.strip("*") else set())
            group = group | named if heading else set(named)
            heading = True
            for name in named:
                found.setdefault(name, [])
        elif _RULE.match(line):
            heading = False
            for name in group:
                found[name].append(line)
    ours = max((name for name in found if name != "*"), key=len, default="*")
    return "\n".join(found.get(ours, [])).encode()


def parse(rules: bytes) -> Protego:
    """A parser of what ``rules_for`` gave. Its agent is ``*``."""
    return Protego.parse("User-agent: *\n" + rules.decode())


def delay_of(parser: Protego) -> float | None:
    """Seconds from the start of one request to that of the next: 0 to MAX_DELAY, None if nothing is asked."""
    rate = parser.request_rate("*")
    asked = [parser.crawl_delay("*"), None if rate is None else rate.seconds / rate.requests]
    found = [min(seconds, MAX_DELAY) for seconds in asked if seconds is not None]
    return max(found, default=None)
