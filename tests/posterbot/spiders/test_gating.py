"""Gates in real crawls: what is asked for, what is recorded, what is learned, and for how long."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Answer, Site, encode, picture
from crawling import ROOT, Crawl, crawl
from hypothesis import given
from hypothesis import strategies as st
from scrapy.settings import Settings

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.queries import funnel
from posterbot.catalogue.records import Model, Policy
from posterbot.filters.gates import GATES, GateSettings
from posterbot.reasons import Reason
from posterbot.sample.server import SITE as SAMPLE
from posterbot.spiders.gating import LONGEST_RULE, gate_settings, rule_of

POSTER = (SAMPLE / "posters" / "neon-harbour.jpg").read_bytes()
PAGE = """
<title>Neon Harbour (2021)</title>
<img src="/assets/logo.png"><img src="/assets/icons/search.png"><img src="/spacer.gif">
<img src="/x/1.jpg" width="16" height="16"><img src="/x/2.jpg" width="970" height="250">
<img src="/shots/screenshot-3.jpg" alt="Screenshot 3">
<img src="/posters/neon-harbour.jpg" alt="Neon Harbour poster">
"""
STRUCK = {
    "/assets/logo.png": "name_pattern",
    "/assets/icons/search.png": "name_pattern",
    "/spacer.gif": "name_pattern",
    "/x/1.jpg": "declared_size",
    "/x/2.jpg": "declared_aspect",
    "/shots/screenshot-3.jpg": "unlikely_words",
}


@pytest.fixture
def films(site: Site) -> Site:
    """One page with a poster and what films' pages have besides."""
    site.page("/", PAGE)
    for number, path in enumerate(STRUCK):
        site.image(path, encode(picture(200, 200, seed=number)))
    site.image("/posters/neon-harbour.jpg", POSTER)
    return site


def run(site: Site, folder: Path, *more: str, start: str = "/", **settings: object) -> Crawl:
    done = crawl(
        folder, "-a", f"start={site.url}{start}", *more, **{"GATES": ",".join(GATES), "EXPLORE": 0, **settings}
    )
    assert done.code == 0, done.output
    assert "Traceback" not in done.output, done.output
    return done


def test_what_is_struck_is_not_asked_for(films: Site, tmp_path: Path) -> None:
    done = run(films, tmp_path)
    assert done.reasons() == {**STRUCK, "/posters/neon-harbour.jpg": "relevant"}
    assert not STRUCK.keys() & set(films.asked)
    engine = open_catalogue(done.catalogue)
    gates = {gate.gate: (gate.dropped, gate.explored) for gate in funnel(engine).gates}
    assert gates["name_pattern"] == (3, 0)
    assert gates["all"] == (6, 0)
    engine.dispose()


def test_switched_off(films: Site, tmp_path: Path) -> None:
    done = run(films, tmp_path, GATES="declared_aspect,unlikely_words")
    assert {path for path in STRUCK if path not in films.asked} == {
        "/x/2.jpg",
        "/shots/screenshot-3.jpg",
        "/assets/logo.png",  # a word as well
    }
    assert set(done.reasons().values()) & set(GATES) == {"declared_aspect", "unlikely_words"}


def test_what_is_explored_is_fetched_judged_and_marked(films: Site, tmp_path: Path) -> None:
    done = run(films, tmp_path, EXPLORE=1)
    assert STRUCK.keys() <= set(films.asked)
    assert not set(done.reasons().values()) & set(GATES)
    with sqlite3.connect(tmp_path / "catalogue.db") as connection:
        rows = connection.execute("select url, gate from candidates").fetchall()
    assert {url.removeprefix(films.url): gate for url, gate in rows} == {**STRUCK, "/posters/neon-harbour.jpg": None}


def test_other_labels(films: Site, tmp_path: Path) -> None:
    done = run(films, tmp_path, "-a", "labels=icon")
    struck = {path: reason for path, reason in done.reasons().items() if reason in GATES}
    assert struck == {"/spacer.gif": "name_pattern"}


