"""A crawl whose processes are killed again and again, and what must hold of it all the same."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from crawling import ROOT, command, environment
from sqlalchemy import Connection, Engine, text
from webs import Web

from posterbot.catalogue.database import CatalogueError, open_catalogue
from posterbot.frontier.records import State

KILL_UNTIL, HOLD_FROM = 0.8, 0.9
"""Shares of all URLs. The last part is answered only when the last killed worker is back: a command that comes after
the end of a crawl would begin another."""
EARLY = 0.25
"""Share of the kills that come after so many requests, most of them repeated; the others after so many new URLs."""
TOGETHER = 5
"""Of so many kills one takes all workers at once."""
SECONDS_TO_GO = 10.0
"""For what a killed crawl leaves behind to end by itself."""
STALLED_SECONDS = 90.0
"""Without a request, after which a crawl is given up."""


class Worker:
    """One ``scrapy crawl posters``, with the processes it starts in a session of their own."""

    def __init__(self, name: str, web: Web, folder: Path, catalogue: str, settings: dict[str, object]) -> None:
        self.log = folder / f"{name}.log"
        given = {"CATALOGUE_URL": catalogue, "OPERATOR_CONTACT": f"{name}@example.org", "LOG_LEVEL": "INFO", **settings}
        words = command(folder, "-a", f"start={web.start}", **given)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                words, cwd=ROOT, env=environment(), stdout=log, stderr=log, start_new_session=True
            )
        self.pid = self.process.pid

    def going_on(self) -> bool:
        return self.process.poll() is None

    def kill(self, whole_group: bool) -> None:
        """``kill -9``: the crawl alone, or with its scoring processes."""
        if whole_group:
            os.killpg(self.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait()

    def left_behind(self) -> list[int]:
        """Processes that outlive the crawl by more than ``SECONDS_TO_GO``."""
        until = time.monotonic() + SECONDS_TO_GO
        while (left := _session(self.pid)) and time.monotonic() < until:
            time.sleep(0.02)
        return left


def _session(leader: int) -> list[int]:
    """Living processes of a session, see proc(5)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(session) == leader and state not in "ZX":
            found.append(int(folder.name))
    return found


@dataclass
class Snapshot:
    """What a catalogue holds at one moment; pages by their URL."""

    runs: int = 0
    pages: Counter[str] = field(default_factory=Counter)
    unread: dict[str, str] = field(default_factory=dict)
    """Pages whose row says that they could not be read → reason."""
    candidates: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)
    kept: dict[str, str | None] = field(default_factory=dict)
    """sha256 → path in the store."""
    urls: Counter[str] = field(default_factory=Counter)
    """All that the frontier has."""
    fingerprints: Counter[bytes] = field(default_factory=Counter)
    states: dict[str, int] = field(default_factory=dict)
    leased: dict[str, int] = field(default_factory=dict)
    """URL → number of the worker that has it."""
    workers: dict[int, int] = field(default_factory=dict)
    """Process id → number of the newest worker that had it."""

    @property
    def done(self) -> set[str]:
        return {url for url, state in self.states.items() if state == State.DONE}

    def missing_from(self, later: Snapshot) -> list[str]:
        """What was there and is there no more."""
        names: dict[str, Set[object]] = {
            "pages": self.pages.keys() - later.pages.keys(),
            "candidates": self.candidates.keys() - later.candidates.keys(),
            "kept images": self.kept.items() - later.kept.items(),
            "URLs of the frontier": self.urls.keys() - later.urls.keys(),
            "URLs that were done": self.done - later.done,
        }
        return [f"{len(gone)} {name} are gone: {next(iter(gone))}" for name, gone in names.items() if gone]


def read(catalogue: str) -> Snapshot:
    """The catalogue as it is now. Of SQLite a copy is read: the next crawl finds the file as the kill left it."""
    if not catalogue.startswith("sqlite:///"):
        return _read(open_catalogue(catalogue, must_exist=True))
    file = Path(catalogue.removeprefix("sqlite:///"))
    if not file.exists():
        return Snapshot()
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            if (part := file.with_name(file.name + suffix)).exists():
                shutil.copy(part, folder)
        return _read(open_catalogue(f"sqlite:///{folder}/{file.name}", must_exist=True))


