"""What each Wikipedia calls its boxes, their parameters, and its namespaces: the tables as Python sees them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from wikidump.title import clean_title

KINDS = ("film", "television", "video_game", "book", "album")
FACTS = ("image", "poster_on_enwiki", "director", "year", "country", "language", "genre", "imdb")


@dataclass(frozen=True, slots=True)
class Wiki:
    """One Wikipedia.

    ``boxes`` maps every title of a box's template, redirects too, to (the template, its kind); kinds are ``KINDS``,
    ``header`` and ``part``. ``parameters`` maps each of ``FACTS`` to names of parameters as :func:`folded`, the best
    first. ``takes_nonfree`` tells whether posters are uploaded there. ``template_namespace`` holds its names, lower
    case.
    """

    name: str
    template_namespace: tuple[str, ...]
    boxes: dict[str, tuple[str, str]]
    parameters: dict[str, tuple[str, ...]]
    takes_nonfree: bool


def table(name: str) -> dict[str, Any]:
    """The table ``tables/NAME.toml``."""
    return tomllib.loads((files("wikidump") / "tables" / f"{name}.toml").read_text("utf-8"))


@cache
def all_wikis() -> dict[str, Any]:
    """``templates.toml``, by database name without "wiki"."""
    return table("templates")


@cache
def wiki_named(name: str) -> Wiki:
    """The Wikipedia with the database name ``name`` (``enwiki``); one that is not in the table has English boxes."""
    english = all_wikis()["en"]
    own = all_wikis().get(name.removesuffix("wiki"), english)
    namespace = ("template", own["namespace"].lower()) if "namespace" in own else ("template",)
    boxes = {
        clean_title(title, name): (template, kind)
        for kind in (*KINDS, "header", "part")
        for template, redirects in own.get(kind, {}).items()
        for title in (template, *redirects)
    }
    parameters = {
        fact: tuple(dict.fromkeys(folded(name) for name in (*own.get(fact, ()), *english.get(fact, ()))))
        for fact in FACTS
    }
    return Wiki(name, namespace, boxes, parameters, own.get("local", False))


def folded(parameter: str) -> str:
    """The name of a parameter without case and underscores."""
    return " ".join(parameter.replace("_", " ").split()).casefold()


@cache
def prefix_pattern(namespace: str) -> re.Pattern[str]:
    """Matches the prefix of a title in ``file``, ``template`` or ``category``, in any language, and its colon."""
    names = sorted(table("namespaces")[namespace], key=len, reverse=True)
    either = "|".join(re.escape(name).replace(r"\ ", "[ _]+") for name in names)
    return re.compile(rf"[\s_]*:?[\s_]*(?:{either})[\s_]*:[\s_]*", re.IGNORECASE)


_comment = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_no_title = re.compile(r"[{}\[\]<>\n]")


@lru_cache(4096)
def template_title(text: str, wiki: str) -> str:
    """The title of the template that ``{{text|…}}`` stands for on ``wiki``, a database name; empty if for none.

    Comments and a ``Template:`` prefix are dropped. A title cannot hold braces, brackets or a line break, and what
    begins with a colon is an article.
    """
    if "<" in text:
        text = _comment.sub("", text)
    text = text.strip()
    if len(text) > 255 or text.startswith(":") or _no_title.search(text):
        return ""
    namespace, colon, rest = text.partition(":")
    if colon and namespace.strip(" _").lower() in wiki_named(wiki).template_namespace:
        text = rest
    return clean_title(text, wiki)
