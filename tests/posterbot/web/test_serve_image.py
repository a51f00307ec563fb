"""The page of one image, and the pictures: whatever the bytes are, nothing in them runs."""

from __future__ import annotations

import hashlib
import io
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import encode, picture
from forgotten_image import forget_image
from page_waits import until
from PIL import Image as Pillow
from serve_world import MODEL, TOKEN, World, chromium
from sqlalchemy import insert, select

from posterbot.catalogue.one_image import one_image
from posterbot.catalogue.records import Image
from posterbot.catalogue.schema import embeddings, images, models, reviews
from posterbot.duplicates.update import update
from posterbot.films.link import link
from posterbot.reasons import Reason
from posterbot.stores.store import object_path
from posterbot.web.pages.image import WHY


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("image"), images=9)
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    with world.served() as address:
        yield address


def get(address: str, data: dict[str, str] | None = None) -> tuple[int, bytes, Any]:
    port = address.split(":")[2].partition("/")[0]
    body = None if data is None else urllib.parse.urlencode(data).encode()
    request = urllib.request.Request(address, body, headers={"Cookie": f"posterbot-{port}={TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def csrf(body: bytes) -> str:
    found = re.search(rb'name="csrf" value="([0-9a-f]+)"', body)
    assert found
    return found[1].decode()


def stored(world: World, data: bytes, extension: str, name: str, **facts: Any) -> str:
    """An image of these bytes, whatever they are, as a crawl would have recorded it."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = object_path(sha256, extension)
    world.store.put_if_absent(path, data)
    world.crawl(range(1000, 1001), image=Image(sha256, len(data), name, 600, 900, None, path), keep=True, **facts)
    return sha256


class TestPage:
    def test_it_says_why(self, world: World, site: str) -> None:
        status, body, _ = get(f"{site}/image/{world.kept[0]}")
        text = body.decode()
        assert status == 200
        for said in (
            "Kept",
            "relevant",
            "poster at least 0.5; it came to 0.90",
            "Policy 1",
            "Poster of film 0",
            "0.900",
        ):
            assert said in text
        assert f"/pictures/{world.kept[0]}.jpg" in text
        text = get(f"{site}/image/{world.dropped[0]}")[1].decode()
        assert "not_relevant" in text
        assert WHY[Reason.NOT_RELEVANT] in text
        assert "/originals/" not in text

    def test_what_pages_say_is_text(self, tmp_path: Path) -> None:
        world = World(tmp_path, images=0)
        world.crawl(range(1), alt="<script>alert(1)</script>", caption="<img src=x onerror=alert(1)>")
        with world.served() as site:
            body = get(f"{site}/image/{world.kept[0]}")[1].decode()
        world.close()
        assert "<script>alert" not in body
        assert "<img src=x" not in body
        assert "&lt;script&gt;alert(1)" in body

    @pytest.mark.parametrize(
        "path",
        [
            "image/nonsense",
            "image/" + "a" * 63,
            "image/" + "A" * 64,
            "image/" + "f" * 64,
            "image/..%2f..%2fetc%2fpasswd",
            "thumbnails/" + "f" * 64 + ".jpg",
            "thumbnails/..%2f..%2fcatalogue.db.jpg",
            "pictures/../../catalogue.db",
            "originals/" + "f" * 64,
            "originals/%2e%2e%2fcatalogue.db",
            "originals//etc/passwd",
            "image/" + "f" * 64 + "/similar/..",
        ],
    )
    def test_only_hashes_of_images_that_are_there(self, site: str, path: str) -> None:
        status, body, headers = get(f"{site}/{path}")
        assert (status, headers.get_content_type()) == (404, "text/html")
        assert b"SQLite" not in body

    def test_an_image_of_many_facts(self, tmp_path: Path) -> None:
        world = World(tmp_path, images=4)
        smaller = encode(picture(120, 180, 0).resize((90, 135)), quality=70)
        facts = Image(hashlib.sha256(smaller).hexdigest(), len(smaller), "JPEG", 90, 135, None, None)
        world.crawl(range(1000, 1001), image=facts)
        with world.engine.begin() as connection:
            first = connection.execute(
                select(images.c.id, images.c.phash).where(images.c.sha256 == world.kept[0])
            ).one()
            connection.execute(images.update().where(images.c.sha256 == facts.sha256).values(phash=first.phash))
            model = connection.scalar(select(models.c.id).where(models.c.hash == MODEL.hash))
            chance = np.random.default_rng(7)
            rows = [
                {"image_id": number, "model_id": model, "vector": chance.normal(size=16).astype("<f2")}
                for number in connection.scalars(select(images.c.id).order_by(images.c.id))
            ]
            same = next(row for row in rows if row["image_id"] == first.id)
            rows[-1]["vector"] = same["vector"]
            connection.execute(insert(embeddings), rows)
        link(world.engine)
        update(world.engine)
        seen = one_image(world.engine, facts.sha256)
        assert [(other.sha256, other.distance) for other in seen.duplicates if other.copy] == [(world.kept[0], 0)]
        with world.served() as site:
            text = get(f"{site}/image/{world.kept[0]}")[1].decode()
            similar = get(f"{site}/image/{world.kept[0]}/similar")[1].decode()
        world.close()
        assert facts.sha256 in text
        assert "0 bits apart" in text
        assert "<strong>Film 0</strong> (1950)" in text
        assert re.findall(r'href="/image/([0-9a-f]{64})"', similar)[0] == facts.sha256
        assert similar.count('href="/image/') == 4
        assert world.kept[0] not in similar

    def test_nothing_similar_is_said(self, world: World, site: str) -> None:
        assert "No image here has an embedding" in get(f"{site}/image/{world.kept[0]}/similar")[1].decode()


class TestPictures:
    def test_small_and_large_are_jpegs_made_here(self, world: World, site: str) -> None:
        for folder in ("thumbnails", "pictures"):
            for sha256 in (world.kept[0], world.dropped[0]):
                status, body, headers = get(f"{site}/{folder}/{sha256}.jpg")
                assert (status, headers["Content-Type"], headers["X-Content-Type-Options"]) == (
                    200, "image/jpeg", "nosniff",
                )  # fmt: skip
                assert Pillow.open(io.BytesIO(body)).format == "JPEG"

    def test_an_original_cannot_do_anything(self, world: World, site: str) -> None:
        status, body, headers = get(f"{site}/originals/{world.kept[0]}")
        assert (status, headers["Content-Type"]) == (200, "image/jpeg")
        assert hashlib.sha256(body).hexdigest() == world.kept[0]
        assert "sandbox" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert get(f"{site}/originals/{world.dropped[0]}")[0] == 404

    def test_a_polyglot_is_the_picture_that_it_begins_as(self, world: World, site: str) -> None:
        gif = encode(picture(40, 40, 1), "GIF") + b"<html><script>alert(document.domain)</script></html>"
        # What was recorded is not believed: the type is that of the bytes.
        sha256 = stored(world, gif, "html", "HTML")
        _, body, headers = get(f"{site}/originals/{sha256}")
        assert (headers["Content-Type"], headers["Content-Disposition"]) == (
            "image/gif", f'inline; filename="{sha256[:16]}.gif"',
        )  # fmt: skip
        _, body, headers = get(f"{site}/thumbnails/{sha256}.jpg")
        assert headers["Content-Type"] == "image/jpeg"
        assert b"script" not in body

    @pytest.mark.parametrize(
        "data",
        [
            b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
            b"<!doctype html><script>alert(1)</script>",
            b"\xef\xbb\xbf<?xml version='1.0'?><svg onload='alert(1)'/>",
            b"",
        ],
    )
    def test_what_is_no_picture_is_not_served(self, world: World, site: str, data: bytes) -> None:
        sha256 = stored(world, data, "svg", "SVG")
        for path in (f"originals/{sha256}", f"thumbnails/{sha256}.jpg", f"pictures/{sha256}.jpg"):
            status, body, headers = get(f"{site}/{path}")
            assert (status, headers.get_content_type()) == (404, "text/html")
            assert b"alert(1)" not in body

    def test_a_forgotten_one_is_gone_at_once(self, tmp_path: Path) -> None:
        world = World(tmp_path, images=3)
        sha256 = world.kept[0]
        with world.served() as site:
            paths = (f"image/{sha256}", f"thumbnails/{sha256}.jpg", f"pictures/{sha256}.jpg", f"originals/{sha256}")
            assert [get(f"{site}/{path}")[0] for path in paths] == [200] * 4
            forget_image(world, sha256)
            assert [get(f"{site}/{path}")[0] for path in paths] == [404] * 4
        world.close()


class TestAnswers:
    def test_an_answer_is_a_row(self, world: World, site: str) -> None:
        page = f"{site}/image/{world.kept[1]}"
        body = get(page)[1]
        for given in ({"answer": "yes", "label": ""}, {"answer": "label", "label": "photo"}):
            status, body, _ = get(f"{page}/review", {"csrf": csrf(body), **given})
            assert status == 200  # after a redirect to the page
        with world.engine.connect() as connection:
            rows = connection.execute(select(reviews.c.answer, reviews.c.label, reviews.c.picked)).all()
        assert rows == [("yes", None, "asked"), ("label", "photo", "asked")]
        assert body.decode().index("<strong>photo</strong>") < body.decode().index("<strong>yes</strong>")

    @pytest.mark.parametrize(
        ("given", "status"),
        [
            ({"answer": "perhaps"}, 400),
            ({"answer": "label", "label": ""}, 400),
            ({"answer": "label", "label": "Not A Label!"}, 400),
            ({}, 400),
        ],
    )
    def test_nonsense_is_said_in_place(self, world: World, site: str, given: dict[str, str], status: int) -> None:
        page = f"{site}/image/{world.kept[2]}"
        got, body, _ = get(f"{page}/review", {"csrf": csrf(get(page)[1]), **given})
        assert got == status
        assert b"Nothing was recorded" in body
        assert one_image(world.engine, world.kept[2]).reviews == ()

    def test_without_our_token_nothing_is_written(self, world: World, site: str) -> None:
        assert get(f"{site}/image/{world.kept[2]}/review", {"answer": "yes"})[0] == 403
        assert one_image(world.engine, world.kept[2]).reviews == ()


def test_axe_finds_nothing(world: World, site: str) -> None:
    with chromium() as browser:
        for width, scheme in ((1280, "dark"), (390, "light")):
            page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
            page.goto(f"{site}/image/{world.kept[3]}?token={TOKEN}")
            until(page, "!document.getElementById('similar').textContent.includes('Looking')")
            found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.keyboard.press("n")
            page.wait_for_url("**#review")
            assert one_image(world.engine, world.kept[3]).reviews[0].answer == "no"
