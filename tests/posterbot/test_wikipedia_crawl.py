"""``scrapy crawl posters -a urls=`` with rows of ``wikidump``, against stand-ins for Wikimedia's hosts on loopback.

The files' host is ``127.0.0.1`` and the wikis' ``localhost``, so that each has a slot of Scrapy's own, as in the world.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet
import pytest
from conftest import Answer, Site, encode, picture
from crawling import ROOT, Crawl, crawl
from test_crawl import everything_wanted

from wikidump.filename import original_url
from wikidump.rows import Row

WEIRD = 'AC/DC: "What?" – Amélie & 100% it\'s'


class Uploads(Site):
    """``upload.wikimedia.org``: notes when each request came."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def get(self, path: str, default: Any = None) -> Any:
        self.times.append(time.monotonic())
        return super().get(path, default)


@pytest.fixture
def uploads() -> Iterator[Uploads]:
    site = Uploads()
    yield site
    site.close()


@pytest.fixture
def wikis() -> Iterator[Site]:
    """All wikis: ``/en.wikipedia.org/wiki/…``, ``/commons.wikimedia.org/wiki/…``."""
    site = Site()
    yield site
    site.close()


def path_of(name: str, repository: str = "en") -> str:
    """Where the original lies on ``upload.wikimedia.org``."""
    return original_url(name, repository).removeprefix("https://upload.wikimedia.org")


