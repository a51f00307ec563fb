"""Steering a crawl from another process of this machine, through Scrapy's remote control.

A crawl writes a job file that only its user can read: a port of 127.0.0.1 and a token. Who has the token may run any
Python in the crawl, so what is sent is never made of what a person typed: it is always the same two lines, with one
JSON text in them, as a literal.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from types import EllipsisType
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from sqlalchemy import select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import runs, workers
from posterbot.frontier.operate import lives

ANSWER_SECONDS = 20.0
"""How long a crawl may take to answer; what it is asked for takes milliseconds, unless its machine is overloaded."""
LOAD_SECONDS = 300.0
"""And where it has to load a model."""
JOB_FILE_VERSION = 1
MOST_BYTES = 1 << 20
"""Of a job file, or an answer."""

_CODE = "from posterbot.steering.control import remote\nprint(await remote(crawler, {}))\n"


class SteerError(RuntimeError):
    """The crawl was not changed, or nobody can tell; one line that says why."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """A process that crawls."""

    pid: int
    run: int
    spider: str
    started_at: datetime
    port: int
    token: str = field(repr=False)
    catalogue: str = field(repr=False)
    """The URL by which it was found."""

    def __str__(self) -> str:
        return f"process {self.pid} (run {self.run}, since {self.started_at:%Y-%m-%d %H:%M:%S} UTC)"


def running(catalogue_url: str) -> list[Crawl]:
    """The processes of this machine that crawl into a catalogue and let us steer them; by run, then by age.

    Raises:
        CatalogueError: the catalogue cannot be read.
    """
    jobs = {job["pid"]: job for job in _jobs()}
    return [
        Crawl(row.pid, row.run_id, row.spider, row.started_at, job["port"], job["token"], catalogue_url)
        for row in _at_work(catalogue_url)
        if lives(row) and (job := jobs.get(row.pid)) is not None
    ]


def why_none(catalogue_url: str) -> str:
    """One line, where :func:`running` found nothing.

    Raises:
        CatalogueError: the catalogue cannot be read.
    """
    rows = [row for row in _at_work(catalogue_url) if lives(row) is not False]
    here = [row for row in rows if lives(row)]
    if here:
        return (
            f"run {here[0].run_id} is crawled by process {here[0].pid}, but it has no job file in {jobs_folder()}: it "
            "is of another user, or has just begun, or its setting REMOTE_CONTROL_ENABLED is off"
        )
    if rows:
        machine = str(rows[0].machine).partition("/")[0]
        return f"run {rows[0].run_id} is crawled on {machine}: steer it there; all its workers follow"
    return "nobody crawls into this catalogue now"


def status(crawl: Crawl) -> dict[str, Any]:
    """How it goes: see :func:`posterbot.steering.report.status_of`.

    Raises:
        SteerError: it cannot be asked.
    """
    return _ask(crawl, {"do": "status"})


def change(
    crawl: Crawl,
    *,
    labels: str | list[str] | None = None,
    threshold: float | str | None = None,
    top: int | str | EllipsisType | None = ...,
    model: str | None = None,
    author: str,
    origin: str,
) -> dict[str, Any]:
    """Change the policy of a crawl; what is not given stays. Returns when that is recorded, and the crawl judges by it.

    Args:
        crawl: one of the run's processes; the others follow it within a second.
        labels, threshold, top: as ``spider.labels = …``; ``top=None`` takes that away.
        model: a name, or a path, from the folder we are in.
        author: who wants it.
        origin: ``steer`` or ``page``.

    Returns:
        The new policy: ``number``, ``labels``, ``threshold``, ``top``, ``model``, ``author``, ``origin``, ``at``.

    Raises:
        SteerError: a wrong value, or no answer; one line.
    """
    asked: dict[str, Any] = {"do": "change", "author": author, "origin": origin}
    asked |= {name: value for name, value in (("labels", labels), ("threshold", threshold)) if value is not None}
    if not isinstance(top, EllipsisType):
        asked["top"] = top
    if model is None:
        return _ask(crawl, asked)
    model = _from_anywhere(model)
    for other in running(crawl.catalogue):  # they are going to follow, and do not know where it lies
        if other.run == crawl.run and other.pid != crawl.pid:
            try:
                _ask(other, {"do": "remember", "model": model})
            except SteerError:
                continue  # it will say so itself when it cannot follow
    return _ask(crawl, asked | {"model": model}, LOAD_SECONDS)


def pause(crawl: Crawl) -> dict[str, Any]:
    """No new pages, in this process; gives its status. Raises SteerError."""
    return _ask(crawl, {"do": "pause"})


def resume(crawl: Crawl) -> dict[str, Any]:
    """Pages again; gives its status. Raises SteerError."""
    return _ask(crawl, {"do": "resume"})


def jobs_folder() -> Path:
    """Where Scrapy's crawls of this user leave their job files.

    Where crawls have the setting ``REMOTE_CONTROL_JOBS_DIR``, it has to be in the environment as well.
    """
    from scrapy.utils._remote_control import job_files_dir

    return job_files_dir(os.environ)  # type: ignore[arg-type]  # only asked for that name


def _from_anywhere(model: str) -> str:
    """A path as the crawl finds it, which runs in another folder; names stay."""
    from models.registry import WEIGHTS

    try:
        if model and not (WEIGHTS / model / "model.toml").is_file() and Path(model).exists():
            return str(Path(model).resolve())
    except (OSError, ValueError):
        pass  # it is no path: the crawl will say what it thinks of it
    return model


def _at_work(catalogue_url: str) -> list[Any]:
    columns = (workers.c[name] for name in ("run_id", "machine", "pid", "born", "started_at"))
    statement = (
        select(*columns, runs.c.spider)
        .join(runs, runs.c.id == workers.c.run_id)
        .where(workers.c.ended_at.is_(None))
        .order_by(workers.c.run_id, workers.c.id)
    )
    engine = open_catalogue(catalogue_url, must_exist=True)
    try:
        with engine.connect() as connection:
            return list(connection.execute(statement))
    finally:
        engine.dispose()


def _jobs() -> Iterator[dict[str, Any]]:
    """What the job files say that nobody else can have written, the newest of a process last."""
    found = []
    for path in jobs_folder().glob("[0-9]*-*.json"):
        try:
            job = _read(path)
        except (OSError, ValueError, TypeError, KeyError):
            continue  # gone meanwhile, or none of ours
        found.append(job)
    yield from sorted(found, key=lambda job: float(job["start_time"]))


def _read(path: Path) -> dict[str, Any]:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        facts = os.fstat(file.fileno())
        if facts.st_uid != os.getuid() or stat.S_IMODE(facts.st_mode) & 0o077 or not stat.S_ISREG(facts.st_mode):
            raise ValueError(f"{path} can be written or read by others")
        job: dict[str, Any] = json.loads(file.read(MOST_BYTES))
    if job["version"] != JOB_FILE_VERSION:
        raise ValueError(f"{path} is of another version of Scrapy")
    pid, port, token = job["pid"], job["port"], job["token"]
    if not (type(pid) is type(port) is int and 0 < port < 65536 and str(token).isascii() and str(token).isprintable()):
        raise ValueError(f"{path} is damaged")
    return job | {"token": str(token), "start_time": float(job["start_time"])}


def _ask(crawl: Crawl, asked: dict[str, Any], seconds: float | None = None) -> dict[str, Any]:
    seconds = ANSWER_SECONDS if seconds is None else seconds
    body = {"code": _CODE.format(repr(json.dumps(asked))), "timeout_sec": seconds}
    request = Request(
        f"http://127.0.0.1:{crawl.port}/execute",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {crawl.token}", "Content-Type": "application/json"},
    )
    deadline = time.monotonic() + seconds
    opener = build_opener(ProxyHandler({}))  # whatever proxy is set, a token is not for it
    try:
        with opener.open(request, timeout=seconds + 5) as response:
            answer = json.loads(response.read(MOST_BYTES))
    except HTTPError as error:
        raise SteerError(f"{_gone(crawl)}: its port is another program's now (HTTP {error.code})") from None
    except TimeoutError:
        raise SteerError(f"{crawl} does not answer; what it made of this: posterbot policies") from None
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(getattr(error, "reason", None), TimeoutError) or time.monotonic() > deadline:
            raise SteerError(f"{crawl} does not answer; what it made of this: posterbot policies") from None
        raise SteerError(f"{_gone(crawl)} meanwhile") from None
    return _result(crawl, answer, seconds)


def _result(crawl: Crawl, answer: Any, seconds: float) -> dict[str, Any]:
    try:
        if answer["status"] == "timeout":
            raise SteerError(f"{crawl} was not done after {seconds:.0f} s; what it made of this: posterbot policies")
        if answer["status"] != "ok":
            last = str(answer["traceback"]).strip().splitlines()[-1]
            raise SteerError(f"{crawl} failed: {last}")
        said = json.loads(answer["output"])
        if "error" in said:
            raise SteerError(str(said["error"]))
        result: dict[str, Any] = said["ok"]
    except (ValueError, TypeError, KeyError, IndexError):
        raise SteerError(f"{crawl} gives an answer that is not understood: is it of another version?") from None
    return result


def _gone(crawl: Crawl) -> str:
    return f"{crawl} has ended"
