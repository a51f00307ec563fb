"""What hosts forbid is not fetched, however many requests reach them at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Answer, Site, encode, picture
from crawling import crawl


@pytest.fixture
def images() -> Iterator[Site]:
    """A second site, where the images lie."""
    site = Site()
    yield site
    site.close()


def test_requests_that_wait_for_robots_txt_obey_it_too(site: Site, images: Site, tmp_path: Path) -> None:
    rules = b"User-agent: *\nDisallow: /private/\n"
    images["/robots.txt"] = Answer(rules, "text/plain", delay=0.5)  # all images of the page are waiting for it
    paths = [f"/{folder}/{n}.jpg" for folder in ("private", "public") for n in range(8)]
    for n, path in enumerate(paths):
        images.image(path, encode(picture(seed=n)))
    site.page("/", "".join(f'<img src="{images.url}{path}" alt="{path}">' for path in paths))
    done = crawl(tmp_path, "-a", f"start={site.url}/", "-a", "labels=poster")
    assert done.code == 0, done.output
    private = {path for path in paths if path.startswith("/private/")}
    assert {path for path, reason in done.reasons().items() if reason == "robots_txt"} == private
    assert sorted(images.asked) == sorted(["/robots.txt", *set(paths) - private])
