"""Pieces of Markdown that read well on GitHub and on the site."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Sequence

WRITTEN = "<!-- Written by `python docs/generate` from the code: change that, not this. -->"

_PARTS = re.compile(
    r"``?(?P<quoted>[^`]+)``?"
    r'|"(?P<value>\w[\w-]*)"'
    r"|\bdocs/(?P<page>[\w-]+\.md)"
    r"|(?P<code>(?<![\w/-])(?:--[a-z][a-z-]+\w|-[as] \w+=(?:[\w@:/]|[.-](?=\w))*"
    r"|[a-z_]+(?:/[a-z_0-9]+)+\.py|[\w/]+/<[^\s]*[\w>]"
    r"|[A-Z][A-Z0-9]*(?:_[A-Z]+)+|[a-z]+(?:_[a-z0-9]+)+|[\w./]+\.(?:csv|json|jsonl|html|png|tflite))(?![\w>]))"
    r"|(?P<word>\w+)|[^\w`]"
)


def begin(title: str, about: str) -> list[str]:
    """The first lines of a page."""
    return [WRITTEN, f"# {title}", about]


def end(parts: Iterable[str]) -> str:
    """A page of its paragraphs, lists and tables."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def code(text: str) -> str:
    """A short piece of code; nothing for nothing."""
    return f"`{text}`" if text else ""


def block(text: str, kind: str = "text") -> str:
    """Code that stands alone."""
    return f"```{kind}\n{text.rstrip()}\n```"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. What is in a cell is Markdown, but for ``|`` and line breaks."""
    lines = [heads, ["---"] * len(heads), *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def _cell(text: str) -> str:
    """Within code, GitHub and the site read an escaped ``|`` in two ways; HTML they read alike."""
    text = re.sub(r"`([^`]*\|[^`]*)`", lambda code: f"<code>{html.escape(code[1]).replace('|', '&#124;')}</code>", text)
    return " ".join(text.split()).replace("|", "\\|")


def text(plain: str, names: Collection[str] = ()) -> str:
    """A sentence of the code as Markdown: nothing in it is markup, and what is code looks like it.

    Args:
        plain: as in a comment or a help text; ```` `code` ```` and ```` ``code`` ```` are code.
        names: further words that are code.
    """

    def written(part: re.Match[str]) -> str:
        if plain_code := part["quoted"] or part["value"]:
            return f"`{plain_code}`"
        if part["page"]:
            return f"[{part['page']}](../{part['page']})"
        if part["code"] or part["word"] in names:
            return f"`{part[0]}`"
        return re.sub(r"([<*])", r"\\\1", part[0])

    return _PARTS.sub(written, plain)
