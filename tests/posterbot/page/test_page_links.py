"""Where a page leads, and what its addresses are relative to."""

from __future__ import annotations

import pytest
from page_markup import PAGE, SITE, read

from posterbot.page.urls import MAX_URL_LENGTH, absolute_url, extension

LINKS: dict[str, tuple[str, list[str]]] = {
    "a": (
        "<a href=b.html>x</a><a href='/c?d=1#e'>x</a><a href=https://o.example>x</a>",
        ["/list/b.html", "/c?d=1", "https://o.example"],
    ),
    "area, iframe, next": (
        "<map><area href=/a></map><iframe src=/b></iframe><link rel='next' href=?page=2>",
        ["/a", "/b", "/list/page.html?page=2"],
    ),
    "each once, in order": ("<a href=/b>x</a><a href=/a>x</a><a href=/b#c>x</a>", ["/b", "/a"]),
    "nofollow": ("<a rel='noopener NOFOLLOW' href=/a>x</a><a rel=follow href=/b>x</a>", ["/b"]),
    "other schemes": (
        "<a href=mailto:a@b.example>x</a><a href='javascript:void(0)'>x</a><a href=tel:1>x</a><a name=x>x</a>",
        [],
    ),
    "this page": ("<a href=#top>x</a><a href=''>x</a>", []),
    "images are candidates": ("<a href=/p.jpg>x</a><a href=/p.JPEG?x>x</a>", []),
    "pages about images are pages": ("<a href=/wiki/File:P.jpg>x</a>", ["/wiki/File:P.jpg"]),
    "other files": (
        "<a href=/f.zip>x</a><a href=/f.pdf>x</a><a href=/f.mp4>x</a><a href=/f.svg>x</a><a href=/f.PDF>x</a>",
        [],
    ),
    "endings of pages": (
        "<a href=/a.php>x</a><a href=/b.html>x</a><a href=/c.v2>x</a><a href=/d.zip/>x</a>",
        ["/a.php", "/b.html", "/c.v2", "/d.zip/"],
    ),
    "other relations": ("<link rel=stylesheet href=/a><link rel=canonical href=/b>", []),
}


@pytest.mark.parametrize(("html", "links"), LINKS.values(), ids=LINKS.keys())
def test_links(html: str, links: list[str]) -> None:
    assert list(read(html).links) == [SITE + link if link.startswith("/") else link for link in links]


@pytest.mark.parametrize(
    ("html", "base"),
    [
        ("", PAGE),
        ("<base href=/x/>", f"{SITE}/x/"),
        ("<base href=../y/z>", f"{SITE}/y/z"),
        ("<base href=https://o.example/>", "https://o.example/"),
        ("<base target=_blank><base href=/x/><base href=/y/>", f"{SITE}/x/"),
        ("<base href='javascript:x'>", PAGE),
    ],
)
def test_base(html: str, base: str) -> None:
    content = read(f"<img src=a.jpg>{html}<a href=b>x</a>")
    assert content.base_url == base
    directory = base.rpartition("/")[0]
    assert content.candidates[0].url == f"{directory}/a.jpg"
    assert content.links == (f"{directory}/b",)


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        ("HTTPS://A.Example/P?q=ü", "https://a.example/P?q=%C3%BC"),
        ("https://münchen.example/a", "https://xn--mnchen-3ya.example/a"),
        ("/a\nb\tc", f"{SITE}/abc"),
        ("/100%.jpg", f"{SITE}/100%.jpg"),
        ("/already%20there", f"{SITE}/already%20there"),
        ("../../../a", f"{SITE}/a"),
        ("http://[::1]/a", "http://[::1]/a"),
        ("http://[", ""),
        ("http://a b.example/", ""),
        ("http:///a.jpg", ""),
        ("http://a.example:port/", ""),
        ("http://a.example:99999/", ""),
        ("ftp://a.example/a.jpg", ""),
        ("/" + "a" * MAX_URL_LENGTH, ""),
        ("/" + "ü" * 1000, ""),
    ],
)
def test_absolute_url(raw: str, url: str) -> None:
    assert absolute_url(PAGE, raw) == url


def test_extension() -> None:
    assert extension("https://a.example/b/c.D.JPG?e.png") == "jpg"
    assert extension("https://a.example/jpg") == extension("https://a.example/") == extension("https://a.jpg") == ""
    assert extension("https://a.example/File:a.jpg") == extension("https://a.example/File%3Aa.jpg") == ""
