"""``posterbot recheck``: what is kept is asked about again, politely, and what has lost its consent is proposed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from conftest import Answer, Site
from frontier.frontier_cases import Part
from sqlalchemy import select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.held import MAX_SIGHTINGS, held, number_held
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Model, Outcome, Page, Policy
from posterbot.catalogue.schema import hosts, metadata
from posterbot.cli_recheck import recheck
from posterbot.frontier.alone import LoneKeeper
from posterbot.stores.store import object_path

POLICY = Policy(("poster",), 0.5, Model("web-images", "a" * 64, ("poster", "photo")), "anna", "arguments")
ROBOTS = b"User-agent: *\nDisallow: /private/\n"


def sha256_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


class Catalogue:
    """Images that were kept, and nothing else of a crawl."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = open_catalogue(url)

    def keep(self, *seen: tuple[str, str, str | None], keep: bool = True, job: str = "job") -> int:
        """A run that saw images: name, URL, and page, or None for an image of a list."""
        recorder = Recorder(self.engine, spider="posters", arguments={}, version="1", job=job)
        written = []
        for name, url, page in seen:
            path = object_path(sha256_of(name), "jpg") if keep else None
            written.append(
                recorder.outcome(
                    Outcome(
                        Page("file:///list.csv#1", None) if page is None else Page(page, 200),
                        url,
                        "img",
                        final_url=url,
                        image=Image(sha256_of(name), 9, "JPEG", 600, 900, None, path),
                        scores=np.array([0.75, 0.25], "<f4"),
                        policy=POLICY,
                        keep=keep,
                        verdict_reason="relevant" if keep else "not_relevant",
                    )
                )
            )
        recorder.close("finished")
        for future in written:
            future.result()
        return recorder.run_id

    def dump(self) -> list[object]:
        with self.engine.connect() as connection:
            return [
                tuple(map(str, row)) for table in metadata.sorted_tables for row in connection.execute(select(table))
            ]


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    catalogue = Catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield catalogue
    catalogue.engine.dispose()


def run(catalogue: Catalogue, folder: Path, *words: str, **settings: object) -> Result:
    given = {"DOWNLOAD_TIMEOUT": 2, "LOG_LEVEL": "WARNING", "TELNETCONSOLE_ENABLED": False, **settings}
    more = [word for name, value in given.items() for word in ("-s", f"{name}={value}")]
    reports = ("--reports", str(folder / "runs"))
    return CliRunner().invoke(recheck, ["--catalogue", catalogue.url, *reports, *words, "--", *more])


def lines(folder: Path) -> list[dict[str, str]]:
    files = sorted((folder / "runs").glob("recheck-*.jsonl"))
    return [json.loads(text) for text in files[-1].read_text().splitlines()] if files else []


@dataclass
class World:
    """One recheck of many images on two sites."""

    site: Site
    cdn: Site
    found: dict[str, dict[str, str]]
    output: str
    code: int
    before: list[object]
    after: list[object]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("recheck")
    site, cdn = Site(), Site()
    catalogue = Catalogue(f"sqlite:///{folder}/catalogue.db")
    big = bytes(11 * 1024**2)  # more than DOWNLOAD_MAXSIZE: no body is to be loaded
    for name in (
        "stands",
        "of-a-list",
        "page-gone",
        "page-says-no",
        "page-none",
        "two-pages",
        "private-page",
        "page-500",
    ):
        cdn.image(f"/{name}.jpg", big)
    cdn.image("/noai.jpg", big, headers={"X-Robots-Tag": "max-snippet: 0, noai"})
    cdn.image("/tdm.jpg", big, headers={"tdm-reservation": "1"})
    cdn.image("/private/a.jpg", big)
    cdn.image("/reserved/a.jpg", big)
    cdn["/broken.jpg"] = Answer(status=500)
    cdn["/refused.jpg"] = Answer(status=403)
    cdn["/moved.jpg"] = Answer(status=301, headers={"Location": "/noai.jpg"})
    cdn["/late.jpg"] = Answer(delay=4)
    cdn["/robots.txt"] = site["/robots.txt"] = Answer(ROBOTS, "text/plain")
    cdn["/.well-known/tdmrep.json"] = Answer(b'[{"location": "/reserved/", "tdm-reservation": 1}]')
    site.page("/film", "<!doctype html><title>film</title>")
    site.page("/no", '<!doctype html><meta name="robots" content="noimageai"><title>film</title>')
    site.page("/none", '<!doctype html><meta name="robots" content="noindex,nofollow"><title>film</title>')
    site["/500"] = Answer(status=500)
    films, on_cdn = f"{site.url}/film", cdn.url
    catalogue.keep(
        ("stands", f"{on_cdn}/stands.jpg", films),
        ("of-a-list", f"{on_cdn}/of-a-list.jpg", None),
        ("noai", f"{on_cdn}/noai.jpg", films),
        ("tdm", f"{on_cdn}/tdm.jpg", films),
        ("private", f"{on_cdn}/private/a.jpg", films),
        ("reserved", f"{on_cdn}/reserved/a.jpg", films),
        ("gone", f"{on_cdn}/gone.jpg", films),
        ("broken", f"{on_cdn}/broken.jpg", films),
        ("refused", f"{on_cdn}/refused.jpg", films),
        ("late", f"{on_cdn}/late.jpg", films),
        ("moved", f"{on_cdn}/moved.jpg", films),
        ("dead-host", "http://127.0.0.1:1/x.jpg", films),
        ("page-gone", f"{on_cdn}/page-gone.jpg", f"{site.url}/404"),
        ("page-says-no", f"{on_cdn}/page-says-no.jpg", f"{site.url}/no"),
        ("page-none", f"{on_cdn}/page-none.jpg", f"{site.url}/none"),
        ("page-500", f"{on_cdn}/page-500.jpg", f"{site.url}/500"),
        ("private-page", f"{on_cdn}/private-page.jpg", f"{site.url}/private/film"),
        ("two-pages", f"{on_cdn}/two-pages.jpg", films),
        ("two-pages", f"{on_cdn}/two-pages.jpg", f"{site.url}/no"),
    )
    catalogue.keep(("dropped", f"{on_cdn}/noai.jpg", films), keep=False, job="other")
    before = catalogue.dump()
    done = run(catalogue, folder)
    named = {sha256_of(name): name for name in NAMES}
    found = {named[line["sha256"]]: line for line in lines(folder)}
    yield World(site, cdn, found, done.output, done.exit_code, before, catalogue.dump())
    catalogue.engine.dispose()
    for each in (site, cdn):
        each.close()