def _read(engine: Engine) -> Snapshot:
    level = "REPEATABLE READ" if engine.dialect.name == "postgresql" else "SERIALIZABLE"
    with engine.execution_options(isolation_level=level).connect() as connection:
        found = _snapshot(connection)
    engine.dispose()
    return found


def _snapshot(connection: Connection) -> Snapshot:
    def ask(sql: str) -> Sequence[Any]:
        return connection.execute(text(sql)).all()

    found = Snapshot(runs=connection.scalar(text("SELECT count(*) FROM runs")) or 0)
    for url, reason in ask("SELECT url, reason FROM pages"):
        found.pages[url] += 1
        if reason is not None:
            found.unread[url] = reason
    for page, url, reason in ask("SELECT p.url, c.url, c.reason FROM candidates c JOIN pages p ON p.id = c.page_id"):
        found.candidates[page, url] += 1
        if reason is not None:
            found.failed[page, url] = reason
    kept = "SELECT i.sha256, i.path FROM images i JOIN verdicts v ON v.image_id = i.id WHERE v.keep"
    found.kept = {sha256: path for sha256, path in ask(kept)}  # noqa: C416
    for url, fingerprint, state, worker in ask("SELECT url, fingerprint, state, worker_id FROM frontier"):
        found.urls[url] += 1
        found.fingerprints[bytes(fingerprint)] += 1
        found.states[url] = state
        if state == State.LEASED:
            found.leased[url] = worker
    found.workers = {pid: number for pid, number in ask("SELECT pid, id FROM workers ORDER BY id")}  # noqa: C416
    return found


@dataclass
class Story:
    """What happened, and what was wrong with it."""

    kills: int = 0
    after_work: int = 0
    """Kills before which pages were done since the last."""
    seconds: float = 0.0
    on_lease: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    """For each kill its time, and the URLs that the killed workers had."""
    in_flight: int = 0
    """Of these, over all kills, those that had been fetched by then."""
    again: int = 0
    """Answers for pages beyond the first for each."""
    end: Snapshot = field(default_factory=Snapshot)
    problems: list[str] = field(default_factory=list)


