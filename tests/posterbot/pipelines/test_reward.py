"""What a page has cost and brought, on its ticket: with a recorder of its own, and in a real crawl."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Site, encode, picture
from crawling import Crawl, crawl
from scrapy.http import Response

from models.registry import WEIGHTS
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Film, Image, Page
from posterbot.frontier.ticket import Ticket
from posterbot.items import PageItem
from posterbot.pipelines.reward import Reward, note_answer, note_failure
from posterbot.reasons import Reason
from posterbot.settings import EXTENSIONS


@pytest.fixture
def reward(tmp_path: Path) -> Iterator[Reward]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    recorder = Recorder(engine, spider="posters", arguments={}, version="0")
    yield Reward(recorder)
    recorder.close(None)
    engine.dispose()


def image(name: str, phash: str | None = None) -> Image:
    return Image(hashlib.sha256(name.encode()).hexdigest(), 1, "JPEG", 1, 1, phash, path="x")


def item(*films: str, ticket: Ticket | None = None) -> PageItem:
    ticket = ticket or Ticket(1, 0, "a.example", b"")
    return PageItem(Page("http://a.example/", films=tuple(Film("Movie", name) for name in films)), (), ticket=ticket)


def count(reward: Reward, *pages: tuple[PageItem, Sequence[Image]]) -> list[tuple[int, int]]:
    """(kept, films) of the tickets after all pages were counted at the same time."""

    async def run() -> None:
        await asyncio.gather(*(reward.count(*page) for page in pages))

    asyncio.run(run())
    return [(page.ticket.kept, page.ticket.films) for page, _ in pages if page.ticket is not None]


def test_each_picture_and_film_counts_once(reward: Reward) -> None:
    a, copy, b = image("a", "1" * 16), image("copy", "1" * 16), image("b", "2" * 16)
    assert count(reward, (item("M"), [a]), (item("m"), [copy]), (item("M"), [a, b])) == [(1, 1), (0, 0), (1, 0)]
    assert count(reward, (item("N"), [a, copy, b])) == [(0, 0)]
    assert count(reward, (item("N"), [image("c")])) == [(1, 1)]


def test_no_more_films_than_pictures(reward: Reward) -> None:
    films = item("A", "B", "C")
    assert count(reward, (films, [])) == [(0, 0)]
    assert count(reward, (films, [image("1"), image("2")])) == [(2, 2)]
    assert count(reward, (films, [image("3"), image("4")])) == [(4, 3)]
    other = item("D"), [image("5")]
    assert count(reward, other, (item("E", "F"), [image("5"), image("6")])) == [(1, 1), (1, 1)]


def test_items_of_one_ticket_sum(reward: Reward) -> None:
    ticket = Ticket(1, 0, "a.example", b"", items=2)
    pages = (item("A", ticket=ticket), [image("1")]), (item("B", ticket=ticket), [image("2"), image("3")])
    assert count(reward, *pages) == [(3, 2), (3, 2)]


def test_without_a_ticket_nothing_is_counted(reward: Reward) -> None:
    none = item("A")
    none.ticket = None
    assert count(reward, (none, [image("1")])) == []
    assert count(reward, (item("A"), [image("1")])) == [(1, 1)]


def test_what_was_sent_is_what_it_costs() -> None:
    ticket = Ticket(1, 0, "a.example", b"")
    note_failure(ticket, Reason.ROBOTS_TXT)
    note_failure(ticket, Reason.HOST_BUDGET)
    note_failure(None, Reason.TIMEOUT)
    assert (ticket.requests, ticket.size) == (1, 0)
    note_failure(ticket, Reason.TIMEOUT)
    from_afar = Response("http://a.example/", body=b"12345")
    from_afar.request = from_afar.follow("/x", meta={"redirect_times": 2})
    note_answer(ticket, from_afar)
    note_answer(None, from_afar)
    assert (ticket.requests, ticket.size) == (5, 5)


# --- In a crawl -----------------------------------------------------------------------------------------------------


class Noted:
    """A crawl with all labels wanted, and what its tickets said; of a page that came twice the last."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        notes = folder / "notes.jsonl"
        notes.unlink(missing_ok=True)
        labels = (WEIGHTS / "web-images" / "labels.txt").read_text().split()
        extensions = json.dumps({**EXTENSIONS, "ticket_notes.TicketNotes": 0})
        self.crawl: Crawl = crawl(
            folder, "-a", f"labels={','.join(labels)}", *arguments, EXTENSIONS=extensions, TICKET_NOTES=notes
        )
        assert self.crawl.code == 0, self.crawl.output
        assert "Traceback" not in self.crawl.output
        self.notes: dict[str, dict[str, Any]] = {}
        self.links: list[dict[str, Any]] = []
        for note in map(json.loads, notes.read_text().splitlines()):
            if "link" in note:
                self.links.append(note)
            else:
                self.notes["/" + note["url"].split("/", 3)[3]] = note

    def __getitem__(self, path: str) -> dict[str, Any]:
        return self.notes[path]

    def total(self, name: str) -> int:
        return sum(note[name] for note in self.notes.values())


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))


