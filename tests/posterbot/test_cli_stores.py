"""``posterbot fsck`` and ``posterbot sync`` as people call them: lines, JSON, exit codes, progress."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from crawling import ROOT
from sqlalchemy import Engine, insert
from upkeep.kept_images import OLD, Kept, bytes_of, path_of

from posterbot import cli_progress, cli_stores
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import now
from posterbot.catalogue.schema import workers
from posterbot.cli_progress import Pace, Shown
from posterbot.cli_stores import fsck, sync
from posterbot.stores.store import UnavailableError


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


@pytest.fixture
def kept(engine: Engine, tmp_path: Path) -> Kept:
    return Kept(engine, tmp_path)


def call(command: click.Command, *arguments: str, **environment: str | None) -> Result:
    named = {"CATALOGUE_URL": None, "IMAGES_STORE": None, "SPOOL": None} | environment
    return CliRunner().invoke(command, arguments, env=named)


def check(kept: Kept, *arguments: str) -> Result:
    """By the environment, as a crawl is told."""
    return call(
        fsck,
        *arguments,
        CATALOGUE_URL=str(kept.engine.url),
        IMAGES_STORE=kept.store.name,
        SPOOL=str(kept.spool_root),
    )


# --- fsck -----------------------------------------------------------------------------------------------------------


def test_all_is_well(kept: Kept) -> None:
    kept.crawl(["a", "b"], spooled=["c"])
    result = check(kept)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"3 objects in the catalogue, 2 in {kept.store.name} (78 B)",
        f"1 image waits in the spool {kept.spool.folder} (39 B)",
        "no differences",
    ]


def test_differences_are_lines_and_an_exit_code(kept: Kept) -> None:
    kept.crawl(["a", "b"])
    kept.store.delete(path_of("a"))
    kept.put("more", b"x")
    kept.put("young", b"x", time.time())
    result = check(kept)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert f"missing     {path_of('a')}  an image, 39 B: neither in the store nor in the spool" in lines
    assert "orphan      more  1 B in the store that the catalogue does not know" in lines
    assert lines[-3:] == [
        "1 object that no page has yet is too young to tell",
        "2 differences: 1 missing, 1 orphan",
        "to mend what can be mended: posterbot fsck --repair",
    ]


def test_repair_says_what_it_did_and_what_is_to_be_done(kept: Kept) -> None:
    kept.crawl(["a", "b"], spooled=["c"])
    kept.put(path_of("a"), bytes_of("a")[:-1] + b"!")
    kept.store.delete(path_of("b"))
    kept.put("more", b"x")
    result = check(kept, "--repair", "--deep")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "orphan      more  1 B in the store that the catalogue does not know → set aside" in result.stdout
    assert result.stdout.splitlines()[-6:] == [
        f"3 objects in the catalogue, 3 in {kept.store.name} (79 B)",
        "1 image uploaded from the spool (39 B)",
        "2 objects moved to lost+found/",
        "run 1: 2 images queued; to fetch them: posterbot crawls resume 1",
        "3 differences: 1 missing, 1 orphan, 1 wrong_hash",
        "not all is well yet: 2 still missing",
    ]
    kept.crawl(["a", "b"])
    assert check(kept, "--deep").exit_code == 0
    kept.put("more", b"x")
    result = check(kept, "--repair")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2:] == ["1 difference: 1 orphan", "all is well now"]


def test_runs_that_cannot_be_resumed_are_said(kept: Kept) -> None:
    kept.crawl(["a", "b"], job=None)
    kept.store.delete(path_of("a"))
    result = check(kept, "--repair")
    assert result.exit_code == 1
    line = next(line for line in result.stdout.splitlines() if "cannot be fetched" in line)
    assert line.startswith("1 image cannot be fetched again by any run: run 1 cannot be resumed: it crawled the sample")


def test_json_lines(kept: Kept) -> None:
    kept.crawl(["a", "b"], spooled=["c"])
    kept.put(path_of("a"), b"half")
    first, summary = map(json.loads, check(kept, "--json").stdout.splitlines())
    assert first == {
        "kind": "wrong_size",
        "path": path_of("a"),
        "detail": "4 bytes in the store, 39 in the catalogue",
        "in": "store",
    }
    assert summary == {
        "clean": False,
        "differences": {"missing": 0, "orphan": 0, "wrong_size": 1, "wrong_hash": 0},
        "rows": 3,
        "objects": 2,
        "bytes": 43,
        "waiting": 1,
        "too_young": 0,
        "store": kept.store.name,
        "other_stores": [],
        "other_machines": [],
    }
    first, summary = map(json.loads, check(kept, "--json", "--repair").stdout.splitlines())
    assert first["repair"] == ["set aside", "to be fetched again"]
    assert summary["repairs"]["uploaded"] == 1
    assert (summary["repairs"]["queued"], summary["repairs"]["left"], summary["clean"]) == ({"1": 1}, 1, False)


def test_other_stores_and_machines_are_said(kept: Kept) -> None:
    kept.crawl(["a"], store="gs://elsewhere")
    with kept.engine.begin() as connection:
        row = {"machine": "crawler-2/boot/", "run_id": 1, "pid": 1, "born": "1", "beat": 0, "started_at": now()}
        connection.execute(insert(workers).values(row))
    assert "crawler-2" not in check(kept).stdout
    kept.store.delete(path_of("a"))
    kept.put("b", b"x")
    result = check(kept, "--repair")
    assert result.exit_code == 1
    assert result.stderr == (
        "runs of this catalogue have stored in gs://elsewhere: what is only there is missing here, "
        f"and comes with: posterbot sync gs://elsewhere {kept.store.name}\n"
    )
    assert "crawls ran on crawler-2 too: what waits in a spool there is not seen here" in result.stdout
    assert "1 missing object may be in gs://elsewhere, where their runs stored: posterbot sync gs:" in result.stdout


def test_the_wrong_store(kept: Kept, tmp_path: Path) -> None:
    kept.crawl(["a"])
    result = check(kept, "--store", str(tmp_path / "typo"))
    assert "there is nothing at all in that store: is --store right?" in result.stdout
    result = check(kept, "--store", str(tmp_path / "typo"), "--repair")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1].startswith(f"posterbot: IMAGES_STORE: {tmp_path}/typo is empty")
    result = check(kept, "--store", "gopher://x")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    result = check(kept, "--catalogue", f"sqlite:///{tmp_path}/none.db")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("flags", [(), ("--repair",)])
def test_trouble_in_the_middle_is_one_line(kept: Kept, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]) -> None:
    kept.crawl(["a"])

    def broken(error: BaseException) -> None:
        def raising(*_: object, **__: object) -> Iterator[None]:
            raise error
            yield

        monkeypatch.setattr(cli_stores, "repair" if flags else "differences_of", raising)

    broken(UnavailableError("gs://b: 503"))
    result = check(kept, *flags)
    assert (result.exit_code, result.stderr) == (1, "posterbot: gs://b: 503\n")
    broken(KeyboardInterrupt())
    result = check(kept, *flags)
    assert result.exit_code == 130
    assert result.stderr == "posterbot: interrupted: nothing is half done; the same command begins again\n"


# --- sync -----------------------------------------------------------------------------------------------------------


def test_sync(kept: Kept, tmp_path: Path) -> None:
    kept.crawl(["a", "b", "damaged"])
    kept.put(path_of("damaged"), b"rubbish")
    result = call(sync, kept.store.name, f"file://{tmp_path}/copy")
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.splitlines() == [
        f"not copied  {path_of('damaged')}  damaged: these are not the bytes that its name says",
        "copied 2 objects (78 B), there already 0, not copied 1",
    ]
    kept.store.delete(path_of("damaged"))
    result = call(sync, kept.store.name, str(tmp_path / "copy"))
    assert (result.exit_code, result.stdout) == (0, "copied 0 objects (0 B), there already 2, not copied 0\n")
    assert (tmp_path / "copy" / path_of("a")).read_bytes() == bytes_of("a")


def test_where_sync_is_wrong_from_the_start(kept: Kept, tmp_path: Path) -> None:
    kept.crawl(["a"])
    for other in (kept.store.name, f"file://{kept.store.name}", f"{kept.store.name}/deeper"):
        result = call(sync, kept.store.name, other)
        assert result.exit_code == 2
        assert "SRC and DST must be apart" in result.stderr
    result = call(sync, str(tmp_path / "none"), kept.store.name)
    assert (result.exit_code, result.stderr) == (1, f"posterbot: SRC: there is nothing in {tmp_path}/none\n")
    result = call(sync, kept.store.name, "/proc/none")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    result = call(sync, kept.store.name, "gopher://x")
    assert result.exit_code == 1
    assert result.stderr.startswith("posterbot: DST: cannot store to gopher://")


def test_interrupted_by_a_person(tmp_path: Path) -> None:
    names = [str(number) for number in range(2500)]
    for name in names:
        file = tmp_path / "many" / path_of(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes_of(name))
    program = "from posterbot.cli_stores import sync; sync(prog_name='posterbot')"
    command = [sys.executable, "-c", program, str(tmp_path / "many"), str(tmp_path / "copy")]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list((tmp_path / "copy").glob("??")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130, said
    assert said.startswith("posterbot: interrupted: copied ")
    assert said.endswith("; the same command goes on\n")
    there = [file for file in (tmp_path / "copy").rglob("*") if file.is_file()]
    assert 0 < len(there) < len(names)
    assert all(
        file.read_bytes() == (tmp_path / "many" / file.relative_to(tmp_path / "copy")).read_bytes() for file in there
    )
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"copied {len(names) - len(there):,} objects" in done.stdout


def test_it_starts_without_what_crawls_need() -> None:
    program = (
        "import sys, posterbot.cli_stores; print([m for m in ('scrapy', 'twisted', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"


# --- Progress -------------------------------------------------------------------------------------------------------


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_pace() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.line("checked", 0, 5000, 0) == "checked 0 of 5,000 images"
    clock.now += 10
    assert pace.line("checked", 1000, 5000, 2_000_000) == (
        "checked 1,000 of 5,000 images, 100 images/s, 200 kB/s, 40 s left"
    )
    assert pace.line("compared", 1000, None, 0) == "compared 1,000 images, 100 images/s"
    for _ in range(10):  # it gets slower, which shows
        clock.now += 10
        line = pace.line("checked", 1010, 5000, 0)
    assert line == "checked 1,010 of 5,000 images"
    clock.now += 10
    assert pace.line("checked", 1016, 5000, 0) == "checked 1,016 of 5,000 images, 0.2 images/s, 5.5 h left"


def test_lines_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Shown(clock) as shown:
        for done in range(251):
            shown.at("copied", done, 250, 1000 * done)
            clock.now += 0.125
        shown.say("a line\x1b[31m")
    said = capsys.readouterr()
    assert said.out == "a line?[31m\n"
    assert said.err.splitlines() == [
        "copied 80 of 250 images, 8.0 images/s, 8.0 kB/s, 21 s left",
        "copied 160 of 250 images, 8.0 images/s, 8.0 kB/s, 11 s left",
        "copied 240 of 250 images, 8.0 images/s, 8.0 kB/s, 1 s left",
    ]
    assert cli_progress.LOG_SECONDS == 10


def test_on_a_terminal(kept: Kept) -> None:
    """What is shown goes away; what is found stays."""
    kept.crawl(["a"])
    kept.put("more", b"x", OLD)
    program = "from posterbot.cli_stores import fsck; fsck(prog_name='posterbot')"
    command = f'{sys.executable} -c "{program}" --catalogue {kept.engine.url} --store {kept.store.name}'
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert "\x1b[2K" in done.stdout
    assert "orphan      more  1 B in the store" in done.stdout
    assert done.stdout.rstrip().endswith("posterbot fsck --repair")
