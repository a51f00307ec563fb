"""Made-up candidates: the habits of many sites, about real films and things, in many languages."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.text.habits import FOLDERS, HEADINGS, Habit
from models.text.words import WORDS

_PLACEHOLDER = re.compile(r"\{([A-Za-z@]+\d?\d?)(?:-([suc]))?\}")
_NOT_IN_NAMES = re.compile(r"[\W_]+")
_SIZES = ("500x750", "1024x1024", "683x1024", "300x450", "150x150", "768x432", "large", "800x", "1200x1800")
_B64 = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Example:
    """One candidate with what it is. ``source`` and ``language`` are what it can be held out by, ``work`` is the film
    or the file it is about."""

    alt: str
    title: str
    caption: str
    url: str
    poster: bool
    source: str
    language: str
    work: str


@dataclass(frozen=True, slots=True)
class Subjects:
    """What pages are about. ``films``: title, year, names of actors; ``phrases``: language → things that have names."""

    films: Sequence[tuple[str, int, tuple[str, ...]]]
    phrases: Mapping[str, Sequence[str]] = field(default_factory=dict)


def generate(
    habits: Sequence[Habit], subjects: Subjects, count: int, languages: Sequence[str], seed: int
) -> list[Example]:
    """``count`` made-up candidates, the habits in turn; every third in English where that is among ``languages``."""
    rng = random.Random(seed)
    return [_example(habits[i % len(habits)], subjects, languages, rng) for i in range(count)]


def _example(habit: Habit, subjects: Subjects, languages: Sequence[str], rng: random.Random) -> Example:
    language = "en" if "en" in languages and rng.random() < 0.3 else rng.choice(languages)
    phrases = subjects.phrases.get(language) or [film[0] for film in subjects.films]
    title, year, actors = rng.choice(subjects.films)
    # There are few film titles in other languages here, so other names of things stand in for them.
    if language != "en" and rng.random() < 0.5:
        title = rng.choice(phrases)
    kind = rng.choice(WORDS[language if habit.own_language else "en"][habit.kind])
    values = {
        "T": title,
        "Y": str(year),
        "X": rng.choice(phrases) if rng.random() < 0.8 else rng.choice(subjects.films)[0],
        "K": kind,
        "E": rng.choice(WORDS["en"][habit.kind]),
    }

    def fill(match: re.Match[str]) -> str:
        what, form = match.groups()
        text = values[what] if what in values else _random(what, actors, subjects, rng)
        if form == "c":
            return "".join(word[:1].upper() + word[1:] for word in _NOT_IN_NAMES.split(text))
        if form:
            joint = "-" if form == "s" else "_"
            slug = _NOT_IN_NAMES.sub(joint, text).strip(joint)
            return slug.lower() if form == "s" or rng.random() < 0.5 else slug
        return text

    def write(alternatives: str) -> str:
        return _PLACEHOLDER.sub(fill, rng.choice(alternatives.split("|")).strip())

    url = write(habit.urls)
    if rng.random() < 0.5 and "?" not in url:  # the next site of this kind has other folders
        url = write(FOLDERS) + url.rpartition("/")[2]
    return Example(
        alt=write(habit.alts) if rng.random() < 0.85 else "",
        title=write(habit.titles or habit.alts) if rng.random() < 0.2 else "",
        caption=write(habit.captions or HEADINGS) if rng.random() < 0.7 else "",
        url="https://example.org" + url,
        poster=habit.kind == "poster",
        source=habit.name,
        language=language,
        work=title,
    )


def _random(what: str, actors: Sequence[str], subjects: Subjects, rng: random.Random) -> str:
    if what == "A":
        for _ in range(20):
            if actors:
                break
            actors = rng.choice(subjects.films)[2]
        return rng.choice(actors) if actors else "John Smith"
    if what == "size":
        return rng.choice(_SIZES)
    if what == "n":
        return str(rng.randrange(1, 32))
    if what == "id":
        return str(rng.randrange(1_000, 10_000_000))
    if what == "b64":
        return "".join(rng.choices(_B64, k=rng.choice((11, 27))))
    return f"{rng.getrandbits(128):032x}"[: 8 if what == "hex8" else 32]
