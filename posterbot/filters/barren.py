"""Shapes of image addresses that never gave anything: ``/stills/{text}.jpg`` on one host, ``/avatars/{n}.jpg``.

Each shape begins with the benefit of the doubt. When enough pictures of it were looked at and too few were kept, fewer
and fewer of it are asked for, and never none; each one that is kept after all buys it many more looks.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from posterbot.catalogue.records import Page
from posterbot.catalogue.rows import clean, source_of
from posterbot.frontier.traps import pattern
from posterbot.page import Candidate
from posterbot.reasons import Reason

FIRST_LOOKS = 30
"""So many pictures of a shape are looked at before it is doubted, on a host that keeps its posters elsewhere,"""
WORTH = 100
"""and so many on one that does not; also, what a kept picture is worth: its shape is asked for so often again."""
POSTERS_ELSEWHERE = 10
"""Kept pictures of other shapes by which a host shows where it has its posters."""

HOSTS = 2_000
"""Hosts that are remembered at once."""
PATTERNS = 300
"""Shapes of one host; those beyond are always asked for."""
ADDRESSES = 50_000
"""Addresses that are remembered as counted: a logo on a thousand pages is one picture."""

_ENDING = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|bmp|svg|php|aspx?|ashx|cgi)$", re.IGNORECASE)
_SIZE = re.compile(
    r"[wh]?\d{2,4}|[wh]\d{2,4}_and_h\d{2,4}\w*|\d{1,4}x\d{1,4}|\d{1,4}x|x\d{1,4}|s\d{2,4}(?:-\w)*|c_\d+_\d+", re.ASCII
)
_GAP = re.compile(r"([-_.@])")
_KIND = frozenset(
    """
    actor ad affiche avatar backdrop background banner bg big bild button cartel cast cover default escena face fanart
    foto gallery header hd hero icon image img l landscape large locandina logo m md medium mini number original person
    photo pic plakat poster preview profile promo s scena scene screen screenshot shot slide sm small square star still
    szene t thumb thumbnail tn trailer user video wide xl xs
    """.split()  # noqa: SIM905
)
"""Words at the beginning or the end of a file's name that tell what kind of picture it is, or in which size."""
_SIZES = frozenset({"w", "h", "width", "height", "s", "sz", "size", "preset", "style", "imwidth", "quality"})
_TYPES = frozenset({"typ", "type", "kind", "art", "cat", "category", "mode", "view", "dir", "folder", "variant"})
"""Parameters of scripts whose values tell as much as folders do."""
_MAX_NAMES = 6
_MAX_PARTS = 6


@lru_cache(maxsize=4096)
def image_pattern(url: str) -> str:
    """The shape of the address of an image: folders as in :func:`posterbot.frontier.traps.pattern`, sizes as they are.

    ``/t/p/w92/{text}.jpg`` and ``/t/p/w500/{text}.jpg`` are two shapes, so are ``/{text}-150x150.jpg`` and
    ``/still-{n}.jpg``. Of a query the names of its parameters count, and the value of a size. Any text; never raises.
    """
    address, _, query = clean(url).partition("#")[0].partition("?")
    folders, _, name = address.partition("://")[2].rpartition("/")
    telling = [folder for folder in folders.split("/")[1:] if _tells(folder)]
    shape = pattern(f"http://{folders}/").rstrip("/")
    shape += (f"[{' '.join(telling)[:60]}]" if telling else "") + "/" + _file_shape(unquote(name))
    if not query:
        return shape
    return f"{shape}?{'&'.join(sorted(_parameter(each) for each in query.split('&')[:_MAX_NAMES]))}"


def _tells(folder: str) -> bool:
    """Does a folder that is no plain word name a size, or what kind of picture it holds?"""
    if _SIZE.fullmatch(folder):
        return not folder.isdecimal()
    first, *more = folder.lower().replace("_", "-").split("-")
    return bool(more) and not _KIND.isdisjoint((first, first.rstrip("s"), more[-1], more[-1].rstrip("s")))


def _file_shape(name: str) -> str:
    """``the-long-noon_still3.jpg`` as ``{text}_still{n}.jpg``: what is not known to tell anything is {text} or {n}."""
    ending = _ENDING.search(name)
    stem, suffix = (name[: ending.start()], ending[0].lower()) if ending else (name, "")
    parts = _GAP.split(stem[:200].lower())
    shapes = [_word_shape(part) if i % 2 == 0 else part for i, part in enumerate(parts)]
    unknown = [i for i, shape in enumerate(shapes) if shape == "{text}"]
    if not unknown:
        return "".join(shapes[:_MAX_PARTS]) + suffix
    begin, end = shapes[: unknown[0]], shapes[unknown[-1] + 1 :]
    return "".join([*begin[:_MAX_PARTS], "{text}", *end[-_MAX_PARTS:], suffix])


def _word_shape(word: str) -> str:
    if _SIZE.fullmatch(word) and not word.isdecimal():
        return word
    letters = word.rstrip("0123456789")
    if letters in _KIND or not letters:
        return letters + "{n}" if len(letters) < len(word) else letters
    return "{text}"


