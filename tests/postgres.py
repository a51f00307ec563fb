"""A PostgreSQL server for tests: a cluster of its own on loopback, which dies with the tests whatever kills them."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

USER, PASSWORD = "crawler", "not-so-secret"

TO_INSTALL = "apt-get install postgresql"

STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
"""As in ``pg_ctl stop -m``: when all have left; throwing all out; without a word, so that the next start recovers."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # A commit survives the death of the server, though not of the machine.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "shared_buffers": "64MB",
}

# Ports that the system gives to nobody by itself: a restarted server finds its own free.
_PORTS = range(15_000, 32_000)
_START_SECONDS = 60


def program(name: str) -> Path | None:
    """A program of the newest PostgreSQL here; Debian keeps the server's out of PATH. None where there is none."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: float(path.parts[-3]), default=None)
    found = shutil.which(name)
    return newest or (Path(found).resolve() if found else None)


def is_installed() -> bool:
    """Whether a cluster can be started here."""
    return all((program("initdb"), program("postgres"), shutil.which("setpriv")))


class Cluster:
    """One server, running from the start on; asks for passwords, as real ones do."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="posterbot-postgres-", dir="/tmp"))
        self._data = self._folder / "data"
        # The server is told when the thread that started it is gone, so that thread stays as long as the tests.
        self._launcher = ThreadPoolExecutor(1)
        self._server: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.port = _free_port()
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise

    def url(self, database: str) -> str:
        """``CATALOGUE_URL`` of a database."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template1") -> str:
        """The URL of a new database, a copy of ``template`` (on which nobody may be connected)."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove the database and throw out who is connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run one statement as superuser, outside of any transaction; gives its rows."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start the server, on the same port and data as before; back when it takes connections."""
        settings = {**SETTINGS, "port": str(self.port), "unix_socket_directories": str(self._folder)}
        command = [program("postgres"), "-D", self._data, *(f"--{name}={value}" for name, value in settings.items())]
        self._server = self._launcher.submit(self._launch, command).result()
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{self.log()}")
            time.sleep(0.01)

    def stop(self, mode: str = "fast") -> None:
        """Stop the server in one of the modes of ``pg_ctl``; back when it is gone."""
        if self._server is not None:
            self._server.send_signal(STOP_SIGNALS[mode])
            self._server.wait(_START_SECONDS)
            self._server = None

    def restart(self, mode: str = "immediate") -> None:
        """Stop, then start."""
        self.stop(mode)
        self.start()

    def log(self) -> str:
        """What the server has written so far."""
        file = self._folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def close(self) -> None:
        """Stop, and remove all files."""
        self.stop("immediate")
        self._launcher.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            owner = _unprivileged()
            for path in (self._folder, password):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        command = [program("initdb"), "-D", self._data, "-U", USER, f"--pwfile={password}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"]
        done = subprocess.run(_as_nobody_special(command), capture_output=True, text=True, cwd=self._folder)
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _launch(self, command: list[Any]) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                _as_nobody_special(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop it
            )

    def _is_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().split()
        except FileNotFoundError:
            return False
        # The file of a server that was killed may still lie there.
        return self._server is not None and lines[:1] == [str(self._server.pid)] and lines[-1] == "ready"


def _as_nobody_special(command: list[Any]) -> list[str]:
    """``command`` as another user than root, which PostgreSQL refuses; stopped at once when its parent dies."""
    words = ["setpriv", "--pdeathsig=QUIT"]
    if os.geteuid() == 0:
        user = _unprivileged()
        words += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return words + [str(word) for word in command]


def _unprivileged() -> pwd.struct_passwd:
    users = {user.pw_name: user for user in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def _free_port() -> int:
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port for PostgreSQL")
