"""The first command a person types, with nothing given: it finds the films of the sample and keeps their posters."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from crawling import Crawl, crawl

from posterbot import sample

SITE = Path(sample.__file__).with_name("site")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    return crawl(tmp_path_factory.mktemp("sample"), "-a", "labels=poster")


def test_it_ends_well_and_says_where_things_lie(done: Crawl) -> None:
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    for line in (f"pictures       {done.store}", "contact sheet  ", f"catalogue      {done.catalogue}"):
        assert line in done.output


def test_every_poster_is_found_whatever_the_markup(done: Crawl) -> None:
    seen = {seen.sha256 for seen in done.sightings()}
    offered = {path.stem for path in SITE.glob("posters/*.*")}
    found = {Path(s.url).stem for s in done.sightings() if s.sha256 in seen and "/posters/" in s.url}
    assert offered <= found


def test_posters_are_kept_and_little_else(done: Crawl) -> None:
    kept = {s.url.split("/", 3)[3] for s in done.sightings() if s.verdict == "kept"}
    posters = {path for path in kept if path.startswith("posters/")}
    again = {"media/gallows-creek-again.jpg", "media/moved.jpg", "odd/turned.jpg"}
    assert len(posters) >= 0.6 * len({path.stem for path in SITE.glob("posters/*.jpg")})
    assert len(kept - posters - again) <= 1, kept - posters - again


def test_what_is_odd_has_its_reason(done: Crawl) -> None:
    reasons = {s.url.split("/", 3)[3]: s.reason for s in done.sightings()}
    expected = {
        "odd/members-only.jpg": "html",
        "odd/cut-short.jpg": "truncated",
        "odd/empty.jpg": "empty",
        "media/locked.jpg": "http_403",
        "media/lost.jpg": "http_404",
        "media/broken.jpg": "http_5xx",
        "media/round.jpg": "redirect_loop",
        "icons/pixel.gif": "too_small",
    }
    assert {path: reasons.get(path) for path in expected} == expected
    with sqlite3.connect(done.folder / "catalogue.db") as connection:
        assert connection.execute("select count(*) from pages where reason = 'robots_txt'").fetchone() == (1,)


def test_films_are_read(done: Crawl) -> None:
    with sqlite3.connect(done.folder / "catalogue.db") as connection:
        films = connection.execute(
            "select count(distinct name) from film_statements where year is not null"
        ).fetchone()[0]
    assert films >= 10
