"""Which embeddings in the catalogue are features of one and the same network: its own, and those of heads on it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, select

from posterbot.catalogue.model_folders import OWN, folders, identity
from posterbot.catalogue.schema import models


def same_features(engine: Engine, base: str) -> list[int]:
    """Numbers of the models of the catalogue that see images as the one with the hash ``base`` does.

    A crawl that goes by a learned model records the features of the model below it under the name of the learned one.
    """
    known = heads_on(base)
    with engine.connect() as connection:
        rows = connection.execute(select(models.c.id, models.c.hash, models.c.name)).all()
    return sorted(row.id for row in rows if row.hash == base or row.hash in known or _reads(row.name, row.hash, base))


def _reads(name: str, hash_: str, base: str) -> bool:
    """Is the model of that name and hash, wherever it lies, a head on ``base``?"""
    return any(identity(folder) == (hash_, base) for folder in folders(name))


def heads_on(base: str) -> set[str]:
    """Hashes of the learned models on this machine that stand on the one with the hash ``base``."""
    from models.registry import WEIGHTS

    places = [*_models_in(OWN), *_models_in(WEIGHTS)]
    told = [identity(folder) for folder in places]
    return {one[0] for one in told if one is not None and one[1] == base and one[0] != base}


def _models_in(folder: Path) -> list[Path]:
    return sorted(found.parent for found in folder.glob("*/model.toml"))
