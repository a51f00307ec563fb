"""Whole exports: the same bytes each time, whatever happens on the way."""

from __future__ import annotations

import csv
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from export_calls import lock_of, made, tree
from export_world import AT, ExportWorld, sha256_of
from sqlalchemy import delete, update

from posterbot.catalogue.schema import images
from posterbot.catalogue.schema_films import image_films
from posterbot.export.export import DifferentError, export
from posterbot.export.formats.formats import FORMATS
from posterbot.export.leaks import find_leaks
from posterbot.export.lockfile import NAME
from posterbot.export.options import Options
from posterbot.export.target import OccupiedError, TargetError

SPLIT = (0.7, 0.15, 0.15)
COUNT = 24


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportWorld]:
    """Not to be changed."""
    world = ExportWorld(tmp_path_factory.mktemp("world"), COUNT)
    yield world
    world.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ExportWorld]:
    world = ExportWorld(tmp_path / "world", 12)
    yield world
    world.close()


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_bytes_each_time(shared: ExportWorld, tmp_path: Path, format: str) -> None:
    given = {"split": SPLIT, "size": 32, "shard_images": 9}
    exported = made(shared, tmp_path / "one", format, **given)
    made(shared, tmp_path / "other", format, **given)
    assert tree(tmp_path / "one") == tree(tmp_path / "other")
    lock = lock_of(tmp_path / "one")
    assert lock.images == sum(exported.images.values()) == COUNT
    assert find_leaks(lock.file) == []
    assert not (tmp_path / "one/.posterbot").exists()
    assert exported.missing == {}


def test_workers_make_the_same_bytes(shared: ExportWorld, tmp_path: Path) -> None:
    counted: list[int] = []
    options = Options("imagefolder", split=SPLIT, shard_images=5)
    out = str(tmp_path / "other")
    export(shared.engine, shared.store.name, options, out, workers=2, today=AT, told=lambda *at: counted.append(at[1]))
    made(shared, tmp_path / "one", "imagefolder", split=SPLIT, shard_images=5)
    assert tree(tmp_path / "one") == tree(tmp_path / "other")
    assert counted[-1] == COUNT


COMMAND = "from posterbot.cli_export import export; export(prog_name='posterbot export')"


