"""One picture is one candidate; two pictures are two."""

from __future__ import annotations

import pytest
from page_markup import expect, read

from posterbot.page import Candidate, FoundBy

ONE_PICTURE: dict[str, tuple[str, Candidate]] = {
    "the same address twice": (
        "<img src=/a.jpg width=20 height=30><img src=/a.jpg alt=A width=200 height=300>",
        expect("/a.jpg", FoundBy.IMG, alt="A", declared_width=200, declared_height=300),
    ),
    "thumbnail in a link to the full file": (
        "<a href=/full/a.jpg><img src=/t/1.jpg alt=A width=80 height=120></a>",
        expect("/full/a.jpg", FoundBy.ANCHOR, "/t/1.jpg", alt="A"),
    ),
    "lazy thumbnail in a link": (
        "<a href=/full/a.jpg><img data-src=/t/1.jpg><noscript><img src=/t/1.jpg alt=A></noscript></a>",
        expect("/full/a.jpg", FoundBy.ANCHOR, "/t/1.jpg", alt="A"),
    ),
    "WordPress": (
        "<img src=/u/a-200x300.jpg alt=small><meta property=og:image content=/u/a.jpg>",
        expect("/u/a.jpg", FoundBy.OPEN_GRAPH, "/u/a-200x300.jpg", alt="small"),
    ),
    "WordPress, scaled original": (
        "<img src=/u/a-scaled.jpg><img src=/u/a-683x1024.jpg>",
        expect("/u/a-scaled.jpg", FoundBy.IMG, "/u/a-683x1024.jpg"),
    ),
    "folders of widths": (
        "<img src=/t/p/w342/kqjL17.jpg><img src=/t/p/w780/kqjL17.jpg><img src=/t/p/w92/kqjL17.jpg>",
        expect("/t/p/w780/kqjL17.jpg", FoundBy.IMG, "/t/p/w342/kqjL17.jpg", "/t/p/w92/kqjL17.jpg"),
    ),
    "folder of originals": (
        "<img src=/t/p/w600_and_h900_bestv2/k.jpg><a href=/t/p/original/k.jpg>x</a>",
        expect("/t/p/original/k.jpg", FoundBy.ANCHOR, "/t/p/w600_and_h900_bestv2/k.jpg", title="x"),
    ),
    "width in the query": (
        "<img src='/i?id=7&w=300'><img src='/i?id=7&w=600'>",
        expect("/i?id=7&w=600", FoundBy.IMG, "/i?id=7&w=300"),
    ),
    "Wikimedia": (
        "<img src=/w/en/thumb/a/ab/N.jpg/220px-N.jpg><img src=/w/en/a/ab/N.jpg>",
        expect("/w/en/a/ab/N.jpg", FoundBy.IMG, "/w/en/thumb/a/ab/N.jpg/220px-N.jpg"),
    ),
    "sizes in words": (
        "<img src=/a_thumb.jpg><img src=/a_large.jpg><img src=/a_small.jpg>",
        expect("/a_large.jpg", FoundBy.IMG, "/a_small.jpg", "/a_thumb.jpg"),
    ),
    "Shopify": (
        "<img src=/s/a_300x.jpg?v=1><img src=/s/a_1024x1024.jpg?v=1>",
        expect("/s/a_1024x1024.jpg?v=1", FoundBy.IMG, "/s/a_300x.jpg?v=1"),
    ),
    "Drupal": (
        "<img src='/sites/default/files/styles/medium/public/2024-01/a.jpg?itok=x1'>"
        "<a href=/sites/default/files/2024-01/a.jpg></a>",
        expect(
            "/sites/default/files/2024-01/a.jpg",
            FoundBy.ANCHOR,
            "/sites/default/files/styles/medium/public/2024-01/a.jpg?itok=x1",
        ),
    ),
    "Blogger": (
        "<a href=https://1.bp.blogspot.com/-x/s1600/a.jpg><img src=https://1.bp.blogspot.com/-x/w200-h300/a.jpg></a>",
        expect(
            "https://1.bp.blogspot.com/-x/s1600/a.jpg", FoundBy.ANCHOR, "https://1.bp.blogspot.com/-x/w200-h300/a.jpg"
        ),
    ),
    "Amazon": (
        "<img src=/M/MV5B._V1_UX182_CR0,0,182,268_AL_.jpg><meta property=og:image content=/M/MV5B._V1_.jpg>",
        expect("/M/MV5B._V1_.jpg", FoundBy.OPEN_GRAPH, "/M/MV5B._V1_UX182_CR0,0,182,268_AL_.jpg"),
    ),
    "http and https": (
        "<img src=http://films.example/a-20x300.jpg><img src=/a.jpg>",
        expect("/a.jpg", FoundBy.IMG, "http://films.example/a-20x300.jpg"),
    ),
    "srcset shared by two images": (
        "<img srcset='/1.jpg 300w, /2.jpg 800w' alt=A><img src=/1.jpg title=T>",
        expect("/2.jpg", FoundBy.SRCSET, "/1.jpg", alt="A", title="T", declared_width=800),
    ),
}


