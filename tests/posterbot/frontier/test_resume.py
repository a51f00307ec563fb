"""Stopping a crawl in every way there is, and going on."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

from conftest import Answer, Site, encode, picture
from crawling import ROOT, Crawl, command, crawl, environment
from frontier_rows import rows


def started(folder: Path, *arguments: str, **settings: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(folder, *arguments, **settings),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(site: Site, path: str) -> None:
    end = time.monotonic() + 60
    while path not in site.asked and time.monotonic() < end:
        time.sleep(0.02)
    assert path in site.asked


def wait_for_pages(folder: Path, number: int) -> None:
    """Until so many are committed."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (folder / "catalogue.db").exists() and len(rows(folder, "pages")) >= number:
            return
        time.sleep(0.02)
    raise AssertionError(f"{folder} does not come to {number} pages")


def ladder(site: Site, steps: int, **more: object) -> None:
    """A page leads to the next; each has a picture of its own."""
    for step in range(steps):
        onward = f'<a href="/{step + 1}">on</a>' if step + 1 < steps else ""
        site[f"/{step}"] = Answer(f'<p>{step}<img src="/{step}.jpg">{onward}'.encode(), **more)  # type: ignore[arg-type]
        site.image(f"/{step}.jpg", encode(picture(200, 300, seed=step)))


SLOW = json.dumps({"127.0.0.1": {"delay": 600}})


def test_a_crawl_stops_within_ten_seconds_and_goes_on(tmp_path: Path, site: Site) -> None:
    ladder(site, 4)
    site["/2"].delay = 30  # under way when we stop
    running = started(tmp_path, "-a", f"start={site.url}/0")
    wait_for(site, "/2")
    wait_for_pages(tmp_path, 2)
    asked = time.monotonic()
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=60)
    assert time.monotonic() - asked < 10
    assert running.returncode == 0
    assert "Traceback" not in output
    assert [row["url"].rpartition("/")[2] for row in rows(tmp_path, "pages")] == ["0", "1"]
    site["/2"].delay = 0
    done = crawl(tmp_path, "-a", f"start={site.url}/0")
    assert "run 1 goes on" in done.output
    assert [site.asked.count(f"/{step}") for step in range(4)] == [1, 1, 2, 1]
    assert [site.asked.count(f"/{step}.jpg") for step in range(4)] == [1, 1, 1, 1]
    (run,) = rows(tmp_path, "runs")
    assert (run["finish_reason"], run["stopping"]) == ("finished", 0)
    assert len(rows(tmp_path, "policies")) == 1


def test_requests_that_wait_for_a_slow_host_do_not_hold_up_the_end(tmp_path: Path, site: Site) -> None:
    ladder(site, 3)
    running = started(tmp_path, "-a", f"start={site.url}/0", DOWNLOAD_SLOTS=SLOW, ROBOTSTXT_OBEY=False)
    wait_for(site, "/0")
    time.sleep(1)  # now its picture waits, for ten minutes
    asked = time.monotonic()
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=60)
    assert time.monotonic() - asked < 10
    assert running.returncode == 0, output
    assert rows(tmp_path, "pages") == []  # its picture was not seen, so it is not done
    with contextlib.closing(sqlite3.connect(tmp_path / "catalogue.db", isolation_level=None)) as connection:
        assert connection.execute("UPDATE hosts SET next_at = 0 WHERE next_at > 0").rowcount == 1  # ten minutes pass
    done = crawl(tmp_path, "-a", f"start={site.url}/0", ROBOTSTXT_OBEY=False)
    assert len(done.sightings()) == 3
    assert len(rows(tmp_path, "pages")) == 3


def test_what_was_killed_goes_on(tmp_path: Path, site: Site) -> None:
    ladder(site, 4)
    site["/2.jpg"].delay = 30
    running = started(tmp_path, "-a", f"start={site.url}/0")
    wait_for(site, "/2.jpg")
    wait_for_pages(tmp_path, 3)  # all but the one whose picture is slow
    running.kill()
    running.communicate()
    site["/2.jpg"].delay = 0
    done = crawl(tmp_path, "-a", f"start={site.url}/0", "-a", "threshold=0.7")
    assert done.code == 0
    assert [site.asked.count(f"/{step}") for step in range(4)] == [1, 1, 2, 1]
    assert len(rows(tmp_path, "pages")) == len(rows(tmp_path, "candidates")) == 4
    assert {row["state"] for row in rows(tmp_path, "frontier")} == {2}
    assert [(row["id"], row["finish_reason"]) for row in rows(tmp_path, "runs")] == [(1, "finished")]
    assert [row["threshold"] for row in rows(tmp_path, "policies")] == [0.5, 0.7]


def test_a_list_goes_on_where_it_was(tmp_path: Path, site: Site) -> None:
    urls = tmp_path / "list.txt"
    urls.write_text("".join(f"{site.url}/{n}.jpg\n" for n in range(160)))
    for n in range(160):
        site.image(f"/{n}.jpg", encode(picture(120, 180, seed=n)))
    site["/120.jpg"].delay = 30
    running = started(tmp_path, "-a", f"urls={urls}", PAGES_IN_FLIGHT=1)
    wait_for(site, "/120.jpg")
    running.kill()
    running.communicate()
    assert len(rows(tmp_path, "candidates")) == 100
    site["/120.jpg"].delay = 0
    done: Crawl = crawl(tmp_path, "-a", f"urls={urls}")
    assert len(done.sightings()) == 160
    assert {site.asked.count(f"/{n}.jpg") for n in range(100)} == {1}