def film(name: str, *images: str) -> str:
    said = json.dumps({"@type": "Movie", "name": name, "datePublished": "1968"})
    script = f'<script type="application/ld+json">{said}</script>'
    return script + "".join(f'<img src="{image}">' for image in images)


def test_a_crawl(site: Site, tmp_path: Path, notes: None) -> None:
    for n in range(4):
        site.image(f"/{n}.png", encode(picture(300, 450, seed=n), "PNG"), "image/png")
    site.image("/same.png", site["/0.png"].body, "image/png")
    site.image("/copy.webp", encode(picture(300, 450, seed=1), "WEBP", lossless=True), "image/webp")
    site.image("/moved.png", b"", "image/png", status=302, headers={"Location": "/3.png"})
    pages = {
        "/": '<a href="/">x</a><ul class="films"><a class="title" href="/1">A</a></ul>',
        "/1": film("A", "/0.png", "/1.png") + '<a href="/2">',
        "/2": film("A", "/0.png", "/2.png") + '<a href="/3">',
        "/3": '<img src="/same.png"><img src="/copy.webp"><img src="/none.png"><a href="/4">',
        "/4": film("B", "/moved.png", "/1.png") + '<a href="/5">',
        "/5": film("C", "ftp://a.example/a.png"),
    }
    for path, html in pages.items():
        site.page(path, html)
    first = Noted(tmp_path, "-a", f"start={site.url}/")
    # Pages are in flight together: which of two is the first with a picture is not certain.
    assert first.total("requests") == len([path for path in site.asked if path != "/robots.txt"])
    assert first.total("size") == sum(len(site[path].body) for path in site) + len(b"nothing here")
    assert first.total("kept") == 4
    assert first.total("films") == 2
    assert first["/3"]["requests"] >= 2  # nobody else has what is missing
    assert (first["/5"]["requests"], first["/5"]["size"]) == (1, len(site["/5"].body))
    assert first.links[:2] == [
        {"link": f"{site.url}/", "parent": first["/"]["key"], "place": ["html/body/a", "x", 0]},
        {"link": f"{site.url}/1", "parent": first["/"]["key"], "place": ["html/body/ul.films/a.title", "A", 1]},
    ]

    # Another run knows what there is, wherever it stands now.
    site.page("/", film("C", "/new.png", "/0.png") + film("A", "/renamed.png"))
    site.image("/new.png", encode(picture(300, 450, seed=9), "PNG"), "image/png")
    site.image("/renamed.png", site["/2.png"].body, "image/png")
    again = Noted(tmp_path, "-a", f"start={site.url}/")
    assert (again["/"]["kept"], again["/"]["films"]) == (1, 1)
    assert again["/"]["requests"] in {3, 4}  # whether what is known is asked for again, is not decided here


def test_a_list(site: Site, tmp_path: Path, notes: None) -> None:
    rows = []
    for n in range(3):
        site.image(f"/{n}.png", encode(picture(300, 450, seed=n // 2), "PNG"), "image/png")
        rows.append({"url": f"{site.url}/{n}.png", "title": f"Film {n} (1968 film)", "wiki": "enwiki", "page_id": n})
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    noted = Noted(tmp_path, "-a", f"urls={tmp_path}/list.jsonl")
    assert len({note["key"] for note in noted.notes.values()}) == 1
    last = list(noted.notes.values())[-1]
    assert (last["requests"], last["kept"], last["films"]) == (4, 2, 2)
