"""What the parameters of a film box say: the year, and names of people, countries and languages."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import partial

from wikidump.template import MARKED, Template, replaced, without_comments, without_references

MAX_VALUE = 8 * 1024
"""Characters of a value that are looked at."""
MAX_DEPTH = 8
"""How deep templates within a value are followed."""
MAX_NAMES = 30

_year = re.compile(r"(?<!\d)(18[7-9]\d|19\d\d|20\d\d)(?!\d)")
_break = re.compile(r"<br\b[^>]*>|</?(?:li|div|p|ul|ol)\b[^>]*>|\n[*#:;]*|^[*#:;]+", re.IGNORECASE)
_tag = re.compile(r"<[^<>\n]{1,200}>")
_file = re.compile(r"\[\[[^\[\]|:]*:[^\[\]]*\.(?:svg|png|jpe?g|gif)[^\[\]]*\]\]", re.IGNORECASE)
_link = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_target = re.compile(r"\[\[[^\[\]|]*\|")
_external = re.compile(r"\[(?:https?:)?//\S+ ?([^\]]*)\]")
_remark = re.compile(r"\s*[(（][^()（）]*[)）]")
_between = re.compile(r"[\n;；、，،／]|,\s|\s[/•·]\s|\s(?:and|&|und|et|y|e|och|og|en|ve|та|и|і)\s(?=[^\W\d_])")

# Templates that show their first value, the first two as one name, a country, nothing; others show all, as a list.
_FIRST = frozenset({"ill", "interlanguage link", "lien", "nihongo", "iw", "仮リンク", "не переведено"})
_NAME = frozenset({"sortname", "sort name"})
_COUNTRY = frozenset({"flag", "flagcountry", "flagu", "film", "drapeau", "bandera", "bandiera", "flagga", "flagland"})
_LANGUAGE = frozenset({"lang", "langx", "lang-en"})
_HIDDEN = frozenset({"flagicon", "efn", "refn", "sfn", "cn", "citation needed", "fact", "r", "rp", "note", "when"})


def year(value: str) -> int | None:
    """The first year from 1870 to 2099 in ``value``, in digits of any script.

    References and the targets of links are left out.
    """
    text = _target.sub("", without_references(without_comments(value[:MAX_VALUE])))
    if not text.isascii():
        text = "".join(str(unicodedata.digit(sign, sign)) for sign in text)
    match = _year.search(text)
    return int(match[1]) if match else None


def names(value: str) -> tuple[str, ...]:
    """The names that ``value`` lists, in their order, each once.

    Taken apart at line breaks, list templates, commas and the word for "and" between names; what stands in brackets,
    references and comments are left out.
    """
    found = []
    for piece in _between.split(_remark.sub("", shown(value))):
        name = " ".join(piece.strip(" \t*#:;,'\"").split())
        if 1 < len(name) <= 100 and any(sign.isalpha() for sign in name):
            found.append(name)
    return tuple(dict.fromkeys(found))[:MAX_NAMES]


def shown(value: str, depth: int = 0) -> str:
    """``value`` as a reader sees it, entries of lists on lines of their own."""
    text = without_references(without_comments(value[:MAX_VALUE]))
    text = replaced(text, partial(_shown, depth=depth))
    text = _break.sub("\n", text)
    text = _external.sub(r"\1", _link.sub(r"\1", _file.sub("", text)))
    return html.unescape(_tag.sub("", text)).replace("'''", "").replace("''", "")


def _shown(template: Template, depth: int) -> str:
    title, parameters = template.title, template.parameters()
    name = title.casefold()
    numbered = [value for key, value in parameters.items() if key.isdecimal()]
    if title in MARKED:
        return MARKED[title]
    if name in _HIDDEN or name.startswith("cite ") or depth == MAX_DEPTH:
        return ""
    if not parameters:
        return title.removeprefix("Film ")  # {{USA}}, {{Film US}}
    if name in _FIRST or name.startswith(("flag", "film ")) or name in _COUNTRY:
        text = "".join(numbered[:1])
    elif name in _NAME:
        text = " ".join(numbered[:2])
    elif name in _LANGUAGE:
        text = "".join(numbered[1:2])
    else:
        text = "\n".join(numbered)
    return shown(text, depth + 1)
