"""Crawls and their stores: full disks, buckets that go away, and what is kept of rejected images."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Site, encode, picture
from crawling import Crawl, crawl
from faulty_proxy import FaultyProxy
from google_emulator import GoogleEmulator
from PIL import Image
from sqlalchemy import select

from posterbot.catalogue.answers import Sighting
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import images, runs
from posterbot.stores.opening import open_store
from posterbot.stores.spool import Spool

ALL, NONE = ("-a", "top=20"), ("-a", "threshold=0.9999")
PICTURES = 8


@pytest.fixture
def start(site: Site) -> str:
    """A page with pictures, all different."""
    for number in range(PICTURES):
        site.image(f"/{number}.jpg", encode(picture(200 + number, 300, seed=number)))
    site.page("/", "".join(f'<img src="/{number}.jpg" alt="{number}">' for number in range(PICTURES)))
    return f"start={site.url}/"


def kept(crawled: Crawl) -> list[Sighting]:
    return [seen for seen in crawled.sightings() if seen.verdict == "kept"]


def test_a_store_that_fails_ends_the_crawl_and_nothing_is_lost(tmp_path: Path, start: str) -> None:
    for first in range(256):  # where folders should be made there are files: as root, permissions would not stop us
        file = tmp_path / f"images/{first:02x}"
        file.parent.mkdir(exist_ok=True)
        file.touch()
    failed = crawl(tmp_path, "-a", start, *ALL)
    assert failed.code == 1
    assert f"IMAGES_STORE: cannot use {tmp_path}/images" in failed.output
    assert "Traceback" not in failed.output
    assert kept(failed) == []
    for file in (tmp_path / "images").iterdir():
        file.unlink()
    done = crawl(tmp_path, "-a", start, *ALL)
    assert done.code == 0, done.output
    assert len(kept(done)) == PICTURES
    assert all((done.store / str(seen.path)).is_file() for seen in kept(done))


@pytest.mark.parametrize(
    ("mode", "budget", "number"),
    [("review", 10**9, PICTURES), ("all", 10**9, PICTURES), ("all", 0, 0), ("no", 10**9, 0)],
)
def test_what_is_kept_of_rejected_images(
    tmp_path: Path, site: Site, start: str, mode: str, budget: int, number: int
) -> None:
    done = crawl(tmp_path, "-a", start, *NONE, KEEP_DROPPED=mode, KEEP_DROPPED_MAX_BYTES=budget)
    assert done.code == 0, done.output
    assert kept(done) == []
    engine = open_catalogue(done.catalogue)
    with engine.connect() as connection:
        rows = connection.execute(select(images)).all()
    engine.dispose()
    found = [row for row in rows if row.dropped_path]
    assert len(rows) == PICTURES
    assert len(found) == number
    originals = {site[f"/{n}.jpg"].body for n in range(PICTURES)}
    for row in found:
        data = (done.store / row.dropped_path).read_bytes()
        assert row.dropped_path == f"dropped/{row.sha256[:2]}/{row.sha256[2:4]}/{row.sha256}.jpg"
        assert row.dropped_bytes == len(data)
        assert row.path is None
        if mode == "all":
            assert data in originals
        else:
            assert max(Image.open(io.BytesIO(data)).size) <= 320


def test_another_store_is_not_taken_for_the_first(tmp_path: Path, start: str) -> None:
    first = crawl(tmp_path, "-a", start, *ALL)
    second = crawl(tmp_path, "-a", start, *ALL, IMAGES_STORE=tmp_path / "other")
    assert second.code == 0
    assert f"posterbot sync {first.store} {tmp_path}/other" in second.output
    assert all((tmp_path / "other" / str(seen.path)).is_file() for seen in kept(second))
    engine = open_catalogue(first.catalogue)
    with engine.connect() as connection:
        stores = list(connection.scalars(select(runs.c.store).order_by(runs.c.id)))
    engine.dispose()
    assert stores == [str(first.store), f"{tmp_path}/other"]


def test_a_setting_that_is_none(tmp_path: Path, start: str) -> None:
    failed = crawl(tmp_path, "-a", start, KEEP_DROPPED="some")
    assert failed.code == 2
    assert "KEEP_DROPPED: 'some' is none of no, review, all" in failed.output


@pytest.fixture(scope="module")
def emulator() -> Iterator[GoogleEmulator]:
    with GoogleEmulator() as emulator:
        yield emulator


@pytest.fixture
def bucket(emulator: GoogleEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bucket]:
    """An empty bucket behind a proxy, and where the real client finds it."""
    with FaultyProxy(emulator.url, preconditions=True) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        name = emulator.create_bucket(tmp_path.name.replace("_", "-").strip("-").lower())
        yield Bucket(proxy, f"gs://{name}/posters", emulator.url)


@dataclass
class Bucket:
    proxy: FaultyProxy
    uri: str
    direct: str

    def objects(self) -> dict[str, bytes]:
        """What is in it."""
        os.environ["STORAGE_EMULATOR_HOST"] = self.direct
        store = open_store(self.uri, {})
        found = {stat.path: store.get(stat.path) for stat in store.list()}
        store.close()
        return found

    def uploads(self) -> int:
        return sum(method == "POST" for method, _ in self.proxy.requests)


def test_a_bucket(tmp_path: Path, site: Site, start: str, bucket: Bucket) -> None:
    done = crawl(tmp_path, "-a", start, *ALL, IMAGES_STORE=bucket.uri)
    assert done.code == 0, done.output
    assert bucket.uploads() == PICTURES
    assert len(bucket.proxy.requests) <= PICTURES + 3  # once: is it there, and may we?
    assert bucket.objects() == {str(seen.path): site["/" + seen.url.rpartition("/")[2]].body for seen in kept(done)}
    again = crawl(tmp_path, "-a", start, *ALL, IMAGES_STORE=bucket.uri)
    assert len(kept(again)) == 2 * PICTURES
    assert bucket.uploads() == PICTURES


def test_a_bucket_that_goes_away(tmp_path: Path, site: Site, start: str, bucket: Bucket) -> None:
    """In the middle of a crawl; the rest waits in the spool, also over the end of the crawl."""
    site["/0.jpg"].met = bucket.proxy.vanish
    away = crawl(tmp_path, "-a", start, *ALL, IMAGES_STORE=bucket.uri)
    assert away.code == 0, away.output
    assert len(kept(away)) == PICTURES
    assert "images wait in" in away.output
    assert "posterbot fsck --repair" in away.output
    spool = Spool(tmp_path / "spool", bucket.uri, 10**9)
    there = bucket.objects()
    assert 1 <= spool.images == PICTURES - len(there)
    bucket.proxy.back()
    os.environ["STORAGE_EMULATOR_HOST"] = bucket.proxy.url
    site.page("/nothing", "<p>nothing")
    back = crawl(tmp_path, "-a", f"start={site.url}/nothing", IMAGES_STORE=bucket.uri)
    assert back.code == 0, back.output
    assert "is back, and has what waited" in back.output
    found = bucket.objects()
    assert {str(seen.path) for seen in kept(back)} == set(found)
    assert all(hashlib.sha256(data).hexdigest() == Path(path).stem for path, data in found.items())
    spool.count()
    assert spool.images == 0


def test_a_full_spool_ends_the_crawl(tmp_path: Path, site: Site, start: str, bucket: Bucket) -> None:
    site["/0.jpg"].met = bucket.proxy.vanish
    full = crawl(tmp_path, "-a", start, *ALL, IMAGES_STORE=bucket.uri, SPOOL_MAX_BYTES=3000)
    assert full.code == 1, full.output
    assert "SPOOL: " in full.output
    assert "is full" in full.output
    assert kept(full) == []
    site["/0.jpg"].met = None
    bucket.proxy.back()
    done = crawl(tmp_path, "-a", start, *ALL, IMAGES_STORE=bucket.uri)
    assert done.code == 0, done.output
    assert {str(seen.path) for seen in kept(done)} == set(bucket.objects())
    assert len(bucket.objects()) == PICTURES


def test_a_bucket_that_is_not_there(tmp_path: Path, start: str, bucket: Bucket) -> None:
    failed = crawl(tmp_path, "-a", start, IMAGES_STORE="gs://nobody-has-this/posters")
    assert failed.code == 2
    assert failed.output.count("\n") == 1
    assert "IMAGES_STORE: gs://nobody-has-this/posters: " in failed.output
