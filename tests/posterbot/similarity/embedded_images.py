"""A catalogue whose images have embeddings that a test chooses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from sqlalchemy import Engine, delete, select

from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Model, Outcome, Page, Policy
from posterbot.catalogue.schema import candidates, embeddings, images, scores, verdicts

LABELS = ("poster", "photo")
MODEL = Model("web-images", "a" * 64, LABELS)


def name_of(name: object) -> str:
    """The sha256 under which ``name`` is recorded."""
    return hashlib.sha256(str(name).encode()).hexdigest()


def record(
    engine: Engine,
    vectors: Mapping[object, np.ndarray | None],
    *,
    model: Model = MODEL,
    dropped: frozenset[object] = frozenset(),
    paths: Mapping[object, str] | None = None,
    **facts: str,
) -> None:
    """A run that has seen these images, on one page."""
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    policy = Policy(("poster",), 0.5, model, "anna", "arguments")
    written = [
        recorder.outcome(
            Outcome(
                Page(f"https://site.example/{name}", 200),
                f"https://images.example/{name}.jpg",
                "img",
                image=Image(name_of(name), 1000, "JPEG", 600, 900, path=(paths or {}).get(name)),
                scores=np.full(len(model.labels), 0.1, "<f4"),
                embedding=None if vector is None else np.asarray(vector, np.float16),
                policy=policy,
                keep=name not in dropped,
                verdict_reason="not_relevant" if name in dropped else "relevant",
                **{"alt": f"the poster {name}"} | facts,  # type: ignore[arg-type]
            )
        )
        for name, vector in vectors.items()
    ]
    recorder.close("finished")
    assert [future.result() for future in written] == [None] * len(written)


def erase(engine: Engine, name: object) -> None:
    """Take an image out of the catalogue, as forgetting does."""
    with engine.begin() as connection:
        number = connection.scalar(select(images.c.id).where(images.c.sha256 == name_of(name)))
        for table in (scores, embeddings, verdicts, candidates):
            connection.execute(delete(table).where(table.c.image_id == number))
        connection.execute(delete(images).where(images.c.id == number))