@pytest.mark.parametrize(("html", "candidate"), ONE_PICTURE.values(), ids=ONE_PICTURE.keys())
def test_one_picture(html: str, candidate: Candidate) -> None:
    assert read(html).candidates == (candidate,)


TWO_PICTURES = {
    "other names": ("/a.jpg", "/b.jpg"),
    "other folders": ("/1/poster.jpg", "/2/poster.jpg"),
    "numbered": ("/film-1.jpg", "/film-2.jpg"),
    "numbered, WordPress": ("/film-1-200x300.jpg", "/film-2-200x300.jpg"),
    "other hosts": ("https://a.example/p.jpg", "https://b.example/p.jpg"),
    "other formats of a name": ("/p.jpg", "/p.png"),
    "episodes": ("/show-10x12.jpg", "/show-10x13.jpg"),
    "volumes": ("/manga_x12.jpg", "/manga_x13.jpg"),
    "seasons in folders": ("/s01/poster.jpg", "/s02/poster.jpg"),
    "works in folders": ("/w1001/poster.jpg", "/w1002/poster.jpg"),
    "query with an id": ("/i?id=1&w=300", "/i?id=2&w=300"),
    "query whose w is an id": ("/i?w=1", "/i?w=2"),
    "query with other words": ("/i?q=alien&w=300", "/i?q=aliens&w=300"),
    "one name contains the other": ("/alien.jpg", "/alien-3.jpg"),
    "a name that is a size": ("/200x300.jpg", "/100x150.jpg"),
    "a name that is a word": ("/large.jpg", "/small.jpg"),
    "case": ("/A.jpg", "/a.jpg"),
    "Wikimedia": ("/w/thumb/a/ab/N.jpg/220px-N.jpg", "/w/thumb/c/cd/N.jpg/220px-N.jpg"),
    "Drupal": ("/f/styles/large/public/a.jpg?itok=x", "/f/styles/large/public/b.jpg?itok=x"),
    "years": ("/poster-1982.jpg", "/poster-2017.jpg"),
}


@pytest.mark.parametrize(("one", "other"), TWO_PICTURES.values(), ids=TWO_PICTURES.keys())
def test_two_pictures(one: str, other: str) -> None:
    assert read(f"<img src='{one}'><img src='{other}'>").candidates == (
        expect(one, FoundBy.IMG),
        expect(other, FoundBy.IMG),
    )


def test_an_icon_in_many_links_belongs_to_none() -> None:
    html = "".join(f"<a href=/full/{n}.jpg><img src=/zoom.png></a>" for n in "abc")
    assert read(html).candidates == (
        expect("/full/a.jpg", FoundBy.ANCHOR),
        expect("/zoom.png", FoundBy.IMG),
        expect("/full/b.jpg", FoundBy.ANCHOR),
        expect("/full/c.jpg", FoundBy.ANCHOR),
    )


def test_a_symbol_in_a_link_is_no_thumbnail() -> None:
    content = read("<a href=/full/a.jpg><img src=/zoom.png width=16 height=16></a>")
    assert [candidate.url[-8:] for candidate in content.candidates] == ["ll/a.jpg", "zoom.png"]


def test_two_images_in_a_link_are_not_its_picture() -> None:
    assert len(read("<a href=/full/a.jpg><img src=/b.jpg><img src=/c.jpg></a>").candidates) == 3


def test_a_placeholder_that_is_also_an_image_is_not_the_picture() -> None:
    content = read("<img src=/grau.png data-src=/a.jpg><img src=/grau.png>")
    assert content.candidates == (expect("/a.jpg", FoundBy.LAZY), expect("/grau.png", FoundBy.IMG))


def test_links_to_the_same_file_are_one_picture_with_all_thumbnails() -> None:
    content = read("<a href=/full.jpg><img src=/t/1.jpg></a><a href=/full.jpg><img src=/t/2.jpg></a>")
    assert content.candidates == (expect("/full.jpg", FoundBy.ANCHOR, "/t/1.jpg", "/t/2.jpg"),)


def test_heads_come_first_then_document_order() -> None:
    html = """<img src=/b.jpg><script type=application/ld+json>{"image": "/l.jpg"}</script><img src=/a.jpg>
    <meta property=og:image content=/o.jpg>"""
    assert [candidate.url[-6:-4] for candidate in read(html).candidates] == ["/o", "/l", "/b", "/a"]
