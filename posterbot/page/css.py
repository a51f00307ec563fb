"""Background images in CSS: ``style`` attributes and ``<style>`` elements.

Not a CSS parser: one pass over the tokens that matter, which knows strings, comments, escapes and the property a
value belongs to, and takes everything else as it comes.
"""

from __future__ import annotations

import re

from posterbot.page.srcset import Source

MAX_CSS_LENGTH = 1_000_000
"""Characters of one style sheet that are read."""

# Every repetition is possessive, so that no input makes the scanner go back.
_TOKEN = re.compile(
    r"""
      /\*(?:[^*]|\*(?!/))*+(?:\*/)?                                                 # a comment
    | \b(?P<url>url)\(\s*+
        (?P<value>"(?:[^"\\\n]|\\.?)*+"? | '(?:[^'\\\n]|\\.?)*+'? | (?:[^"'()\s\\]|\\(?:[0-9a-f]{1,6}+\s?|.)?)*+)
        \s*+\)?
    | (?P<string>"(?:[^"\\\n]|\\.?)*+"?|'(?:[^'\\\n]|\\.?)*+'?)
    | (?P<word>[-\w.]++)
    | (?P<mark>[{};:()])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\f\r])?|(\r\n|.)?)", re.DOTALL)
_RESOLUTION = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?)(x|dppx|dpi)", re.IGNORECASE)


def background_images(css: str) -> list[list[Source]]:
    """The pictures in ``background``, ``background-image`` and custom properties, in the order written.

    Each picture is a list of its files: one for ``url()``, several for ``image-set()``. Fonts, cursors, masks and
    imports are not pictures of the page and left out.
    """
    pictures: list[list[Source]] = []
    word = name = ""  # the last word; the property of the declaration we are in
    depth = 0  # of parentheses
    image_set: list[Source] | None = None
    set_depth = 0
    for token in _TOKEN.finditer(css[:MAX_CSS_LENGTH]):
        mark = token["mark"]
        if mark is not None:
            if mark in "{};":
                word = name = ""
                depth, image_set = 0, None
            elif mark == ":":
                name = name or word
            elif mark == "(":
                depth += 1
                if word.endswith("image-set") and _is_background(name) and image_set is None:
                    image_set, set_depth = [], depth
                    pictures.append(image_set)
            else:
                depth = max(0, depth - 1)
                if depth < set_depth:
                    image_set = None
        elif token["word"] is not None:
            word = token["word"].lower()
            if image_set:
                image_set[-1] = _with_resolution(image_set[-1], word)
        elif token["url"] is not None:
            if _is_background(name):
                source = Source(_unquoted(token["value"]))
                if image_set is not None:
                    image_set.append(source)
                else:
                    pictures.append([source])
        elif token["string"] is not None and image_set is not None and depth == set_depth:
            # Deeper strings are media types: image-set("a.avif" type("image/avif")).
            image_set.append(Source(_unquoted(token["string"])))
    return [picture for picture in pictures if picture]


def _is_background(name: str) -> bool:
    # Themes hand pictures to their style sheet as custom properties: style="--hero: url(…)".
    return name in {"background", "background-image"} or name.startswith("--")


def _with_resolution(source: Source, word: str) -> Source:
    match = _RESOLUTION.fullmatch(word)
    if not match:
        return source
    value = float(match.group(1))
    return Source(source.url, density=value / 96 if match.group(2).lower() == "dpi" else value)


def _unquoted(value: str) -> str:
    """A CSS string or bare URL without its quotes and escapes."""
    if value[:1] in {'"', "'"}:
        quote = value[0]
        value = value[1:]
        if value.endswith(quote):
            value = value[:-1]
    return _ESCAPE.sub(_character, value) if "\\" in value else value


def _character(escape: re.Match[str]) -> str:
    if escape.group(1):
        code = int(escape.group(1), 16)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\N{REPLACEMENT CHARACTER}"
    character = escape.group(2) or ""
    return "" if character in {"\n", "\r\n", "\r", "\f"} else character
