"""Catalogues in which pages and lists say things of films, and what is found out there."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

from sqlalchemy import Engine, select

from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Claim, Film, Image, Model, Outcome, Page, Policy
from posterbot.catalogue.schema import images
from posterbot.catalogue.schema_films import film_conflicts, film_ids, films, image_films

POLICY = Policy(("poster",), 0.5, Model("web-images", "a" * 64, ("poster", "photo")), "anna", "arguments")


def imdb(number: int) -> str:
    return f"https://www.imdb.com/title/tt{number:07d}/"


def tmdb(number: int) -> str:
    return f"https://www.themoviedb.org/movie/{number}"


def movie(name: str, year: int | None = None, *links: str, by: str = "", kind: str = "Movie", genre: str = "") -> Film:
    return Film(kind, name, year, (genre,) if genre else (), (by,) if by else (), links)


def page(url: str, *stated: Film, title: str = "") -> Page:
    return Page(url if "//" in url else f"https://site.example/{url}", 200, title, films=stated)


def claim(title: str, year: int | None = None, **facts: Any) -> Claim:
    return Claim("file:///posters.jsonl", "enwiki", title, year=year, **facts)


def sha256_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def seen(name: str, on: Page, found_by: str = "img", **facts: Any) -> Outcome:
    """The image ``name`` on a page; dropped or kept does not matter here."""
    there = Image(sha256_of(name), 1000, "JPEG", 600, 900)
    url = facts.pop("url", f"https://images.example/{name}.jpg")
    return Outcome(on, url, found_by, image=there, policy=POLICY, keep=True, verdict_reason="relevant", **facts)


def listed(name: str, what: Claim) -> Outcome:
    return seen(name, Page(f"https://en.wikipedia.org/wiki/{what.title}"), "list", alt=what.title, claim=what)


def record(engine: Engine, *outcomes: Outcome) -> None:
    """One run that sees all of these, in this order."""
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    written = [recorder.outcome(outcome) for outcome in outcomes]
    recorder.close("finished")
    assert all(future.result() is None for future in written)


def names(engine: Engine) -> dict[int, str]:
    """Films by number, as ``Solaris 1972 tt0069293``: without their numbers, so that two catalogues can be compared."""
    with engine.connect() as connection:
        ids: dict[int, list[str]] = defaultdict(list)
        for row in connection.execute(select(film_ids).order_by(film_ids.c.scheme)):
            ids[row.film_id].append(row.value)
        return {
            row.id: " ".join(map(str, filter(None, (row.title, row.year, *ids[row.id]))))
            for row in connection.execute(select(films))
        }


def shown(engine: Engine) -> dict[str, dict[str, float]]:
    """sha256 → film → best confidence."""
    name_of, found = names(engine), defaultdict(dict)
    with engine.connect() as connection:
        asked = select(images.c.sha256, image_films).join(image_films, image_films.c.image_id == images.c.id)
        for row in connection.execute(asked):
            of_image = found[row.sha256]
            of_image[name_of[row.film_id]] = max(round(row.confidence, 3), of_image.get(name_of[row.film_id], 0.0))
    return dict(found)


def film_of(engine: Engine, name: str) -> str | None:
    """The film of the image ``name``; None where there is none."""
    films_of = shown(engine).get(sha256_of(name), {})
    return max(films_of, key=lambda film: films_of[film], default=None)


def confidence_of(engine: Engine, name: str) -> float:
    return max(shown(engine)[sha256_of(name)].values())


def conflicts_of(engine: Engine) -> list[tuple[str, str]]:
    """Kind and detail."""
    with engine.connect() as connection:
        return sorted((row.kind, row.detail) for row in connection.execute(select(film_conflicts)))


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All rows about films."""
    with engine.connect() as connection:
        tables = (films, film_ids, image_films, film_conflicts)
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))  # type: ignore[misc]
            for table in tables
        }
