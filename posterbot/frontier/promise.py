"""Will the page behind a link bring something? Told from the link alone, learned while crawling.

A logistic regression on hashed features, by stochastic gradients. Whatever worker of the run, or run, has learned,
others can add to their own. Features are numbers below BUCKETS, kept as bytes, two for each, little-endian: so they are
in the database, and those of many links are read at once.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from posterbot.frontier.records import Place
from posterbot.frontier.tag_paths import normal

BUCKETS = 16_384
"""Features are numbers below it."""
MAX_FEATURES = 28
PRIOR = 0.1
"""What is thought of a link of which nothing is known."""
_START = math.log(PRIOR / (1 - PRIOR))

_WORDS = 8
"""Of the text, and of the URL."""
_READ = 200
"""Characters of either."""
_KEYS = 4
_STEPS = 3

_MIX = 40_503
"""Odd, so that no two features become one: a word above is not the same word below."""

_RATE = 0.2
_LEAST_RATE = 0.04
"""The web changes: never stop learning."""
_DECAY = 1e-3
_FIRST = 3.0
"""Sum of squared gradients to start from: the first page must not decide everything."""
_FAR = 30.0
"""Beyond it, a probability is 0 or 1 as far as 32 bits tell."""
_APART = 80
"""Pages from which all workers together may learn without hearing of each other; more would overshoot."""
_MOST = 8.0
"""A weight's absolute value at most."""

_WORD = re.compile(r"[^\W_]{2,20}")
_NUMBER = re.compile(r"\d+")
_YEAR = re.compile(r"(?:18|19|20)\d\d")


def features(url: str, pattern: str, place: Place | None, parent_pattern: str) -> bytes:
    """What is known of a link, sorted, at most MAX_FEATURES; the same in every process.

    Args:
        url: where it leads; its host does not count.
        pattern: of ``url``, see ``traps.pattern``.
        place: where it stands.
        parent_pattern: of the page where it stands; empty if none.
    """
    found = {_bucket("u", word) for word in _words(_path_and_keys(url))}
    query = url[:1000].partition("?")[2]
    found.update([_bucket("k", one) for one in query.split("&", _KEYS)[:_KEYS] if one])
    found.add(_bucket("p", pattern))
    found.add(_bucket("q", parent_pattern))
    found.add(_bucket("", ""))
    if place is not None:
        found.update([_bucket("t", word) for word in _words(place.text[:_READ])])
        found.update(_of_path(normal(place.path)))
        found.add(_bucket("n", str(max(place.position, 0).bit_length())))
    return _pack(sorted(found))


@lru_cache(maxsize=4096)  # there are many links on a page, and they are compared again and again
def of_parent(parent: bytes, fruitful: bool | None, led: int, led_to: int) -> bytes:
    """What the page on which a link stands says of it, as features.

    Args:
        parent: features of the link that led to that page.
        fruitful: has it brought something itself? None: that is not known yet.
        led, led_to: how many links found there were followed, and how many of these have brought something.
    """
    share = "" if led <= 0 else f"{min(led.bit_length(), 3)} {-(-5 * led_to // led)}"
    above = [(feature * _MIX + 1) % BUCKETS for feature in _unpack(parent).tolist()]
    return _pack([*above, _bucket("f", str(fruitful)), _bucket("b", share)])


def _path_and_keys(url: str) -> str:
    rest = url[:1000].partition("#")[0]
    rest, _, query = rest.partition("?")
    if "://" in rest:
        rest = rest.partition("://")[2]
    text = rest.partition("/")[2]
    if query:
        text += " " + " ".join([parameter.partition("=")[0] for parameter in query.split("&", _WORDS)[:_WORDS]])
    return unquote(text) if "%" in text else text


def _words(text: str) -> list[str]:
    words = _WORD.findall(text[:_READ].casefold())[:_WORDS]
    return [word if word.isalpha() else _shape(word) for word in words]


@lru_cache(maxsize=4096)
def _shape(word: str) -> str:
    """A year is as good as another, and a number as another of its length."""
    if _YEAR.fullmatch(word):
        return "0000"
    return "0" * len(word) if word.isdecimal() else _NUMBER.sub("0", word)


