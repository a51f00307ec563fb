"""The language of ``--where``: comparisons of known fields, joined by ``and``, ``or``, ``not`` and parentheses.

    label = 'poster' and score > 0.9 and (year >= 1950 or year = unknown) and not genre = 'Horror'

What is read here is a tree of known fields, known operators and plain values; ``where_sql.py`` makes conditions of it.
No text of a stranger ever becomes SQL.

    any    = all { "or" all }
    all    = one { "and" one }
    one    = "not" one | "(" any ")" | field | field operator value | field ["not"] "in" "(" value { "," value } ")"

Operators are ``= == != <> < <= > >=`` and ``contains``. A value is a number, a text in quotes (which are doubled within
it), or one word without quotes; ``unknown`` stands for what is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

LONGEST = 10_000
"""Characters of an expression."""
DEEPEST = 50
"""Parentheses in each other."""
MOST_TESTS = 200
"""Comparisons in one expression."""
LARGEST = 2.0**53
"""Numbers up to here are exact in every database."""


class WhereError(ValueError):
    """The text is no expression; ``str()`` is one line with the column, counted from 1, and what was expected."""


class Kind(StrEnum):
    """What a field holds, and with it what it can be compared with."""

    NUMBER = "number"
    TEXT = "text"
    WORDS = "words"
    """Any number of texts: a comparison is true if it is for one of them."""
    FLAG = "yes or no"


FIELDS: dict[str, tuple[Kind, str]] = {
    "label": (Kind.TEXT, "the model's likeliest label"),
    "score": (Kind.NUMBER, "summed probability of the labels wanted, 0–1"),
    "model": (Kind.TEXT, "name of the model that judged it"),
    "policy": (Kind.NUMBER, "number of the policy that kept it"),
    "film": (Kind.TEXT, "id of its film: 'tt0017136', 'tmdb:19', 'Q151599' or 'film:7'"),
    "title": (Kind.TEXT, "of its film"),
    "year": (Kind.NUMBER, "of its film"),
    "genre": (Kind.WORDS, "one of the genres of its film"),
    "confidence": (Kind.NUMBER, "of the link with its film, 0–1"),
    "source": (Kind.TEXT, "host of the image"),
    "url": (Kind.TEXT, "of the image"),
    "alt": (Kind.TEXT, "its alternative text"),
    "licence": (Kind.TEXT, "as a list states it"),
    "ml_allowed": (Kind.FLAG, "may models be trained with it?"),
    "redistributable": (Kind.FLAG, "may it be passed on?"),
    "format": (Kind.TEXT, "'JPEG', 'PNG', 'WEBP', …"),
    "width": (Kind.NUMBER, "of the original, in pixels"),
    "height": (Kind.NUMBER, "of the original, in pixels"),
    "bytes": (Kind.NUMBER, "of the original"),
    "representative": (Kind.FLAG, "the best of its copies, or the only one"),
}
"""Name → what it holds, and its meaning."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The value of what is not known."""


UNKNOWN = Unknown()
Value = float | str | bool | Unknown


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison of a field with a value; true if one of several ``values`` fits."""

    field: str
    operator: str
    """One of ``= < <= > >= contains known``; others are made of these and :class:`Not`."""
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    of: Node


@dataclass(frozen=True, slots=True)
class Every:
    """All of them."""

    of: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of them."""

    of: tuple[Node, ...]


Node = Test | Not | Every | Either


@dataclass(frozen=True, slots=True)
class Part:
    """One of the conditions that must all hold, and how it was written."""

    text: str
    node: Node


def parse(text: str) -> tuple[Part, ...]:
    """Read an expression: the conditions that must all hold; none for an empty text.

    Raises:
        WhereError: it is none.
    """
    if len(text) > LONGEST:
        raise WhereError(f"--where: {len(text):,} characters; at most {LONGEST:,} are read")
    return _Parser(text).parts() if text.strip() else ()


