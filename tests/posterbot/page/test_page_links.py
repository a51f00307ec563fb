"""Where a page leads, and what its addresses are relative to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_markup import PAGE, SITE, read

from posterbot.page import PageLink, read_page
from posterbot.page.bounds import parse_html
from posterbot.page.links import MAX_PATH, MAX_TEXT
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
    assert [link.url for link in read(html).links] == [SITE + link if link.startswith("/") else link for link in links]


def link(html: str) -> PageLink:
    (only,) = read(html).links
    return only


PATHS = {
    "tags and classes": (
        "<p class=x><i class='y  z'><a class=t href=/a>",
        "p.x/i.y.z/a.t",
    ),
    "three classes": ("<a class='a b c d' href=/a>", "a.a.b.c"),
    "long classes": (f"<a class={'c' * 50} href=/a>", f"a.{'c' * 40}"),
    "signs in classes": ("<a class='md:flex w-1/2 a.b' href=/a>", "a.md:flex.w-1_2.a_b"),
    "other alphabets": ("<a class='película 映画' href=/a>", "a.película.映画"),
    "case": ("<DIV CLASS=Main><A HREF=/a>", "div.Main/a"),
    "after what was closed": ("<div class=a><p><i>x</i></p></div><div class=b><p class=c><a href=/a>", "div.b/p.c/a"),
    "frames": ("<div class=film><iframe class=player src=/a></iframe></div>", "div.film/iframe.player"),
    "areas": ("<map class=m><area href=/a></map>", "map.m/area"),
    "next": ("<p class=a><link rel=next href=/a>", "p.a/link"),
    "drawings": ("<svg class=d><a href=/a></a></svg>", "svg.d/a"),
}


@pytest.mark.parametrize(("html", "path"), PATHS.values(), ids=PATHS.keys())
def test_path(html: str, path: str) -> None:
    assert link(html).path == f"html/body/{path}"


def test_path_in_the_head_and_on_the_body() -> None:
    content = read("<html lang=en><head><link rel=next href=/2></head><body class='home page'><a href=/3>x</a>")
    assert [each.path for each in content.links] == ["html/head/link", "html/body.home.page/a"]


def test_of_a_long_path_the_innermost_is_kept() -> None:
    path = link("<div class=outer>" + "<div class=inner>" * 100 + "<a href=/a>").path
    assert MAX_PATH - len("/div.inner") < len(path) <= MAX_PATH
    assert set(path.removesuffix("/a").split("/")) == {"div.inner"}


def test_path_of_what_is_shown_without_scripts() -> None:
    html = "<div class=a><p><noscript class=n>{}</noscript></p></div><div class=b><a href=/b>x</a></div>"
    assert read(html.format("<i><a href=/a>x</a></i>")).links[-1].path == "html/body/div.b/a"
    assert read(html.format("&lt;i>&lt;a href=/a>x&lt;/a>")).links[-1].path == "html/body/div.b/a"


TEXTS = {
    "words": ("<a href=/a>The <b>Third</b>\n Man </a>", "The Third Man"),
    "picture": ("<a href=/a title=t> <img alt=' Third  Man ' title=u src=/b.jpg> </a>", "Third Man"),
    "title of the picture": ("<a href=/a title=t><img alt='' title=u src=/b.jpg></a>", "u"),
    "title of the link": ("<a href=/a title=t><img src=/b.jpg></a>", "t"),
    "label of the link": ("<a href=/a aria-label=l></a>", "l"),
    "words before pictures": ("<a href=/a title=t><img alt=u src=/b.jpg>w</a>", "w"),
    "the first picture with words": (
        "<a href=/a><img src=/b.jpg><img alt=u src=/c.jpg><img alt=v></a>",
        "u",
    ),
    "no words of scripts": ("<a href=/a><script>x</script><style>y</style>w</a>", "w"),
    "area": ("<map><area href=/a alt=w></map>x", "w"),
    "frame": ("<iframe src=/a title=w></iframe>", "w"),
    "none": ("x<a href=/a></a>y<img alt=z src=/b.jpg>", ""),
    "at the second place": ("<a href=/a><i></i></a><a href=/a>w</a><a href=/a>v</a>", "w"),
    "at the first place": ("<a href=/a>w</a><a href=/a#b>v</a>", "w"),
    "open": ("<a href=/a>w", "w"),
    "long": (f"<a href=/a>{'w' * 1_000}</a>", "w" * MAX_TEXT),
}


@pytest.mark.parametrize(("html", "text"), TEXTS.values(), ids=TEXTS.keys())
def test_text(html: str, text: str) -> None:
    assert link(html).text == text


def test_a_picture_is_in_the_link_around_it() -> None:
    links = read("<a href=/a><iframe src=/b></iframe><img alt=u src=/c.jpg></a><img alt=v src=/d.jpg>").links
    assert [each.text for each in links] == ["u", ""]


def test_position_is_that_of_the_first_place() -> None:
    html = "<a href=/a>a</a><p><a href=/b.jpg>x</a><a href=/a>x</a><a href=/b></a></p><i><a href=/b>b</a></i>"
    assert read(html).links == (
        PageLink(f"{SITE}/a", "html/body/a", "a", 0),
        PageLink(f"{SITE}/b", "html/body/p/a", "b", 1),
    )


names = st.lists(st.sampled_from(["a", "film", "big-1", "x:y", "z" * 60]), max_size=4).map(" ".join)
trees: st.SearchStrategy[Any] = st.recursive(
    st.just(None), lambda inner: st.tuples(st.sampled_from(["div", "span", "i"]), names, st.lists(inner, max_size=4))
)


@settings(max_examples=100, deadline=None)
@given(trees, st.sampled_from([1, 30]))
def test_any_path_is_that_of_the_element(tree: Any, depth: int) -> None:
    def written(node: Any) -> str:
        if node is None:
            numbers.append(len(numbers))
            return f"<a class='n' href=/{numbers[-1]}>x</a>"
        tag, classes, inner = node
        return f"<{tag} class='{classes}'>{''.join(map(written, inner))}</{tag}>"

    def expected(element: Any) -> str:
        steps = []
        for each in [element, *element.iterancestors()]:
            steps.append(".".join([each.tag, *(name[:40] for name in each.get("class", "").split()[:3])]))
            if len("/".join(steps)) > MAX_PATH:
                del steps[-1]
                break
        return "/".join(reversed(steps))

    numbers: list[int] = []
    selector = parse_html(f"<div class='{'w' * 20}'>" * depth + written(tree))
    links = [element for element in selector.root.iter("a") if element.get("href")]
    assert [each.path for each in read_page(selector, PAGE).links] == [expected(element) for element in links]
    assert len(links) == len(numbers)


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
    assert [link.url for link in content.links] == [f"{directory}/b"]


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
