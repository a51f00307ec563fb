"""A catalogue and a store that agree: images as a crawl keeps them, on whatever database."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, select, update

from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Model, Outcome, Page, Policy
from posterbot.catalogue.schema import frontier, images, runs
from posterbot.frontier.again import AGAIN
from posterbot.stores.local import LocalStore
from posterbot.stores.spool import Spool
from posterbot.stores.store import DROPPED, object_path

POLICY = Policy(("poster",), 0.5, Model("web-images", "a" * 64, ("poster", "photo")), "anna", "arguments")
OLD = time.time() - 7200


def bytes_of(name: str) -> bytes:
    return f"the picture {name}".encode() * 3


def sha256_of(name: str) -> str:
    return hashlib.sha256(bytes_of(name)).hexdigest()


def path_of(name: str) -> str:
    return object_path(sha256_of(name), "jpg")


def dropped_path_of(name: str) -> str:
    return f"{DROPPED}/{path_of(name)}"


class Kept:
    """A folder with a store and a spool, and a catalogue that is at ``engine``."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.store = LocalStore(str(folder / "images"))
        self.spool_root = folder / "spool"
        self.spool = Spool(self.spool_root, self.store.name, 10**9)

    def crawl(
        self,
        names: Sequence[str],
        dropped: Sequence[str] = (),
        *,
        spooled: Sequence[str] = (),
        job: str | None = "job",
        end: str | None = "finished",
        policy: Policy = POLICY,
        **facts: Any,
    ) -> int:
        """A run that stores ``names``, has the store refuse ``spooled``, and keeps small pictures of ``dropped``."""
        recorder = Recorder(self.engine, spider="posters", arguments={}, version="1", job=job)
        with self.engine.begin() as connection:
            ours = update(runs).where(runs.c.id == recorder.run_id)
            connection.execute(ours.values(store=self.store.name) if not facts else ours.values(facts))
        for name in names:
            self.put(path_of(name), bytes_of(name))
        for name in spooled:
            self.spool.put_if_absent(path_of(name), bytes_of(name), "image/jpeg", {"label": name})
        for name in dropped:
            self.put(dropped_path_of(name), b"small")
        kept = [Image(sha256_of(n), len(bytes_of(n)), "JPEG", 600, 900, None, path_of(n)) for n in (*names, *spooled)]
        small = [
            Image(sha256_of(n), len(bytes_of(n)), "JPEG", 600, 900, None, None, dropped_path_of(n), 5) for n in dropped
        ]
        written = [
            recorder.outcome(
                Outcome(
                    Page(f"https://a.example/{number % 3}", 200),
                    f"https://images.example/{image.sha256}.jpg",
                    "img",
                    image=image,
                    scores=np.array([0.75, 0.25], "<f4"),
                    policy=policy,
                    keep=image in kept,
                    verdict_reason="relevant" if image in kept else "not_relevant",
                )
            )
            for number, image in enumerate((*kept, *small))
        ]
        recorder.close(end)
        assert [future.result() for future in written] == [None] * len(written)
        return recorder.run_id

    def put(self, path: str, data: bytes, age: float = OLD) -> None:
        """Write an object as it was two hours ago, over what is there."""
        self.store.delete(path)
        self.store.put_if_absent(path, data)
        self.age(self.store.folder / path, age)

    def age(self, file: Path, age: float = OLD) -> None:
        os.utime(file, (age, age))

    def path_in_catalogue(self, name: str) -> str | None:
        with self.engine.connect() as connection:
            found: str | None = connection.scalar(select(images.c.path).where(images.c.sha256 == sha256_of(name)))
            return found

    def queued(self, run: int) -> set[str]:
        """The sha256 of all images that a run is to fetch again."""
        asked = select(frontier.c.request).where(
            frontier.c.run_id == run, frontier.c.url.startswith("posterbot://again")
        )
        with self.engine.connect() as connection:
            found = [json.loads(request)["meta"][AGAIN]["images"] for request in connection.scalars(asked)]
        return {
            image["candidate"]["url"][len("https://images.example/") : -len(".jpg")] for of in found for image in of
        }

    def everything(self) -> list[str]:
        """Paths in the store, whatever they are."""
        return [found.path for found in self.store.list()]
