"""Titles and names as they stand in URLs and anchors: made of common words, so that words tell what they tell."""

from __future__ import annotations

import re

import numpy as np

_THINGS_TEXT = """
    river night city house garden winter summer king queen road mountain island letter stranger shadow promise
    secret ghost mirror train harbour bridge dream silence storm fire water stone glass moon star sun desert
    forest ocean valley castle village circus doctor teacher soldier sister brother mother father daughter son
    friend enemy thief hunter dancer singer painter sailor captain prisoner judge witness bride widow child
    heart hand eye voice song dance game war peace love hate fear hope luck gold silver bread wine salt honey
    iron dust ash snow rain wind cloud thunder wolf lion horse dog cat bird raven fox bear snake spider rose
    lily oak apple orange lemon table door window key knife rope ladder wheel clock map book
"""
_THINGS = _THINGS_TEXT.split()
_SORTS_TEXT = """
    silent last first lost hidden broken golden dark bright cold warm long short old new young wild quiet
    strange perfect secret empty open closed red blue green black white grey distant final endless small great
    bitter sweet brave blind deaf lonely happy sad angry gentle cruel honest false true simple heavy light early
    late second third seven hundred thousand northern southern eastern western royal public private sudden slow
    quick sleeping burning frozen falling rising running waiting
"""
_SORTS = _SORTS_TEXT.split()
_FIRST_TEXT = """
    Anna Ben Clara David Elena Felix Greta Hugo Ida Jonas Karin Leo Maria Nils Olga Paul Rosa Simon Tara Uwe
    Vera Walter Yara Zoe Alan Bella Carl Dora Emil Fiona Georg Hanna Ivan Julia Kurt Lena Max Nora Oscar Petra
"""
_FIRST = _FIRST_TEXT.split()
_LAST_TEXT = """
    Adler Becker Carver Dahl Engel Fisher Garcia Hansen Ito Jansen Keller Lopez Moore Novak Olsen Porter Quinn
    Rossi Schmidt Tanaka Ullman Vogel Weber Young Zeller Archer Baker Cooper Dyer Ellis Ford Gray Hill Irving
    Jones King Lane Miller Nash Owens Page Reed Stone Turner Usher Vance Wood York Abbott Barnes Clarke Drake
"""
_LAST = _LAST_TEXT.split()
_TOPICS_TEXT = """
    travel cooking garden politics football music history science health family school books computers
    photography economy weather fashion cycling art theatre
"""
_TOPICS = _TOPICS_TEXT.split()


def titles(rng: np.random.Generator, number: int) -> list[str]:
    """Such as "The Silent River"; hardly any twice."""
    sort, thing, other, form = (rng.integers(0, 1 << 30, number) for _ in range(4))
    made = []
    for s, t, o, f in zip(sort, thing, other, form, strict=True):
        adjective, noun = _SORTS[s % len(_SORTS)], _THINGS[t % len(_THINGS)]
        last = _THINGS[o % len(_THINGS)]
        forms = (f"The {adjective} {noun}", f"{adjective} {noun} of the {last}", f"The {noun} and the {last}")
        made.append((*forms, f"{noun} of {adjective} {last}s")[f % 4].title())
    return made


def names(rng: np.random.Generator, number: int) -> list[str]:
    """Of people."""
    first, last = rng.integers(0, len(_FIRST), number), rng.integers(0, len(_LAST), number)
    return [f"{_FIRST[f]} {_LAST[n]}" for f, n in zip(first, last, strict=True)]


def topics(rng: np.random.Generator, number: int) -> list[str]:
    """Headlines of all sorts."""
    return [
        f"{_TOPICS[topic].capitalize()}: {rest.lower()}"
        for topic, rest in zip(rng.integers(0, len(_TOPICS), number), titles(rng, number), strict=True)
    ]


def slug(text: str, number: int | None = None) -> str:
    """As in a URL; ``number`` keeps it apart from others."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain if number is None else f"{plain}-{number}"
