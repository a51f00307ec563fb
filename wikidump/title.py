"""Titles as MediaWiki writes them."""

from __future__ import annotations

import html
import re
import unicodedata

# MediaWikiTitleCodec: white space of all kinds and the underscore are one space, marks of direction are dropped.
_spaces = re.compile("[ _\u00a0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_directions = re.compile("[\u200e\u200f\u202a-\u202e]")
_entity = re.compile(r"&(?:#\d+|#x[\da-f]+|\w+);", re.IGNORECASE)

DOTTED_I = frozenset({"trwiki", "azwiki", "kaawiki"})
"""Wikis in which the capital of i is İ."""


def clean_title(text: str, wiki: str = "") -> str:
    """``text`` as a title without its namespace: entities resolved once, spaces single, NFC, first letter upper."""
    text = _entity.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text
    text = unicodedata.normalize("NFC", _spaces.sub(" ", _directions.sub("", text)))
    return upper_first(text.strip(" \t\r\n"), wiki)


def upper_first(text: str, wiki: str = "") -> str:
    """``text`` with its first letter as MediaWiki capitalises it.

    Letters whose capital is no single letter stay (ß, ŉ), digraphs get their title form (ǆ → ǅ), Georgian has no
    capitals (MediaWiki's ``phpCharToUpper.json``; the old scripts that it leaves alone besides are not treated).
    """
    if not text:
        return text
    first = text[0]
    if first == "i" and wiki in DOTTED_I:
        return "İ" + text[1:]
    upper = first.title()
    return text if len(upper) != 1 or "ა" <= first <= "ჿ" else upper + text[1:]