def row(uploads: Site, title: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    """A row as wikidump writes it, with the stand-in for ``upload.wikimedia.org``."""
    name = name or f"{title}.jpg"
    facts: dict[str, Any] = {
        "wiki": "enwiki",
        "page_id": 100,
        "title": title,
        "rev_id": 1_234_567_890,
        "template": "Infobox film",
        "kind": "film",
        "image_name": name,
        "image_status": "ok",
        "url": uploads.url + path_of(name, "commons" if more.get("repository") == "commons" else "en"),
        "repository": "local",
        "licence": "non-free",
        "year": 1968,
        "directors": ("Anna Lang",),
        "countries": (),
        "languages": (),
        "genres": ("Drama",),
        "imdb_id": "tt0062622",
        "dump_date": "20260801",
    }
    return Row(**(facts | more)).as_dict()


def jsonl(folder: Path, *rows: object) -> Path:
    file = folder / "posters.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return file


def crawl_list(folder: Path, file: Path, wikis: Site, **settings: object) -> Crawl:
    return crawl(
        folder,
        "-a",
        f"urls={file}",
        "-a",
        everything_wanted(),
        **{
            "WIKI_URL": wikis.url.replace("127.0.0.1", "localhost") + "/{host}",
            "OPERATOR_CONTACT": "me@example.org",
            **settings,
        },
    )


def stats(done: Crawl) -> dict[str, int]:
    """The counts that Scrapy prints at the end."""
    found = re.findall(r"'posterbot/([a-z0-9_/]+)': (\d+)", done.output)
    return {name: int(number) for name, number in found}


def test_rows_keep_film_licence_and_page(uploads: Uploads, wikis: Site, tmp_path: Path) -> None:
    for name in ("Night Train.jpg", "W.png", "Album.jpg"):
        uploads.image(path_of(name), encode(picture(300, 450, seed=len(name))))
    uploads.image(path_of("Still.jpg", "commons"), encode(picture(100, 60, seed=9)))
    rows = [
        row(uploads, "Night Train"),
        row(uploads, "Night Train", "Album.jpg", kind="album", year=1970, licence=None),
        *[row(uploads, "No image", image_status="absent", url=None, image_name=None)] * 120,
        row(uploads, "A sound", "Sound.ogg", image_status="not_image"),
        row(uploads, "Lost", url=None),
        row(uploads, WEIRD, "W.png", year=None, imdb_id=None),
        row(uploads, "A still", "Still.jpg", repository="commons", licence="CC BY-SA 4.0", kind="television"),
        row(uploads, "Hostile", url="file:///etc/hostname.jpg"),
        {"url": f"{uploads.url}{path_of('Night Train.jpg')}", "title": "of another list"},
    ]
    file = jsonl(tmp_path, *rows)
    with file.open("a") as lines:
        lines.write('{"wiki": "enwiki", "title": "half a r')
    done = crawl_list(tmp_path, file, wikis)
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    assert len([line for line in done.output.splitlines() if " ERROR: " in line]) == 1
    assert "is not a readable .jsonl file" in done.output  # read up to there

    seen = {(s.page_url.rpartition("/")[2], Path(s.url).name): s for s in done.sightings()}
    assert {names: s.reason for names, s in seen.items()} == {
        ("Night_Train", "Night_Train.jpg"): "relevant",
        ("Night_Train", "Album.jpg"): "relevant",
        ("DC:_%22What%3F%22_%E2%80%93_Am%C3%A9lie_%26_100%25_it%27s", "W.png"): "relevant",
        ("A_still", "Still.jpg"): "too_small",
        ("Hostile", "hostname.jpg"): "bad_url",
        ("posters.jsonl#3", "Night_Train.jpg"): "relevant",
    }
    kept = seen["Night_Train", "Night_Train.jpg"]
    assert kept.page_url == "https://en.wikipedia.org/wiki/Night_Train"
    assert (kept.alt, kept.film, kept.host) == ("Night Train", "Night Train", "127.0.0.1")
    assert (done.store / str(kept.path)).read_bytes() == uploads[path_of("Night Train.jpg")].body
    claims = {names[1]: s.claim for names, s in seen.items() if s.claim}
    assert {name: (claim.kind, claim.year, claim.licence) for name, claim in claims.items()} == {
        "Night_Train.jpg": ("film", 1968, "non-free"),
        "Album.jpg": ("album", 1970, None),
        "W.png": ("film", None, "non-free"),
        "Still.jpg": ("television", 1968, "CC BY-SA 4.0"),  # of what is dropped too
        "hostname.jpg": ("film", 1968, "non-free"),
    }
    assert claims["W.png"].title == WEIRD

    assert (stats(done)["listed"], stats(done)["listed_without_image"]) == (128, 122)
    assert uploads.asked.count(path_of("Night Train.jpg")) == 1
    assert wikis.asked == []  # no article is fetched
    assert uploads.agents == {"posterbot/0.1.0 (+me@example.org)"}
    with sqlite3.connect(tmp_path / "catalogue.db") as connection:
        query = "select s.alt, i.path is not null from claims c join candidates s on s.id = c.candidate_id "
        query += "join images i on i.id = s.image_id where c.licence = 'non-free' and c.year = 1968"
        assert connection.execute(query).fetchall() == [("Night Train", 1)]
        assert connection.execute("select count(*) from pages where title = 'Night Train'").fetchone() == (1,)
        assert connection.execute("pragma foreign_key_check").fetchall() == []

    command = [sys.executable, "-m", "posterbot.cli", "ls", "--json", "--catalogue", done.catalogue]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = map(json.loads, output.splitlines())
    shown = next(each for each in lines if (each["sha256"], each["page_url"]) == (kept.sha256, kept.page_url))
    assert shown["final_url"] == shown["url"] == uploads.url + path_of("Night Train.jpg")
    assert shown["claim"] == {name: rows[0][name] for name in rows[0] if name not in {"url", "image_status"}} | {
        "list": file.as_uri()
    }


def file_path(host: str, name: str) -> str:
    return f"/{host}/wiki/Special:FilePath/{quote(name.replace(' ', '_'), safe='')}"


def test_what_is_gone_is_looked_for_once(uploads: Uploads, wikis: Site, tmp_path: Path) -> None:
    """Moved to Commons, renamed there, gone for good, refused, forbidden by robots.txt, and of no wiki."""

    def redirect(path: str, to: str) -> None:
        wikis[path] = Answer(status=302, headers={"Location": uploads.url + to})

    name = 'Moved "to"? Commons.jpg'
    uploads.image(path_of(name, "commons"), encode(picture(seed=1)))
    redirect(file_path("en.wikipedia.org", name), path_of(name, "commons"))
    uploads.image(path_of("New name.jpg", "commons"), encode(picture(seed=2)))
    redirect(file_path("commons.wikimedia.org", "Old name.jpg"), path_of("New name.jpg", "commons"))
    redirect(file_path("en.wikipedia.org", "Redirected to nothing.jpg"), path_of("Nothing.jpg"))
    uploads[path_of("Refused.jpg")] = Answer(status=403)
    wikis["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /de.wikipedia.org/wiki/Special:\n", "text/plain")
    rows = [
        row(uploads, "Moved", name),
        row(uploads, "Renamed", "Old name.jpg", repository="commons"),
        row(uploads, "Filme", "English.jpg", wiki="ptwiki", repository="enwiki"),
        row(uploads, "Unknown", "Unknown.jpg", wiki="zh_min_nanwiki", repository=None),
        row(uploads, "Gone", "Redirected to nothing.jpg"),
        row(uploads, "Refused"),
        row(uploads, "Forbidden", "Forbidden.jpg", wiki="dewiki"),
        row(uploads, "No such wiki", "None.jpg", wiki="evil.example/"),
        {"url": f"{uploads.url}/elsewhere.jpg"},
    ]
    done = crawl_list(tmp_path, jsonl(tmp_path, *rows), wikis)
    assert done.code == 0, done.output

    seen = {s.alt: s for s in done.sightings()}
    assert {title: s.reason for title, s in seen.items()} == {
        "Moved": "relevant",
        "Renamed": "relevant",
        "Filme": "http_404",
        "Unknown": "http_404",
        "Gone": "http_404",
        "Refused": "http_403",
        "Forbidden": "http_404",
        "No such wiki": "http_404",
        "": "http_404",
    }
    assert seen["Moved"].url == uploads.url + path_of(name)  # recorded under the address that the list names
    assert seen["Moved"].final_url == uploads.url + path_of(name, "commons")  # with where it was found
    assert seen["Renamed"].final_url == uploads.url + path_of("New name.jpg", "commons")
    assert (stats(done)["images"], stats(done)["kept"], stats(done)["dropped/http_404"]) == (9, 2, 6)
    assert sorted(path for path in wikis.asked if path != "/robots.txt") == sorted(
        [
            file_path("en.wikipedia.org", name),
            file_path("commons.wikimedia.org", "Old name.jpg"),
            file_path("en.wikipedia.org", "English.jpg"),
            file_path("zh-min-nan.wikipedia.org", "Unknown.jpg"),
            file_path("en.wikipedia.org", "Redirected to nothing.jpg"),
        ]
    )


def test_two_at_a_time_and_not_too_fast(uploads: Uploads, wikis: Site, tmp_path: Path) -> None:
    """Half of the files are found only by a redirect."""
    size, rate, rows = 20_000, 3_000_000, []
    for n in range(24):
        path = path_of(f"{n}.jpg", "commons" if n % 2 else "en")
        jpeg = encode(picture(120, 160, seed=n))
        uploads.image(path, jpeg + bytes(size - len(jpeg)), delay=0.02)
        wikis[file_path("en.wikipedia.org", f"{n}.jpg")] = Answer(status=301, headers={"Location": uploads.url + path})
        rows.append(row(uploads, f"Film {n}", f"{n}.jpg"))
    file = tmp_path / "posters.parquet"
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), file)
    slots = {"127.0.0.1": {"concurrency": 2, "delay": 0, "jitter": 0, "bits_per_second": rate}}
    slots |= {"localhost": {"concurrency": 16, "delay": 0, "jitter": 0}}
    done = crawl_list(tmp_path, file, wikis, DOWNLOAD_SLOTS=json.dumps(slots))
    assert [s.reason for s in done.sightings()] == ["relevant"] * 24, done.output
    assert all(s.claim and s.claim.directors == ("Anna Lang",) for s in done.sightings())
    assert uploads.most_at_once == 2
    # When the last is asked for, at most one other is on its way: the rest have had the time they take at that rate.
    assert max(uploads.times) - min(uploads.times) >= 22 * 8 * size / rate
    assert not any("/thumb/" in path for path in uploads.asked)
