from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from export_calls import lock_of
from export_world import ExportWorld

from posterbot.cli_export import export
from posterbot.duplicates.update import update
from posterbot.films.link import link


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportWorld]:
    """Not to be changed."""
    world = ExportWorld(tmp_path_factory.mktemp("world"))
    yield world
    world.close()


def call(world: ExportWorld, *words: Any) -> Result:
    where = ["--catalogue", world.url, "--store", world.store.name, "--workers", "1"]
    result = CliRunner().invoke(export, [*where, *map(str, words)], prog_name="posterbot export")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_says_what_came_out(shared: ExportWorld, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = call(shared, "--format", "csv", "--out", out, "--split", "0.6/0.2/0.2", "--purpose", "training")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    films = {example.film for example in lock_of(out)}
    without = sum(example.film is None for example in lock_of(out))
    assert lines[:-1] == [
        "20 images: train 12 (60.0%), validation 4 (20.0%), test 4 (20.0%)",
        f"{len(films - {None})} films; {without} without",
        "labels: poster 17, album_cover 3",
        "left out: 10 older than allowed: old.example",
        "left out: 10 training is not allowed: closed.example",
        "of 10 images it is not known whether they may be used for training and are in it",
        "no film and no near copy is in two splits: checked",
    ]
    assert lines[-1].endswith(f" in {out}; README.md there is its card")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--format", "hdf5"], 2, "'hdf5' is not one of 'imagefolder'"),
        (["--split", "0.8/0.1/0.2"], 2, "0.8/0.1/0.2: the shares sum to 1.1, not to 1"),
        (["--split", "0.8/0.2"], 2, "'0.8/0.2' is not three shares of 0 to 1, such as 0.8/0.1/0.1"),
        (["--split", "2/-1/0"], 2, "is not three shares of 0 to 1"),
        (["--split", "nan/0/1"], 2, "is not three shares of 0 to 1"),
        (["--size", "0"], 2, "--size"),
        (["--fit", "crop"], 2, "--fit says what --size is of: give --size too"),
        (["--originals", "--size", "64"], 2, "--originals takes neither --size nor --fit"),
        (["--rich"], 2, "--rich is for --format tfrecord"),
        (["--where", "lable = poster"], 2, "--where: column 1: no field 'lable'; did you mean 'label'?"),
        (["--where", "label = 'a' or"], 2, "--where: column 15: expected a field, such as label; found the end"),
        (["--agreement", "nobody"], 2, "--agreement nobody: there is no such source in this catalogue"),
        (["--where", "year = 1"], 1, "posterbot: --where leaves none of 40 kept images: year = 1 is true of 0"),
        (["--out", "/proc/nowhere/out"], 1, "posterbot: cannot write to /proc/nowhere/out: "),
        (["--out", "http://a.example/"], 1, "posterbot: --out: cannot store to http://"),
        (["--store", "gopher://a"], 1, "posterbot: --store: cannot store to gopher://"),
        (["--catalogue", "sqlite:////nowhere/at/all.db"], 1, "posterbot: "),
    ],
)
def test_what_is_wrong_is_one_line(
    shared: ExportWorld, tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    out = tmp_path / "out"
    done = call(shared, "--format", "csv", "--out", out, *words)
    assert done.exit_code == code, done.output
    said = done.stderr.replace("Error: ", "").splitlines()
    assert any(message in line for line in said)
    assert len([line for line in said if line and not line.startswith(("Usage:", "Try "))]) == 1
    assert not out.exists()


def test_missing_images_are_said(tmp_path: Path) -> None:
    world = ExportWorld(tmp_path / "world", 8)
    world.lose(3)
    done = call(world, "--format", "imagefolder", "--out", tmp_path / "out")
    world.close()
    assert done.exit_code == 1
    assert done.stdout.startswith("7 images: train 7 (100.0%)\n")
    assert "posterbot: missing: 1 image gone; see missing.csv" in done.stderr.splitlines()


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    world = ExportWorld(tmp_path / "world", 8)
    words = ["--shard-size", 4, "--format", "webdataset", "--out", tmp_path / "out"]
    link(world.engine)  # or the catalogue would be in the way
    update(world.engine)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (32_000, limits[1]))
    try:
        done = call(world, *words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == (
        f"posterbot: cannot write to {tmp_path / 'out'}: File too large; mended, the same command with --resume goes on"
    )
    assert (tmp_path / "out/.posterbot/plan.parquet").exists()
    resumed = call(world, *words, "--resume")
    world.close()
    assert resumed.exit_code == 0, resumed.output


def test_starts_without_what_is_heavy() -> None:
    heavy = "{'tensorflow', 'scrapy', 'twisted', 'pyarrow', 'scipy', 'PIL', 'usearch', 'sklearn'}"
    code = f"import sys, posterbot.cli_export; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