_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    |(?P<word>[^\W\d][\w.:-]*)
    |(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<sign><=|>=|!=|<>|==|[=<>(),])""",
    re.VERBOSE | re.ASCII,
)
_SAME = {"==": "=", "<>": "!="}
_ORDER = {"<", "<=", ">", ">="}
_OPERATORS = {"=", "!=", "contains", *_ORDER}
_RESERVED = {"and", "or", "not", "in", "contains"}
_FLAGS = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int
    end: int


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0
        self._tests = 0

    def parts(self) -> tuple[Part, ...]:
        parts = [self._part()]
        while self._takes("and"):
            parts.append(self._part())
        if self._is("or"):  # then it is one condition
            self._next = 0
            whole = self._any()
            parts = [Part(self._text.strip(), whole)]
        if self._peek().kind != "end":
            raise self._wrong("'and', 'or' or the end")
        return tuple(parts)

    def _part(self) -> Part:
        begin = self._peek().at
        node = self._one()
        return Part(self._text[begin : self._tokens[self._next - 1].end], node)

    def _any(self) -> Node:
        nodes = [self._all()]
        while self._takes("or"):
            nodes.append(self._all())
        return nodes[0] if len(nodes) == 1 else Either(tuple(nodes))

    def _all(self) -> Node:
        nodes = [self._one()]
        while self._takes("and"):
            nodes.append(self._one())
        return nodes[0] if len(nodes) == 1 else Every(tuple(nodes))

    def _one(self) -> Node:
        contrary = False
        while self._takes("not"):
            contrary = not contrary
        if self._peek().text == "(":
            self._depth += 1
            if self._depth > DEEPEST:
                raise self._wrong(f"at most {DEEPEST} parentheses in each other")
            self._next += 1
            node = self._any()
            if self._peek().text != ")":
                raise self._wrong("'and', 'or' or ')'")
            self._next += 1
            self._depth -= 1
        else:
            node = self._test()
        return Not(node) if contrary else node

    def _test(self) -> Node:
        self._tests += 1
        if self._tests > 2 * MOST_TESTS:  # an expression that begins with 'and' and ends with 'or' is read twice
            raise WhereError(f"--where: more than {MOST_TESTS} comparisons")
        field = self._field()
        kind = FIELDS[field][0]
        contrary = self._takes("not")
        if self._takes("in"):
            if self._peek().text != "(":
                raise self._wrong("'('")
            values: list[Value] = []
            while not values or self._peek().text == ",":
                self._next += 1
                values.append(self._value(field, kind))
            if self._peek().text != ")":
                raise self._wrong("',' or ')'")
            self._next += 1
            node: Node = Test(field, "=", tuple(values))
            return Not(node) if contrary else node
        token = self._peek()
        operator = _SAME.get(token.text.lower(), token.text.lower())
        if contrary and operator != "contains":
            raise self._wrong("'in' or 'contains'")
        if operator not in _OPERATORS or token.kind not in {"sign", "word"}:
            if token.kind == "end" or token.text == ")" or operator in {"and", "or"}:
                return Test(field, "known")
            raise self._wrong(f"an operator ({_allowed(kind)}), 'and', 'or' or the end")
        if operator not in _allowed(kind).split():
            raise self._wrong(f"one of {_allowed(kind)} after {field}, which is {kind}")
        self._next += 1
        if operator == "contains":
            value = self._value(field, Kind.TEXT, unknown=False)
        else:
            value = self._value(field, kind, unknown=operator in {"=", "!="})
        if operator == "!=":
            return Not(Test(field, "=", (value,)))
        node = Test(field, operator, (value,))
        return Not(node) if contrary else node

    def _field(self) -> str:
        token = self._peek()
        if token.kind != "word" or token.text.lower() in _RESERVED:
            raise self._wrong("a field, such as label")
        name = token.text.lower()
        if name not in FIELDS:
            near = get_close_matches(name[:40], FIELDS, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(FIELDS)}"
            raise WhereError(f"--where: column {token.at + 1}: no field {token.text[:40]!r}; {advice}")
        self._next += 1
        return name

    def _value(self, field: str, kind: Kind, *, unknown: bool = True) -> Value:
        token = self._peek()
        word = token.text.lower() if token.kind == "word" else ""
        if word == "unknown" and unknown:
            value: Value = UNKNOWN
        elif kind is Kind.FLAG and word in _FLAGS:
            value = _FLAGS[word]
        elif kind is Kind.NUMBER and token.kind == "number" and abs(float(token.text)) <= LARGEST:
            value = float(token.text)
        elif kind in {Kind.TEXT, Kind.WORDS} and (token.kind == "text" or (word and word not in _RESERVED)):
            value = token.text[1:-1].replace(token.text[0] * 2, token.text[0]) if token.kind == "text" else token.text
        else:
            wanted = {Kind.NUMBER: "a number", Kind.FLAG: "yes or no"}.get(kind, "a text in quotes")
            raise self._wrong(f"{wanted}{' or unknown' if unknown else ''}, to compare {field} with")
        self._next += 1
        return value

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _is(self, word: str) -> bool:
        token = self._peek()
        return token.kind == "word" and token.text.lower() == word

    def _takes(self, word: str) -> bool:
        taken = self._is(word)
        self._next += taken
        return taken

    def _wrong(self, wanted: str) -> WhereError:
        token = self._peek()
        found = "the end" if token.kind == "end" else repr(token.text[:40])
        return WhereError(f"--where: column {token.at + 1}: expected {wanted}; found {found}")


def _allowed(kind: Kind) -> str:
    if kind is Kind.NUMBER:
        return "= != < <= > >= in"
    return "= != in" if kind is Kind.FLAG else "= != contains in"


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            what = "a quote that is not closed" if text[at] in "'\"" else f"{text[at]!r} is not expected here"
            raise WhereError(f"--where: column {at + 1}: {what}")
        if match.lastgroup == "text" and (bad := re.search("[\0\ud800-\udfff]", match[0])):
            raise WhereError(f"--where: column {at + bad.start() + 1}: no text has {bad[0]!r}")
        if match.lastgroup != "space":
            yield _Token(str(match.lastgroup), match[0], at, match.end())
        at = match.end()
    yield _Token("end", "", len(text), len(text))