def command(world: ExportWorld, out: Path, *more: str) -> list[str]:
    where = ["--catalogue", world.url, "--store", world.store.name, "--out", str(out)]
    return [sys.executable, "-c", COMMAND, *where, "--format", "csv", "--shard-size", "3", "--workers", "2", *more]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_it_goes_on(shared: ExportWorld, tmp_path: Path, number: signal.Signals) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    made(shared, whole, shard_images=3)
    # All would be through at once: the shard of one is held back, as by a slow disk.
    held = shared.store.folder / shared.path_of(7)
    data = held.read_bytes()
    held.unlink()
    os.mkfifo(held)
    try:
        running = subprocess.Popen(command(shared, broken), stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while len(list(broken.glob(".posterbot/done/*.json"))) < COUNT / 3 - 1 and time.monotonic() < deadline:
            assert running.poll() is None
            time.sleep(0.01)
        assert len(list(broken.glob(".posterbot/done/*.json"))) == COUNT / 3 - 1
        running.send_signal(number)
        _, said = running.communicate(timeout=60)
    finally:
        held.unlink()
        held.write_bytes(data)
    assert not (broken / NAME).exists()
    if number == signal.SIGINT:
        assert said.endswith("posterbot: interrupted: the same command with --resume goes on\n")
        assert running.returncode == 130
    with pytest.raises(OccupiedError, match="an export that is not complete; --resume goes on with it"):
        made(shared, broken, shard_images=3)
    made(shared, broken, shard_images=3, resume=True)
    assert tree(broken) == tree(whole)


def test_the_plan_stands_when_the_catalogue_changes(world: ExportWorld, tmp_path: Path) -> None:
    made(world, tmp_path / "whole", shard_images=4)
    out = tmp_path / "out"
    interrupt_after(world, out, 2)
    world.write(delete(image_films))
    made(world, out, shard_images=4, resume=True)
    assert tree(out) == tree(tmp_path / "whole")


def interrupt_after(world: ExportWorld, out: Path, images: int) -> None:
    def told(verb: str, done: int, of: int | None, read: int) -> None:
        if verb == "exported" and done >= images:
            raise KeyboardInterrupt

    options = Options("csv", shard_images=4)
    with pytest.raises(KeyboardInterrupt):
        export(world.engine, world.store.name, options, str(out), workers=1, today=AT, told=told)


def test_other_options_are_no_resuming(world: ExportWorld, tmp_path: Path) -> None:
    interrupt_after(world, tmp_path / "out", 5)
    with pytest.raises(DifferentError) as raised:
        made(world, tmp_path / "out", shard_images=4, seed=3, size=50, resume=True)
    assert str(raised.value) == "--resume: it was begun with other options: size was None, now 50; seed was 0, now 3"


def test_what_is_complete_is_left_alone(world: ExportWorld, tmp_path: Path) -> None:
    first = made(world, tmp_path / "out", split=SPLIT)
    before = tree(tmp_path / "out")
    again = made(world, tmp_path / "out", split=SPLIT, resume=True)
    assert (again.written, again.images, again.labels) == (False, first.images, first.labels)
    assert tree(tmp_path / "out") == before
    with pytest.raises(OccupiedError, match=r"is not empty: there is a dataset; give an empty --out"):
        made(world, tmp_path / "out", split=SPLIT)


def test_something_else_is_left_alone(world: ExportWorld, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("mine")
    for resume, message in ((False, "is not empty: there is something"), (True, "there is nothing to resume")):
        with pytest.raises(OccupiedError, match=message):
            made(world, tmp_path / "out", resume=resume)
    assert tree(tmp_path / "out").keys() == {"thesis.tex"}


def test_what_is_gone_is_reported(world: ExportWorld, tmp_path: Path) -> None:
    world.lose(2)
    world.damage(5)
    out = tmp_path / "out"
    exported = made(world, out, shard_images=5)
    assert exported.missing == {"gone": 1, "damaged": 1}
    with (out / "missing.csv").open(newline="") as file:
        rows = {row["sha256"]: (row["path"], row["url"], row["why"]) for row in csv.DictReader(file)}
    assert rows == {
        sha256_of(2): (world.path_of(2), "https://plain.example/2.jpg", "gone"),
        sha256_of(5): (world.path_of(5), "https://closed.example/5.jpg", "damaged"),
    }
    lock = lock_of(out)
    assert {example.sha256 for example in lock} == {sha256_of(number) for number in range(12)} - set(rows)
    assert lock.header.left_out == {"missing: damaged": 1, "missing: gone": 1}
    assert sum(source.images for source in lock.header.sources) == 10
    assert len((out / "posters.csv").read_text().splitlines()) == 11


def test_what_is_no_picture_is_reported(world: ExportWorld, tmp_path: Path) -> None:
    data = (world.store.folder / world.path_of(3)).read_bytes()[:-200]
    sha256 = hashlib.sha256(data).hexdigest()
    (world.store.folder / "cut.jpg").write_bytes(data)
    world.write(update(images).where(images.c.sha256 == sha256_of(3)).values(path="cut.jpg", sha256=sha256))
    assert made(world, tmp_path / "out").missing == {"truncated": 1}


def test_a_shard_of_which_all_is_gone(world: ExportWorld, tmp_path: Path) -> None:
    world.lose(2)
    exported = made(world, tmp_path / "out", "webdataset", shard_images=1)
    assert exported.images == {"train": 11}
    assert lock_of(tmp_path / "out").images == 11


def test_another_store_is_noticed_before_anything_is_written(world: ExportWorld, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    with pytest.raises(TargetError, match=r"of 12 images looked for none is in .*/empty; is --store right\?"):
        export(world.engine, str(tmp_path / "empty"), Options("csv"), str(out), today=AT)
    assert not out.exists()
