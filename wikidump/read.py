"""From the text of a dump to the pages that matter. No XML parser: dumps are regular, and most pages are not wanted.

``<`` and ``>`` are escaped in titles and wikitext, so a tag found in the bytes is a tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from wikidump.page import Page

MAX_PAGE = 10 << 20
"""Bytes of a page's XML. MediaWiki takes 2 MiB of wikitext; what is longer here is a page with all its revisions."""

TITLES_KEPT = 20

OPEN, CLOSE, END = b"<page", b"</page>", b"</mediawiki>"
_open = re.compile(rb"<page[\s>]")
_namespace = re.compile(rb"<ns>\s*(-?\d+)\s*</ns>")
_title = re.compile(rb"<title>([^<]*)</title>")
_id = re.compile(rb"<id>\s*(\d+)\s*</id>")
_redirect = re.compile(rb'<redirect\s+title\s*=\s*"([^"]*)"')
_text = re.compile(rb"<text\b([^>]*)>")


@dataclass(slots=True)
class Seen:
    """What went by while reading.

    ``skipped`` counts pages beyond :data:`MAX_PAGE` and pages without a title; ``titles`` are the first of them.
    ``cut`` is set where the text ends within a page, ``finished`` where it ends as a dump does, with ``</mediawiki>``.
    """

    text_bytes: int = 0
    pages: int = 0
    skipped: int = 0
    titles: list[str] = field(default_factory=list)
    cut: bool = False
    finished: bool = False

    def skip(self, head: bytes) -> None:
        """Count a page that is left out."""
        self.skipped += 1
        if len(self.titles) < TITLES_KEPT:
            found = _title.search(head)
            self.titles.append(unescape(found[1].decode("utf-8", "replace")) if found else "?")


def pages(text: Iterable[bytes | None], find: Callable[[bytes, int], int], seen: Seen) -> Iterator[Page]:
    """Articles in which ``find`` finds something, all File: pages, and all redirects among the templates.

    Args:
        text: as from :func:`wikidump.streams.text`; pages that begin before the None in it are given.
        find: (bytes, offset) → offset of the next place that may matter, or -1.
        seen: is kept up to date.
    """
    rest = b""
    begun = skipping = False
    pieces = iter(text)
    for piece in pieces:
        if piece is None:
            seen.finished |= END in rest
            if not skipping:
                yield from _whole_pages(_last_page(rest, pieces, seen), find, seen)
            return
        seen.text_bytes += len(piece)
        window = piece if rest.isspace() else rest + piece
        if not begun:  # what comes before belongs to the part before this one, or is the head of the file
            match = _open.search(window)
            if match is None:
                seen.finished |= END in window
                rest = window[-len(END) :]
                continue
            window = window[match.start() :]
            begun = True
        if skipping:
            closed = window.find(CLOSE)
            if closed < 0:
                rest = window[-len(CLOSE) :]
                continue
            skipping = False
            window = window[closed + len(CLOSE) :]
        cut = window.rfind(CLOSE) + len(CLOSE)
        if cut < len(CLOSE):
            rest = window
            if len(window) - max(window.find(OPEN), 0) > MAX_PAGE:
                seen.pages += 1
                seen.skip(window[:4096])
                skipping, rest = True, window[-len(CLOSE) :]
            continue
        rest = window[cut:]
        yield from _whole_pages(window[:cut], find, seen)
    seen.cut = skipping or _open.search(rest) is not None
    seen.finished |= END in rest


def _last_page(rest: bytes, pieces: Iterator[bytes | None], seen: Seen) -> bytes:
    """The page that begins in ``rest``, the end of a part, and ends in ``pieces``; empty if none begins there."""
    own = len(rest)
    begins = _open.search(rest) is not None
    if not begins and not any(rest.endswith(OPEN[:size]) for size in range(1, len(OPEN) + 1)):
        return b""
    for piece in pieces:
        rest += piece or b""
        if not begins and len(rest) > own + len(OPEN):
            match = _open.search(rest)
            if match is None or match.start() >= own:
                return b""  # half a tag, but of something else
            begins = True
        closed = rest.find(CLOSE)
        if closed >= 0:
            return rest[: closed + len(CLOSE)]
        if len(rest) > MAX_PAGE:
            seen.pages += 1
            seen.skip(rest[:4096])
            return b""
    seen.cut = begins
    return b""


def _whole_pages(window: bytes, find: Callable[[bytes, int], int], seen: Seen) -> Iterator[Page]:
    """Pages of a window that ends with the end of a page; it may be empty."""
    first = window.find(CLOSE) + len(CLOSE)
    opened = window.rfind(OPEN, 0, first)
    at = 0
    if opened >= 0 and first - opened > MAX_PAGE:  # only the first can be so long: the others fit into one piece
        seen.skip(window[opened : opened + 4096])
        at = first
    spans: dict[int, int] = {}
    numbered = 0
    for match in _namespace.finditer(window):
        numbered += 1
        if match.start() >= at and (match[1] == b"6" or (match[1] == b"10" and _is_redirect(window, match.end()))):
            _add_span(spans, window, match.start())
    seen.pages += numbered or window.count(CLOSE)
    while (at := find(window, at)) >= 0:
        at = _add_span(spans, window, at)
    for start in sorted(spans):
        page = parse(window[start : spans[start]])
        if page is None:
            seen.skip(window[start : min(spans[start], start + 4096)])
        else:
            yield page


def _is_redirect(window: bytes, at: int) -> bool:
    return window.find(b"<redirect", at, window.find(b"<revision", at)) >= 0


def _add_span(spans: dict[int, int], window: bytes, at: int) -> int:
    """Note the page around ``at``, if there is a whole one; where to look for the next."""
    start = window.rfind(OPEN, 0, at + len(OPEN))
    end = window.find(CLOSE, at)
    if end < 0:
        return len(window)
    end += len(CLOSE)
    if start >= 0 and window.find(CLOSE, start, at) < 0:
        another = window.find(OPEN, start + 1, end)
        if another >= 0:  # something is missing in between: a damaged stream
            return another
        spans[start] = end
    return end


def parse(raw: bytes) -> Page | None:
    """The page of the XML from ``<page`` to ``</page>``, with its last revision; None if it has no title.

    A page without ``<ns>`` (schemas before 0.6) counts as an article. A text that is deleted or missing is empty.
    """
    revision = raw.rfind(b"<revision")
    head = raw[: revision if revision >= 0 else len(raw)]
    title = _title.search(head)
    if title is None:
        return None
    namespace = _namespace.search(head)
    page_id = _id.search(head)
    redirect = _redirect.search(head)
    rev_id = _id.search(raw, revision) if revision >= 0 else None
    text = _text.search(raw, max(revision, 0))
    body = b""
    if text is not None and not text[1].endswith(b"/"):
        end = raw.find(b"</text>", text.end())
        body = raw[text.end() : end if end >= 0 else len(raw)]
    return Page(
        page_id=int(page_id[1]) if page_id else 0,
        namespace=int(namespace[1]) if namespace else 0,
        title=unescape(title[1].decode("utf-8", "replace")),
        redirect=unescape(redirect[1].decode("utf-8", "replace")) if redirect else None,
        rev_id=int(rev_id[1]) if rev_id else 0,
        text=unescape(body.decode("utf-8", "replace")),
    )


def unescape(text: str) -> str:
    """XML's entities resolved once: ``&amp;lt;`` is ``&lt;``."""
    return _entity.sub(_character, text)


_signs = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
_entity = re.compile(r"&(lt|gt|quot|apos|amp|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if name in _signs:
        return _signs[name]
    code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