EXPECTED = {
    "noai": ("withdrawn", "X-Robots-Tag: noai ({cdn}/noai.jpg; as written: max-snippet: 0, noai)"),
    "tdm": ("withdrawn", "tdm-reservation: 1 ({cdn}/tdm.jpg)"),
    "private": ("withdrawn", "robots.txt: disallow ({cdn}/private/a.jpg)"),
    "reserved": ("withdrawn", "tdmrep.json: 1 ({cdn}/.well-known/tdmrep.json; as written: location /reserved/)"),
    "moved": ("withdrawn", "X-Robots-Tag: noai ({cdn}/noai.jpg; as written: max-snippet: 0, noai)"),
    "page-says-no": ("withdrawn", "meta robots: noimageai ({site}/no)"),
    "page-none": ("withdrawn", "meta robots: noindex ({site}/none; as written: noindex,nofollow)"),
    "private-page": ("withdrawn", "robots.txt: disallow ({site}/private/film)"),
    "gone": ("gone", "HTTP status 404 ({cdn}/gone.jpg)"),
    "broken": ("unknown", "HTTP status 500 ({cdn}/broken.jpg)"),
    "refused": ("unknown", "HTTP status 403 ({cdn}/refused.jpg)"),
    "page-500": ("unknown", "HTTP status 500 ({site}/500)"),
    "late": ("unknown", "timeout"),
    "dead-host": ("unknown", "connection_failed"),
}
STAND = ("stands", "of-a-list", "page-gone", "two-pages")
NAMES = (*EXPECTED, *STAND, "dropped")


@pytest.mark.parametrize("name", EXPECTED)
def test_what_does_not_stand(world: World, name: str) -> None:
    status, why = EXPECTED[name]
    line = world.found[name]
    assert (line["status"], line["why"]) == (status, why.format(site=world.site.url, cdn=world.cdn.url))
    assert line["url"].startswith("http")


def test_what_stands_is_no_line(world: World) -> None:
    assert world.found.keys() == EXPECTED.keys()
    assert (
        f"4 of {len(EXPECTED) + 4} images may stay; 8 should be forgotten, 1 are gone from where they were, 5"
        in world.output
    )


def test_it_proposes_commands(world: World) -> None:
    assert world.code == 1
    (command,) = (line for line in world.output.splitlines() if line.startswith("posterbot forget "))
    proposed = {word for word in command.split() if len(word) == 64}
    assert proposed == {sha256_of(name) for name, (status, _) in EXPECTED.items() if status == "withdrawn"}
    assert "X-Robots-Tag: noai" in world.output


def test_nothing_is_changed(world: World) -> None:
    assert world.before == world.after


def test_it_asks_for_each_thing_once(world: World) -> None:
    assert len(world.site.asked) == len(set(world.site.asked))
    assert not {path for path in world.cdn.asked + world.site.asked if path.startswith(("/private/", "/reserved/"))}
    assert world.cdn.asked.count("/.well-known/tdmrep.json") == world.cdn.asked.count("/robots.txt") == 1


