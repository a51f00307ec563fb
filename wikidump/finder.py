"""Regular expressions that find where a box may open.

They must be fast, since all of a dump runs through them: they begin with ``{{``, so that only what follows one is
looked at, and titles that begin with the same word share it. They let pass what turns out to be no box; they lose none.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from wikidump.wikis import Wiki


def in_xml(wiki: Wiki, titles: Iterable[str]) -> re.Pattern[bytes]:
    """Finds ``{{title`` in the XML of a dump, where ``<`` is ``&lt;``."""
    escaped = [html.escape(title, quote=False) for title in titles]
    return re.compile(_pattern(wiki, escaped, "&lt;", "&amp;").encode())


def in_text(wiki: Wiki, titles: Iterable[str]) -> re.Pattern[str]:
    """Finds ``{{title`` in wikitext."""
    return re.compile(_pattern(wiki, titles, "<", "&"))


def _pattern(wiki: Wiki, titles: Iterable[str], less: str, ampersand: str) -> str:
    tree: _Tree = {}
    for title in titles:
        branch = tree
        for word in title.split(" "):
            branch = branch.setdefault(word, {})
        branch[_END] = {}
    # Before and between the words may stand a comment or an entity, before them the namespace. What has one is let
    # pass without a further look: it is rare.
    odd = f"(?:{less}!--|{ampersand}|&\\#|\u00a0)"
    namespaces = "|".join(_any_case(name) for name in wiki.template_namespace)
    first_words = (_first_letter(word) + _tail(branch, odd) for word, branch in sorted(tree.items()))
    return rf"\{{\{{[\s_]*(?:{'|'.join(first_words)}|{odd}|(?:{namespaces})[\s_]*:)"


_Tree = dict[str, "_Tree"]
_END = ""


def _tail(branch: _Tree, odd: str) -> str:
    """What may follow a word of a title: the title's end, further words, something odd."""
    end = [r"[\s_]*(?=\||\}\}|\Z)"] if _END in branch else []
    words = [re.escape(word) + _tail(after, odd) for word, after in sorted(branch.items()) if word != _END]
    either = [*end, rf"[\s_]*{odd}"]
    if words:
        either.append(rf"[\s_]+(?:{'|'.join(words)})")
    return f"(?:{'|'.join(either)})"


def _first_letter(word: str) -> str:
    """``word`` with its first letter in either case."""
    cases = sorted({each for each in (word[0], word[0].lower(), word[0].upper()) if len(each) == 1})
    return f"(?:{'|'.join(re.escape(each) for each in cases)}){re.escape(word[1:])}"


def _any_case(name: str) -> str:
    """``name`` in any case. The flag for that would cost the regular expression its literal beginning."""
    if name.isascii():
        return "".join(f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else letter for letter in name)
    return "|".join(re.escape(each) for each in sorted({name, name.lower(), name.upper(), name.title()}))
