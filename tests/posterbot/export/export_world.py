"""A catalogue and a store as a crawl leaves them, with films, clusters, terms and policies: what there is to export."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from conftest import encode, picture
from PIL import Image as PillowImage
from sqlalchemy import Engine, insert, select, update

from models.phash import phash
from posterbot.catalogue.database import IMMEDIATE, open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Claim, Image, Model, Outcome, Page, Policy
from posterbot.catalogue.schema import candidates, images, sources
from posterbot.catalogue.schema_films import clusters, film_ids, film_sightings, films, image_films
from posterbot.films.evidence import NOTHING
from posterbot.stores.local import LocalStore
from posterbot.stores.store import object_path

LABELS = ("poster", "album_cover", "photo")
MODEL = Model("web-images", "a" * 64, LABELS)
OTHER_MODEL = Model("other", "b" * 64, LABELS)
FIRST = Policy(("poster",), 0.5, MODEL, "anna", "arguments")
SECOND = Policy(("poster", "album_cover"), 0.7, OTHER_MODEL, "ben", "telnet", top=2)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When all was fetched."""
HOSTS = ("open.example", "closed.example", "plain.example", "old.example")
"""Image ``i`` is from host ``i % 4``: all is allowed, nothing is, nobody has looked, and 30 days."""
GENRES = ("Comedy", "Drama", "Horror", "Science Fiction")
TITLES = (
    "Metropolis",
    '=HYPERLINK("http://evil.example")',
    "Line\r\nbreak\tand \x07 bell",
    '<script>alert(1)</script> & "quotes"',
    "Привет, мир",
    "-30-",
)
"""Of films, in turn."""


@lru_cache(maxsize=2000)
def bytes_of(number: int) -> bytes:
    """The original of image ``number``: a JPEG, each fifth a PNG."""
    drawn = picture(60 + number % 7, 90 + number % 5, seed=number)
    return encode(drawn, "PNG") if number % 5 == 4 else encode(drawn, quality=90)


def sha256_of(number: int) -> str:
    return hashlib.sha256(bytes_of(number)).hexdigest()