def _parameter(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    name = name.lower()[:20]
    tells = (name in _SIZES and value.isalnum()) or (name in _TYPES and value.isalpha())
    return f"{name}={value}" if tells and len(value) < 12 else name


@dataclass(frozen=True, slots=True)
class Looks:
    """Pictures of one shape that were looked at, and those of them that were kept."""

    seen: int = 0
    kept: int = 0


_NEVER = Looks()


@dataclass(slots=True)
class _Host:
    shapes: dict[str, Looks] = field(default_factory=dict)
    kept: int = 0
    """Of all its shapes."""


class Barren:
    """What is known of the shapes of each host, for one rule of what is kept. Belongs to the event loop.

    A host must be :meth:`learn`-ed before its shapes can be barren; :meth:`strangers` tells which are still to be.
    """

    def __init__(self, run: int) -> None:
        self._run = run
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self._counted: OrderedDict[bytes, None] = OrderedDict()
        self._out: Counter[tuple[str, str]] = Counter()

    def strangers(self, urls: Iterable[str]) -> set[str]:
        """The hosts of ``urls`` of which nothing is known yet."""
        return {host for url in urls if (host := source_of(url, ""))} - self._hosts.keys()

    def learn(self, host: str, patterns: Mapping[str, tuple[int, int]]) -> None:
        """All workers together have looked at so many of these shapes, and kept so many: (seen, kept)."""
        known = self._hosts.setdefault(host, _Host())
        self._hosts.move_to_end(host)
        for shape, (seen, kept) in patterns.items():
            if shape in known.shapes or len(known.shapes) < PATTERNS:
                known.kept += kept - known.shapes.get(shape, _NEVER).kept
                known.shapes[shape] = Looks(seen, kept)
        while len(self._hosts) > HOSTS:
            self._hosts.popitem(last=False)

    def note(self, images: Iterable[tuple[str, bool]]) -> Counter[tuple[str, str, bool]]:
        """What was looked at, as (URL, was it kept?): host, shape and verdict of what was not counted before."""
        found: Counter[tuple[str, str, bool]] = Counter()
        for url, kept in images:
            key = _hash("counted", url)
            if key in self._counted:
                continue
            self._counted[key] = None
            if len(self._counted) > ADDRESSES:
                self._counted.popitem(last=False)
            name, shape = source_of(url, ""), image_pattern(url)
            host = self._hosts.get(name)
            if host is not None and (shape in host.shapes or len(host.shapes) < PATTERNS):
                found[name, shape, kept] += 1
        return found

    def undecided(self, urls: Iterable[str]) -> bool:
        """Is one of a shape that has given nothing yet, and that may be doubted once the answers are there?

        One that has given something is asked for much longer than anybody should wait for.
        """
        for url in urls:
            host = self._hosts.get(name := source_of(url, ""))
            if host is None or _hash("counted", url) in self._counted:
                continue
            looks = host.shapes.get(shape := image_pattern(url), _NEVER)
            budget = _budget(looks, host.kept - looks.kept)
            if (
                not looks.kept
                and looks.seen < budget
                and self._out[name, shape] >= min(FIRST_LOOKS, budget - looks.seen)
            ):
                return True
        return False

    def begin(self, urls: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """These are going to be looked at: gives what :meth:`end` wants to be told when they have been."""
        new = (url for url in urls if _hash("counted", url) not in self._counted)
        begun = tuple((source_of(url, ""), image_pattern(url)) for url in new)
        self._out.update(begun)
        return begun

    def end(self, begun: Iterable[tuple[str, str]]) -> None:
        """They were looked at, or given up."""
        for key in begun:
            self._out[key] -= 1
            if self._out[key] <= 0:
                del self._out[key]

    def __call__(self, candidate: Candidate, page: Page) -> tuple[bool, Reason]:
        """(True, RELEVANT) or (False, BARREN_PATTERN); for one URL the same for all workers who know the same."""
        host = self._hosts.get(source_of(candidate.url, ""))
        looks = None if host is None else host.shapes.get(image_pattern(candidate.url))
        if host is None or looks is None:
            return True, Reason.RELEVANT
        elsewhere = host.kept - looks.kept
        if not looks.kept and looks.seen >= _budget(looks, elsewhere):
            # What is being looked at will most likely give nothing either; otherwise all that waits would pass at once.
            looks = Looks(looks.seen + self._out[source_of(candidate.url, ""), image_pattern(candidate.url)])
        chance = chance_of(looks, elsewhere)
        keep = chance >= 1 or share_of(f"{self._run} barren", candidate.url) < chance
        return (True, Reason.RELEVANT) if keep else (False, Reason.BARREN_PATTERN)


def chance_of(looks: Looks, elsewhere: int) -> float:
    """How likely the next picture of a shape is asked for, 0–1, excluding 0.

    Args:
        looks: at this shape.
        elsewhere: pictures of other shapes of the host that were kept.
    """
    return min(1.0, (_budget(looks, elsewhere) / max(looks.seen, 1)) ** 4)


def _budget(looks: Looks, elsewhere: int) -> int:
    first = FIRST_LOOKS if elsewhere >= POSTERS_ELSEWHERE else WORTH
    return first + WORTH * looks.kept


def share_of(salt: str, url: str) -> float:
    """A number from 0 to 1, excluding 1, spread evenly over URLs, and the same in every process."""
    return int.from_bytes(_hash(salt, url)) / 2**64


def _hash(salt: str, url: str) -> bytes:
    return hashlib.blake2b(f"{salt} {url}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
