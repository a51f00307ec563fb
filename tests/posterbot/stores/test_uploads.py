"""Uploads: tried again, spooled while the store is away, and moved there when it is back."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from posterbot.stores import uploads as module
from posterbot.stores.local import LocalStore
from posterbot.stores.spool import Spool, SpoolFullError
from posterbot.stores.store import NO_FACTS, OCTETS, StoreError, UnavailableError, object_path
from posterbot.stores.uploads import Uploads


class Moody(LocalStore):
    """A store that works when it is told to."""

    threads = 4

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self.error: Exception | None = None
        self.failures = 0
        self.go = threading.Event()
        self.go.set()
        self.puts: list[str] = []

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        self.puts.append(path)
        self.go.wait()
        if self.failures:
            self.failures -= 1
            raise UnavailableError("busy")
        if self.error:
            raise self.error
        return super().put_if_absent(path, data, media_type, facts)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_SECONDS", 0.002)
    monkeypatch.setattr(module, "PROBE_SECONDS", 0.02)
    monkeypatch.setattr(module, "MOST_PROBE_SECONDS", 0.05)
    monkeypatch.setattr(module, "SLOWEST_SECONDS", 0.02)


@pytest.fixture
def store(tmp_path: Path) -> Moody:
    return Moody(tmp_path / "store")


def spool_in(tmp_path: Path, limit: int = 1_000_000) -> Spool:
    return Spool(tmp_path / "spool", "moody", limit)


def image(number: int) -> tuple[str, bytes, str, dict[str, str]]:
    data = b"image %d" % number
    return object_path(hashlib.sha256(data).hexdigest(), "jpg"), data, "image/jpeg", {"url": f"http://a/{number}"}


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 20))


async def save_all(uploads: Uploads, number: int) -> None:
    for n in range(number):
        await uploads.save(*image(n))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_what_may_pass_is_tried_again(store: Moody, tmp_path: Path) -> None:
    store.failures = module.TRIES - 1

    async def work() -> None:
        uploads = Uploads(store, spool_in(tmp_path))
        await uploads.save(*image(1))
        assert not uploads.away
        await uploads.close(drain=True)

    run(work)
    assert store.puts == [image(1)[0]] * module.TRIES
    assert store.get(image(1)[0]) == image(1)[1]


@pytest.mark.parametrize("error", [UnavailableError("gone"), StoreError("IMAGES_STORE: no permission")])
def test_images_wait_in_the_spool_until_the_store_is_back(store: Moody, tmp_path: Path, error: Exception) -> None:
    store.error = error
    spool = spool_in(tmp_path)

    async def work() -> None:
        uploads = Uploads(store, spool)
        await asyncio.gather(*(uploads.save(*image(n)) for n in range(100)))
        assert uploads.away
        assert spool.images == 100
        before = len(store.puts)
        await uploads.save(*image(100))  # who knows that it is away does not ask
        assert len(store.puts) - before <= 2  # but for the probe
        store.error = None
        await until(lambda: not uploads.away and spool.images == 0)
        await uploads.save(*image(101))
        await uploads.close(drain=True)

    run(work)
    assert sorted(found.path for found in store.list()) == sorted(image(n)[0] for n in range(102))
    assert list(spool.list()) == []


def test_the_next_run_empties_the_spool(store: Moody, tmp_path: Path) -> None:
    store.error = UnavailableError("gone")

    async def first() -> None:
        uploads = Uploads(store, spool_in(tmp_path))
        await save_all(uploads, 200)
        await uploads.close(drain=True)  # away: nobody waits for it

    async def second() -> None:
        await Uploads(store, spool_in(tmp_path)).close(drain=True)

    run(first)
    assert list(store.list()) == []
    store.error = None
    run(second)
    assert len(list(store.list())) == 200
    assert spool_in(tmp_path).images == 0


def test_a_full_spool_is_the_end(store: Moody, tmp_path: Path) -> None:
    store.error = UnavailableError("gone")

    async def work() -> None:
        uploads = Uploads(store, spool_in(tmp_path, 400))
        with pytest.raises(SpoolFullError):
            await save_all(uploads, 100)
        await uploads.close(drain=False)

    run(work)


def test_it_slows_down_before(store: Moody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.error = UnavailableError("gone")
    slept: list[float] = []
    monkeypatch.setattr(module, "PROBE_SECONDS", 100.0)
    monkeypatch.setattr(module, "BACKOFF_SECONDS", 0.0)
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if 0 < seconds < 10:
            slept.append(seconds)
        await real(seconds if seconds > 10 else 0)

    async def work() -> None:
        uploads = Uploads(store, spool_in(tmp_path, 2000))
        with pytest.raises(SpoolFullError):
            await save_all(uploads, 100)
        await uploads.close(drain=False)

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    run(work)
    assert slept == sorted(slept)
    assert 0.015 < slept[-1] <= 0.02


def test_without_a_spool_the_error_is_said(store: Moody) -> None:
    store.error = StoreError("IMAGES_STORE: disk full")

    async def work() -> None:
        uploads = Uploads(store, None)
        with pytest.raises(StoreError, match="disk full"):
            await uploads.save(*image(1))
        await uploads.close(drain=True)

    run(work)


def test_a_store_that_hangs_does_not_keep_images_from_the_spool(store: Moody, tmp_path: Path) -> None:
    """All its threads hang; the first that gives up says so for all others."""
    store.go.clear()
    spool = spool_in(tmp_path)

    async def work() -> None:
        uploads = Uploads(store, spool)
        saves = [asyncio.ensure_future(uploads.save(*image(n))) for n in range(10)]
        await until(lambda: len(store.puts) == 4)
        store.error = UnavailableError("timed out")
        uploads._failed(store.error)
        await uploads.save(*image(11))
        assert spool.images == 1
        store.go.set()
        await asyncio.gather(*saves)
        assert spool.images == 11
        await uploads.close(drain=False)

    run(work)


def test_a_damaged_image_stays_in_the_spool(store: Moody, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = spool_in(tmp_path)
    spool.put_if_absent(image(1)[0], b"not image 1")
    spool.put_if_absent(*image(2))

    async def work() -> None:
        await Uploads(store, spool).close(drain=True)

    with caplog.at_level(logging.ERROR):
        run(work)
    assert [found.path for found in store.list()] == [image(2)[0]]
    assert [found.path for found in spool.list()] == [image(1)[0]]
    assert "is damaged" in caplog.text


def test_what_is_offered_is_tried_once(store: Moody, tmp_path: Path) -> None:
    async def work() -> None:
        uploads = Uploads(store, spool_in(tmp_path))
        assert await uploads.offer(*image(1))
        store.error = UnavailableError("gone")
        assert not await uploads.offer(*image(2))
        assert not uploads.away
        await uploads.close(drain=True)

    run(work)
    assert store.puts == [image(1)[0], image(2)[0]]