class ExportWorld:
    """``count`` kept images, two that were dropped, and what is known of them.

    Image ``i`` shows film ``i // 3``, but for each seventh, which shows none; each eleventh is linked with a second
    film, with less confidence. ``copies`` are pairs of images in one cluster of copies; ``variants`` are in one of
    variants. By default each image has a cluster of its own, but for 0 and 30, which are copies, and 4 and 19, which
    are variants, as far as they are there. From the half on, images are kept by the second policy, as album covers.
    """

    def __init__(self, folder: Path, count: int = 40, url: str | None = None, **more: Any) -> None:
        self.folder, self.count = folder, count
        folder.mkdir(parents=True, exist_ok=True)
        self.url = url or f"sqlite:///{folder}/catalogue.db"
        self.store = LocalStore(str(folder / "images"))
        self.engine: Engine = open_catalogue(self.url)
        self._fill(**more)

    def close(self) -> None:
        self.engine.dispose()

    def id_of(self, number: int) -> int:
        """The number that image ``number`` has in the catalogue."""
        with self.engine.connect() as connection:
            return int(connection.execute(select(images.c.id).where(images.c.sha256 == sha256_of(number))).scalar_one())

    def lose(self, number: int) -> None:
        """Delete the bytes of an image from the store."""
        assert self.store.delete(self.path_of(number))

    def damage(self, number: int) -> None:
        (self.store.folder / self.path_of(number)).write_bytes(b"something else")

    def path_of(self, number: int) -> str:
        return object_path(sha256_of(number), "png" if number % 5 == 4 else "jpg")

    def write(self, statement: Any, *rows: Any) -> None:
        with self.engine.execution_options(**IMMEDIATE).begin() as connection:
            connection.execute(statement, *rows)

    def _fill(
        self, copies: Sequence[tuple[int, int]] = ((0, 30),), variants: Sequence[tuple[int, int]] = ((4, 19),)
    ) -> None:
        recorder = Recorder(self.engine, spider="posters", arguments={}, version="1", job="job")
        written = [recorder.outcome(self._outcome(number)) for number in range(self.count)]
        written += [recorder.outcome(self._outcome(self.count + more, keep=False)) for more in range(2)]
        recorder.close("finished")
        assert [future.result() for future in written] == [None] * len(written)
        for number in range(self.count):
            self.store.put_if_absent(self.path_of(number), bytes_of(number))
        with self.engine.connect() as connection:
            ids = {row.sha256: row.id for row in connection.execute(select(images.c.sha256, images.c.id))}
        numbers = [ids[sha256_of(number)] for number in range(self.count)]
        self._terms()
        self._films(numbers)
        self._clusters(numbers, copies, variants)

    def _outcome(self, number: int, keep: bool = True) -> Outcome:
        data = bytes_of(number)
        host = HOSTS[number % 4]
        policy = SECOND if number >= self.count / 2 else FIRST
        label = "album_cover" if policy is SECOND and number % 3 == 0 else "poster"
        there = Image(
            sha256_of(number),
            len(data),
            "PNG" if number % 5 == 4 else "JPEG",
            60 + number % 7,
            90 + number % 5,
            _phash(number),
            self.path_of(number) if keep else None,
        )
        vector = np.random.default_rng(number).normal(size=8).astype("<f2")
        return Outcome(
            Page(f"https://pages.example/{number // 3}", 200, "A page", at=AT),
            f"https://{host}/{number}.jpg",
            "img",
            alt=f"@SUM(1)\nposter {number}" if number % 4 == 3 else f"A poster, {number}",
            image=there,
            scores=np.array([0.9, 0.06, 0.04] if keep else [0.1, 0.1, 0.8], "<f4"),
            embedding=vector,
            policy=policy,
            keep=keep,
            verdict_reason="relevant" if keep else "not_relevant",
            label=label if keep else "photo",
            score=round(0.7 + number % 30 / 100, 2) if keep else 0.1,
            claim=Claim("file:///list.csv", "enwiki", "Faust", licence="CC BY-SA 4.0") if number % 8 == 0 else None,
            at=AT,
        )

    def _terms(self) -> None:
        said: dict[str, dict[str, Any]] = {
            "open.example": {
                "ml_allowed": True,
                "redistributable": True,
                "attribution": "© Open, <b>2026</b>",
                "terms_url": "https://open.example/terms",
            },
            "closed.example": {"ml_allowed": False, "redistributable": False},
            "old.example": {"max_age_days": 30},
            "pages.example": {"ml_allowed": True, "redistributable": True},
        }
        with self.engine.execution_options(**IMMEDIATE).begin() as connection:
            for name, terms in said.items():
                connection.execute(update(sources).where(sources.c.name == name).values(terms))

    def _films(self, numbers: Sequence[int]) -> None:
        rows = []
        names: list[dict[str, Any]] = []
        for film in range((self.count + 2) // 3):
            genres = sorted({GENRES[film % 4], GENRES[film * film % 3]}) if film % 5 else []
            year = 1920 + film if film % 6 else None
            title = TITLES[film % len(TITLES)]
            rows.append({"id": film + 1, "kind": "Movie", "title": title, "year": year, "genres": genres})
            schemes = {"imdb": f"tt{film:07}", "tmdb": f"{film}", "wikidata": f"Q{film}"}
            taken = (("imdb", "tmdb"), ("tmdb",), ("wikidata",), ())[min(film % 8, 3)] if film % 8 < 4 else ("imdb",)
            names += [
                {"scheme": scheme, "value": schemes[scheme], "film_id": film + 1, "evidence": "link"}
                for scheme in taken
            ]
        links = []
        for number, image in enumerate(numbers):
            if number % 7 == 0:
                continue
            film = number // 3 + 1
            link = {"image_id": image, "film_id": film, "evidence": "jsonld", "confidence": 0.9, "detail": "its page"}
            links.append(link)
            links.append(link | {"evidence": "title", "confidence": 0.5})
            if number % 11 == 0 and film > 1:
                links.append(link | {"film_id": film - 1, "evidence": "title", "confidence": 0.3})
        with self.engine.execution_options(**IMMEDIATE).begin() as connection:
            for table, content in ((films, rows), (film_ids, names), (image_films, links)):
                if content:
                    connection.execute(insert(table), content)
            # Looked at, so that these links stand.
            read = [
                {"candidate_id": number, "evidence": NOTHING, "detail": "", "linked": True}
                for number in connection.scalars(select(candidates.c.id))
            ]
            connection.execute(insert(film_sightings), read)

    def _clusters(
        self, numbers: Sequence[int], copies: Sequence[tuple[int, int]], variants: Sequence[tuple[int, int]]
    ) -> None:
        copied, varied = list(range(self.count)), list(range(self.count))
        for one, other in copies:
            if max(one, other) < self.count:
                copied[other] = varied[other] = one
        for one, other in variants:
            if max(one, other) < self.count:
                varied[other] = varied[one]
        rows = [
            {
                "image_id": image,
                "copies": sha256_of(copied[number])[:16],
                "variants": sha256_of(varied[number])[:16],
                "representative": copied[number] == number,
            }
            for number, image in enumerate(numbers)
        ]
        self.write(insert(clusters), rows)


def _phash(number: int) -> str:
    with PillowImage.open(io.BytesIO(bytes_of(number))) as drawn:
        return phash(drawn.convert("RGB"))
