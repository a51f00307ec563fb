from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

import posterbot
from posterbot.catalogue import database, migrations
from posterbot.catalogue.database import CatalogueError, catalogue_error, open_catalogue
from posterbot.catalogue.queries import funnel, sightings
from posterbot.catalogue.schema import metadata


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "catalogue.db"


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def test_migrations_lead_to_the_schema(file: Path) -> None:
    with open_catalogue(url(file)).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_changed_schema_would_be_noticed(file: Path) -> None:
    engine = open_catalogue(url(file))
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_images_phash"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata)


def test_newest_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.NEWEST


def older(file: Path, revision: str, *statements: str) -> None:
    """A catalogue of an earlier program, with rows."""
    file.parent.mkdir()
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(url(file))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


RUN = "INSERT INTO runs VALUES (1, 'posters', '{}', '0', '2024-01-01', NULL, NULL)"


def test_an_older_catalogue_keeps_its_policies(file: Path) -> None:
    older(
        file,
        "0001_catalogue",
        RUN,
        "INSERT INTO models VALUES (1, 'm', 'aa', '[\"poster\"]')",
        "INSERT INTO policies VALUES (1, 1, 1, '[\"poster\"]', 0.4, 'anna', 'arguments', '2024-01-01')",
    )
    (policy,) = funnel(open_catalogue(url(file), must_exist=True)).policies
    assert (policy.labels, policy.threshold, policy.top, policy.rule) == (("poster",), 0.4, None, "0.4")


def test_an_older_catalogue_keeps_its_sightings(file: Path) -> None:
    older(
        file,
        "0002_policies_top",
        RUN,
        "INSERT INTO sources (id, name) VALUES (1, 'site.example')",
        "INSERT INTO pages VALUES (1, 1, 1, 'https://site.example/', 200, 'T', '', 0, NULL, 0, '2024-01-01')",
        "INSERT INTO candidates VALUES (1, 1, NULL, 1, 'https://site.example/a.jpg', 'list', 'A film', '', '', "
        "NULL, NULL, '[]', 'https://site.example/b.jpg', 404, '', '', '', 'http_404', '2024-01-01')",
    )
    (found,) = sightings(open_catalogue(url(file), must_exist=True))
    assert (found.alt, found.reason, found.final_url, found.claim) == (
        "A film",
        "http_404",
        "https://site.example/b.jpg",
        None,
    )


def test_every_connection_waits_for_locks_and_minds_foreign_keys(file: Path) -> None:
    engine = open_catalogue(url(file))
    with engine.connect() as connection, engine.connect() as second:
        for name, value in {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value
            assert second.exec_driver_sql(f"PRAGMA {name}").scalar() == value


def test_opening_again_keeps_what_is_there(file: Path) -> None:
    with open_catalogue(url(file)).begin() as connection:
        connection.execute(text("INSERT INTO sources (name) VALUES ('site.example')"))
    with open_catalogue(url(file), must_exist=True).connect() as connection:
        assert connection.scalar(text("SELECT name FROM sources")) == "site.example"


def test_processes_may_create_the_same_catalogue_at_once(file: Path) -> None:
    program = f"from posterbot.catalogue.database import open_catalogue; open_catalogue({url(file)!r})"
    root = Path(posterbot.__file__).parents[1]
    command = [sys.executable, "-c", program]
    processes = [subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("data/catalogue.db", "is not a database URL; write sqlite:///FILE"),
        ("", "is not a database URL"),
        ("mysql://host/name", "mysql is not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://data/catalogue.db", "three slashes"),
        ("postgresql+nonesuch://host/name", "no driver for postgresql+nonesuch"),
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


@pytest.mark.parametrize("wrong", ["postgresql+nonesuch://anna:secret@host/name", "oracle://anna:secret@host/name"])
def test_passwords_are_not_shown(wrong: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        open_catalogue(wrong)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(CatalogueError, match="pip install"):
        open_catalogue("postgresql+psycopg2://host/name")


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
def test_database_of_somebody_else_is_left_alone(file: Path, must_exist: bool) -> None:
    file.parent.mkdir()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE places (name)")
    with pytest.raises(CatalogueError, match=r"not a catalogue.*'places'"):
        open_catalogue(url(file), must_exist=must_exist)
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("places",)]


def test_catalogue_of_a_newer_program(file: Path) -> None:
    with open_catalogue(url(file)).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999_future'"))
    with pytest.raises(CatalogueError, match=r"newer posterbot \(schema 0999_future\); upgrade posterbot"):
        open_catalogue(url(file))


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


def test_tables_are_valid_for_postgresql() -> None:
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=postgresql.dialect()))
