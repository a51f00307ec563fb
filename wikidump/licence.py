"""What the page of a file says: its licence, and whether the file lies on this wiki or on Commons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from wikidump.filename import original_url
from wikidump.page import Page
from wikidump.rows import FilePage, Row
from wikidump.template import replaced, templates, without_comments
from wikidump.title import clean_title
from wikidump.wikis import prefix_pattern, table

MAX_TEXT = 64 * 1024
"""Characters of a file's page that are looked at."""

# On the page of a file of Commons, a wiki may note that it features the file. Such a page has nothing else.
_SHADOW = re.compile(
    r"featured|fp(c|o)?$|f$|picture of the day|potd|pic ?of ?the ?day|pod$|dyk ?file|main ?page|m-cropped|c-uploaded"
    r"|commons|keep local high-risk|selected|good picture|valued|assessed|spoken article|on this day|otd"
)
_several = frozenset({"self", "multilicense replacing placeholder", "self2", "multi-license"})
_link = re.compile(r"\[\[[^\[\]\n]*\]\]")
_heading = re.compile(r"^={2,}[^=\n]*={2,}", re.MULTILINE)


def read_file_page(page: Page, wiki: str) -> FilePage | None:
    """The facts of a page in the File: namespace; None if it is a note on a file of Commons.

    It is taken for one if it holds nothing but categories, links and templates that feature or feature no file. The
    page of a moved file names where it went.
    """
    name = _file_name(page.title, wiki)
    if page.redirect is not None:
        return FilePage(name, None, False, target=_file_name(page.redirect, wiki))
    text = without_comments(page.text[:MAX_TEXT])
    found = templates(text)
    titles = [template.title for template in found]
    for template in found:
        if template.title.casefold() in _several:
            titles += [value.strip() for key, value in template.parameters().items() if key.isdecimal()]
    licence, nonfree = licence_of(titles)
    if licence is None and all(_SHADOW.match(title.casefold()) for title in titles):
        rest = replaced(text, lambda template: "")
        if not _heading.sub("", _link.sub("", rest)).strip():
            return None
    return FilePage(name, licence, nonfree)


def licence_of(titles: list[str]) -> tuple[str | None, bool]:
    """(short licence name, non-free) by the titles of templates and ``tables/licences.toml``; (None, False) if none."""
    best: tuple[int, str, bool] | None = None
    for title in titles:
        for order, (pattern, licence, nonfree) in enumerate(_rules()):
            match = pattern.match(title)
            if match:
                if best is None or order < best[0]:
                    best = order, match.expand(licence).upper() if "\\" in licence else licence, nonfree
                break
    return (best[1], best[2]) if best else (None, False)


def settle(row: Row, files: Mapping[str, FilePage]) -> Row:
    """``row`` with repository, licence and URL, now that all pages of files of the dump are known, by their names.

    A file that has no page on the wiki lies on Commons; one that was moved is followed once. Rows without an image,
    and those whose repository is known (``enwiki``), stay as they are.
    """
    if row.image_status != "ok" or row.image_name is None or row.repository is not None:
        return row
    name = row.image_name
    page = files.get(name)
    if page is not None and page.target is not None:
        name = page.target
        page = files.get(name)
    if page is None or page.target is not None:
        return replace(row, image_name=name, repository="commons", url=original_url(name, "commons"))
    url = original_url(name, repository_code(row.wiki))
    return replace(row, image_name=name, repository="local", licence=page.licence, url=url)


def repository_code(wiki: str) -> str:
    """What a wiki is called in the URLs of its files: ``en`` for ``enwiki``, ``zh-yue`` for ``zh_yuewiki``."""
    return wiki.removesuffix("wiki").replace("_", "-")


def _file_name(title: str, wiki: str) -> str:
    prefix = prefix_pattern("file").match(title)
    return clean_title(title[prefix.end() :] if prefix else title.partition(":")[2] or title, wiki)


@cache
def _rules() -> list[tuple[re.Pattern[str], str, bool]]:
    return [
        (re.compile(rule["match"], re.IGNORECASE), rule["licence"], rule.get("nonfree", False))
        for rule in table("licences")["rule"]
    ]
