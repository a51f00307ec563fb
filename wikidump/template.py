"""Templates in wikitext, found in one pass and without recursion.

The rules are MediaWiki's preprocessor's (mediawiki.org, "Preprocessor ABNF"): a run of closing braces closes the
innermost open one, three at a time only where three were opened; comments and the content of extension tags such as
``<ref>`` and ``<nowiki>`` are opaque, a comment that is never closed runs to the end, a tag that is never closed is
plain text. In two things the parser is milder, because pages are broken in them and still readable: a ``[[`` that is
never closed within its template does not swallow the rest, and a box that is never closed is cut off, see
:func:`box_at`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from wikidump.wikis import template_title

MAX_BOX = 64 * 1024
"""Characters after which a box counts as never closed; the longest of 66 real ones has 3,542."""

MAX_NAME = 4 * 1024
"""Characters between a template's braces and its first ``|``, comments and all."""

# The extension tags of the Wikipedias.
_TAGS = (
    "nowiki|pre|ref|references|gallery|math|chem|ce|score|source|syntaxhighlight|timeline|hiero|poem|templatedata"
    "|graph|mapframe|maplink|imagemap|inputbox"
)
_OPAQUE = rf"<!--|<(?i:{_TAGS})(?=[\s/>])"
_opaque = re.compile(_OPAQUE)
_closing = {tag: re.compile(rf"</{tag}\s*>", re.IGNORECASE) for tag in _TAGS.split("|")}
_token = re.compile(rf"\{{\{{+|\}}\}}+|\[\[|\]\]|[|=]|\n==|{_OPAQUE}")
_comment_or_nowiki = re.compile(r"<!--.*?(?:-->|\Z)|(<nowiki>.*?</nowiki>)", re.DOTALL | re.IGNORECASE)
_reference = re.compile(r"<ref\b[^>]*/>|<ref\b.*?(?:</ref\s*>|\Z)", re.DOTALL | re.IGNORECASE)

MARKED = {"!": "|", "=": "=", "(": "{", ")": "}", "((": "{{", "))": "}}", "!!": "||", "!(": "[", ")!": "]"}
"""Templates that stand for a sign which would mean something where it is written."""


@dataclass(slots=True)
class Template:
    """One template: its title as MediaWiki writes it, and where it stands in the text.

    ``text[start:end]`` holds it with its braces. ``closed`` is False where the text ended, or was cut off, before its
    closing braces did.
    """

    title: str
    text: str = field(repr=False)
    start: int
    end: int
    closed: bool
    _content_end: int
    _separators: list[int] = field(repr=False)

    def parameters(self) -> dict[str, str]:
        """Names → values as they are written, without comments; of parameters given twice the last one counts.

        Values of named parameters are trimmed, those of numbered ones are not.
        """
        result: dict[str, str] = {}
        number = 0
        text, stop = self.text, self._content_end
        starts = [at for at in self._separators if text[at] == "|"]
        equals = iter([at for at in self._separators if text[at] == "="])
        equal = next(equals, stop)
        for at, until in pairwise([*starts, stop]):
            while equal < at:
                equal = next(equals, stop)
            if equal < until:
                name = without_comments(text[at + 1 : equal]).strip()
                result[name] = without_comments(text[equal + 1 : until]).strip()
            else:
                number += 1
                result[str(number)] = without_comments(text[at + 1 : until])
        return result


@dataclass(slots=True)
class _Open:
    """A ``{{`` or ``[[`` not closed yet."""

    at: int
    braces: int
    """How many opening braces are left of the run; 0 for a link."""
    separators: int
    """How many separators had been seen before it."""


class Opaque:
    """Skips comments and extension tags in one text; remembers what is not to be found, so that it stays linear."""

    def __init__(self, text: str, end: int | None = None) -> None:
        self._text = text
        self._end = len(text) if end is None else end
        self._unclosed: set[str] = set()
        self._bracket = -1

    def skip(self, match: re.Match[str]) -> int:
        """Where to go on after the opener ``match`` (a comment's or a tag's)."""
        text, end = self._text, self._end
        if match[0] == "<!--":
            at = text.find("-->", match.end(), end)
            return end if at < 0 else at + 3
        if self._bracket < match.end():
            at = text.find(">", match.end(), end)
            self._bracket = end if at < 0 else at
        if self._bracket >= end:
            return match.end()
        opened = self._bracket + 1
        if text[opened - 2] == "/":
            return opened
        tag = match[0][1:].lower()
        if tag not in self._unclosed:
            close = _closing[tag].search(text, opened, end)
            if close:
                return close.end()
            self._unclosed.add(tag)
        return match.end()

    def around(self, start: int, position: int) -> int | None:
        """The end of the opaque region that ``position`` lies in, if any; ``start`` must lie outside of one."""
        while (match := _opaque.search(self._text, start, position)) is not None:
            start = self.skip(match)
            if start > position:
                return start
        return None


