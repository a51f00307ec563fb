"""What one image element offers: its files, its description and its declared size, from its attributes alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from posterbot.page.candidates import FoundBy, Offer
from posterbot.page.srcset import Source, best_first, parse_srcset, usefulness
from posterbot.page.urls import Resolver, is_image

FULL_ATTRIBUTES = (
    "data-orig-file",
    "data-full",
    "data-full-url",
    "data-fullsrc",
    "data-hi-res-src",
    "data-highres",
    "data-large_image",
    "data-large-file",
    "data-zoom-image",
)
"""Attributes with the address of the full file; ``src`` is then a thumbnail of it."""

LAZY_ATTRIBUTES = ("data-src", "data-original", "data-lazy-src", "data-lazy", "data-echo", "data-actualsrc")
"""Attributes whose address a script will put into ``src``, which until then holds a placeholder."""

VAGUE_ATTRIBUTES = ("data-image", "data-img", "data-url", "data-poster")
"""Attributes that hold an image on one site and a link or an identifier on the next."""

LAZY_SRCSETS = ("data-srcset", "data-lazy-srcset", "data-original-set")
"""``srcset`` as kept for a script."""

BACKGROUND_ATTRIBUTES = ("data-bg", "data-background", "data-background-image", "data-bg-src", "data-lazy-bg")
"""Backgrounds as kept for a script, on any element."""

UNREADABLE_TYPES = frozenset(
    f"image/{name}"
    for name in ("svg+xml", "heic", "heif", "heic-sequence", "heif-sequence", "jxl", "jp2", "jpx", "jxr")
)
"""Media types of ``<source>`` that no decoder here reads."""

MAX_PIXELS = 100_000
"""Declared sizes beyond this are nonsense."""

_PIXELS = re.compile(r"\s*\+?([0-9]{1,6})(?:\.[0-9]*)?\s*(?:px)?\s*", re.IGNORECASE)
_STYLE_SIZE = re.compile(r"(?:^|;)\s*+(width|height)\s*+:\s*+([0-9]{1,6})(?:\.[0-9]*+)?px", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"(?:^|[^a-z])(?:spacer|blank|empty|placeholder|loading|loader|preloader|lazy|lazyload|pixel|transparent|trans"
    r"|gr[ae]y|dummy|clear|1x1)(?![a-z])"
)


def read_img(attributes: Mapping[str, str], resolver: Resolver, before: Sequence[Source] = ()) -> Offer | None:
    """The offer of an ``<img>``, or None where it has no file yet.

    Args:
        attributes: those of the element.
        resolver: of the page.
        before: the files of the ``<source>`` elements of a ``<picture>`` around it, already absolute.
    """
    full = _addresses(attributes, FULL_ATTRIBUTES, resolver)
    lazy = _addresses(attributes, LAZY_ATTRIBUTES, resolver)
    lazy_sets = [
        source for name in LAZY_SRCSETS if name in attributes for source in read_srcset(attributes[name], resolver)
    ]
    sets = read_srcset(attributes.get("srcset", ""), resolver)
    src = _filled_in(attributes, "src", resolver)
    vague = _addresses(attributes, VAGUE_ATTRIBUTES, resolver)
    lazy += [url for url in vague if is_image(url) or not (src or lazy or sets or lazy_sets)]
    if lazy or lazy_sets:
        sets = [source for source in sets if not is_placeholder(source.url)]
    ranked = best_first([*before, *lazy_sets, *sets])
    urls = [*full, *(source.url for source in ranked), *lazy]
    fallback = ""
    if lazy or lazy_sets:
        fallback = "" if is_placeholder(src) else src
    elif src:
        urls.append(src)
    if not urls:
        return None
    url = urls[0]
    if url in {*full, *lazy, *(source.url for source in lazy_sets)}:
        found_by = FoundBy.LAZY
    elif any(url == source.url for source in before):
        found_by = FoundBy.PICTURE
    else:
        found_by = FoundBy.SRCSET if any(url == source.url for source in sets) else FoundBy.IMG
    width, height = (None, None) if full else _file_size(ranked, url, declared_size(attributes))
    return Offer(
        urls=list(dict.fromkeys(urls)),
        found_by=found_by,
        alt=clean(attributes.get("alt") or attributes.get("aria-label") or ""),
        title=clean(attributes.get("title", "")),
        width=width,
        height=height,
        fallback=fallback,
    )


def read_source(attributes: Mapping[str, str], resolver: Resolver) -> list[Source]:
    """The files of a ``<source>`` in a ``<picture>``; none where their type cannot be read."""
    if attributes.get("type", "").partition(";")[0].strip().lower() in UNREADABLE_TYPES:
        return []
    return [
        s for name in (*LAZY_SRCSETS, "srcset") if name in attributes for s in read_srcset(attributes[name], resolver)
    ]


def read_srcset(text: str, resolver: Resolver) -> list[Source]:
    """The files of a ``srcset`` with absolute addresses."""
    if resolver.exhausted:
        return []
    sources = [replace(source, url=resolver.image(source.url)) for source in parse_srcset(text)]
    return [source for source in sources if source.url]


def declared_size(attributes: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Width and height in pixels as attributes or inline style give them; percentages say nothing."""
    width, height = pixels(attributes.get("width", "")), pixels(attributes.get("height", ""))
    if "style" in attributes and (width is None or height is None):
        style = {name.lower(): pixels(value) for name, value in _STYLE_SIZE.findall(attributes["style"])}
        width, height = width or style.get("width"), height or style.get("height")
    return width, height


def pixels(value: object) -> int | None:
    """``300``, ``"300"`` or ``"300px"`` as a number of pixels; None for everything else."""
    match = _PIXELS.fullmatch(str(value)[:32]) if isinstance(value, str | int | float) else None
    number = int(match.group(1)) if match else 0
    return number if 0 < number <= MAX_PIXELS else None


def is_placeholder(url: str) -> bool:
    """Whether the file name in ``url`` is one of those that stand in for images still to be loaded."""
    return bool(_PLACEHOLDER.search(url.partition("?")[0].rpartition("/")[2][:200].lower()))


def clean(text: str, limit: int = 1_000) -> str:
    """``text`` with white space collapsed, cut to ``limit`` characters."""
    return " ".join(text[: 4 * limit].split())[:limit].rstrip()


def _addresses(attributes: Mapping[str, str], names: Sequence[str], resolver: Resolver) -> list[str]:
    return [url for name in names if name in attributes and (url := _filled_in(attributes, name, resolver))]


def _filled_in(attributes: Mapping[str, str], name: str, resolver: Resolver) -> str:
    """The address in an attribute; where it has room for a width, the most useful one that the element lists."""
    raw = attributes.get(name)
    if raw and "{width}" in raw:
        try:
            widths = json.loads(attributes.get("data-widths", "")[:300])
        except ValueError:
            widths = None
        known = [width for width in widths if pixels(width)] if isinstance(widths, list) else []
        if known:
            raw = raw.replace("{width}", str(max(known, key=usefulness)))
    return resolver.image(raw)


def _file_size(
    ranked: Sequence[Source], url: str, shown: tuple[int | None, int | None]
) -> tuple[int | None, int | None]:
    """The size of the file: as ``srcset`` gives it, in the proportions in which the page shows it."""
    file_width = next((source.width for source in ranked if source.url == url), None)
    width, height = shown
    if file_width is None or file_width > MAX_PIXELS:
        return shown
    return file_width, round(file_width * height / width) if width and height else None
