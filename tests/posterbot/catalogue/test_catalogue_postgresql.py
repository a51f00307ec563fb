"""What only PostgreSQL can get wrong."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest
from catalogue_records import failed, page
from postgres import PASSWORD, USER, Cluster
from sqlalchemy import Engine, create_engine, insert, text
from sqlalchemy.exc import DBAPIError

from posterbot.catalogue import database, postgresql
from posterbot.catalogue.database import CatalogueError, catalogue_error, open_catalogue
from posterbot.catalogue.queries import funnel, last_run
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.schema import sources


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = open_catalogue(postgres_url)
    yield engine
    engine.dispose()


def refused(url: str) -> str:
    """What is said about ``url``, beyond its name."""
    with pytest.raises(CatalogueError) as caught:
        open_catalogue(url)
    said = str(caught.value)
    assert PASSWORD not in said
    assert "\n" not in said
    assert said.startswith("catalogue postgresql://")
    return said.split(": ", 1)[1]


def test_the_driver_is_not_for_people_to_know(postgres_url: str) -> None:
    for url in (postgres_url, postgres_url.replace("postgresql:", "postgresql+psycopg:")):
        engine = open_catalogue(url)
        assert engine.dialect.driver == "psycopg"
        shown = str(catalogue_error(engine, RuntimeError("x")))
        assert shown == f"catalogue {postgres_url.replace(PASSWORD, '***')}: x"
        engine.dispose()


@pytest.mark.parametrize("module", ["psycopg", "psycopg.pq"])
def test_a_missing_driver_says_what_to_install(module: str) -> None:
    program = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from posterbot.catalogue.database import open_catalogue\n"
        "try: open_catalogue('postgresql://anna:secret@host/name')\n"
        "except ValueError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60).stdout
    assert said.startswith("catalogue postgresql://anna:***@host/name: no driver for PostgreSQL (")
    assert said.endswith("); pip install 'posterbot[postgres]'\n")


def test_wrong_password(postgres_url: str) -> None:
    said = refused(postgres_url.replace(PASSWORD, "wrong"))
    assert said == f'password authentication failed for user "{USER}"; correct user or password in the URL'


def test_no_password(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    said = refused(postgres_url.replace(f":{PASSWORD}@", "@"))
    assert said == "the server asks for a password; write postgresql://USER:PASSWORD@HOST/NAME"


def test_password_may_be_an_option(postgres: Cluster) -> None:
    url = f"postgresql://127.0.0.1:{postgres.port}/absent?user={USER}&password={PASSWORD}"
    assert refused(url).startswith('database "absent" does not exist')


def test_missing_database(postgres: Cluster) -> None:
    said = refused(postgres.url("absent"))
    assert said == 'database "absent" does not exist; create it, as with: createdb --encoding=UTF8 NAME'


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("127.0.0.1:1", "no server answers there; check that it runs, and the host and port in the URL"),
        ("127.0.0.1,127.0.0.2:1", "no server answers there"),
        ("nonesuch.invalid:5432", "failed to resolve host 'nonesuch.invalid'"),
        ("127.0.0.1:99999", 'invalid port number: "99999"'),
    ],
)
def test_unreachable_server(place: str, says: str) -> None:
    assert refused(f"postgresql://{USER}:{PASSWORD}@{place}/name").startswith(says)


def test_silent_server() -> None:
    """A firewall that swallows everything looks like this."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        said = refused(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/name?connect_timeout=2")
    assert said.startswith("no server answers there")


def test_unknown_option(postgres_url: str) -> None:
    assert refused(f"{postgres_url}?nonesuch=1") == 'invalid connection option "nonesuch"'


def test_database_that_cannot_hold_every_text(postgres: Cluster) -> None:
    postgres.execute("CREATE DATABASE western ENCODING 'LATIN1' TEMPLATE template0")
    said = refused(postgres.url("western"))
    assert said.startswith("the database's encoding is LATIN1; give another, made with: createdb --encoding=UTF8")
    postgres.drop_database(postgres.url("western"))


def test_user_who_may_not_create_tables(postgres: Cluster, postgres_url: str) -> None:
    postgres.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
    said = refused(postgres_url.replace(f"//{USER}:", "//guest:"))
    assert said == "permission denied for schema public; make the user the owner of the database"
    postgres.execute("DROP ROLE guest")


