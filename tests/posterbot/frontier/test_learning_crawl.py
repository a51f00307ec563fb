"""Real crawls that learn: no less is found than breadth first, no host is asked sooner, and they end when told to."""

from __future__ import annotations

import json
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Site
from crawling import ROOT, Crawl, command, crawl, environment
from film_site_pictures import Pictures
from scrapy.settings import Settings
from sqlalchemy import select
from webs import Web

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import frontier, images, pages, runs, verdicts
from posterbot.cli import cli
from posterbot.commands.crawl import check_manners
from posterbot.frontier.records import State

FILMS, NEWS, ITEMS = 32, 50, 12
GAP = 0.02
"""Seconds."""


def film_site(site: Site) -> None:
    """Lists that lead to films, each with a poster; news and a shop that lead to each other."""
    drawn = Pictures()
    menu = "".join(
        f'<li class="menu-item"><a href="{path}">{path[1:]}</a></li>' for path in ("/news", "/shop", "/films")
    )
    top = f'<header><nav class="main"><ul>{menu}</ul></nav></header>'

    def page(path: str, main: str) -> None:
        site.page(path, f"<html><body>{top}<main>{main}</main></body></html>")

    def listed(kind: str, numbers: range) -> str:
        links = (f'<li class="{kind}"><a class="title" href="/{kind}/{n}">{kind} number {n}</a></li>' for n in numbers)
        return f'<ul class="{kind}-list">{"".join(links)}</ul>'

    page("/", "<h1>Films and more</h1>")
    page("/films", "".join(f'<p class="pager"><a href="/films/page/{n}">{n}</a></p>' for n in range(1, 5)))
    for n in range(1, 5):
        page(f"/films/page/{n}", listed("film", range(FILMS // 4 * (n - 1), FILMS // 4 * n)))
    for n in range(FILMS):
        page(f"/film/{n}", f'<h1>Film {n}</h1><img src="/posters/{n}.jpg" alt="Poster of film {n}">')
        site.image(f"/posters/{n}.jpg", drawn.draw("poster", n, (160, 240)))
    page("/news", listed("article", range(0, NEWS, 2)))
    for n in range(NEWS):
        page(f"/article/{n}", f"<h1>News {n}</h1>" + listed("article", range(n + 1, min(n + 4, NEWS))))
    page("/shop", listed("item", range(ITEMS)))
    for n in range(ITEMS):
        page(f"/item/{n}", f'<h1>Mug {n}</h1><img src="/mugs/{n}.jpg" alt="a mug">')
        site.image(f"/mugs/{n}.jpg", drawn.draw("product", n, (140, 140)))


def found(of: Crawl) -> tuple[set[str], set[str]]:
    """Pages read, and hashes of the images kept."""
    engine = open_catalogue(of.catalogue, must_exist=True)
    with engine.connect() as connection:
        read = list(connection.scalars(select(pages.c.url).where(pages.c.reason.is_(None))))
        kept = select(images.c.sha256).join(verdicts, verdicts.c.image_id == images.c.id).where(verdicts.c.keep)
        hashes = set(connection.scalars(kept))
        assert connection.scalars(select(frontier.c.state).distinct()).all() == [State.DONE]
        assert connection.scalars(select(runs.c.finish_reason)).all() == ["finished"]
    engine.dispose()
    assert len(read) == len(set(read)), "no page is recorded twice"
    return set(read), hashes


def posterbot(of: Path, *arguments: str) -> str:
    done = CliRunner().invoke(cli, [*arguments, "--catalogue", f"sqlite:///{of}/catalogue.db"])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_nothing_is_missed_and_a_kill_loses_nothing(tmp_path: Path, site: Site) -> None:
    film_site(site)
    start = ("-a", f"start={site.url}/")
    plain = crawl(tmp_path / "plain", *start, FRONTIER_STRATEGY="breadth_first")
    assert plain.code == 0, plain.output
    site.asked.clear()
    words = command(tmp_path / "learning", *start, FRONTIER_STRATEGY="yield", PAGES_IN_FLIGHT=8, LOG_LEVEL="INFO")
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=quiet, stderr=quiet) as killed:
        until = time.monotonic() + 60
        while sum(path.startswith("/film/") for path in site.asked) < FILMS // 2:
            assert killed.poll() is None
            assert time.monotonic() < until
            time.sleep(0.005)
        killed.kill()
    before = len(site.asked)
    learning = crawl(tmp_path / "learning", *start, FRONTIER_STRATEGY="yield", PAGES_IN_FLIGHT=8)
    assert learning.code == 0, learning.output
    read, kept = found(learning)
    assert (read, kept) == found(plain)
    assert len(read) == len([path for path in site if not path.endswith(".jpg")])
    assert len(kept) > 0.7 * FILMS
    known = {path for path in site.asked[:before] if not path.endswith((".txt", ".jpg"))}
    again = [path for path in site.asked[before:] if path in known]
    assert len(again) <= 8 + 1, "only what was in flight is fetched again"
    told = json.loads(posterbot(tmp_path / "learning", "frontier", "--json"))
    assert (told["strategy"], told["waiting"], told["next"]) == ("yield", 0, [])
    of = {arm["pattern"]: arm for arm in told["arms"]}
    assert of["/film/{n}"]["found"] >= 0.7 * FILMS
    assert of["/article/{n}"]["found"] == 0
    assert of["/article/{n}"]["worth"] < 0.3 * of["/films/page/{n}"]["worth"], "lists are worth what they lead to"
    assert json.loads(posterbot(tmp_path / "plain", "frontier", "--json"))["strategy"] == "breadth_first"


def test_it_ends_when_little_can_be_hoped_for_and_goes_on_with_a_lower_floor(tmp_path: Path) -> None:
    settings = {"FRONTIER_STRATEGY": "yield", "OPERATOR_CONTACT": "a@example.org", "LOG_LEVEL": "INFO"}
    slots = {"DOWNLOAD_SLOTS": json.dumps({"127.0.0.0/8": {"concurrency": 16, "delay": GAP}})}
    with Web(pages=300, hosts=2, images=0, cdns=0) as web:
        start = ("-a", f"start={web.start}")
        done = crawl(tmp_path, *start, STOP_WHEN_YIELD_BELOW=0.1, **settings, **slots)
        assert done.code == 0, done.output
        log = web.log()
        asked = len(log)
        assert 100 <= asked < 290, "it stopped by itself, and not at once"
        for host in web.hosts:
            times = sorted(request.at for request in log if request.host == host)
            assert len(times) > 20
            assert min(later - earlier for earlier, later in pairwise(times)) >= GAP, "no host is asked sooner"
        (said,) = [line for line in done.output.splitlines() if "STOP_WHEN_YIELD_BELOW" in line and "INFO" not in line]
        listed = json.loads(posterbot(tmp_path, "crawls", "--json"))
        assert (listed["state"], listed["reason"], listed["resumable"]) == ("stopped", "low_yield", True)
        assert listed["waiting"] > 0
        assert f"{listed['waiting']:,} URLs" in said
        assert "below 0.1" in said
        done = crawl(tmp_path, *start, STOP_WHEN_YIELD_BELOW=0, **settings)
        assert done.code == 0, done.output
        assert "STOP_WHEN_YIELD_BELOW" not in done.output
    listed = json.loads(posterbot(tmp_path, "crawls", "--json"))
    assert (listed["run"], listed["state"], listed["waiting"], listed["done"]) == (1, "finished", 0, 300)


def test_wrong_settings_are_one_line(tmp_path: Path) -> None:
    done = crawl(tmp_path, STOP_WHEN_YIELD_BELOW="abc")
    wrong = "STOP_WHEN_YIELD_BELOW must be a number from 0 (never) to below 1, not 'abc'"
    assert (done.code, done.output) == (2, f"scrapy crawl posters: {wrong}\n")
    with pytest.raises(ValueError, match="FRONTIER_STRATEGY must be breadth_first or yield, not 'best'"):
        check_manners(Settings({"FRONTIER_STRATEGY": "best"}), {})
