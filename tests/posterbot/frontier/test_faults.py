"""What goes wrong around a crawl that runs for days: it goes on, or stops with one clear line."""

from __future__ import annotations

import contextlib
import re
import resource
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Answer, Site, encode, picture
from crawling import ROOT, command, crawl, environment
from frontier_rows import rows
from postgres import Cluster
from sqlalchemy import Connection, func, select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import candidates, frontier, pages
from posterbot.frontier import host_table
from posterbot.frontier.records import State
from posterbot.frontier.scheduler import URLS_AT_ONCE


class Endless(Site):
    """Answers paths that were never laid down, by a rule."""

    def __init__(self, rule: Callable[[str], Answer | None]) -> None:
        super().__init__()
        self.rule = rule

    def get(self, path: str, default: Answer | None = None) -> Answer | None:  # type: ignore[override]
        return self[path] if path in self else self.rule(path) or default


@pytest.fixture
def endless() -> Iterator[Callable[[Callable[[str], Answer | None]], Endless]]:
    sites: list[Endless] = []

    def make(rule: Callable[[str], Answer | None]) -> Endless:
        sites.append(Endless(rule))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


def star(site: Site, number: int) -> None:
    """One page leads to all; each has a picture."""
    site.page("/", "".join(f'<a href="/{n}">{n}</a>' for n in range(number)))
    for n in range(number):
        site.page(f"/{n}", f'<img src="/{n}.jpg">')
        site.image(f"/{n}.jpg", encode(picture(150, 220, seed=n)))


def asked(site: Site, number: int) -> None:
    """Wait until so many requests have come."""
    end = time.monotonic() + 60
    while len(site.asked) < number and time.monotonic() < end:
        time.sleep(0.01)


def beside(site: Site, number: int, act: Callable[[], None]) -> threading.Thread:
    """Do something once so many requests have come."""
    thread = threading.Thread(target=lambda: (asked(site, number), act()), daemon=True)
    thread.start()
    return thread


def test_a_locked_database_is_waited_for(tmp_path: Path, site: Site) -> None:
    star(site, 30)

    def lock() -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "catalogue.db", timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(3)

    holder = beside(site, 10, lock)
    done = crawl(tmp_path, "-a", f"start={site.url}/")
    holder.join()
    assert done.code == 0, done.output
    assert len(rows(tmp_path, "pages")) == 31
    assert len(done.sightings()) == 30


def test_a_full_disk_ends_the_crawl_with_one_line_and_loses_nothing(tmp_path: Path, site: Site) -> None:
    star(site, 120)
    open_catalogue(f"sqlite:///{tmp_path}/catalogue.db").dispose()
    size = (tmp_path / "catalogue.db").stat().st_size
    least = size + 150_000
    done = subprocess.run(
        command(tmp_path, "-a", f"start={site.url}/"),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (least, resource.RLIM_INFINITY)),
    )
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    assert "Traceback" not in output
    assert len(re.findall(r"ERROR: catalogue .*", output)) == 1, output
    kept = {row["url"] for row in rows(tmp_path, "candidates")}
    again = crawl(tmp_path, "-a", f"start={site.url}/")
    assert "goes on" in again.output
    assert kept <= {s.url for s in again.sightings()}
    assert len(rows(tmp_path, "pages")) == 121
    assert {row["state"] for row in rows(tmp_path, "frontier")} == {State.DONE}


def test_a_database_server_that_restarts_is_waited_for(
    tmp_path: Path, site: Site, postgres: Cluster, postgres_url: str
) -> None:
    star(site, 40)

    def restart() -> None:
        postgres.stop("immediate")
        time.sleep(2)  # more than a worker's beat
        postgres.start()

    restarting = beside(site, 15, restart)
    done = crawl(tmp_path, "-a", f"start={site.url}/", CATALOGUE_URL=postgres_url)
    restarting.join()
    assert done.code == 0, done.output
    assert "trying again" in done.output
    engine = open_catalogue(postgres_url)
    with engine.connect() as connection:
        for table, number in ((pages, 41), (candidates, 40), (frontier, 41)):
            assert connection.scalar(select(func.count()).select_from(table)) == number
        assert set(connection.scalars(select(frontier.c.state))) == {State.DONE}
    engine.dispose()


