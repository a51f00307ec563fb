"""AIPREF's ``Content-Usage``, as header field and as rule of robots.txt. Drafts, so the version is asked for by name.

draft-ietf-aipref-attach says where it stands, draft-ietf-aipref-vocab what the words mean, RFC 9651 how they are
written. A field that is not well-formed says nothing, as these demand. Pure functions, linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from posterbot.page.consent import Kind, Signal, shortened
from posterbot.page.tdmrep import matches, normal_path

CATEGORIES = {
    "attach-05": ("train-ai", "ai-use", "search"),  # of draft-ietf-aipref-vocab-08
}
"""Draft of the attachment → labels of the vocabulary read with it."""

_KEY = r"[a-z*][a-z0-9_.*-]*"
_BARE = (
    r"(?:-?(?:\d{1,12}\.\d{1,3}|\d{1,15})"  # decimal, integer
    r'|"(?:[ !#-\[\]-~]|\\["\\])*"'  # string
    r"|[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*"  # token
    r"|:[A-Za-z0-9+/=]*:"  # bytes
    r"|\?[01]"  # boolean
    r"|@-?\d{1,15}"  # date
    r'|%"(?:[ !#$&-\[\]-~]|\\|%[0-9a-f]{2})*")'  # display string
)
_PARAMETERS = rf"(?:; *{_KEY}(?:={_BARE})?)*"
_KEY_AT = re.compile(_KEY)
_ITEM_AT = re.compile(rf"({_BARE}){_PARAMETERS}")
_PARAMETERS_AT = re.compile(_PARAMETERS)
_SPACES_AT = re.compile(r" *")
_COMMA_AT = re.compile(r"[ \t]*,[ \t]*")


def read_dictionary(text: str) -> dict[str, str]:
    """The members of a structured field of type dictionary: key → value as written, without parameters.

    An inner list is given as ``(``, a key without a value as ``?1``. Of equal keys the last counts. Empty where the
    field is not well-formed.
    """
    members: dict[str, str] = {}
    text = text.strip(" ")
    place = 0
    while place < len(text):
        key = _KEY_AT.match(text, place)
        if key is None:
            return {}
        place = key.end()
        value = "?1"
        if text.startswith("=(", place):
            value, place = "(", _inner_list(text, place + 2)
        elif text.startswith("=", place):
            item = _ITEM_AT.match(text, place + 1)
            if item is None:
                return {}
            value, place = item[1], item.end()
        elif parameters := _PARAMETERS_AT.match(text, place):
            place = parameters.end()
        if place < 0:
            return {}
        members[key[0]] = value
        if place == len(text):
            return members
        comma = _COMMA_AT.match(text, place)
        if comma is None or comma.end() == len(text):
            return {}
        place = comma.end()
    return members


def _inner_list(text: str, place: int) -> int:
    """Where the list ends that was opened before ``place``; −1 where it is none."""
    after_space = True
    while True:
        spaces = _SPACES_AT.match(text, place)
        assert spaces is not None
        after_space = after_space or spaces.end() > place
        place = spaces.end()
        if text.startswith(")", place):
            parameters = _PARAMETERS_AT.match(text, place + 1)
            assert parameters is not None
            return parameters.end()
        item = _ITEM_AT.match(text, place)
        if item is None or not after_space:
            return -1
        place, after_space = item.end(), False


def preferences(text: str, version: str) -> dict[str, bool]:
    """Label → allowed, of the categories of ``version`` for which ``text`` states a preference."""
    stated = read_dictionary(text)
    return {label: stated[label] == "y" for label in CATEGORIES[version] if stated.get(label) in {"y", "n"}}


def usage_signals(values: Iterable[str], version: str, url: str) -> Iterator[Signal]:
    """What the ``Content-Usage`` fields of a response state, which count as one."""
    text = ", ".join(values)
    for label, allowed in preferences(text, version).items():
        yield Signal(Kind.USAGE, f"{label}={'y' if allowed else 'n'}", "", shortened(text, 200), url)


def robots_txt_signals(lines: str, version: str, url: str) -> Iterator[Signal]:
    """What the ``Content-Usage`` rules among ``lines`` state for ``url``.

    The rule with the longest path that matches counts, and all that have this path.

    Args:
        lines: the rules of a robots.txt that are for us.
        version: a key of CATEGORIES.
        url: of what is to be used.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    path = normal_path((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    rules: list[tuple[str, str]] = []
    for line in lines.splitlines():
        name, _, value = line.partition("#")[0].partition(":")
        if name.strip(" \t").lower() == "content-usage":
            pattern, _, said = re.sub(r"[ \t]+", " ", value.strip(" \t")).partition(" ")
            if pattern.startswith("/") and matches(normal_path(pattern), path):
                rules.append((normal_path(pattern), said))
    longest = max((len(pattern) for pattern, _ in rules), default=0)
    for pattern, said in rules:
        if len(pattern) == longest:
            for label, allowed in preferences(said, version).items():
                directive = f"{label}={'y' if allowed else 'n'}"
                where = f"{parts.scheme}://{parts.netloc}/robots.txt"
                yield Signal(Kind.USAGE_ROBOTS_TXT, directive, "", shortened(f"{pattern} {said}", 200), where)
