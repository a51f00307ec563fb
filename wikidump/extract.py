"""From a page to rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from wikidump import categories, finder
from wikidump.facts import year
from wikidump.filmbox import Parameters
from wikidump.imdb import imdb_id_of_page
from wikidump.licence import read_file_page
from wikidump.page import Page
from wikidump.rows import FilePage, Row
from wikidump.template import Opaque, Template, box_at
from wikidump.wikis import KINDS, template_title, wiki_named

ARTICLES, FILES, TEMPLATES = 0, 6, 10
"""Namespaces."""

_redirect = re.compile(r"\s*[#＃][^\s\[]{1,40}[\s:]*\[\[([^\[\]|\n]{1,255})")
_bracketed = re.compile(r"\(([^()]*)\)$")


class Extractor:
    """Finds the boxes of one wiki and makes rows of them; a worker process can be given one.

    ``wiki`` is the database name (``enwiki``), ``kinds`` which of film, television, video_game, book and album are
    wanted, ``templates`` further templates that count as the first of them. ``redirects`` maps the titles of templates
    to those they redirect to. Raises ValueError for a kind that does not exist.
    """

    def __init__(
        self,
        wiki: str,
        kinds: Sequence[str] = ("film",),
        templates: Sequence[str] = (),
        redirects: Mapping[str, str] = {},
        dump_date: str | None = None,
    ) -> None:
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(f"no kind {kind!r}: there are {', '.join(KINDS)}")
        if not kinds:
            raise ValueError(f"no kind given: there are {', '.join(KINDS)}")
        self._wiki = wiki_named(wiki)
        self._dump_date = dump_date
        kept = {*kinds, *(("header", "part") if "film" in kinds else ())}
        self._boxes = {title: box for title, box in self._wiki.boxes.items() if box[1] in kept}
        self._boxes |= {title: (title, kinds[0]) for name in templates if (title := template_title(name, wiki))}
        for alias in redirects:
            target = alias
            for _ in range(3):  # MediaWiki itself follows one, robots clean up the rest
                target = template_title(redirects.get(target, target), wiki)
            if target in self._boxes:
                self._boxes.setdefault(template_title(alias, wiki), self._boxes[target])
        self._in_xml = finder.in_xml(self._wiki, self._boxes)
        self._in_text = finder.in_text(self._wiki, self._boxes)

    def may_match(self, raw: bytes) -> bool:
        """Whether ``raw``, the XML of a page or of many, may hold a box. No box is missed; a comment may hold it."""
        return self._in_xml.search(raw) is not None

    def find(self, raw: bytes, start: int = 0) -> int:
        """Offset of the next place in ``raw`` XML at or after ``start`` that may open a box; -1 if there is none.

        For a whole stream: take the page around the offset, go on behind it.
        """
        match = self._in_xml.search(raw, start)
        return match.start() if match else -1

    def rows(self, page: Page) -> Iterator[Row]:
        """One row for each box of ``page``, if it is an article, in their order; never raises for any text."""
        if page.namespace != ARTICLES or page.redirect is not None:
            return
        boxes = self._find_boxes(page.text)
        parts = [box for box in boxes if self._kind(box) == "part"]
        first = True
        for box in boxes:
            kind = self._kind(box)
            parameters = box.parameters()
            if kind == "part":
                continue
            if kind == "header":  # its parts say what it is about; one film alone is a film
                if len(parts) != 1 or not _is_film(parts[0]):
                    continue
                kind = "film"
                parameters = parts[0].parameters() | parameters
            yield self._row(page, box, kind, parameters, first)
            first = False

    def file_page(self, page: Page) -> FilePage | None:
        """What a File: page says about its file; None for other pages, and for a mere note on a file of Commons."""
        return read_file_page(page, self._wiki.name) if page.namespace == FILES else None

    def template_redirect(self, page: Page) -> tuple[str, str] | None:
        """(alias, template), without ``Template:``, of a redirect in that namespace; None for other pages."""
        if page.namespace != TEMPLATES:
            return None
        target = page.redirect
        if target is None:  # dumps before 2008 do not mark redirects
            match = _redirect.match(page.text)
            target = match[1] if match else None
        if target is None:
            return None
        alias, title = template_title(page.title, self._wiki.name), template_title(target, self._wiki.name)
        return (alias, title) if alias and title else None

    def _kind(self, box: Template) -> str:
        return self._boxes[box.title][1]

    def _box_title(self, text: str) -> str:
        title = template_title(text, self._wiki.name)
        return title if title in self._boxes else ""

    def _find_boxes(self, text: str) -> list[Template]:
        boxes: list[Template] = []
        opaque = Opaque(text)
        at = 0
        while (match := self._in_text.search(text, at)) is not None:
            start = match.start()
            skipped = opaque.around(at, start)
            if skipped is not None:
                at = skipped
                continue
            while start > at and text[start - 1] == "{":
                start -= 1
            found, end = box_at(text, start, self._box_title)
            boxes += found
            at = max(end, match.end())
        return boxes

    def _row(self, page: Page, box: Template, kind: str, given: Mapping[str, str], first: bool) -> Row:
        wiki = self._wiki
        parameters = Parameters(wiki, given)
        image = parameters.image()
        status = "unparsed" if image.status == "absent" and not box.closed else image.status
        names = categories.categories(page.text)
        bracketed = _bracketed.search(page.title)
        return Row(
            wiki=wiki.name,
            page_id=page.page_id,
            title=page.title,
            rev_id=page.rev_id,
            template=self._boxes[box.title][0],
            kind=kind,
            image_name=image.name,
            image_status=status,
            url=image.url,
            repository=image.repository,
            licence=None,
            year=parameters.year()
            or (year(bracketed[1]) if bracketed else None)
            or categories.year_of(names, wiki.name),
            directors=parameters.names("director"),
            countries=parameters.names("country"),
            languages=parameters.names("language"),
            genres=categories.genres(names, wiki.name, parameters.all("genre")),
            imdb_id=parameters.imdb_id() or (imdb_id_of_page(page.text) if first else None),
            dump_date=self._dump_date,
        )


def _is_film(part: Template) -> bool:
    kind = part.parameters().get("type", "").casefold()
    return "film" in kind or "movie" in kind or part.title.endswith("/Movie")