def without_comments(text: str) -> str:
    """``text`` as MediaWiki sees it: comments gone, those within ``<nowiki>`` kept."""
    return _comment_or_nowiki.sub(lambda match: match[1] or "", text) if "<!--" in text else text


def without_references(text: str) -> str:
    """``text`` without ``<ref>`` and what is in it."""
    return _reference.sub("", text) if "<" in text else text


def replaced(text: str, show: Callable[[Template], str]) -> str:
    """``text`` with what ``show`` gives in the place of each outermost template."""
    if "{{" not in text:
        return text
    pieces = []
    at = 0
    for template in sorted(templates(text), key=lambda each: each.start):
        if template.start >= at:
            pieces += [text[at : template.start], show(template)]
            at = template.end
    return "".join([*pieces, text[at:]])


def templates(text: str) -> list[Template]:
    """All closed templates of ``text``, inner ones before those around them."""
    return _scan(text, 0, len(text), _any_title, box=False)[0]


def box_at(text: str, start: int, title_of: Callable[[str], str]) -> tuple[list[Template], int]:
    """The box whose braces open at ``start``, boxes inside it too, and where to look for the next.

    ``title_of`` makes a title of what stands before the first ``|`` of a template, or an empty text if it is not
    wanted. Returned are the wanted ones in the order of their opening. A box ends with its braces, but at the latest at
    a line that begins with ``==`` (a heading), after ``MAX_BOX`` characters, or with the text; it then has
    ``closed=False`` and the parameters up to there.
    """
    found, end = _scan(text, start, min(len(text), start + MAX_BOX), title_of, box=True)
    return sorted(found, key=lambda box: box.start), end


def _any_title(text: str) -> str:
    return template_title(text, "")


def _scan(text: str, start: int, end: int, title_of: Callable[[str], str], *, box: bool) -> tuple[list[Template], int]:
    found: list[Template] = []
    stack: list[_Open] = []
    separators: list[int] = []
    opaque = Opaque(text, end)
    at = start
    while (match := _token.search(text, at, end)) is not None:
        token, at = match[0], match.end()
        sign = token[0]
        if sign in "|=":
            if stack:
                separators.append(match.start())
        elif sign == "{":
            stack.append(_Open(match.start(), len(token), len(separators)))
        elif sign == "[":
            if stack:
                stack.append(_Open(match.start(), 0, len(separators)))
        elif sign == "]":
            if stack and not stack[-1].braces:
                del separators[stack.pop().separators :]
        elif sign == "}":
            at = match.start()
            while stack and match.end() - at >= 2:
                while not stack[-1].braces:  # links that were never closed; below them is a template
                    stack.pop()
                opened = stack[-1]
                count = 3 if min(opened.braces, match.end() - at) >= 3 else 2
                opened.braces -= count
                if count == 2:
                    found += _template(
                        text, opened.at + opened.braces, at, at + 2, separators[opened.separators :], title_of
                    )
                del separators[opened.separators :]
                at += count
                if opened.braces < 2:
                    stack.pop()
            if box and not stack:
                return found, at
            at = match.end()
        elif sign == "<":
            at = opaque.skip(match)
        elif box:  # a heading
            end = match.start()
            break
    if box:
        until = len(separators)
        for opened in reversed(stack):
            if opened.braces and opened.braces != 3:
                start = opened.at + opened.braces - 2
                cut = _template(text, start, end, end, separators[opened.separators : until], title_of, closed=False)
                if cut:  # what is between this box and the next belongs to it, whatever else was left open
                    found += cut
                    until = opened.separators
    return found, end


def _template(
    text: str,
    start: int,
    content_end: int,
    end: int,
    separators: list[int],
    title_of: Callable[[str], str],
    *,
    closed: bool = True,
) -> list[Template]:
    """The template at ``start``, as a list; an empty one if nobody wants it."""
    first_pipe = next((at for at in separators if text[at] == "|"), content_end)
    if first_pipe - start > MAX_NAME:
        return []
    title = title_of(text[start + 2 : first_pipe])
    return [Template(title, text, start, end, closed, content_end, separators)] if title else []
