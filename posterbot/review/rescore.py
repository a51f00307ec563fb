"""What a model that was learned here says of all images that were seen before it: from their embeddings.

A learned model is a head on the features of another, and those are in the catalogue for every image that was scored. So
nothing is fetched for it, nor decoded. Embeddings are kept as float16: probabilities differ from those of the crawl by
some thousandths.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
from sqlalchemy import Engine, Table, bindparam, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue.in_turn import in_turn
from posterbot.catalogue.model_folders import OWN
from posterbot.catalogue.schema import embeddings, images, models, scores
from posterbot.review.features import same_features

AT_ONCE = 2000
"""Images in one transaction."""


def learned_in(name: str) -> Path | None:
    """The folder of a learned model, by its path or its name in ``data/models``; None: it is no such model."""
    from models.classifier import ModelError
    from models.declaration import read_toml

    for folder in (Path(name), OWN / name):
        if name and (folder / "model.toml").is_file():
            try:
                if read_toml(folder / "model.toml").get("kind") == "taught":
                    return folder
            except ModelError:
                return None
    return None


def rescore(engine: Engine, folder: Path, progress: Callable[[int, int], object] = lambda *_: None) -> str:
    """Write the scores of the model in ``folder`` for all images that have the features it reads, and none of it yet.

    Returns:
        Its hash, by which ``rejudge`` finds it.

    Raises:
        PolicyError: the model cannot be read, or no image has the features it reads.
    """
    from models.classifier import ModelError
    from models.declaration import read_toml
    from models.registry import read_labels
    from models.taught import Head
    from posterbot.catalogue.model_folders import identity
    from posterbot.steering.labels import PolicyError

    try:
        card = read_toml(folder / "model.toml")
        head = Head.from_bytes((folder / str(card["head"])).read_bytes())
        labels = read_labels(folder / str(card["labels"]))
        name = str(card.get("name", folder.name))
    except (ModelError, OSError, ValueError, KeyError) as error:
        raise PolicyError(f"model {folder}: {error}") from None
    found = identity(folder)
    if found is None or len(labels) != len(head.bias):
        raise PolicyError(f"model {folder}: its files do not fit together")
    hash_, base = found
    on_server = engine.dialect.name == "postgresql"
    insert = cast("Callable[[Table], sqlite.Insert]", postgresql.insert if on_server else sqlite.insert)
    of = same_features(engine, base)
    if not of:
        raise PolicyError(f"model {name} reads features that no image here has")
    with in_turn(engine) as connection:
        row = {"name": name, "hash": hash_, "labels": list(labels)}
        connection.execute(insert(models).values(row).on_conflict_do_nothing(index_elements=["hash"]))
        number = connection.scalar(select(models.c.id).where(models.c.hash == hash_))
    there = exists().where(scores.c.image_id == embeddings.c.image_id, scores.c.model_id == number)
    statement = (
        select(embeddings.c.image_id, embeddings.c.vector)
        .where(embeddings.c.model_id.in_(of), embeddings.c.image_id > bindparam("last"), ~there)
        .order_by(embeddings.c.image_id)
        .limit(AT_ONCE)
    )
    last, done = 0, 0
    with engine.connect() as connection:
        total = int(connection.scalar(select(images.c.id).order_by(images.c.id.desc()).limit(1)) or 0)
    while True:
        with engine.connect() as connection:
            rows = connection.execute(statement, {"last": last}).all()
        if not rows:
            return hash_
        features = np.stack([row.vector for row in rows]).astype(np.float32)
        table = head.probabilities(features)
        found_rows = [
            {"image_id": row.image_id, "model_id": number, "vector": vector}
            for row, vector in zip(rows, table, strict=True)
        ]
        with in_turn(engine) as connection:
            connection.execute(insert(scores).on_conflict_do_nothing(), found_rows)
        last, done = rows[-1].image_id, done + len(rows)
        progress(done, max(total, done))
