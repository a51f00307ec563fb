"""From the words of a candidate to hashed character n-grams.

Hashing n-grams into a fixed number of buckets (the hashing trick of Weinberger and others, ICML 2009) needs no
vocabulary, so the model is one array, and the texts it was trained on cannot be read from it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

FIELDS = ("alt", "title", "caption", "file name", "path")
MAX_TEXT = 300
"""Characters read of each field; what follows is ignored. Words that tell come first."""

MAX_URL = 2_000

BITS = 18
BUCKETS = 1 << BITS
"""Bucket 0 is kept for n-grams that reach over the end of their field; its weight is 0."""

LENGTHS = (2, 3, 4, 5)

SHORT = 20
"""Added to the number of n-grams that evidence is divided by, so that one short word decides little."""

_SEEDS = np.array([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822], np.uint32)  # digits of pi
_STEP = np.uint32(0x01000193)  # the prime of FNV-1a
_SPREAD = np.uint32(0x9E3779B1)  # 2^32 divided by the golden ratio, as in multiplicative hashing

_ASCII = {
    code: chr(code).lower() if chr(code).isalpha() else "0" if chr(code).isdigit() else " " for code in range(128)
}
_GAPS = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")
_ENDING = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)$", re.IGNORECASE)
_IN_QUERY = re.compile(r"[^=&?#\s]{1,300}\.(?:jpe?g|png|webp|gif|avif)(?![a-z0-9])", re.IGNORECASE)

_SAYS_NOTHING = frozenset(
    """
    alt art bild big card client content copy cover cropped default dsc dscn edited file final foto fotos full gif
    image imagen imagem images img imgp item jpeg jpg large lazy loading main medium movie new null orig original page
    photo photos pic pics picture placeholder png post resized scaled scan small svg temp test thumb thumbnail tiny
    undefined unnamed untitled upload web webp avif
    """.split()  # noqa: SIM905 (a list of seventy strings is harder to read)
)
"""Words that fit every picture."""

_VOWELS = re.compile(r"[aeiouy]")
_HEX = re.compile(r"[a-f0]+")
_NO_SPEECH = re.compile(r"[^aeiouy]{6}")


def read_fields(alt: str, title: str, caption: str, url: str) -> tuple[str, ...]:
    """The words of a candidate, normalised, in the order of :data:`FIELDS`.

    Lower case, NFKC, digits as 0, everything else between words as one space; of the folders only those that are
    words. The host is left out: it says where a picture is stored, and a model that learns hosts knows nothing of the
    next one.
    """
    path, name = split_url(url)
    folders = " ".join(word for word in normalise(path).split() if _is_word(word))
    return normalise(alt), normalise(title), normalise(caption), normalise(name), folders


def normalise(text: str) -> str:
    """``text`` as the model reads it: at most :data:`MAX_TEXT` characters."""
    text = text[:MAX_TEXT]
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    text = unicodedata.normalize("NFKC", text)[:MAX_TEXT].casefold()
    # Marks are parts of letters in many scripts, and \w does not count them.
    text = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in text)
    return " ".join(_DIGITS.sub(lambda digits: "0" * len(digits[0]), text).split())[:MAX_TEXT]


def split_url(url: str) -> tuple[str, str]:
    """The folders and the file name of ``url``, percent-decoded; of a script, the file that its query names.

    The ending of a name is left out where it is one that photographs and posters have alike.
    """
    if url[:5].lower() == "data:":
        return "", ""
    _, scheme, rest = url[:MAX_URL].partition("://")
    address, _, query = (rest if scheme else url[:MAX_URL]).partition("#")[0].partition("?")
    folders = address.partition("/")[2] if scheme else address
    if "%" in folders:
        folders = unquote(folders)
    path, _, name = folders.rpartition("/")
    if "." in query:
        named = _IN_QUERY.findall(unquote(query))
        if named:
            path, _, name = named[-1].rpartition("/")
    return path, _ENDING.sub("", name)


def is_informative(fields: tuple[str, ...]) -> bool:
    """Whether the alt text, the title or the file name holds a word.

    Numbers, hashes, camera and content network names are no words, and neither is what fits every picture. The caption
    does not count, being often the nearest heading and about something else; nor do folders.
    """
    return any(_is_word(word) for field in (fields[0], fields[1], fields[3]) for word in field.split())


def _is_word(word: str) -> bool:
    if not word.isascii():
        return "0" not in word
    return (
        3 <= len(word) <= 24
        and "0" not in word
        and word not in _SAYS_NOTHING
        and _VOWELS.search(word) is not None
        and _NO_SPEECH.search(word) is None
        and _HEX.fullmatch(word) is None
    )


class Ngrams:
    """The n-grams of many candidates, each with its bucket.

    ``counts`` float32 (N,): n-grams of each candidate. ``starts`` int64 (N + 1,): where the characters of each begin.
    """

    def __init__(self, candidates: Sequence[tuple[str, ...]]) -> None:
        texts = [f" {text} " if text else "" for text in chain.from_iterable(candidates)]
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        self._codes: NDArray[np.uint32] = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        self._seeds = np.repeat(np.tile(_SEEDS, len(candidates)), lengths)
        ends = np.cumsum(lengths)
        self._left = (np.repeat(ends, lengths) - np.arange(len(self._codes))).astype(np.int32)
        self.starts = np.concatenate([[0], ends[len(FIELDS) - 1 :: len(FIELDS)]])
        per_field = sum(np.maximum(lengths - n + 1, 0) for n in LENGTHS)
        self.counts = np.asarray(per_field, np.float32).reshape(-1, len(FIELDS)).sum(1)

    def buckets(self) -> Sequence[NDArray[np.uint32]]:
        """For each of :data:`LENGTHS` the bucket of the n-gram that begins at each character, uint32 (characters,)."""
        found = []
        state = (self._codes ^ self._seeds) * _STEP
        for n in range(2, LENGTHS[-1] + 1):
            state = (state[:-1] ^ self._codes[n - 1 :]) * _STEP
            if n in LENGTHS:
                bucket = ((state ^ (state >> np.uint32(15))) * _SPREAD) >> np.uint32(32 - BITS)
                bucket *= self._left[: len(bucket)] >= n
                found.append(bucket)
        return found
