"""A crawl asks for nothing that is to be forgotten, and says so."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import Answer, Site, encode, picture
from crawling import ROOT, Crawl, command, crawl, environment
from frontier.frontier_rows import rows
from scrapy import Request

from posterbot.catalogue.database import CatalogueError, open_catalogue
from posterbot.frontier.forgotten import LOOK_SECONDS, Forgotten, ForgottenMiddleware, Tombstones, image_forgotten
from posterbot.frontier.tombstones import image_tombstone, tombstones_of, url_tombstone
from posterbot.frontier.turn import Stopping
from posterbot.pipelines.fetch import reason_of_failure
from posterbot.reasons import Reason
from posterbot.stores.local import LocalStore
from posterbot.upkeep.forget import forget
from posterbot.upkeep.forget_rows import find, read_wanted


class Answering:
    """A recorder that knows tombstones, and when it was asked for what."""

    def __init__(self, *laid: bytes) -> None:
        self.laid, self.asked = set(laid), []
        self.error: Exception | None = None

    def call(self, call: Any, argument: Any, **_: Any) -> Future[Any]:
        self.asked.append(call.__name__)
        future: Future[Any] = Future()
        if self.error is not None:
            future.set_exception(self.error)
        else:
            future.set_result(bool(self.laid) if argument is None else not self.laid.isdisjoint(argument))
        return future


def session(recorder: Answering) -> Any:
    lost: list[Exception] = []
    found = type("Session", (), {})()
    found.recorder, found.lost, found.errors = recorder, lost.append, lost
    return found


def refuses(of: Any, *urls: str) -> list[str]:
    middleware = ForgottenMiddleware(SimpleNamespace(get_extension=lambda _: of))  # type: ignore[arg-type]

    async def ask() -> list[str]:
        found = []
        for url in urls:
            try:
                await middleware.process_request(Request(url))
            except Forgotten as error:
                assert url not in str(error)
                assert reason_of_failure(error) is Reason.FORGOTTEN
                found.append(url)
        return found

    return asyncio.run(ask())


def test_it_refuses_in_whatever_spelling() -> None:
    of = session(Answering(url_tombstone("https://a.example/x.jpg?b=1&a=é"), *tombstones_of("http://b.example:81/")))
    forbidden = ["http://a.example/x.jpg?a=é&b=1#top", "http://b.example:81/y", "https://b.example/"]
    assert refuses(of, "http://a.example/y.jpg", *forbidden, "http://c.example/") == forbidden


def test_where_there_is_none_it_asks_once_a_second() -> None:
    recorder = Answering()
    now = 0.0

    async def ask(known: Tombstones, times: int) -> Sequence[bool]:
        return await asyncio.gather(*(known.forbid([b"x"]) for _ in range(times)))

    async def run() -> None:
        nonlocal now
        known = Tombstones(recorder, lambda: now)  # type: ignore[arg-type]
        assert not any([*await ask(known, 20), *await ask(known, 1)])
        assert recorder.asked == ["any_tombstones"]
        recorder.laid.add(b"x")
        now = 0.9
        assert not any(await ask(known, 1))
        now = 1.1
        assert all(await ask(known, 3))
        now = 100.0
        assert all(await ask(known, 1))
        assert recorder.asked == ["any_tombstones"] * 2 + ["forgotten"] * 4

    asyncio.run(run())


def test_images() -> None:
    of = session(Answering(image_tombstone("ab" * 32)))
    assert asyncio.run(image_forgotten(of, "AB" * 32))
    assert not asyncio.run(image_forgotten(of, "cd" * 32))


def test_a_catalogue_that_is_gone_ends_the_crawl() -> None:
    of = session(Answering())
    of.recorder.error = CatalogueError("gone")
    with pytest.raises(Stopping):
        refuses(of, "http://a.example/")
    assert [str(error) for error in of.errors] == ["gone"]


# --- real crawls ----------------------------------------------------------------------------------------------------


def forget_in(done: Crawl, **wanted: list[str]) -> None:
    engine = open_catalogue(done.catalogue)
    found = find(engine, read_wanted(**wanted))
    forget(engine, found, [LocalStore(str(done.store))], done.folder / "spool", done.folder / "runs")
    engine.dispose()


def test_a_crawl_after_it(tmp_path: Path, site: Site) -> None:
    """What was forgotten by its URL, by its bytes, as a page, and what a redirect leads to."""
    pictures = {name: encode(picture(seed=n)) for n, name in enumerate(("a", "b", "c", "d", "e"))}
    names = "".join(f'<p><img src="/{name}.jpg" alt="poster"></p>' for name in pictures)
    site.page("/", f'{names}<a href="/film">film</a><a href="/old">film</a><a href="/moved">film</a>')
    site.page("/film", '<title>A secret film</title><img src="/e.jpg">')
    site.page("/old", "<p>nothing</p>")
    for name, body in pictures.items():
        site.image(f"/{name}.jpg", body)
    first = crawl(tmp_path, "-a", f"start={site.url}/", "-a", "labels=poster")
    assert first.code == 0, first.output
    assert set(first.reasons().values()) <= {"relevant", "not_relevant"}

    # Now /c.jpg leads to what is forgotten, the bytes of /b.jpg are under another name, and /moved leads to /film.
    forget_in(
        first, urls=[f"{site.url}/a.jpg", f"{site.url}/film"], sha256s=[hashlib.sha256(pictures["b"]).hexdigest()]
    )
    site["/c.jpg"] = Answer(status=302, headers={"Location": "/a.jpg"})
    site["/moved"] = Answer(status=301, headers={"Location": "/film#again"})
    site.image("/d.jpg", pictures["b"])
    site.asked.clear()
    second = crawl(tmp_path, "-a", f"start={site.url}/", "-a", "labels=poster", "-a", "since=now")
    assert second.code == 0, second.output
    assert {"/c.jpg", "/d.jpg", "/moved", "/old"} <= set(site.asked)
    assert {"/a.jpg", "/b.jpg", "/e.jpg", "/film"}.isdisjoint(site.asked)
    of_run = [
        row
        for row in rows(tmp_path, "candidates")
        if row["page_id"] in {page["id"] for page in rows(tmp_path, "pages", "run_id = 2")}
    ]
    assert {row["url"][-6:]: row["reason"] for row in of_run} == {
        f"/{name}.jpg": "forgotten" for name in ("a", "b", "c", "d", "e")
    }
    (page,) = rows(tmp_path, "pages", f"url = '{site.url}/film'")
    assert (page["reason"], page["title"], page["run_id"]) == ("forgotten", "", 2)
    assert not [file for file in second.store.rglob("*.jpg") if file.read_bytes() in (pictures["a"], pictures["b"])]


def test_a_crawl_whose_host_is_forgotten(tmp_path: Path, site: Site) -> None:
    site.page("/", '<img src="/a.jpg" alt="poster">')
    site.image("/a.jpg", encode(picture(seed=1)))
    done = crawl(tmp_path, "-a", f"start={site.url}/")
    assert done.code == 0, done.output
    forget_in(done, hosts=["127.0.0.1"])
    for table in ("pages", "candidates", "images", "frontier", "sources", "hosts"):
        assert rows(tmp_path, table) == [], table
    assert [file for file in done.store.rglob("*") if file.is_file()] == []
    site.asked.clear()
    again = crawl(tmp_path, "-a", f"start={site.url}/")
    assert again.code == 0, again.output
    assert site.asked == []
    assert [row["reason"] for row in rows(tmp_path, "pages")] == ["forgotten"]
    assert "Traceback" not in again.output


def test_while_a_crawl_runs(tmp_path: Path, site: Site) -> None:
    """It has some of it on lease; all the rest is crawled as ever."""
    numbers = range(12)
    links = [f'<a href="/film/{n}">film</a>' for n in numbers]
    site.page("/", "".join([*links[:4], '<a href="/wait">wait</a>', *links[4:]]))
    for n in numbers:
        site.page(f"/film/{n}", f'<img src="/{n}.jpg" alt="poster"><img src="/logo.jpg">')
        site.image(f"/{n}.jpg", encode(picture(seed=n)))
    site.image("/logo.jpg", encode(picture(seed=99)))
    go_on = threading.Event()
    site["/wait"] = Answer(b"<p>one at a time</p>", met=lambda: go_on.wait(30) and None)
    words = command(tmp_path, "-a", f"start={site.url}/", "-a", "threshold=0.0001", PAGES_IN_FLIGHT=1)
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True) as running:
        try:
            while "/wait" not in site.asked:
                assert running.poll() is None
                time.sleep(0.05)
            late = {path for path in (f"/film/{n}" for n in numbers) if path not in site.asked}
            done = Crawl(0, "", tmp_path)
            forget_in(done, urls=[f"{site.url}{path}" for path in late] + [f"{site.url}/logo.jpg"])
            time.sleep(LOOK_SECONDS)
            go_on.set()
            _, log = running.communicate(timeout=60)
        finally:
            go_on.set()
            running.kill()
    assert running.returncode == 0, log
    assert "Traceback" not in log
    assert len(late) >= 4
    assert {f"/film/{n}" for n in numbers} - set(site.asked) == late
    reasons = {row["url"][len(site.url) :]: row["reason"] for row in rows(tmp_path, "pages")}
    assert {path for path, reason in reasons.items() if reason == "forgotten"} == late
    images = {path for path, reason in done.reasons().items() if reason == "relevant"}
    assert {f"/{n}.jpg" for n in numbers if f"/film/{n}" not in late} <= images
    assert {row["waiting"] for row in rows(tmp_path, "queues")} == {0}