def test_images_of_a_list_are_never_gated(films: Site, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("".join(f"{films.url}{path}\n" for path in STRUCK))
    done = crawl(tmp_path, "-a", f"urls={tmp_path}/list.txt", GATES=",".join(GATES), EXPLORE=0)
    assert done.code == 0, done.output
    assert STRUCK.keys() <= set(films.asked)


def test_what_is_asked_for_again_is_not_gated(films: Site, tmp_path: Path) -> None:
    done = run(films, tmp_path)
    again = subprocess.run(
        [sys.executable, "-m", "posterbot.cli", "retry", "--reason", "name_pattern", "--catalogue", done.catalogue],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert again.returncode == 0, again.stderr
    assert "/assets/logo.png" not in films.asked
    assert not set(run(films, tmp_path).reasons().values()) & {"name_pattern"}
    assert "/assets/logo.png" in films.asked
    assert "/x/1.jpg" not in films.asked


def barren(site: Site, first: int, pages: int) -> None:
    """A page that leads to many, each with a poster and a still that no word or size tells from one."""
    links = "".join(f'<a href="/film/{number}">film</a>' for number in range(first, first + pages))
    site.page(f"/list/{first}", links)
    for number in range(first, first + pages):
        site.page(f"/film/{number}", f'<img src="/s/{number}-x-a.jpg"><img src="/p/{number}-x-b.jpg">')
        site.image(f"/s/{number}-x-a.jpg", encode(picture(200, 300, seed=number)))
        site[f"/p/{number}-x-b.jpg"] = Answer(POSTER, "image/jpeg")


def stills(site: Site) -> int:
    return sum(path.startswith("/s/") for path in site.asked)


def test_barren_shapes_are_learned_and_remembered(site: Site, tmp_path: Path) -> None:
    barren(site, 0, 150)
    run(site, tmp_path, start="/list/0")
    asked = stills(site)
    assert 30 <= asked < 90  # though all the pages were in flight at once
    with sqlite3.connect(tmp_path / "catalogue.db") as connection:
        rows = connection.execute("select pattern, seen, kept from image_patterns order by 1").fetchall()
    assert rows == [("/p/{n}-{text}.jpg", 150, 150), ("/s/{n}-{text}.jpg", asked, 0)]

    site.asked.clear()
    barren(site, 1000, 40)
    again = run(site, tmp_path, start="/list/1000")
    assert stills(site) < 20
    assert sum(path.startswith("/p/") for path in site.asked) == 40
    assert sum(reason == "barren_pattern" for reason in again.reasons().values()) > 80


def test_bad_settings_are_one_line() -> None:
    for given_, said in (
        ({"GATES": "names"}, "GATES has no gate 'names': give some of declared_size"),
        ({"EXPLORE": "2"}, "EXPLORE must be a number from 0 to 1, such as 0.02, not '2'"),
        ({"EXPLORE": "few"}, "not 'few'"),
    ):
        with pytest.raises(ValueError, match=said):
            gate_settings(settings(**given_))
    assert gate_settings(settings()) == GateSettings()
    assert gate_settings(settings(GATES=" unlikely_words , declared_size ")).on == (
        Reason.DECLARED_SIZE,
        Reason.UNLIKELY_WORDS,
    )
    assert gate_settings(settings(GATES="", EXPLORE="0")).on == ()


def settings(**more: str) -> Settings:
    return Settings({"IMAGES_MIN_WIDTH": 100, "IMAGES_MIN_HEIGHT": 100, **more})


@given(st.lists(st.text(), min_size=1, unique=True), st.floats(0, 1), st.one_of(st.none(), st.integers(1, 9)))
def test_a_rule_is_a_short_text(labels: list[str], threshold: float, top: int | None) -> None:
    model = Model("m", "a" * 64, tuple(labels))
    policy = Policy(tuple(labels), threshold, model, "anna", "arguments", top=top)
    rule = rule_of(policy, GateSettings())
    assert len(rule) <= LONGEST_RULE
    assert rule == rule_of(Policy(tuple(labels[::-1]), threshold, model, "ben", "telnet", top=top), GateSettings())
    assert rule != rule_of(policy, GateSettings(width=99))