def test_all_may_stay(catalogue: Catalogue, site: Site, tmp_path: Path) -> None:
    site.image("/a.jpg", b"x")
    catalogue.keep(("a", f"{site.url}/a.jpg", None))
    done = run(catalogue, tmp_path)
    assert done.exit_code == 0, done.output
    assert done.output == (
        "1 of 1 images may stay; 0 should be forgotten, 0 are gone from where they were, 0 could not be asked\n"
    )
    assert not list((tmp_path / "runs").iterdir())


def test_some_of_them(catalogue: Catalogue, site: Site, tmp_path: Path) -> None:
    for name in "abc":
        site.image(f"/{name}.jpg", b"x")
    first = catalogue.keep(("a", f"{site.url}/a.jpg", None), ("b", f"{site.url}/b.jpg", None))
    catalogue.keep(("c", f"{site.url}/c.jpg", None), job="other")
    assert run(catalogue, tmp_path, "--run", str(first), "--limit", "1").exit_code == 0
    images = [path for path in site.asked if path.endswith(".jpg")]
    assert images in (["/a.jpg"], ["/b.jpg"])


def test_it_waits_for_its_turn(catalogue: Catalogue, site: Site, tmp_path: Path) -> None:
    """The gate is there, with the limits of this host and what its robots.txt asks for."""
    site["/robots.txt"] = Answer(b"User-agent: *\nCrawl-delay: 0.2\n", "text/plain")
    for number in range(4):
        site.image(f"/{number}.jpg", b"x", delay=0.05)
    catalogue.keep(*((str(number), f"{site.url}/{number}.jpg", None) for number in range(4)))
    assert run(catalogue, tmp_path).exit_code == 0
    assert site.most_at_once == 1


def test_no_contact(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.keep(("a", "http://films.invalid/a.jpg", None))
    done = run(catalogue, tmp_path)
    assert done.exit_code == 1
    assert "posterbot: OPERATOR_CONTACT is not set" in done.output


def test_a_setting_that_is_none(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.keep(("a", "http://127.0.0.1:1/a.jpg", None))
    done = run(catalogue, tmp_path, OPT_OUTS="noia")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith("posterbot: ")


def test_nothing_kept(catalogue: Catalogue, tmp_path: Path) -> None:
    done = run(catalogue, tmp_path)
    assert (done.exit_code, done.output) == (0, "no images are kept here\n")


def test_no_such_run(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.keep(("a", "http://127.0.0.1:1/a.jpg", None))
    done = run(catalogue, tmp_path, "--run", "7")
    assert (done.exit_code, done.output) == (1, "posterbot: no run 7; the newest is 1\n")


def test_not_beside_a_crawl(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.keep(("a", "http://127.0.0.1:1/a.jpg", None))
    part = Part(catalogue.engine)
    done = run(catalogue, tmp_path)
    assert done.exit_code == 1
    assert done.output.startswith("posterbot: run 2 is at work, and would ask the same hosts")
    del part


def test_of_many_sightings_the_newest(catalogue: Catalogue) -> None:
    pages = [f"http://a.example/{number}" for number in range(MAX_SIGHTINGS + 5)]
    catalogue.keep(*(("a", "http://b.example/a.jpg", page) for page in pages))
    (image,) = held(catalogue.engine, 0, 10)
    assert [seen.page_url for seen in image.seen] == pages[:4:-1]
    assert [number_held(catalogue.engine, None, host) for host in ("a.example", "b.example", "c.example")] == [1, 1, 0]
    assert held(catalogue.engine, image.number, 10) == []


def test_the_gate_begins_with_what_is_known_of_a_host(catalogue: Catalogue) -> None:
    now = [0.0]
    with catalogue.engine.begin() as connection:
        connection.execute(
            hosts.insert().values(
                name="a.example", crawl_delay=7.0, gap=7.0, closed_until=2**40, closed_reason="failing"
            )
        )
    keeper = LoneKeeper(catalogue.engine, lambda: now[0])
    known = keeper.take(["a.example", "b.example"]).result()
    assert (known["a.example"].crawl_delay, known["a.example"].closed_reason) == (7.0, "failing")
    assert known["a.example"].closed_for > 10**9
    assert known["b.example"].crawl_delay is None
    known["b.example"].wait = 5.0
    keeper.give([known["b.example"]]).result()
    now[0] = 2.0
    assert keeper.take(["b.example"]).result()["b.example"].wait == 3.0
    keeper.close()


def test_the_command_imports_no_scrapy() -> None:
    code = "import sys, posterbot.cli_recheck; print([n for n in ('scrapy', 'twisted') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
