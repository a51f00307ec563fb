"""From the value of an ``image`` parameter to the name of a file, and from there to the URL of its original."""

from __future__ import annotations

import re
from functools import cache, partial
from hashlib import md5
from urllib.parse import quote, unquote

from wikidump.template import MARKED, Template, replaced, without_comments, without_references
from wikidump.title import clean_title
from wikidump.wikis import prefix_pattern, table

STILL = frozenset({"jpg", "jpeg", "jpe", "jfif", "png", "gif", "svg", "webp", "tif", "tiff", "bmp", "xcf"})
OTHER = frozenset({"webm", "ogv", "ogg", "oga", "mp4", "mpg", "mpeg", "mov", "avi", "pdf", "djvu", "mid", "mp3", "wav"})
"""Extensions of pictures, and of what Wikipedia has besides."""

MAX_VALUE = 8 * 1024
"""Characters of a value that are looked at."""

MAX_DEPTH = 10
"""How deep templates within a value are followed."""

_extension = re.compile(r"\.(\w{2,4})$", re.ASCII)
_first_file = re.compile(r".+?\.(?:jpe?g|png|gif|svg|webp|tiff?)(?=\s*[,;/]\s|\s+\d+(?:x\d+)?px\b|$)", re.IGNORECASE)
_url = re.compile(r"\[?\s*(?:(?:https?|ftp)?:?//|https?:|www\.)|[\w.-]{1,80}\.(?:com|org|net)/", re.IGNORECASE)
_link = re.compile(r"\[\[([^\[\]|\n]+)(?:\|[^\[\]]*)?(?:\[\[[^\[\]]*\]\][^\[\]]*)*\]\]?")
_gallery = re.compile(r"<gallery\b[^>]*>(.*?)(?:</gallery\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_tag = re.compile(r"</?(?:br|small|big|center|div|span|nowiki|noinclude|includeonly|onlyinclude|p|b|i|u)\b[^>]*>", re.I)
_quoted = re.compile(r"^'{2,5}(.*?)'{2,5}$", re.DOTALL)
_percent = re.compile(r"%[\da-fA-F]{2}")
_illegal = re.compile(r"[\[\]{}|<>#:/\\\x00-\x1f\x7f\ud800-\udfff\ufffd]")


def image_name(value: str | None, wiki: str = "") -> tuple[str | None, str]:
    """The canonical name of the file an ``image`` parameter names, and a status.

    The name is as in the title of the file's page, without ``File:``, with spaces. The statuses are ``absent`` (there
    is no parameter: ``value`` is None), ``empty`` (nothing, a word for nothing, or a placeholder's name), ``url`` (a
    web address), ``not_image`` (a file that is no picture, named; or words), ``unparsed`` (not understood) and ``ok``.
    Of several files the first counts.
    """
    if value is None:
        return None, "absent"
    text = without_references(without_comments(value[:MAX_VALUE])).strip()
    gallery = _gallery.search(text)
    if gallery:
        lines = [line.strip() for line in gallery[1].split("\n")]
        text = next((line for line in lines if line), "")
    shown = _tag.sub("\n", replaced(text, _shown)).strip()
    if text and not shown and "{{" in text:
        return None, "unparsed"
    text = _quoted.sub(r"\1", shown)
    if not text or _means_nothing(text):
        return None, "empty"
    if _url.match(text):
        return None, "url"
    links = [match[1] for match in _link.finditer(text)]
    if links:
        text = next((link for link in links if prefix_pattern("file").match(link)), links[0])
    elif text.startswith("[["):
        text = text.lstrip("[")  # a link that is never closed
    text = next((line.strip() for line in text.split("\n") if line.strip()), "")
    if "|" in text:
        text = text.split("|")[0]
    return _named(text, wiki)


def _named(text: str, wiki: str) -> tuple[str | None, str]:
    prefix = prefix_pattern("file").match(text)
    text = text[prefix.end() :] if prefix else text
    if _percent.search(text):
        try:
            text = unquote(text, errors="strict")
        except UnicodeDecodeError:
            return None, "unparsed"
    name = clean_title(text, wiki)
    several = _first_file.match(name)
    if several:
        name = several[0]
    if (prefix and not name) or _means_nothing(name):
        return None, "empty"
    if _url.match(name):
        return None, "url"
    if not name or _illegal.search(name) or len(name.encode()) > 255:
        return None, "unparsed"
    if _has_extension(name, STILL):
        return name, "ok"
    return (name if _has_extension(name, OTHER) else None), "not_image"


def _means_nothing(text: str) -> bool:
    words, files = _placeholders()
    folded = text.casefold()
    return (
        folded in words or files.fullmatch(_extension.sub("", folded.replace("-", " ").replace("_", " "))) is not None
    )


@cache
def _placeholders() -> tuple[frozenset[str], re.Pattern[str]]:
    listed = table("placeholders")
    return frozenset(listed["words"]), re.compile("|".join(listed["files"]))


def _has_extension(name: str, extensions: frozenset[str]) -> bool:
    return (match := _extension.search(name)) is not None and match[1].lower() in extensions


def _shown(template: Template, depth: int = 0) -> str:
    """What a template within a value shows: a sign, or the first file that one of its parameters names."""
    if template.title in MARKED:
        return MARKED[template.title]
    inside = template.text[template.start + 2 : template.end - 2]
    link = next((match for match in _link.finditer(inside) if prefix_pattern("file").match(match[1])), None)
    if link:
        return link[0]
    for value in template.parameters().values():
        value = value.strip()
        if "{{" in value and depth < MAX_DEPTH:
            value = replaced(value, partial(_shown, depth=depth + 1)).strip()
        if _has_extension(value.split("|")[0].strip(), STILL | OTHER) and not _url.match(value):
            return value
    return ""


def original_url(name: str, repository: str) -> str:
    """The URL of the original of the file ``name``, in ``repository``: ``commons`` or a Wikipedia's code (``en``).

    The path is by the MD5 of the name with underscores (MediaWiki's ``FileRepo::getHashPath``). Thumbnails' URLs are
    not built: only standard widths are served, and their host changes.
    """
    name = name.replace(" ", "_")
    digest = md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"https://upload.wikimedia.org/wikipedia/{repository}/{digest[0]}/{digest[:2]}/{quote(name, safe='')}"
