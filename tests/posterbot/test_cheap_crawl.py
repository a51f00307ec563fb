"""Crawls in which most images are never asked for, or not used: gates, opt-outs, what is known, what is no poster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Answer, Site, encode, picture
from crawling import Crawl, crawl
from PIL import Image
from sqlalchemy import select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import candidates, pages

ALL = ("-a", "top=20")
GATES = "declared_size,declared_aspect,name_pattern,barren_pattern,unlikely_words"


def rows(crawled: Crawl) -> dict[str, dict[str, Any]]:
    """Path of each image → its row, the newest one."""
    engine = open_catalogue(crawled.catalogue)
    with engine.connect() as connection:
        found = connection.execute(select(candidates).order_by(candidates.c.id)).mappings()
        answer = {"/" + row["url"].split("/", 3)[3]: dict(row) for row in found}
    engine.dispose()
    return answer


@pytest.fixture
def film(site: Site) -> str:
    """A film's page, as sites have them."""
    site.page(
        "/",
        '<img src="/img/sprite.png" alt=""><img src="/icons/twitter.svg" width="16" height="16" alt="Twitter">'
        '<img src="/smile.jpg" width="32" height="32" alt="x"><h1>Nosferatu</h1>'
        '<img src="/posters/nosferatu.jpg" alt="Nosferatu film poster" width="400" height="600">',
    )
    for number, path in enumerate(("/img/sprite.png", "/icons/twitter.svg", "/smile.jpg", "/posters/nosferatu.jpg")):
        site.image(path, encode(picture(400, 600, seed=number)))
    return f"start={site.url}/"


def test_gates_save_requests(tmp_path: Path, site: Site, film: str) -> None:
    done = crawl(tmp_path, "-a", film, *ALL, GATES=GATES, EXPLORE=0)
    assert done.code == 0, done.output
    assert [path for path in site.asked if "." in path and path != "/robots.txt"] == ["/posters/nosferatu.jpg"]
    found = {path: (row["reason"], row["gate"]) for path, row in rows(done).items()}
    assert found["/posters/nosferatu.jpg"] == (None, None)
    assert found["/smile.jpg"] == ("declared_size", None)
    assert {reason for reason, _ in found.values()} <= {None, "declared_size", "name_pattern", "unlikely_words"}


def test_what_is_explored_is_marked(tmp_path: Path, site: Site, film: str) -> None:
    done = crawl(tmp_path, "-a", film, *ALL, GATES=GATES, EXPLORE=1)
    assert done.code == 0, done.output
    found = {path: (row["reason"], row["gate"]) for path, row in rows(done).items()}
    assert found["/smile.jpg"] == (None, "declared_size")
    assert found["/posters/nosferatu.jpg"] == (None, None)
    assert "/smile.jpg" in site.asked


@pytest.mark.parametrize(
    ("head", "headers", "asked", "evidence"),
    [
        ("<meta name=robots content=noai>", {}, False, "noai"),
        ("", {"X-Robots-Tag": "noimageai"}, True, "noimageai"),
        ("", {"tdm-reservation": "1"}, True, "tdm-reservation"),
        ("<meta name=robots content=noindex>", {}, True, None),
    ],
)
def test_opt_outs(
    tmp_path: Path, site: Site, head: str, headers: dict[str, str], asked: bool, evidence: str | None
) -> None:
    site.page("/", f'<html><head>{head}</head><body><img src="/1.jpg">')
    site.image("/1.jpg", encode(picture(400, 600)), headers=headers)
    done = crawl(tmp_path, "-a", f"start={site.url}/", *ALL)
    assert done.code == 0, done.output
    row = rows(done)["/1.jpg"]
    assert ("/1.jpg" in site.asked) == asked
    assert row["reason"] == (None if evidence is None else "opted_out")
    assert evidence is None or evidence in row["evidence"]
    assert evidence is None or not any(path.is_file() for path in done.store.rglob("*"))


def test_a_tdmrep_json(tmp_path: Path, site: Site) -> None:
    rules = [{"location": "/reserved/", "tdm-reservation": 1}]
    site["/.well-known/tdmrep.json"] = Answer(json.dumps(rules).encode(), "application/json")
    site.page("/", '<img src="/reserved/1.jpg"><img src="/free/2.jpg">')
    for path in ("/reserved/1.jpg", "/free/2.jpg"):
        site.image(path, encode(picture(400, 600)))
    done = crawl(tmp_path, "-a", f"start={site.url}/", *ALL)
    assert "/reserved/1.jpg" not in site.asked
    found = rows(done)
    assert found["/free/2.jpg"]["reason"] is None
    assert found["/reserved/1.jpg"]["reason"] == "opted_out"
    assert "tdmrep.json" in found["/reserved/1.jpg"]["evidence"]


