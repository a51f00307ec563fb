"""Opening a catalogue: one URL in, one engine on the newest schema out, or one line that says what is wrong.

SQLite runs in WAL mode, so that readers and the one writer never wait for each other. With ``synchronous=NORMAL`` a
commit survives the death of the process; a power cut may take the last few commits, never the file's integrity.
What PostgreSQL needs is in ``postgresql.py``.
"""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from posterbot.catalogue import postgresql
from posterbot.catalogue.migrations import NEWEST

BUSY_SECONDS = 30
"""How long a statement waits for another process's lock, in seconds."""

IMMEDIATE = {"begin": "IMMEDIATE"}
"""Execution options for transactions that write: SQLite takes the write lock at once and waits its turn for it.
A transaction that begins by reading and then writes is refused without waiting when another has written meanwhile."""

# What a driver's message means to a person, and what to do.
_ADVICE = {
    "file is not a database": "the file is no SQLite database; give another --catalogue, or move the file away",
    "disk image is malformed": "the file is damaged; restore a copy, or save what is left with sqlite3's .recover",
    "database is locked": f"another process held the lock for more than {BUSY_SECONDS} s; wait for it to end",
    "disk is full": "the disk is full; free some space",
    "readonly database": "the file or its folder is read-only; change its permissions",
    "unable to open database file": "the file or its folder cannot be opened; check the path and its permissions",
}


class CatalogueError(ValueError):
    """The catalogue cannot be opened, read or written; ``str()`` is one line: what is wrong, where, what to do."""


def open_catalogue(url: str, *, must_exist: bool = False) -> Engine:
    """The catalogue at ``url``, created or brought to the newest schema where needed.

    Any number of processes may open the same catalogue at the same time, a new one included.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://…``.
        must_exist: refuse to create a catalogue; for commands that only read one.

    Raises:
        CatalogueError: the URL or its driver is unusable, the folder or file cannot be written, the file is no
            catalogue or is newer than this program, the server is unreachable, or there is none and it must exist.
    """
    parsed = _parse(url)
    where = _name(parsed)
    missing = f"no catalogue at {where}; run a crawl first or give --catalogue"
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "")
        if must_exist and not file.exists():
            raise CatalogueError(missing)
        _make_folder(file)
    engine = _engine(parsed)
    try:
        with engine.connect() as connection:
            revision = _revision(connection, where)
        if revision is None and must_exist:
            raise CatalogueError(missing)
        if revision != NEWEST or not must_exist:
            _write_ahead(engine)
        if revision != NEWEST:
            _to_newest(engine, where)
    except SQLAlchemyError as error:
        engine.dispose()
        raise catalogue_error(engine, error) from error
    except CatalogueError:
        engine.dispose()
        raise
    return engine


def catalogue_error(engine: Engine, error: BaseException) -> CatalogueError:
    """``error``, met while using ``engine``, as one line for a person."""
    where = _name(engine.url)
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if engine.dialect.name == "postgresql":
        return CatalogueError(f"catalogue {where}: {postgresql.explain(cause) or postgresql.detail(cause)}")
    detail = next(iter(str(cause).strip().splitlines()), "") or type(cause).__name__
    for sign, advice in _ADVICE.items():
        if sign in detail:
            return CatalogueError(f"catalogue {where}: {advice}")
    return CatalogueError(f"catalogue {where}: {detail}")