def test_two_workers_of_one_machine_share_a_crawl(tmp_path: Path, site: Site) -> None:
    star(site, 60)
    for n in range(60):
        site[f"/{n}"].delay = 0.02
    command_line = command(tmp_path, "-a", f"start={site.url}/", PAGES_IN_FLIGHT=8)
    workers = [
        subprocess.Popen(
            command_line, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    outputs = [worker.communicate(timeout=100)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    assert len(rows(tmp_path, "workers")) == 2
    assert [site.asked.count(f"/{n}") for n in range(60)] == [1] * 60
    assert len(rows(tmp_path, "pages")) == 61
    assert len(rows(tmp_path, "runs", "finish_reason = 'finished'")) == 1


def test_a_damaged_row_is_passed_over(tmp_path: Path, site: Site) -> None:
    star(site, 6)
    crawl(tmp_path, "-a", f"start={site.url}/", CLOSESPIDER_ITEMCOUNT=1)
    damages = {
        "/1": "request = '{broken'",
        "/2": "request = '[]'",
        "/3": """request = '{"callback": "closed"}'""",
        "/4": """request = '{"method": 5, "headers": 7}'""",
    }
    with contextlib.closing(sqlite3.connect(tmp_path / "catalogue.db", isolation_level=None)) as connection:
        for path, damage in damages.items():
            connection.execute(f"UPDATE frontier SET state = 0, {damage} WHERE url = ?", (site.url + path,))
        connection.execute("UPDATE queues SET waiting = 6")
        connection.execute("UPDATE runs SET finish_reason = 'shutdown'")
    done = crawl(tmp_path, "-a", f"start={site.url}/")
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    bad = {row["url"].removeprefix(site.url): row["reason"] for row in rows(tmp_path, "frontier", "state = 3")}
    assert bad == dict.fromkeys(damages, "bad_row")


def test_a_host_without_an_address_is_given_up(tmp_path: Path, site: Site) -> None:
    far = [f"http://no-such-host.invalid/{n}" for n in range(12)]
    site.page("/", "".join(f'<a href="{url}">x</a>' for url in far) + '<img src="/1.jpg">')
    site.image("/1.jpg", encode(picture()))
    done = crawl(tmp_path, "-a", f"start={site.url}/", OPERATOR_CONTACT="us@example.org", HOST_BACKOFF=0.2)
    assert done.code == 0, done.output
    failed = {row["url"]: row["reason"] for row in rows(tmp_path, "frontier", "state = 3")}
    assert failed.keys() == set(far)
    assert set(failed.values()) <= {"connection_failed", "host_failing"}
    assert len(done.sightings()) == 1


def test_pages_that_send_us_in_circles(tmp_path: Path, endless: Callable[..., Endless]) -> None:
    def onward(path: str) -> Answer | None:
        if path.startswith("/on/"):  # for ever
            return Answer(status=302, headers={"Location": f"/on/{int(path[4:]) + 1}"})
        return None

    site = endless(onward)
    site.page("/", '<a href="/a">1</a><a href="/self">2</a><a href="/on/1">3</a><a href="/moved">4</a>')
    site["/a"] = Answer(status=302, headers={"Location": "/b"})
    site["/b"] = Answer(status=301, headers={"Location": "/a"})
    site["/self"] = Answer(status=302, headers={"Location": "/self"})
    site["/moved"] = Answer(status=301, headers={"Location": "/here"})
    site.page("/here", "<p>here")
    done = crawl(tmp_path, "-a", f"start={site.url}/")
    assert done.code == 0, done.output
    ends = {row["url"].removeprefix(site.url): row["reason"] for row in rows(tmp_path, "frontier")}
    assert ends["/moved"] == ends["/a"] == "redirected"
    assert ends["/b"] == ends["/self"] == "redirect_loop"
    assert ends["/here"] is None
    assert max(int(path[4:]) for path in ends if path.startswith("/on/")) <= 25
    assert [row["url"].removeprefix(site.url) for row in rows(tmp_path, "pages", "reason IS NULL")] == ["/", "/here"]


def test_a_calendar_without_end_is_closed(tmp_path: Path, endless: Callable[..., Endless]) -> None:
    def month(path: str) -> Answer | None:
        if not path.startswith("/calendar"):
            return None
        number = int(path.rpartition("=")[2])
        later = "".join(f'<a href="/calendar?month={number + step}">later</a>' for step in (1, 2, 12))
        return Answer(f"<h1>{number}</h1>{later}".encode())

    site = endless(month)
    site.page("/", '<a href="/calendar?month=1">calendar</a><a href="/film/1">film</a>')
    for n in range(1, 40):
        site.page(f"/film/{n}", f'<img src="/{n}.jpg"><a href="/film/{n + 1}">next</a>')
        site.image(f"/{n}.jpg", encode(picture(150, 220, seed=n)))
    done = crawl(tmp_path, "-a", f"start={site.url}/", TRAP_PAGES=15, PAGES_IN_FLIGHT=4)
    assert done.code == 0, done.output
    # What is in flight or leased when the pattern is closed is still read.
    assert 15 <= sum(path.startswith("/calendar") for path in site.asked) <= 15 + 4 + URLS_AT_ONCE
    assert all(f"/film/{n}" in site.asked for n in range(1, 40))
    closed = {row["pattern"]: (row["closed"], row["refused"] > 0) for row in rows(tmp_path, "patterns")}
    assert closed["/calendar?"] == ("trap", True)
    assert closed["/film/{n}"] == (None, False)


def test_setting_the_clock_back_moves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")

    def read(connection: Connection) -> float:
        return host_table.clock(connection)

    with engine.connect() as connection:
        before = read(connection)
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() - 3600)
        assert 0 <= read(connection) - before < 60
    engine.dispose()
