from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, update
from upkeep.forget_world import A, C, World, bytes_of, path_of, sha256_of

from posterbot import cli_forget
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.display import size
from posterbot.catalogue.schema import runs, workers
from posterbot.cli_forget import forget
from posterbot.frontier.workers import Worker
from posterbot.stores import patient
from posterbot.stores.local import LocalStore
from posterbot.stores.store import UnavailableError


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    world = World(engine, tmp_path)
    world.fill()
    return world


def run(world: World, *arguments: str, stores: tuple[str, ...] = (), typed: str | None = None) -> Result:
    given = {
        "CATALOGUE_URL": str(world.engine.url),
        "IMAGES_STORE": world.store.name,
        "SPOOL": str(world.folder / "spool"),
        "REPORTS": str(world.reports),
    }
    more = [word for store in stores for word in ("--store", store)]
    return CliRunner().invoke(forget, [*arguments, *more], env=given, input=typed)


def one_line(result: Result) -> str:
    assert result.stderr.count("\n") == 1, result.output
    return result.stderr.rstrip()


def test_dry_run(world: World) -> None:
    before = world.dump()
    bytes_ = size(len(bytes_of("secret")) + len(bytes_of("shared")))
    result = run(world, "--url", A.url, "--dry-run")
    assert (result.exit_code, result.output) == (
        0,
        f"it would delete 2 images (1 of them also seen elsewhere), 4 sightings, 1 page, {bytes_}\n",
    )
    assert world.dump() == before
    assert world.images() == {"secret", "shared", "other", "third", "faust"}


def test_it_says_how_much_it_was(world: World) -> None:
    result = run(world, "--url", A.url, "--sha256", sha256_of("third"), "--film", "Faust", "--yes")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    first, second = result.stdout.splitlines()
    assert first.startswith("deleted: 4 images (1 of them also seen elsewhere), 6 sightings, 1 page, ")
    assert first.endswith("; 4 objects in the store")
    assert second == "1 contact sheet written anew"
    assert world.images() == {"other"}
    for name in (A.url, "Faust", "third", sha256_of("third")):
        assert name not in result.output
    again = run(world, "--url", A.url, "--sha256", sha256_of("third"), "--yes")
    assert again.stdout == "nothing of it was there, and it will not be fetched\n"
    assert run(world, "--film", "Faust", "--yes").stdout == "nothing of it was there\n"


def test_it_asks_on_a_terminal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_forget, "_on_a_terminal", lambda: True)
    result = run(world, "--host", "c.example", typed="n\n")
    assert result.exit_code == 1
    assert result.stdout.startswith("to be deleted: 1 image, 1 sighting, 1 page, ")
    assert "third" in world.images()
    result = run(world, "--host", "c.example", typed="y\n")
    assert result.exit_code == 0
    assert "third" not in world.images()


def test_without_a_terminal_it_is_not_done_unasked(world: World) -> None:
    result = run(world, "--host", "c.example")
    assert result.exit_code == 2
    assert one_line(result) == "posterbot: nobody can be asked here: look with --dry-run, then add --yes"
    assert "third" in world.images()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say what to forget"),
        (["--url", "x.jpg"], "'x.jpg' is no URL"),
        (["--host", "https://a.example"], "is no host"),
        (["--sha256", "12"], "is no sha256"),
        (["--film", ""], "title is empty"),
    ],
)
def test_a_wrong_command_line(world: World, arguments: list[str], says: str) -> None:
    result = run(world, *arguments, "--yes")
    assert result.exit_code == 2
    assert says in result.stderr


def test_failures_are_one_line(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = run(world, "--url", C.url, "--yes", stores=("nowhere://x",))
    assert (wrong.exit_code, one_line(wrong)[:40]) == (1, "posterbot: --store: cannot store to nowh")
    empty = run(world, "--url", C.url, "--yes", stores=(str(tmp_path / "no"), str(tmp_path / "none")))
    assert empty.exit_code == 1
    assert "none of the images is in " in one_line(empty)
    assert "give --store URI" in one_line(empty)

    def away(*_: object) -> bool:
        raise UnavailableError("busy")

    monkeypatch.setattr(patient, "BACKOFF_SECONDS", 0.001)
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "delete", away)
        busy = run(world, "--url", A.url, "--yes")
    assert (busy.exit_code, one_line(busy)) == (1, "posterbot: busy; not all is deleted yet: run it again")
    world.sheet(1).unlink()
    world.sheet(1).mkdir()
    sheet = run(world, "--url", A.url, "--yes")
    assert sheet.exit_code == 1
    assert one_line(sheet).startswith(f"posterbot: {world.sheet(1)}: Is a directory; not all is deleted yet")
    missing = CliRunner().invoke(forget, ["--url", A.url, "--yes", "--catalogue", f"sqlite:///{tmp_path}/none.db"])
    assert (missing.exit_code, "no catalogue at" in one_line(missing)) == (1, True)


def test_what_is_not_looked_into(world: World, tmp_path: Path) -> None:
    other = LocalStore(str(tmp_path / "other"))
    other.put_if_absent(path_of("third"), b"x")
    with world.engine.begin() as connection:
        connection.execute(update(runs).values(store=other.name))
        Worker(connection, 1)
        connection.execute(update(workers).values(machine="far-away/1/2"))
    first = run(world, "--url", A.url, "--yes")
    assert first.stderr.splitlines() == [
        f"runs have stored in {other.name} as well, which is left alone: add --store {other.name}",
        "crawls ran on far-away too: what waits in a spool there is left alone",
    ]
    assert "a crawl is at work: what it had in hand may come back; run this again" in first.stdout
    second = run(world, "--url", C.url, "--yes", stores=(world.store.name, other.name))
    assert "runs have stored" not in second.stderr
    assert "2 objects in the store" in second.stdout
    assert list(other.list()) == []


def test_it_starts_without_scrapy() -> None:
    heavy = "[name for name in ('scrapy', 'tensorflow', 'alembic') if name in sys.modules]"
    code = f"import sys, posterbot.cli_forget; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