def crawl_under_kills(
    web: Web, folder: Path, catalogue: str, *, kills: int, workers: int = 1, seed: int = 0, **settings: object
) -> Story:
    """Crawl ``web`` to its end with ``workers`` processes, ``kills`` times killing one of them, or all.

    Moments are counted in what reached the web, so they hit at work on slow machines as well. A killed worker is
    started again at once with the same command.
    """
    rng = random.Random(seed)
    story = Story()
    began = time.monotonic()
    urls = len(web.pages) + len(web.images)
    last, held = int(KILL_UNTIL * urls), int(HOLD_FROM * urls)
    web.hold_after(held)
    lives = 0

    def start() -> Worker:
        nonlocal lives
        lives += 1
        return Worker(f"worker-{lives}", web, folder, catalogue, settings)

    team = [start() for _ in range(workers)]
    before = Snapshot()
    try:
        while story.kills < kills:
            step = rng.randint(1, 2 * max(1, (last - web.progress()) // (kills - story.kills)))
            count = web.count if rng.random() < EARLY else web.progress
            moment = count() + step
            if not _wait(web, team, lambda: count() >= moment or web.progress() >= held):  # noqa: B023
                break
            together = workers > 1 and story.kills % TOGETHER == TOGETHER - 1
            victims = team if together else [rng.choice(_at_work(team, catalogue))]
            for victim in victims:
                os.kill(victim.pid, signal.SIGSTOP)  # so that what it has on lease can be read
            now = read(catalogue)
            ours = {now.workers.get(victim.pid) for victim in victims}
            taken = frozenset(url for url, worker in now.leased.items() if worker in ours)
            story.on_lease.append((time.time(), taken))
            for victim in victims:
                victim.kill(whole_group=rng.random() < 0.5)
            story.kills += 1
            story.after_work += len(now.done) > len(before.done)
            _compare(story, before, now, folder)
            story.problems += [
                f"processes {left} outlive {victim.log.stem}" for victim in victims if (left := victim.left_behind())
            ]
            team = [start() if worker in victims else worker for worker in team]
            before = now
        _wait(web, team, lambda: {worker.pid for worker in team if worker.going_on()} <= _pids(catalogue), need=any)
        web.hold_after(None)
        _wait(web, team, lambda: False, need=any)
    finally:
        for worker in team:
            if worker.going_on():
                worker.kill(whole_group=True)
    story.problems += [
        f"{worker.log.stem} ended with exit code {worker.process.returncode}: {worker.log.read_text()[-2_000:]}"
        for worker in team
        if worker.process.returncode
    ]
    story.end = read(catalogue)
    story.seconds = time.monotonic() - began
    if story.kills < kills:
        story.problems.append(f"the crawl ended after {story.kills} kills of {kills}")
    _compare(story, before, story.end, folder)
    _check_end(story, web)
    return story


def _wait(
    web: Web, team: list[Worker], reached: Callable[[], bool], need: Callable[[Iterable[bool]], bool] = all
) -> bool:
    """Wait; False where that is in vain, since workers have ended or all do nothing."""
    count, since = web.count(), time.monotonic()
    while not reached():
        if web.count() != count:
            count, since = web.count(), time.monotonic()
        if time.monotonic() > since + STALLED_SECONDS:
            return False
        if not need(worker.going_on() for worker in team):
            return reached()
        time.sleep(0.005)
    return True


def _at_work(team: list[Worker], catalogue: str) -> list[Worker]:
    """Those that have joined the crawl; all, where none has."""
    known = _pids(catalogue)
    return [worker for worker in team if worker.pid in known] or team


def _pids(catalogue: str) -> set[int]:
    """Workers that have not ended, as the catalogue knows them."""
    try:
        engine = open_catalogue(catalogue, must_exist=True)
    except CatalogueError:  # none has come so far
        return set()
    with engine.connect() as connection:
        found = set(connection.execute(text("SELECT pid FROM workers WHERE ended_at IS NULL")).scalars())
    engine.dispose()
    return found


def _compare(story: Story, before: Snapshot, now: Snapshot, folder: Path) -> None:
    """Nothing is gone, and what is said to be kept is in the store."""
    after = f"after {story.kills} kills: "
    story.problems += [after + gone for gone in before.missing_from(now)]
    for sha256, path in now.kept.items():
        file = folder / "images" / (path or "nowhere")
        if not file.is_file():
            story.problems.append(f"{after}kept but not in the store: {sha256}")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            story.problems.append(f"{after}in the store with other bytes: {sha256}")


def _check_end(story: Story, web: Web) -> None:
    """All of the web is in the catalogue once, and little was fetched twice."""
    end = story.end
    fetches: dict[str, list[float]] = defaultdict(list)
    for request in web.log():
        if request.status == 200:
            fetches[f"http://{request.host}:{web.port}{request.path}"].append(request.at)
    unexplained = []
    for page in web.pages:
        story.again += max(0, len(fetches[page]) - 1)
        kills = [moment for moment, taken in story.on_lease if page in taken]
        story.in_flight += sum(any(a < at < b for at in fetches[page]) for a, b in pairwise([0.0, *kills]))
        unexplained += [page for a, b in pairwise(fetches[page]) if not any(a < kill < b for kill in kills)]
    faults: dict[str, Collection[object]] = {
        "runs": [] if end.runs == 1 else [end.runs],
        "pages lost": set(web.pages) - end.pages.keys(),
        "pages that are not of this web": end.pages.keys() - set(web.pages),
        "unlinked pages fetched": [url for url in web.unlinked if url in fetches],
        "pages recorded as unread": end.unread.items(),
        "images of pages lost": web.offers - end.candidates.keys(),
        # Their pictures are small, so that there may be many.
        "images of pages recorded as failed": [each for each in end.failed.items() if each[1] != "too_small"],
        "images with other bytes than served": end.kept.keys() - {web.sha256(url) for url in web.images},
        "pages twice": [url for url, number in end.pages.items() if number > 1],
        "candidates twice": [pair for pair, number in end.candidates.items() if number > 1],
        "frontier rows twice": [url for url, number in (end.urls | end.fingerprints).items() if number > 1],
        "frontier rows not done": [url for url, state in end.states.items() if state != State.DONE],
        "pages without frontier row": set(web.pages) - end.urls.keys(),
        "pages fetched again though no kill had interrupted them": unexplained,
    }
    story.problems += [f"{name}: {len(found)}, as {next(iter(found))}" for name, found in faults.items() if found]
    if not end.kept:
        story.problems.append("no image was kept: the web is too plain")
