"""What is PostgreSQL's own: its driver, how connections behave, and what its errors mean to a person."""

from __future__ import annotations

import logging
import re
from typing import Any

from sqlalchemy import URL, Connection, text

DRIVER = "postgresql+psycopg"

TO_INSTALL = "pip install 'posterbot[postgres]'"

_CONNECTING: dict[str, str | int] = {
    "application_name": "posterbot",
    "connect_timeout": 10,  # seconds
    # A server that vanishes without a word is noticed within a minute, not after Linux's quarter of an hour.
    "keepalives_idle": 30,  # seconds
    "tcp_user_timeout": 30_000,  # ms
}

_MIGRATION = int.from_bytes(b"poster")
"""Advisory lock of who creates or migrates the tables of a database."""

_AWAY = "the server is stopping or starting; try again when it runs"
_UNREACHABLE = "no server answers there; check that it runs, and the host and port in the URL"
_FULL_HOUSE = (
    "the server has no connection to spare; raise its max_connections or the user's limit, or run fewer workers"
)

# By SQLSTATE, which comes with what the server says once connected.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_STATE = {
    "25006": "the database is read-only; if its server is a copy, give the URL of the one that is copied",
    "42501": "{detail}; make the user the owner of the database",
    "53100": "the server's disk is full; free some space there",
    "53300": _FULL_HOUSE,
    "55P03": "another process held a lock for too long; wait for it to end",
    "57P01": _AWAY,
    "57P02": _AWAY,
    "57P03": _AWAY,
}

# While connecting there is only text. One host may have several addresses, and all their failures are in it: the first
# of these signs counts.
_BY_SIGN = {
    "too many clients": _FULL_HOUSE,
    "too many connections": _FULL_HOUSE,
    "connection slots": _FULL_HOUSE,
    "password authentication failed": "{detail}; correct user or password in the URL",
    "no password supplied": "the server asks for a password; write postgresql://USER:PASSWORD@HOST/NAME",
    "no pg_hba.conf entry": "{detail}; add one on the server",
    ' database "': "{detail}; create it, as with: createdb --encoding=UTF8 NAME",
    ' role "': "{detail}; correct the user in the URL",
    "the database system is": _AWAY,
    "closed the connection unexpectedly": _AWAY,
    "the connection is lost": _AWAY,
    "the connection is closed": _AWAY,
    "failed to resolve host": "{detail}; correct the host in the URL",
    "Connection refused": _UNREACHABLE,
    "Connection timed out": _UNREACHABLE,
    "No such file or directory": _UNREACHABLE,
    "No route to host": _UNREACHABLE,
    "Network is unreachable": _UNREACHABLE,
    "timeout expired": _UNREACHABLE,
}

# 'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  …'
_PREAMBLE = re.compile(r"connection (?:failed|is bad): (?:connection to server .*? failed: )?(?:FATAL:\s*)?")


def connecting(url: URL) -> dict[str, str | int]:
    """What the driver is told beside ``url``, which comes first."""
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # what it warns of, it raises, too
    return {name: value for name, value in _CONNECTING.items() if name not in url.query}


def configure(connection: Any, lock_seconds: float) -> None:
    """Set a new connection of the driver up: times in UTC, and an end to waiting for locks."""
    connection.execute(
        "SELECT set_config('timezone', 'UTC', false), set_config('lock_timeout', %s, false)",
        (f"{lock_seconds * 1000:.0f}",),
    )
    connection.commit()


def lock_for_migration(connection: Connection) -> None:
    """Be the only one to create or migrate tables, until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION})


def encoding(connection: Connection) -> str:
    """The encoding of the database; only UTF8 holds every text of the web."""
    return str(connection.scalar(text("SHOW server_encoding")))


def explain(error: BaseException) -> str | None:
    """What an error of the driver means and what to do; None where this is not known."""
    message = str(error).strip()
    state = getattr(error, "sqlstate", None)
    if state is not None:
        advice = _BY_STATE.get(state)
    else:
        advice = next((advice for sign, advice in _BY_SIGN.items() if sign in message), None)
    return None if advice is None else advice.replace("{detail}", detail(error))


def detail(error: BaseException) -> str:
    """The first line of an error of the driver, without what the URL says anyway."""
    return _PREAMBLE.sub("", next(iter(str(error).strip().splitlines()), "")) or type(error).__name__
