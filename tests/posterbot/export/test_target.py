from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from export_calls import lock_of, made, tree
from export_world import AT, ExportWorld
from s3_server import KEYS, S3Server

from posterbot.export.export import export
from posterbot.export.options import Options
from posterbot.export.target import LocalTarget, OccupiedError, TargetError, open_target
from posterbot.stores.opening import open_store
from posterbot.stores.store import Store, StoreError


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": server.url}).items():
        monkeypatch.setenv(name, value)
    return f"s3://{server.create_bucket()}/sets/one"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ExportWorld]:
    world = ExportWorld(tmp_path / "world", 12)
    yield world
    world.close()


def content(uri: str, folder: Path) -> dict[str, str]:
    """What is in a bucket, as the tree of a folder."""
    store = open_store(uri, os.environ)
    for found in store.list():
        file = folder / found.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(store.get(found.path))
    assert store.stat(".posterbot/plan.parquet") is None
    assert store.stat(".posterbot/done/000000.json") is None
    store.close()
    return tree(folder)


@pytest.mark.parametrize(("format", "workers"), [("imagefolder", 2), ("webdataset", 1)])
def test_a_bucket_gets_what_a_folder_gets(
    world: ExportWorld, bucket: str, tmp_path: Path, format: str, workers: int
) -> None:
    made(world, tmp_path / "out", format, shard_images=5)
    before = set(tmp_path.parent.glob("posterbot-export-*"))
    made(world, bucket, format, shard_images=5, workers=workers)
    assert content(bucket, tmp_path / "copy") == tree(tmp_path / "out")
    assert set(tmp_path.parent.glob("posterbot-export-*")) == before
    with pytest.raises(OccupiedError, match="a dataset"):
        made(world, bucket, format, shard_images=5)
    assert not made(world, bucket, format, shard_images=5, resume=True).written


def test_an_interrupted_bucket_goes_on(world: ExportWorld, bucket: str, tmp_path: Path) -> None:
    def told(verb: str, done: int, of: int | None, read: int) -> None:
        if verb == "exported" and done >= 8:
            raise KeyboardInterrupt

    options = Options("imagefolder", shard_images=4)
    with pytest.raises(KeyboardInterrupt):
        export(world.engine, world.store.name, options, bucket, workers=1, today=AT, told=told)
    with pytest.raises(OccupiedError, match="--resume goes on with it"):
        made(world, bucket, "imagefolder", shard_images=4)
    lost = [number for number in range(12) if world.store.delete(world.path_of(number))]
    assert lost  # the first shard is there already: it is not made again
    exported = made(world, bucket, "imagefolder", shard_images=4, resume=True)
    assert exported.images == {"train": 4}
    assert exported.missing == {"gone": 8}
    assert "missing.csv" in content(bucket, tmp_path / "copy")


def test_other_content_is_refused(world: ExportWorld, bucket: str, tmp_path: Path) -> None:
    def told(verb: str, done: int, of: int | None, read: int) -> None:
        if verb == "finishing":
            store: Store = open_store(bucket, os.environ)
            store.put_if_absent("posters.csv", b"not yours")
            store.close()

    with pytest.raises(TargetError, match=r"has a posters\.csv with other content; give another --out"):
        export(world.engine, world.store.name, Options("csv"), bucket, workers=1, today=AT, told=told)


def test_two_exports_do_not_meet_in_one_folder(world: ExportWorld, tmp_path: Path) -> None:
    one = LocalTarget(tmp_path / "out")
    one.begin()
    with pytest.raises(TargetError, match="another export is at work"):
        made(world, tmp_path / "out")
    one.close()
    made(world, tmp_path / "out")
    assert lock_of(tmp_path / "out").images == 12


def test_a_place_of_no_known_kind() -> None:
    with pytest.raises(StoreError, match="--out: cannot store to http://"):
        open_target("http://a.example/", {})
