from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

import posterbot
from posterbot.catalogue import database
from posterbot.catalogue.database import CatalogueError, catalogue_error, open_catalogue, shown

ROOT = Path(posterbot.__file__).parents[1]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "catalogue.db"


def url(file: Path) -> str:
    return f"sqlite:///{file}"


@contextmanager
def opened(url: str, *, must_exist: bool = False) -> Iterator[Engine]:
    engine = open_catalogue(url, must_exist=must_exist)
    yield engine
    engine.dispose()


def test_every_connection_waits_for_locks_and_minds_foreign_keys(file: Path) -> None:
    engine = open_catalogue(url(file))
    with engine.connect() as connection, engine.connect() as second:
        for name, value in {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value
            assert second.exec_driver_sql(f"PRAGMA {name}").scalar() == value


def test_opening_again_keeps_what_is_there(catalogue_url: str) -> None:
    with opened(catalogue_url) as engine, engine.begin() as connection:
        connection.execute(text("INSERT INTO sources (name) VALUES ('site.example')"))
    with opened(catalogue_url, must_exist=True) as engine, engine.connect() as connection:
        assert connection.scalar(text("SELECT name FROM sources")) == "site.example"


OPEN_AT_ONCE = """
import os, sys, traceback
import alembic.command
from posterbot.catalogue.database import open_catalogue

children = []
for _ in range(6):
    child = os.fork()
    if child == 0:
        try:
            open_catalogue(sys.argv[1])
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    children.append(child)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


def test_processes_may_create_the_same_catalogue_at_once(catalogue_url: str) -> None:
    program = [sys.executable, "-c", OPEN_AT_ONCE, catalogue_url]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    with opened(catalogue_url, must_exist=True) as engine, engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("data/catalogue.db", "is not a database URL; write sqlite:///FILE"),
        ("", "is not a database URL"),
        ("mysql://host/name", "mysql is not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://data/catalogue.db", "three slashes"),
        ("postgresql+nonesuch://host/name", "no driver for postgresql+nonesuch; write postgresql://"),
        ("postgres://host/name", "postgres is not supported; use sqlite:///FILE or postgresql://"),
        ("postgresql://host:port/name", "is not a database URL"),
        ("sqlite+nonesuch:///x.db", "no driver for sqlite+nonesuch"),
    ],
)
def test_bad_urls_are_explained(wrong: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogueError) as caught:
        open_catalogue(wrong)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql+nonesuch://anna:secret@host/name",
        "oracle://anna:secret@host/name",
        "postgres://anna:secret/@host/name",
        "postgresql://anna:secret@host:port/name",
        "postgresql+nonesuch://host/name?user=anna&password=secret",
    ],
)
def test_passwords_are_not_shown(wrong: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        open_catalogue(wrong)
    assert "secret" not in str(caught.value)


def test_urls_are_shown_without_password() -> None:
    assert shown("sqlite:///data/x.db") == "sqlite:///data/x.db"
    assert shown("postgresql://anna:secret@host/name") == "postgresql://anna:***@host/name"
    assert shown("postgresql:///name?user=anna&password=secret") == "postgresql:///name?user=anna"


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(CatalogueError, match="cannot create the folder"):
        open_catalogue(url(tmp_path / "taken" / "below" / "catalogue.db"))


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="is a folder"):
        open_catalogue(url(tmp_path))


@pytest.mark.parametrize("must_exist", [True, False])
def test_file_that_is_no_database(file: Path, must_exist: bool) -> None:
    file.parent.mkdir()
    file.write_bytes(b"This is not a database. " * 100)
    with pytest.raises(CatalogueError, match=r"catalogue\.db: the file is no SQLite database; give another"):
        open_catalogue(url(file), must_exist=must_exist)


@pytest.mark.parametrize("must_exist", [True, False])
def test_database_of_somebody_else_is_left_alone(catalogue_url: str, must_exist: bool) -> None:
    engine = create_engine(catalogue_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE places (name text)"))
    with pytest.raises(CatalogueError, match=r"not a catalogue.*'places'"):
        open_catalogue(catalogue_url, must_exist=must_exist)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["places"]
    engine.dispose()


def test_catalogue_of_a_newer_program(catalogue_url: str) -> None:
    with opened(catalogue_url) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999_future'"))
    with pytest.raises(CatalogueError, match=r"newer posterbot \(schema 0999_future\); upgrade posterbot"):
        open_catalogue(catalogue_url)


def test_must_exist_creates_nothing(file: Path) -> None:
    with pytest.raises(CatalogueError, match=r"no catalogue at .*; run a crawl first or give --catalogue"):
        open_catalogue(url(file), must_exist=True)
    assert not file.parent.exists()


def test_must_exist_refuses_an_empty_file(file: Path) -> None:
    file.parent.mkdir()
    file.touch()
    with pytest.raises(CatalogueError, match="no catalogue at"):
        open_catalogue(url(file), must_exist=True)


def test_locked_for_too_long(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    file.parent.mkdir()
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CatalogueError, match="another process held the lock"):
            open_catalogue(url(file))


def test_other_errors_are_one_line() -> None:
    engine = create_engine("sqlite:///some.db")
    assert str(catalogue_error(engine, RuntimeError("first\nsecond"))) == "catalogue some.db: first"
    assert str(catalogue_error(engine, RuntimeError())) == "catalogue some.db: RuntimeError"