def test_nofollow(tmp_path: Path, site: Site) -> None:
    site.page("/", '<meta name=robots content=nofollow><a href="/next">x</a><a href="/big.jpg">x</a><img src="/1.jpg">')
    site.image("/1.jpg", encode(picture(400, 600)))
    done = crawl(tmp_path, "-a", f"start={site.url}/", *ALL)
    assert list(rows(done)) == ["/1.jpg"]
    assert "/next" not in site.asked


def test_the_next_crawl_asks_whether_it_has_changed(tmp_path: Path, site: Site) -> None:
    site.page("/", '<img src="/1.jpg"><img src="/2.jpg">')
    site.image("/1.jpg", encode(picture(400, 600)), headers={"ETag": '"one"'})
    site.image("/2.jpg", encode(picture(400, 600, seed=2)))
    crawl(tmp_path, "-a", f"start={site.url}/", *ALL)
    again = crawl(tmp_path, "-a", f"start={site.url}/", *ALL)
    assert site.asked.count("/1.jpg") == site.asked.count("/2.jpg") == 2
    assert "'posterbot/images_known': 1" in again.output
    assert [seen.verdict for seen in again.sightings()] == ["kept"] * 4


def test_in_one_run_an_address_is_asked_once(tmp_path: Path, site: Site) -> None:
    """Also by the next process, which remembers nothing."""
    site.page("/", '<img src="/1.jpg"><a href="/next">')
    site.page("/next", '<img src="/1.jpg">')
    site.image("/1.jpg", encode(picture(400, 600)))
    crawl(tmp_path, "-a", f"start={site.url}/", *ALL, CLOSESPIDER_ITEMCOUNT=1, PAGES_IN_FLIGHT=1)
    done = crawl(tmp_path, "-a", f"start={site.url}/", *ALL)
    assert site.asked.count("/1.jpg") == 1
    assert [seen.verdict for seen in done.sightings()] == ["kept", "kept"]


def test_a_picture_for_posters_that_are_missing(tmp_path: Path, site: Site) -> None:
    for number in range(7):
        movie = {"@context": "https://schema.org", "@type": "Movie", "name": f"Film {number}", "image": "/none.jpg"}
        markup = f'<script type="application/ld+json">{json.dumps(movie)}</script><img src="/related.jpg">'
        site.page(f"/{number or ''}", f'{markup}<a href="/{number + 1}">next</a>')
    for path in ("/none.jpg", "/related.jpg"):
        blocks = np.random.default_rng(len(path)).integers(0, 256, (30, 20, 3), np.uint8)
        site.image(path, encode(Image.fromarray(blocks).resize((400, 600), Image.Resampling.NEAREST)))
    done = crawl(tmp_path, "-a", f"start={site.url}/", *ALL, QUALITY_GATES=True, PAGES_IN_FLIGHT=1)
    assert done.code == 0, done.output
    verdicts = {(seen.url.rpartition("/")[2], seen.reason) for seen in done.sightings()}
    assert ("none.jpg", "placeholder") in verdicts
    assert ("none.jpg", "relevant") not in verdicts  # also on the pages that were recorded before it was found out
    assert ("related.jpg", "placeholder") not in verdicts


def test_flat_pictures(tmp_path: Path, site: Site) -> None:
    site.page("/", '<img src="/1.png">')
    site.image("/1.png", encode(Image.new("RGB", (400, 600), "white"), "PNG"), "image/png")
    done = crawl(tmp_path, "-a", f"start={site.url}/", *ALL, QUALITY_GATES=True)
    assert done.reasons() == {"/1.png": "flat"}


def test_what_the_page_says_is_recorded(tmp_path: Path, site: Site) -> None:
    site.page("/", "<meta name=robots content=noai>")
    done = crawl(tmp_path, "-a", f"start={site.url}/")
    engine = open_catalogue(done.catalogue)
    with engine.connect() as connection:
        assert "noai" in str(connection.scalar(select(pages.c.evidence)))
    engine.dispose()


@pytest.mark.parametrize(("explore", "reason", "gate"), [(0, "extreme_aspect", None), (1, None, "extreme_aspect")])
def test_a_still_is_cut_off(tmp_path: Path, site: Site, explore: int, reason: str | None, gate: str | None) -> None:
    site.page("/", '<img src="/a.jpg" alt="Nosferatu">')
    site.image("/a.jpg", encode(picture(1000, 400)) + bytes(200_000))
    done = crawl(tmp_path, "-a", f"start={site.url}/", GATES="declared_aspect", EXPLORE=explore)
    row = rows(done)["/a.jpg"]
    assert (row["reason"], row["gate"]) == (reason, gate)
    assert ("'posterbot/stopped/extreme_aspect': 1" in done.output) == (explore == 0)
