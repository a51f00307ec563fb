"""One shard: from the plan and the store to files, and a marker that they are complete. A pure function of both."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from models.decode import ImageError
from posterbot.export.example import Example
from posterbot.export.formats.format import Encoded
from posterbot.export.formats.formats import FORMATS
from posterbot.export.lockfile import Lockfile
from posterbot.export.pictures import prepare
from posterbot.export.target import PLAN, STATE, Target, open_target
from posterbot.stores.opening import open_store
from posterbot.stores.patient import Patient
from posterbot.stores.store import NotStoredError
from posterbot.stores.streams import in_parallel

GONE, DAMAGED = "gone", "damaged"
"""Why an image is missing: nothing is there, or other bytes. Otherwise it is one of ``models.decode``'s problems."""

Counted = Callable[[int, int], None]
"""So many more images are through, and so many bytes of originals are read."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a process has to know to make shards."""

    store: str
    """Of the originals."""
    out: str
    folder: Path
    """See :attr:`posterbot.export.target.Target.folder`."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An image of the plan that is not in the dataset."""

    sha256: str
    path: str
    url: str
    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Made:
    """A complete shard."""

    images: int
    bytes: int
    """Of its files."""
    missing: tuple[Missing, ...]
    parts: tuple[str, ...]
    """Paths of what it has left for the end, and its marker."""


def marker(index: int) -> str:
    """Path of the file that says that a shard is complete."""
    return f"{STATE}/done/{index:06}.json"


def read_marker(file: Path) -> Made:
    """What :meth:`Maker.make` gave when that shard was made."""
    said = json.loads(file.read_text(encoding="utf-8"))
    missing = tuple(Missing(**each) for each in said["missing"])
    return Made(said["images"], said["bytes"], missing, tuple(said["parts"]))


class Maker:
    """Makes shards, one after the other. Each process has its own.

    Raises:
        StoreError: a store cannot be used.
        LockfileError: there is no plan.
    """

    def __init__(self, job: Job, target: Target | None = None) -> None:
        self._lock = Lockfile(job.folder / PLAN)
        options = self._lock.header.options
        self._options = options
        self._format = FORMATS[options.format]()(self._lock.header)
        self._store = Patient(open_store(job.store, os.environ, "--store"))
        self._own = None if target is not None else open_target(job.out, os.environ, job.folder)
        self._target = target or self._own
        self._folder = job.folder

    def make(self, index: int, counted: Counted) -> Made:
        """Make the shard with this index, and leave its marker.

        Raises:
            OSError: it cannot be written.
            StoreError: a store has to be mended.
            UnavailableError: a store does not answer.
            TargetError: something else is there.
        """
        assert self._target is not None
        shard = self._lock.shards[index]
        work = self._folder / STATE / "making" / f"{index}-{os.getpid()}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        missing: list[Missing] = []
        through: Counter[str] = Counter()

        def pictures() -> Iterator[tuple[Example, Encoded]]:
            with closing(
                in_parallel(self._read, self._lock.read(index), self._store.threads, self._store.hurry)
            ) as all_:
                for example, data in all_:
                    picture = data if isinstance(data, str) else self._encoded(data)
                    counted(1, 0 if isinstance(data, str) else len(data))
                    if isinstance(picture, Encoded):
                        through["images"] += 1
                        yield example, picture
                    else:
                        missing.append(Missing(example.sha256, example.path, example.url, example.source, picture))

        try:
            self._format.write_shard(shard, pictures(), work)
            size = sum(file.stat().st_size for file in work.rglob("*") if file.is_file())
            paths = self._target.deliver(work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        left = (*(path for path in paths if path.startswith(STATE)), marker(index))
        made = Made(through["images"], size, tuple(missing), left)
        self._mark(index, made)
        return made

    def close(self) -> None:
        """Give back connections."""
        self._store.close()
        if self._own is not None:
            self._own.close()

    def _mark(self, index: int, made: Made) -> None:
        assert self._target is not None
        file = self._folder / marker(index)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{file.name}.{os.getpid()}.part")
        part.write_text(json.dumps(asdict(made)), encoding="utf-8")
        part.replace(file)
        self._target.keep(marker(index))

    def _read(self, example: Example) -> tuple[Example, bytes | str]:
        """The original, or why there is none."""
        try:
            data = self._store.get(example.path)
        except NotStoredError:
            return example, GONE
        return example, data if hashlib.sha256(data).hexdigest() == example.sha256 else DAMAGED

    def _encoded(self, data: bytes) -> Encoded | str:
        try:
            return prepare(data, self._options, jpeg=self._format.jpeg_only)
        except ImageError as error:
            return str(error.problem)
