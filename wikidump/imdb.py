"""The IMDb id of a film."""

from __future__ import annotations

import re
from itertools import islice

from wikidump.template import without_comments

MAX_TEMPLATES = 20
"""Templates about IMDb that are looked at on a page."""

# {{IMDb title|0114709|Toy Story}} under its names in other languages. {{IMDb name}} and {{IMDb company}} are others.
_template = re.compile(
    r"\{\{\s*(?i:imdb(?:[ _-]*(?:title|title id|movie|film|filme|titre|titlu|título|titulo|títol|titolo|titel|tittel"
    r"|titull|elokuva|başlık|cím|název|naslov|наслов|фильм|película|pelicula|episode|id))?)\s*\|([^{}]{0,200})"
)
_parameter = re.compile(r"(?:^|\|)\s*(?:[\w ]{1,12}=)?\s*(?:tt)?(\d{5,8})/?\s*(?=\||$)")
_link = re.compile(r"imdb\.com/(?:[a-z]{2}/)?title/tt(\d{7,8})")
_value = re.compile(r"\btt(\d{7,8})(?!\d)|^\s*(\d{5,8})\s*$")


def imdb_id(value: str) -> str | None:
    """The id in the value of an ``imdb`` parameter: ``tt0114709``, ``0114709``, ``114709`` or a link."""
    match = _value.search(value)
    return _written(match[1] or match[2]) if match else None


def imdb_id_of_page(text: str) -> str | None:
    """The id in the first ``{{IMDb title|…}}`` of a page, whatever its language calls it; else in a link to IMDb."""
    for template in islice(_template.finditer(text), MAX_TEMPLATES):
        match = _parameter.search(without_comments(template[1]))
        if match and not _in_comment(text, template.start()):
            return _written(match[1])
    link = _link.search(text)
    return _written(link[1]) if link and not _in_comment(text, link.start()) else None


def _in_comment(text: str, at: int) -> bool:
    return text.rfind("<!--", 0, at) > text.rfind("-->", 0, at)


def _written(digits: str) -> str:
    return f"tt{digits:0>7}"
