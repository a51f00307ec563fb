"""posterbot's stores beside Scrapy's own, on one disk and one emulator of Google Cloud Storage, interleaved.

    python benchmarks/stores_vs_stock.py [--images 300] [--size 107000] [--rounds 5] [--only local|gs]

The same random images are handed to both as a pipeline does it: many at once, from an event loop. Scrapy's way with a
bucket is two requests an image: is it there (``stat_file``), then the upload (``persist_file``); posterbot's is one
conditional upload. Both are also compared by their upload alone. On the disk Scrapy writes in place, without flushing;
posterbot writes beside, flushes to the disk (fsync) and renames. What Scrapy has written is then still in memory: so it
is also measured until the system has written it (sync), once, at the end. Printed: images/s of each, the median ratio
with its range, and the CPU seconds of this process for 1,000 images. The emulator is a process of its own on the same
cores, started anew for each turn: it answers one request at a time, and each upload takes it longer than the last.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from comparison import Comparison, compared, parse, write
from scrapy.pipelines.files import FSFilesStore, GCSFilesStore
from scrapy.utils.defer import ensure_awaitable

from posterbot.stores.opening import open_store
from posterbot.stores.spool import Spool
from posterbot.stores.store import object_path
from posterbot.stores.uploads import Uploads

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS)]

from google_emulator import GoogleEmulator  # noqa: E402

AT_ONCE = 128
Put = Callable[[str, bytes], Awaitable[object]]


class Side:
    """One of the two, and what was measured of it."""

    def __init__(
        self, name: str, begin: Callable[[str], tuple[Put, Callable[[], Awaitable[object]]]], sync: bool = False
    ) -> None:
        self.name, self.begin, self.sync = name, begin, sync
        self.rates: list[float] = []
        self.cpu: list[float] = []

    async def run(self, place: str, images: list[tuple[str, bytes]]) -> None:
        """All images into a new place."""
        put, end = self.begin(place)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(path: str, data: bytes) -> None:
            async with gate:
                await put(path, data)

        before, begun = _cpu(), time.perf_counter()
        await asyncio.gather(*(one(path, data) for path, data in images))
        if self.sync:
            os.sync()
        self.rates.append(len(images) / (time.perf_counter() - begun))
        self.cpu.append(1000 * (_cpu() - before) / len(images))
        await end()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def disk() -> Iterator[str]:
    """A new folder."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"{folder}/images"


@contextmanager
def google() -> Iterator[str]:
    """A new bucket, of an emulator of its own."""
    with GoogleEmulator() as emulator:
        os.environ |= {"STORAGE_EMULATOR_HOST": emulator.url, "NO_GCE_CHECK": "true"}
        yield f"gs://{emulator.create_bucket('posters')}/images"


async def _nothing() -> None:
    pass


def ours(spools: Path) -> Callable[[str], tuple[Put, Callable[[], Awaitable[object]]]]:
    """What the pipeline does with a kept image that the catalogue does not know."""

    def begin(place: str) -> tuple[Put, Callable[[], Awaitable[object]]]:
        store = open_store(place, {})
        uploads = Uploads(store, None if "://" not in place else Spool(spools, store.name, 10**9))

        async def put(path: str, data: bytes) -> None:
            await uploads.save(path, data, "image/jpeg", {"url": f"https://a.example/{path}", "label": "poster"})

        return put, lambda: uploads.close(drain=True)

    return begin


def stock(kind: Callable[[str], Any], stat: bool) -> Callable[[str], tuple[Put, Callable[[], Awaitable[object]]]]:
    """Scrapy's store, with its question whether the file is there, or without."""

    def begin(place: str) -> tuple[Put, Callable[[], Awaitable[object]]]:
        store = kind(place + "/")

        async def put(path: str, data: bytes) -> None:
            if stat:
                await ensure_awaitable(store.stat_file(path, None))
            await ensure_awaitable(
                store.persist_file(path, BytesIO(data), None, {"width": 1, "height": 1}, {"Content-Type": "image/jpeg"})
            )

        return put, _nothing

    return begin


async def compare(
    title: str, sides: list[Side], place: Callable[[], AbstractContextManager[str]], images: list[Any], rounds: int
) -> dict[str, Comparison]:
    """In turns, and the order of the turns in turns."""
    for number in range(rounds + 1):
        for side in sides if number % 2 else sides[::-1]:
            with place() as where:
                await side.run(where, images)
        if number == 0:  # connections, caches
            for side in sides:
                side.rates.clear()
                side.cpu.clear()
    print(f"\n{title}")
    first = sides[0]
    for side in sides:
        line = f"  {side.name:24} {statistics.median(side.rates):7.0f} images/s  "
        line += f"{statistics.median(side.cpu):6.2f} CPU s / 1,000"
        if side is not first:
            ratios = [a / b for a, b in zip(first.rates, side.rates, strict=True)]
            line += f"   posterbot × {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        print(line, flush=True)
    return {side.name: compared("images/s", first.rates, side.rates) for side in sides[1:]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--size", type=int, default=107_000, help="bytes of one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["local", "gs"])
    given = parse(parser, images=30, rounds=1)
    lines: dict[str, Comparison] = {}
    chance = random.Random(1)
    images = []
    for _ in range(given.images):
        data = chance.randbytes(given.size)
        images.append((object_path(hashlib.sha256(data).hexdigest(), "jpg"), data))
    with tempfile.TemporaryDirectory() as folder:
        if given.only != "gs":
            sides = [
                Side("posterbot", ours(Path(folder) / "spool")),
                Side("Scrapy", stock(FSFilesStore, False)),
                Side("Scrapy, then sync", stock(FSFilesStore, False), sync=True),
            ]
            found = asyncio.run(compare("disk", sides, disk, images, given.rounds))
            lines |= {f"disk beside {name}": line for name, line in found.items()}
        if given.only != "local":
            GCSFilesStore.GCS_PROJECT_ID = "tests"
            sides = [
                Side("posterbot", ours(Path(folder) / "spool")),
                Side("Scrapy", stock(GCSFilesStore, True)),
                Side("Scrapy, upload alone", stock(GCSFilesStore, False)),
            ]
            found = asyncio.run(compare("Google's emulator", sides, google, images, given.rounds))
            lines |= {f"bucket beside {name}": line for name, line in found.items()}
    write(given.json, lines)


if __name__ == "__main__":
    main()
