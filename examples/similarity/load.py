"""Puts a folder of posters into a catalogue and a store, as a crawl would have: scored, embedded, with their films.

    python examples/similarity/load.py FOLDER/index.csv --catalogue sqlite:///data/catalogue.db --store data/images

The table has the columns ``path`` (below its folder), ``source``, ``imdb_id`` and ``genres`` (``Drama|Comedy``); rows
without an IMDb id are left out. A crawl with ``-a urls=`` and ``posterbot films`` do the same for pictures on the web.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, insert, select

from models.analysis import Analysis, analyse
from models.registry import load_model
from posterbot import __version__
from posterbot.catalogue.database import IMMEDIATE, open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Model, Outcome, Page, Policy
from posterbot.catalogue.schema import images
from posterbot.catalogue.schema_films import film_ids, films, image_films
from posterbot.stores.local import LocalStore
from posterbot.stores.store import object_path

AT_ONCE = 64


def load(table: Path, catalogue: str, store_folder: str) -> int:
    """Put the posters that ``table`` lists into ``catalogue`` and ``store_folder``; how many those were."""
    engine, store, model = open_catalogue(catalogue), LocalStore(store_folder), load_model("web-images")
    store.check()
    policy = Policy(("poster",), 0.0, Model(model.name, model.hash, model.labels), "load.py", "arguments")
    recorder = Recorder(engine, spider="load", arguments={"table": table.name}, version=__version__)
    film_of: dict[str, tuple[str, list[str]]] = {}
    for rows in _batches(table):
        files = [(table.parent / row["path"]).read_bytes() for row in rows]
        for row, data, looked in zip(rows, files, analyse(files, model), strict=True):
            if not isinstance(looked, Analysis) or looked.header is None or looked.scores is None:
                continue
            image = _image(looked, len(data))
            store.put_if_absent(str(image.path), data, "image/jpeg")
            recorder.outcome(_outcome(row, looked, image, policy))
            genres = sorted(set(filter(None, row["genres"].split("|"))))
            film_of[looked.sha256] = (row["imdb_id"], genres)
    recorder.close("finished")
    _link(engine, film_of)
    engine.dispose()
    return len(film_of)


def _batches(table: Path) -> Iterator[list[dict[str, str]]]:
    with table.open(encoding="utf-8", newline="") as opened:
        rows = [row for row in csv.DictReader(opened) if row["imdb_id"]]
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def _image(looked: Analysis, size: int) -> Image:
    header = looked.header
    assert header is not None
    path = object_path(looked.sha256, header.extension)
    return Image(looked.sha256, size, header.format, header.width, header.height, looked.phash, path)


def _outcome(row: dict[str, str], looked: Analysis, image: Image, policy: Policy) -> Outcome:
    scores = looked.scores
    assert scores is not None
    return Outcome(
        Page(f"https://{row['source'].lower()}.example/{row['imdb_id']}", 200),
        f"https://{row['source'].lower()}.example/{row['path']}",
        "list",
        image=image,
        http_status=200,
        scores=scores,
        embedding=looked.embedding,
        policy=policy,
        keep=True,
        verdict_reason="relevant",
        label="poster",
        score=float(scores[policy.model.labels.index("poster")]),
    )


def _link(engine: Engine, film_of: dict[str, tuple[str, list[str]]]) -> None:
    """Write which film each image is of."""
    with engine.execution_options(**IMMEDIATE).begin() as connection:
        known = {
            row.value: row.film_id for row in connection.execute(select(film_ids).where(film_ids.c.scheme == "imdb"))
        }
        linked = set(connection.scalars(select(image_films.c.image_id)))
        number_of = {row.sha256: row.id for row in connection.execute(select(images.c.sha256, images.c.id))}
        for sha256, (imdb_id, genres) in film_of.items():
            if imdb_id not in known:
                film = {"kind": "Movie", "title": imdb_id, "genres": genres}
                (known[imdb_id],) = connection.execute(insert(films).values(film)).inserted_primary_key
                told = {"scheme": "imdb", "value": imdb_id, "film_id": known[imdb_id], "evidence": "list"}
                connection.execute(insert(film_ids).values(told))
            if number_of[sha256] not in linked:
                shows = {"image_id": number_of[sha256], "film_id": known[imdb_id], "evidence": "list"}
                connection.execute(insert(image_films).values(**shows, confidence=1.0, detail="the table"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--catalogue", default="sqlite:///data/catalogue.db")
    parser.add_argument("--store", default="data/images")
    arguments = parser.parse_args()
    number = load(arguments.table, arguments.catalogue, arguments.store)
    print(f"{number:,} posters in {arguments.catalogue}")
