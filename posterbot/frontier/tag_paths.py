"""Where on a page a link stands, as its tags and classes tell: lists of one kind have one path, on all pages of a site.

Clusters of tag paths as in SB-CLASSIFIER (Gauquier, Manolescu, Senellart, "Efficient Crawling for Scalable Web Data
Acquisition", arXiv 2602.11874): a path joins the nearest one seen before, by cosine similarity of their 1- and 2-grams,
or founds a cluster. Most of what differs from page to page (numbers, hashes, ``active``) is dropped before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.84
"""Cosine similarity from which on two paths are of one cluster."""
MOST_CLUSTERS = 100
MAX_STEPS = 8
"""The innermost ones."""
MAX_CLASSES = 3
"""Of one step."""
MAX_PATH = 400
"""Characters."""
_MAX_NAME = 40
_REMEMBERED = 128
"""Paths whose cluster is remembered, for each of some thousand hosts."""
_TAG = 0.9
"""What a tag without a class counts, against one with a class: every page is full of ``ul/li/a``."""
_TAGS = {"div": 0.4, "span": 0.4, "nav": 1.5, "aside": 1.5, "header": 1.5, "footer": 1.5}
_FAR = 12
"""So many steps from the link, a step counts half."""

_NOISE = frozenset({"html", "body", "tbody", "center", "font"})
_STATE_NAMES = """
    active checked clearfix closed collapse collapsed current disabled enabled even expanded first focus has hidden
    hide highlight highlighted hover in inactive is js last lazy lazyload lazyloaded loaded loading nojs odd on open
    opened readonly selected show shown sticky today unread unvisited visible visited
"""
_STATES = frozenset(_STATE_NAMES.split())
_STATE = re.compile(
    r"(?:is|has|was|not|active|current|selected|first|last|odd|even|open)-.*"
    r"|.*-(?:active|current|selected|first|last|odd|even|open|ancestor|visited|hover|disabled)"
)
_ARTICLE = re.compile(r"\.(?:hentry|type-)")
_SUBJECT = re.compile(r"\.(?:category|tag|genre|author)-")
"""What WordPress says of an article besides: not where it stands, but of what it is."""

_SIGN = re.compile(r"(?=[.#])")
_NO_TAG = re.compile(r"[^a-z0-9-]+")
_SEPARATORS = re.compile(r"[\W_]+")
_NAMES = re.compile(r"([.#])([^.#]*)")
_HEX = re.compile(r"(?=.*\d)[0-9a-f]+|[a-f]{8,}")
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def normal(path: str) -> str:
    """``path`` without all that differs between pages of one kind; ``normal(normal(path)) == normal(path)``.

    ``html/body.home/div#main/ul.films.list-12/li.active/a.css-1x2y3z`` is ``div#main/ul.films.list/li/a.css``. At most
    MAX_STEPS steps of at most MAX_CLASSES names each, sorted, and MAX_PATH characters; of a longer one the innermost.
    """
    return _normal(path[-MAX_PATH - 1 :])


@lru_cache(maxsize=4096)
def _normal(path: str) -> str:
    pieces = path.split("/")
    if len(path) > MAX_PATH:
        del pieces[0]  # part of a step
    steps = [step for piece in pieces if (step := _step(piece))][-MAX_STEPS:]
    while sum(map(len, steps)) + len(steps) > MAX_PATH:
        del steps[0]
    return "/".join(steps)


@lru_cache(maxsize=8192)
def _step(piece: str) -> str:
    tag = _NO_TAG.sub("", _SIGN.split(piece, maxsplit=1)[0].lower())[:_MAX_NAME]
    if tag in _NOISE:
        return ""
    names = {sign + name for sign, raw in _NAMES.findall(piece) if (name := _name(raw))}
    if any(map(_ARTICLE.match, names)):
        names = {name for name in names if not _SUBJECT.match(name)}
    return tag + "".join(sorted(names)[:MAX_CLASSES])


def _name(raw: str) -> str:
    """A class or an id without its numbers and hashes; empty where nothing else is left, or it says a mere state."""
    name = "-".join([word for piece in _SEPARATORS.split(raw[:_MAX_NAME]) if (word := _word(piece))])
    return "" if name in _STATES or _STATE.fullmatch(name) else name


def _word(piece: str) -> str:
    """``item12`` → ``item``, ``filmList`` → ``filmlist``; nothing of ``1x2y3z``, ``bdVaJa``, ``deadbeef``."""
    parts = _CAMEL.findall(piece)
    if len(parts) > 2 and len(piece) < 2.5 * len(parts):
        return ""
    word = _SEPARATORS.sub("", piece.lower())
    if _HEX.fullmatch(word):
        return ""
    word = word.rstrip("0123456789")
    return "" if any(map(str.isdigit, word)) else word


class Clusters:
    """The tag paths of one host, grouped. Not for several threads at once."""

    def __init__(self, exemplars: Iterable[str] = (), most: int = MOST_CLUSTERS) -> None:
        """Go on with ``exemplars``, in the order in which they were found; ``most`` of them, then no new ones."""
        self.exemplars: list[str] = []
        self._most = most
        self._known: set[str] = set()
        self._rows: dict[str, NDArray[np.float32]] = {}
        """What a feature adds to the similarity with each exemplar."""
        self._found: dict[str, str] = {}
        for exemplar in exemplars:
            path = normal(exemplar)
            if path not in self._known:
                self._join(path, _features(path))

    def find(self, path: str) -> str:
        """The exemplar of the cluster of ``path``, which may be any text; itself, made normal, if it founds one."""
        path = normal(path)  # whose names have no numbers any more: there are thousands of others
        found = self._found.get(path)
        if found is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            found = self._found[path] = self._nearest(path)
        return found

    def _nearest(self, path: str) -> str:
        if path in self._known:
            return path
        features = _features(path)
        likeness = np.zeros(len(self.exemplars), dtype=np.float32)
        for feature, weight in features.items():
            row = self._rows.get(feature)
            if row is not None:
                likeness[: len(row)] += weight * row
        full = len(self.exemplars) >= self._most
        if len(likeness):
            nearest = int(likeness.argmax())
            if full or likeness[nearest] >= THRESHOLD:
                return self.exemplars[nearest]
        self._join(path, features)
        return path

    def _join(self, path: str, features: dict[str, float]) -> None:
        number = len(self.exemplars)
        self.exemplars.append(path)
        self._known.add(path)
        for feature, weight in features.items():
            row = np.zeros(number + 1, dtype=np.float32)
            if (old := self._rows.get(feature)) is not None:
                row[: len(old)] = old
            row[number] = weight
            self._rows[feature] = row


def _features(path: str) -> dict[str, float]:
    """1- and 2-grams of the steps of a normal path, with weights; a vector of length 1."""
    weights: dict[str, float] = {}
    steps = path.split("/") if path else []
    before: list[tuple[str, float]] = []
    for distance, step in enumerate(reversed(steps)):
        tag, *names = _SIGN.split(step)
        near = 1 / (1 + distance / _FAR)
        parts = [(tag + name, near) for name in names] or [(tag, near * _TAGS.get(tag, _TAG))]
        for part, weight in parts:
            weights[part] = max(weight, weights.get(part, 0.0))
            for other, other_weight in before or [("", near)]:
                weights[f"{part}/{other}"] = max(weight, other_weight)
        before = parts
    length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {feature: weight / length for feature, weight in weights.items()}
