from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

from posterbot.sample.films import FILMS
from posterbot.sample.markup import MARKUPS
from posterbot.sample.pages import pages
from posterbot.sample.pictures import jpeg, pictures
from posterbot.sample.server import SITE, SampleSite

EXPECTED = {
    "/media/locked.jpg": 403,
    "/media/broken.jpg": 500,
    "/media/lost.jpg": 404,
    "/media/round.jpg": 302,
    "/blog/never-written.html": 404,
    "/private/the-long-noon.jpg": 404,
}
"""URLs that are linked and answer something else than 200 after redirects."""

URL_PATTERNS = (
    r"""(?:src|href|poster|data-src|data-original|data-lazy)=["']([^"']+)["']""",
    r"""url\(["']?([^"')]+)["']?\)""",
    r"""<meta (?:property|name)="(?:og|twitter):image" content="([^"]+)\"""",
    r'"(?:image|contentUrl)": "([^"]+)"',
)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with SampleSite() as site:
        yield site.start()


def html_pages() -> dict[str, str]:
    return {name: text for name, text in pages().items() if name.endswith(".html")}


def urls_of(base: str, name: str) -> set[str]:
    text = urlopen(base + name).read().decode()
    page_base = re.search(r'<base href="([^"]+)"', text)
    root = urljoin(base + name, page_base[1]) if page_base else base + name
    text = re.sub(r"<base [^>]+>", "", text)
    found = {url for pattern in URL_PATTERNS for url in re.findall(pattern, text)}
    for value in re.findall(r'srcset="([^"]+)"', text):
        found |= {part.split()[0] for part in value.split(",")}
    return {urldefrag(urljoin(root, url))[0] for url in found if not url.startswith("data:")}


def test_every_link_and_image_answers_what_it_should(base: str) -> None:
    seen: set[str] = set()
    for name in html_pages():
        seen |= urls_of(base, name)
    assert all(url.startswith(base) for url in seen)
    for url in seen:
        path = "/" + url.removeprefix(base)
        try:
            status = urlopen(Request(url)).status
        except HTTPError as error:
            status = error.code
        assert status == EXPECTED.get(path, 200), path
    for path in EXPECTED:
        assert base + path[1:] in seen


def test_every_picture_is_offered_by_some_page_and_every_page_is_linked(base: str) -> None:
    seen = {"style.css", "robots.txt", "sitemap.xml", "index.html"}
    for name in html_pages():
        seen |= {url.removeprefix(base) for url in urls_of(base, name)}
    shipped = {file.relative_to(SITE).as_posix() for file in SITE.rglob("*") if file.is_file()}
    assert shipped - seen - {"icons/weave.png"} == set()
    assert 25 <= len(html_pages()) <= 45


@pytest.mark.parametrize(
    "pattern",
    [
        r'<img class="poster" src=',
        r'srcset="[^"]+ 300w, [^"]+ 600w"',
        r'<picture><source type="image/webp"',
        r' data-src="',
        r' data-original="',
        r' data-srcset="',
        r' data-lazy="',
        r"<noscript><img",
        r'style="background-image: url',
        r"<style>[^<]*url\(",
        r'<link rel="image_src"',
        r'<link rel="preload" as="image"',
        r'property="og:image"',
        r'name="twitter:image"',
        r'"@type": "Movie"',
        r'"@type": "ImageObject"',
        r'"@type": "TVSeries"',
        r'itemtype="https://schema.org/Movie"',
        r'<a href="[^"]+\.jpg"><img src="/posters/thumb/',
        r"<video [^>]*poster=",
        r"<base href=",
        r'src="data:image/gif;base64,',
        r'src="//sample\.invalid/',
        r'src="/',
        r'rel="next"',
    ],
)
def test_each_markup_is_there(pattern: str) -> None:
    assert any(re.search(pattern, text) for text in html_pages().values())


def test_each_film_is_findable_and_described_once() -> None:
    texts = html_pages()
    for film in FILMS:
        assert any(f"{film.slug}.jpg" in text for text in texts.values()), film.slug
    for slug in MARKUPS:
        blocks = re.findall(r'<script type="application/ld\+json">(.+?)</script>', texts[f"films/{slug}.html"])
        assert sum(json.loads(block)["@type"] == "Movie" for block in blocks) == 1


def test_shipped_files_are_those_the_drawing_makes() -> None:
    shipped = {file.relative_to(SITE).as_posix() for file in SITE.rglob("*") if file.is_file()}
    assert shipped == set(pictures()) | set(pages())
    for name, text in pages().items():
        assert (SITE / name).read_text(encoding="utf-8") == text, name
    assert sum((SITE / name).stat().st_size for name in shipped) <= 3_000_000


@pytest.mark.parametrize(
    "name",
    [
        "posters/the-long-noon.jpg",
        "posters/letters-to-marguerite.jpg",
        "stills/lake.jpg",
        "people/ines-okafor.jpg",
        "shop/books/salt-and-silver.jpg",
        "screens/inventory.png",
        "charts/genres.png",
        "logos/orso.png",
    ],
)
def test_redrawing_gives_the_shipped_picture(name: str) -> None:
    drawn = np.asarray(Image.open(io.BytesIO(pictures()[name]())).convert("RGB"), np.int16)
    shipped = np.asarray(Image.open(SITE / name).convert("RGB"), np.int16)
    assert drawn.shape == shipped.shape
    assert np.abs(drawn - shipped).mean() < 3


def test_posters_are_distinct_and_two_to_three() -> None:
    files = sorted((SITE / "posters").glob("*.jpg"))
    assert len(files) == len(FILMS) == len({hashlib.sha256(file.read_bytes()).digest() for file in files})
    for file in files:
        with Image.open(file) as image:
            assert image.width * 3 == image.height * 2


def opened(name: str) -> Image.Image:
    return Image.open(SITE / name)


def test_odd_files_are_what_they_claim() -> None:
    assert (SITE / "odd/members-only.jpg").read_bytes().startswith(b"<!doctype html>")
    assert (SITE / "odd/empty.jpg").read_bytes() == b""
    assert opened("odd/really-a-png.jpg").format == "PNG"
    assert opened("odd/for-print.jpg").mode == "CMYK"
    assert opened("odd/turned.jpg").getexif()[0x0112] == 6
    assert opened("posters/perihelion.webp").format == "WEBP"
    assert opened("icons/pixel.gif").size == (1, 1)
    assert getattr(opened("icons/spinner.gif"), "n_frames", 1) > 1
    assert b"<svg" in (SITE / "icons/the-lantern.svg").read_bytes()
    with opened("odd/cut-short.jpg") as cut, pytest.raises(OSError, match="truncated"):
        cut.load()
    assert opened("logos/orso.png").mode == "RGBA"


def test_jpeg_quality_is_an_argument() -> None:
    image = Image.effect_noise((64, 64), 60).convert("RGB")
    assert len(jpeg(image, 20)) < len(jpeg(image, 90))


def test_robots_txt_forbids_the_page_that_is_linked() -> None:
    assert "Disallow: /private/" in Path(SITE / "robots.txt").read_text()
    assert "/private/vault.html" in pages()["index.html"]
    assert "private" not in pages()["sitemap.xml"]