def test_too_many_connections(postgres: Cluster, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres.execute(f"CREATE ROLE narrow LOGIN CONNECTION LIMIT 0 PASSWORD '{PASSWORD}'")
    postgres.execute(f"ALTER DATABASE {name} OWNER TO narrow")
    assert refused(postgres_url.replace(f"//{USER}:", "//narrow:")).startswith("the server has no connection to spare")
    postgres.execute(f"ALTER DATABASE {name} OWNER TO {USER}")
    postgres.execute("DROP ROLE narrow")


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_server_that_stops_meanwhile(postgres: Cluster, engine: Engine, mode: str) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        postgres.stop(mode)
        try:
            with pytest.raises(DBAPIError) as caught:
                connection.execute(text("SELECT 1"))
            assert "server is stopping or starting; try again when it runs" in str(
                catalogue_error(engine, caught.value)
            )
            with pytest.raises(DBAPIError) as caught:
                engine.connect()
            assert "no server answers there" in str(catalogue_error(engine, caught.value))
        finally:
            postgres.start()
    assert last_run(engine) is None


def test_a_restart_between_transactions_goes_unnoticed(postgres: Cluster, engine: Engine) -> None:
    assert last_run(engine) is None
    postgres.restart()
    assert last_run(engine) is None


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("RAISE 'No space left on device' USING ERRCODE = '53100'", "the server's disk is full; free some space there"),
        ("RAISE 'sorry' USING ERRCODE = '53300'", "the server has no connection to spare"),
        ("RAISE 'x' USING ERRCODE = '25006'", "the database is read-only"),
        ("RAISE E'first\\nsecond'", "first"),
    ],
)
def test_what_the_server_says_is_explained(engine: Engine, statement: str, says: str) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.exec_driver_sql(f"DO $$ BEGIN {statement}; END $$")
    assert str(catalogue_error(engine, caught.value)).split(": ", 1)[1].startswith(says)


def test_an_error_is_raised_not_logged(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    too_long = np.random.default_rng(0).bytes(5000).hex()
    for _ in range(20):  # the driver does not warn every time
        with engine.connect() as connection, pytest.raises(DBAPIError):
            connection.execute(insert(sources), [{"name": too_long}, {"name": "x"}])
    assert caplog.records == []


@pytest.mark.parametrize("state", ["starting up", "shutting down", "in recovery mode", "not yet accepting connections"])
def test_a_server_that_is_not_ready_is_not_a_wrong_url(state: str) -> None:
    # As libpq words it; no test can hold a server in these states.
    error = psycopg.OperationalError(
        'connection failed: connection to server at "127.0.0.1", port 5432 failed: '
        f"FATAL:  the database system is {state}\n"
        'connection to server at "::1", port 5432 failed: Connection refused\n\tIs the server running?'
    )
    assert postgresql.explain(error) == "the server is stopping or starting; try again when it runs"


def test_locks_are_not_waited_for_for_ever(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    open_catalogue(postgres_url).dispose()
    engine, other = open_catalogue(postgres_url), open_catalogue(postgres_url)
    with engine.begin() as first, other.connect() as second:
        first.execute(text("LOCK TABLE runs"))
        with pytest.raises(DBAPIError) as caught:
            second.execute(text("SELECT count(*) FROM runs"))
    assert "another process held a lock for too long" in str(catalogue_error(other, caught.value))
    engine.dispose()
    other.dispose()


def test_creating_is_not_waited_for_for_ever(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        postgresql.lock_for_migration(connection)
        assert refused(postgres_url) == "another process held a lock for too long; wait for it to end"
    engine.dispose()
    open_catalogue(postgres_url).dispose()


def test_times_are_utc_whatever_the_server_thinks(postgres: Cluster, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'")
    engine = open_catalogue(postgres_url)
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    recorder.outcome(failed(1, page())).result(20)
    recorder.close("finished")
    (run,) = funnel(engine).runs
    assert run.finished_at is not None
    assert run.started_at.utcoffset() == run.finished_at.utcoffset() == timedelta(0)
    with engine.connect() as connection:
        begun = connection.scalar(text("SELECT now()"))
    assert begun.tzinfo.utcoffset(begun) == timedelta(0)
    assert abs(begun.astimezone(UTC) - run.started_at) < timedelta(minutes=10)
    engine.dispose()


def test_a_catalogue_may_have_a_schema_of_its_own(postgres: Cluster, postgres_url: str) -> None:
    """A database that others use, too."""
    name = postgres_url.rpartition("/")[2]
    postgres.execute("CREATE TABLE public.places (name text)", name)
    with pytest.raises(CatalogueError, match="it has a table 'places'"):
        open_catalogue(postgres_url)
    postgres.execute("CREATE SCHEMA crawls", name)
    engine = open_catalogue(f"{postgres_url}?options=-csearch_path%3Dcrawls")
    assert last_run(engine) is None
    engine.dispose()
    open_catalogue(f"{postgres_url}?options=-csearch_path%3Dcrawls", must_exist=True).dispose()


def test_a_vanished_server_is_noticed(postgres_url: str) -> None:
    for url, seconds in ((postgres_url, "10"), (f"{postgres_url}?connect_timeout=7", "7")):
        engine = open_catalogue(url)
        with engine.connect() as connection:
            parameters = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
        assert (parameters["application_name"], parameters["connect_timeout"]) == ("posterbot", seconds)
        assert (parameters["keepalives_idle"], parameters["tcp_user_timeout"]) == ("30", "30000")
        engine.dispose()


def test_the_cluster_dies_with_the_tests() -> None:
    """Even if they are killed."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from postgres import Cluster; cluster = Cluster(); print(cluster._server.pid, cluster._folder, flush=True)\n"
        "sys.stdin.read()"
    )
    tests = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", program, tests], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        pid, folder = child.stdout.readline().split()
        assert (Path("/proc") / pid).exists()
        child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while (Path("/proc") / pid).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not (Path("/proc") / pid).exists()
    subprocess.run(["rm", "-r", folder], check=True)
