"""Markup cut down to what a parser can be given: its time grows with the square of an element's attributes.

Real pages are nowhere near these limits and come out as they are.
"""

from __future__ import annotations

import re

import parsel

MAX_TAGS = 50_000
"""Elements, comments and the like read from one page; the rest of a page that has more is ignored."""

MAX_ATTRIBUTES = 200
"""Of one element; the rest of them are ignored."""

MAX_ALL_ATTRIBUTES = 150_000
"""Of all elements: what follows is ignored."""

# Every repetition is possessive, so that no input makes the scanner go back.
_TAG = re.compile(r"<([a-zA-Z][^\s/>]*+)")
_ATTRIBUTE = re.compile(r"[\s/]*+([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+|(?=>)))?+")
# All that makes a node: stray </p> and </br> do.
_MARKUP = re.compile(r"<(?:[a-zA-Z!?]|/(?:[^a-zA-Z]|p|br))", re.IGNORECASE)
_ENDS = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "textarea", "title")}


def parse_html(text: str) -> parsel.Selector:
    """The tree of a page, however it is written. Scrapy's own way there raises where ``<base>`` is no address."""
    return parsel.Selector(text=bounded(text), type="html")


def bounded(text: str) -> str:
    """``text`` without what is beyond the limits: itself, where nothing is. Takes time linear in its length."""
    kept: list[str] = []
    copied = position = tags = attributes = 0
    while found := _MARKUP.search(text, position):
        position = found.start()
        if tags == MAX_TAGS or attributes > MAX_ALL_ATTRIBUTES:
            return "".join([*kept, text[copied:position]])
        tags += 1
        tag = _TAG.match(text, position)
        if tag is None:
            end = text.find("-->", position + 2) if text.startswith("<!--", position) else found.end()
            position = len(text) if end < 0 else end
            continue
        position = tag.end()
        last = None
        for count in range(1, MAX_ATTRIBUTES + 2):
            attribute = _ATTRIBUTE.match(text, position)
            if attribute is None:
                break
            if count > MAX_ATTRIBUTES:
                last = position
            position = attribute.end()
            attributes += 1
        if last is not None:
            while attribute := _ATTRIBUTE.match(text, position):
                position = attribute.end()
            kept.append(text[copied:last])
            copied = position
        if closing_tag := _ENDS.get(tag.group(1).lower()):
            closing = closing_tag.search(text, position)
            position = closing.start() if closing else len(text)
    return text if not kept else "".join([*kept, text[copied:]])