def shown(url: str) -> str:
    """``url`` as it may be shown: without its password."""
    return _without_password(make_url(url))


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        shown = re.sub(r"://.*@", "://***@", url)
        raise CatalogueError(
            f"catalogue {shown!r} is not a database URL; write sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    shown = _without_password(parsed)
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise CatalogueError(f"catalogue {shown!r}: {backend} is not supported; use sqlite:///FILE or postgresql://…")
    if backend == "postgresql":
        if parsed.drivername not in {"postgresql", postgresql.DRIVER}:
            raise CatalogueError(f"catalogue {shown!r}: no driver for {parsed.drivername}; write postgresql://…")
        return parsed.set(drivername=postgresql.DRIVER)
    if backend == "sqlite" and (parsed.host or parsed.database in {None, "", ":memory:"}):
        raise CatalogueError(f"catalogue {shown!r} names no file; write sqlite:///FILE, with three slashes")
    return parsed


def _name(url: URL) -> str:
    """How messages call a catalogue: its file, or its URL without the password."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    if url.drivername == postgresql.DRIVER:
        url = url.set(drivername="postgresql")  # as people write it
    return _without_password(url)


def _without_password(url: URL) -> str:
    return url.difference_update_query(["password"]).render_as_string(hide_password=True)


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogueError(
            f"catalogue {file}: cannot create the folder {file.parent} ({error.strerror}); give another --catalogue"
        ) from None
    if file.is_dir():
        raise CatalogueError(f"catalogue {file} is a folder; give a file in it, such as {file / 'catalogue.db'}")


def _engine(url: URL) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(
            url,
            use_insertmanyvalues=False,  # rows go to the driver one by one: one batch may write the same row twice
            connect_args={"timeout": BUSY_SECONDS} if sqlite else postgresql.connecting(url),
            pool_pre_ping=not sqlite,  # a server may have been restarted
        )
    except NoSuchModuleError as error:
        raise CatalogueError(f"catalogue {_name(url)}: no driver for {url.drivername} ({error})") from None
    except ImportError as error:
        raise CatalogueError(
            f"catalogue {_name(url)}: no driver for PostgreSQL ({error}); {postgresql.TO_INSTALL}"
        ) from None
    except (ArgumentError, TypeError, ValueError) as error:
        raise CatalogueError(f"catalogue {_name(url)}: {error}") from None
    if sqlite:
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", lambda connection, _: postgresql.configure(connection, BUSY_SECONDS))
    return engine


def _configure_sqlite(connection: Any, record: Any) -> None:
    # None: Python's driver starts no transactions of its own; _begin_sqlite does.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -32000")  # KiB: the indexes of a long crawl are written to all over


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")


def _revision(connection: Connection, where: str) -> str | None:
    """The schema's revision, None in an empty database.

    Raises:
        CatalogueError: the database holds something else.
    """
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        if revision is not None:
            return revision
        tables.remove("alembic_version")
    if tables:
        raise CatalogueError(
            f"{where} is a database but not a catalogue (it has a table {tables[0]!r}); give another --catalogue"
        )
    return None


def _write_ahead(engine: Engine) -> None:
    """Switch a SQLite file to WAL, which stays; the one statement that does not wait for locks by itself."""
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL")
            return
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise OperationalError("PRAGMA journal_mode", None, error) from error
            time.sleep(0.02)
        finally:
            connection.close()


def _to_newest(engine: Engine, where: str) -> None:
    with engine.execution_options(**IMMEDIATE).begin() as connection:
        if engine.dialect.name == "postgresql":
            postgresql.lock_for_migration(connection)
            if (encoding := postgresql.encoding(connection)) != "UTF8":
                raise CatalogueError(
                    f"catalogue {where}: the database's encoding is {encoding}; give another, made with: "
                    "createdb --encoding=UTF8 --template=template0 NAME"
                )
        revision = _revision(connection, where)
        if revision is None:
            _create(connection)
        elif revision != NEWEST:  # another process may have been faster
            _migrate(connection, revision, where)


def _create(connection: Connection) -> None:
    """All tables as they are now, as Alembic's cookbook has it for new databases. Migrations lead to the same ones."""
    from posterbot.catalogue import schema, schema_films  # noqa: F401  # all tables
    from posterbot.catalogue.columns import metadata

    metadata.create_all(connection, checkfirst=False)
    key = "CONSTRAINT alembic_version_pkc PRIMARY KEY"
    connection.execute(text(f"CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL {key})"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": NEWEST})


def _migrate(connection: Connection, revision: str, where: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    logging.getLogger("alembic").setLevel(logging.WARNING)  # it reports each step at INFO, into every crawl's log
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError:
        raise CatalogueError(
            f"catalogue {where} was written by a newer posterbot (schema {revision}); upgrade posterbot"
        ) from None
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