@lru_cache(maxsize=16_384)
def _bucket(kind: str, text: str) -> int:
    return crc32(f"{kind} {text}".encode("utf-8", "surrogatepass")) % BUCKETS


@lru_cache(maxsize=2048)
def _of_path(path: str) -> tuple[int, ...]:
    steps = path.split("/")[-_STEPS:]
    single = [_bucket(f"s{number}", step) for number, step in enumerate(reversed(steps))]
    return (*single, _bucket("s", "/".join(steps)))


def sane(packed: bytes | None) -> bytes:
    """Features as they were found in the database; none where that cannot be."""
    return packed if packed and len(packed) % 2 == 0 and len(packed) <= 2 * MAX_FEATURES else b""


def _pack(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}H", *numbers)


def _unpack(packed: bytes) -> NDArray[np.intp]:
    return np.frombuffer(packed, dtype="<u2").astype(np.intp) % BUCKETS


class Promise:
    """How likely links are to be fruitful. Not for several threads at once.

    AdaGrad (Duchi, Hazan, Singer 2011, "Adaptive Subgradient Methods") with a rate that does not fall under a floor.
    """

    def __init__(self) -> None:
        self.weights: NDArray[np.float32] = np.zeros(BUCKETS, dtype=np.float32)
        self._seen = np.full(BUCKETS, _FIRST, dtype=np.float32)
        """Sum of squared gradients of own pages."""
        self._changes = np.zeros(BUCKETS, dtype=np.float32)
        self._pages = 0
        """Learned from since ``changes`` was asked."""

    def guess(self, features: bytes) -> float:
        """How likely the page of a link with these ``features`` is to bring something: in (0, 1)."""
        return _probability(float(self.weights[_unpack(features)].sum()))

    def guess_all(self, links: Sequence[bytes]) -> NDArray[np.float64]:
        """``guess`` of the features of each of ``links``, at once."""
        rows = np.repeat(np.arange(len(links)), [len(features) // 2 for features in links])
        sums = np.bincount(rows, self.weights[_unpack(b"".join(links))], minlength=len(links))
        guesses: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(sums + _START, -_FAR, _FAR)))
        return guesses

    def learn(self, features: bytes, fruitful: bool) -> None:
        """The page of a link with these ``features`` was ``fruitful``, or not."""
        if not features:
            return
        own = _unpack(features)
        old = self.weights[own]
        gradient = _probability(float(old.sum())) - fruitful
        seen = self._seen[own] + gradient * gradient
        self._seen[own] = seen
        rates = np.maximum(_RATE / np.sqrt(seen), _LEAST_RATE)
        new = np.clip(old - rates * (gradient + _DECAY * old), -_MOST, _MOST)
        self.weights[own] = new
        self._changes[own] += new - old
        self._pages += 1

    def changes(self, workers: int = 1) -> dict[int, float]:
        """Bucket → what :meth:`learn` has added to its weight since the last call; to be given to all others.

        Args:
            workers: so many learn at the same time, this one included. What each does to mend the same error must
                not be done ``workers`` times: with many pages between two exchanges, only a share of what was
                learned is given, and kept here (at least the mean of all of them, as in federated averaging).
        """
        changed = np.flatnonzero(self._changes)
        by = self._changes[changed]
        share = max(1 / workers, min(1.0, _APART / max(workers * self._pages, 1)))
        if share < 1.0:
            self.weights[changed] -= (1 - share) * by
            by *= share
        self._changes[changed] = 0.0
        self._pages = 0
        return dict(zip(changed.tolist(), by.tolist(), strict=True))

    def add(self, changes: Mapping[int, float]) -> None:
        """Take over what another has learned. Numbers that cannot be are left out."""
        sane = {bucket: by for bucket, by in changes.items() if 0 <= bucket < BUCKETS and math.isfinite(by)}
        own = np.fromiter(sane, dtype=np.intp, count=len(sane))
        by = np.fromiter(sane.values(), dtype=np.float64, count=len(sane))
        self.weights[own] = np.clip(self.weights[own] + by, -_MOST, _MOST)


def _probability(weight: float) -> float:
    return 1 / (1 + math.exp(-min(max(weight + _START, -_FAR), _FAR)))
