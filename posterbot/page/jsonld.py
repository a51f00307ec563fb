"""Images and films in JSON-LD: ``<script type="application/ld+json">``."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable

from posterbot.catalogue.records import Film
from posterbot.page.candidates import FoundBy, Offer
from posterbot.page.films import Thing, read_film, texts, types_of, values
from posterbot.page.images import clean, pixels
from posterbot.page.urls import Resolver, is_image

MAX_BLOCK_LENGTH = 1_000_000
"""Characters; longer scripts are skipped whole, since half a JSON document is none."""

MAX_DEPTH = 40
MAX_THINGS = 20_000

IMAGE_PROPERTIES = ("image", "thumbnailUrl", "thumbnail", "primaryImageOfPage", "photo")
"""Properties of a thing whose values are its pictures."""

IMAGE_TYPES = frozenset({"ImageObject", "MediaObject", "Photograph"})

_TRAILING_COMMA = re.compile(r",\s*+([}\]])")


def read_json_ld(blocks: Iterable[str], resolver: Resolver) -> tuple[list[Offer], list[Film]]:
    """The images and films of a page's JSON-LD scripts; a script that is no JSON is skipped."""
    things: list[Thing] = []
    for block in blocks:
        things += _things(_parse(block), MAX_THINGS - len(things))
    # An object of nothing but an @id is a reference to the one that has the rest.
    by_id: dict[str, Thing] = {}
    for thing in things:
        name = thing.get("@id")
        if isinstance(name, str) and len(thing) > 1:
            by_id.setdefault(name, thing)
    offers: list[Offer] = []
    for thing in things:
        if "ImageObject" in types_of(thing):
            offers += _image_object(thing, "", resolver)
            continue
        owner = clean(next(iter(texts(thing, "name", {})), ""), 200)
        for name in IMAGE_PROPERTIES:
            for value in values(thing, name):
                if isinstance(value, str):
                    url = resolver.image(value)
                    offers += [Offer([url], FoundBy.JSON_LD, caption=owner)] if url else []
                elif isinstance(value, dict):
                    reference = value.get("@id")
                    target = by_id.get(reference, value) if isinstance(reference, str) else value
                    # A reference may lead anywhere, even back to the film.
                    if IMAGE_TYPES.issuperset(types_of(target)):
                        offers += _image_object(target, owner, resolver)
    return offers, [film for thing in things if (film := read_film(thing, by_id))]


def _image_object(thing: Thing, owner: str, resolver: Resolver) -> list[Offer]:
    """The picture of an ``ImageObject``; its caption is its own, else the name of what it is the picture of."""
    urls: list[str] = []
    for name in ("contentUrl", "url", "@id", "thumbnailUrl", "thumbnail"):
        for value in values(thing, name):
            if isinstance(value, dict):
                value = value.get("contentUrl") or value.get("url")
            url = resolver.image(value) if isinstance(value, str) else ""
            # "url" may be the page about the picture, and "@id" is only a name that may look like an address.
            if url and (name not in {"url", "@id"} or is_image(url) or (name == "url" and not urls)):
                urls.append(url)
    if not urls:
        return []
    caption = next((text for name in ("caption", "name") for text in texts(thing, name, {})), owner)
    width, height = (pixels(_number(thing.get(name))) for name in ("width", "height"))
    return [Offer(list(dict.fromkeys(urls)), FoundBy.JSON_LD, "", "", clean(caption, 200), width, height)]


def _number(value: object) -> object:
    """The number in a plain value or a ``QuantitativeValue``."""
    return value.get("value") if isinstance(value, dict) else value


def _parse(block: str) -> object:
    if len(block) > MAX_BLOCK_LENGTH:
        return None
    text = _unwrapped(block)
    # As it stands; then with the two mistakes that hand-made templates make most.
    for repair in (str, _without_trailing_commas, html.unescape):
        try:
            # Not strict: a line break within a string is no reason to lose the rest.
            return json.loads(repair(text), strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _without_trailing_commas(text: str) -> str:
    return _TRAILING_COMMA.sub(r"\1", text)


def _unwrapped(block: str) -> str:
    """The script without the comment or CDATA wrapper that hides it from ancient browsers."""
    text = block.strip("\ufeff \t\r\n;")
    for opening in ("//", "/*", "<!--", "<![CDATA[", "*/"):
        text = text.removeprefix(opening).lstrip()
    for closing in ("*/", "-->", "]]>", "//", "/*"):
        text = text.removesuffix(closing).rstrip()
    return text.rstrip("; \t\r\n")


def _things(document: object, limit: int) -> list[Thing]:
    """All objects within a document, outer before inner, in the order written."""
    things: list[Thing] = []
    stack: list[tuple[object, int]] = [(document, 0)]
    while stack and len(things) < limit:
        value, depth = stack.pop()
        inner: Iterable[object] = ()
        if isinstance(value, dict):
            things.append(value)
            inner = value.values()
        elif isinstance(value, list):
            inner = value
        if depth < MAX_DEPTH:
            stack += [(each, depth + 1) for each in reversed(list(inner)) if isinstance(each, dict | list)]
    return things
