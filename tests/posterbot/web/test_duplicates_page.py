from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import encode, picture
from page_reader import Reader

from posterbot.duplicates.overview import Cluster, Member, Totals
from posterbot.stores.local import LocalStore
from posterbot.web.duplicates_page import PICTURES, write_duplicates_page

COUNTS = Totals(1_234, 2, 5, 1, 6, 4, 3, 300_000)
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>\x00\ud800"
BEST = Member(
    1,
    "a" * 64,
    "https://a.example/1.jpg",
    ("a.example",),
    600,
    900,
    90_000,
    "JPEG",
    "1.jpg",
    "c",
    "representative",
    0,
    1,
)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(encode(picture()))
    (tmp_path / "images" / "broken.jpg").write_bytes(b"no picture")
    return LocalStore(str(tmp_path / "images"))


def written(tmp_path: Path, store: LocalStore | None, *members: Member, images: int = 0, kind: str = "copy") -> Reader:
    out = tmp_path / "pages" / "duplicates.html"
    clusters = [Cluster("0123456789abcdef", kind, images or len(members), members)] if members else []
    write_duplicates_page(out, store, kind, COUNTS, clusters)
    assert [file.name for file in out.parent.iterdir()] == [out.name]
    return Reader(out.read_text(encoding="utf-8"))


def test_the_best_comes_first_and_why_the_others(tmp_path: Path, store: LocalStore) -> None:
    copy = replace(BEST, image_id=2, kind="copy", distance=1, similarity=0.954)
    variant = replace(BEST, image_id=3, kind="variant", distance=12, similarity=None)
    page = written(tmp_path, store, BEST, copy, variant, kind="variant")
    assert [figure["class"] for figure in page.all("figure")] == ["best", "copy", "variant"]
    assert all(str(image["src"]).startswith("data:image/jpeg;base64,") for image in page.all("img"))
    for text in (
        "3 images",
        "600×900 JPEG, 90 kB",
        "a.example",
        "1 bit, cosine 0.95",
        "12 bits",
        "300 kB",
        "in 1 cluster",
    ):
        assert text in page.text
    assert [link["href"] for link in page.all("a")] == ["https://a.example/1.jpg"] * 3


def test_it_is_complete_in_itself(tmp_path: Path, store: LocalStore) -> None:
    page = written(tmp_path, store, BEST, BEST)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "iframe", "object", "form"}
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv")]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_what_came_from_the_web_is_text(tmp_path: Path, store: LocalStore) -> None:
    hostile = replace(BEST, url="javascript:" + HOSTILE, hosts=(HOSTILE,), format=HOSTILE, kind="copy")
    linked = replace(hostile, url="https://a.example/" + HOSTILE)
    page = written(tmp_path, store, BEST, hostile, linked)
    assert not page.all("script")
    assert len(page.all("img")) == 3
    assert "<script>alert(1)</script>" in page.text
    assert all(str(link["href"]).startswith("https://") for link in page.all("a"))
    assert len(page.all("a")) == 2


def test_what_cannot_be_shown_says_why(tmp_path: Path, store: LocalStore) -> None:
    gone, broken, dropped = (replace(BEST, path=path) for path in ("gone.jpg", "broken.jpg", None))
    page = written(tmp_path, store, BEST, gone, broken, dropped)
    assert len(page.all("img")) == 1
    assert page.text.count("file not found or not readable") == 2
    assert page.text.count("bytes not kept") == 1
    assert not written(tmp_path, None, BEST).all("img")


def test_a_large_cluster_is_cut(tmp_path: Path) -> None:
    page = written(tmp_path, None, *[BEST] * 40, images=5_000)
    assert len(page.all("figure")) == PICTURES - 1
    assert "and 4,988more" in page.text
    assert len(written(tmp_path, None, *[BEST] * PICTURES).all("figure")) == PICTURES


def test_nothing_is_like_anything(tmp_path: Path) -> None:
    assert "No image is like another." in written(tmp_path, None).text
