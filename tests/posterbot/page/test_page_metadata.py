"""Images and films in Open Graph, Twitter cards, JSON-LD and microdata, by table."""

from __future__ import annotations

import pytest
from page_markup import expect, read

from posterbot.catalogue.records import Film
from posterbot.page import Candidate, FoundBy


def ld(json: str) -> str:
    return f'<script type="application/ld+json">{json}</script>'


def og(**properties: str) -> str:
    return "".join(f'<meta property="og:{name}" content="{value}">' for name, value in properties.items())


IMAGES: dict[str, tuple[str, list[Candidate]]] = {
    "og:image": (
        """<meta property="og:image" content="/p.jpg"><meta property="og:image:width" content="1000">
        <meta property="og:image:height" content="1500"><meta property="og:image:alt" content=" A ">""",
        [expect("/p.jpg", FoundBy.OPEN_GRAPH, declared_width=1000, declared_height=1500, alt="A")],
    ),
    "og:image, several": (
        """<meta property="og:image" content="/a.jpg"><meta property="og:image" content="/b.jpg">
        <meta property="og:image:width" content="200"><meta property="og:image:url" content="/c.jpg">""",
        [
            expect("/a.jpg", FoundBy.OPEN_GRAPH),
            expect("/b.jpg", FoundBy.OPEN_GRAPH, declared_width=200),
            expect("/c.jpg", FoundBy.OPEN_GRAPH),
        ],
    ),
    "og:image:secure_url": (
        """<meta property="og:image" content="http://a.example/p.jpg">
        <meta property="og:image:secure_url" content="https://a.example/p.jpg">""",
        [expect("https://a.example/p.jpg", FoundBy.OPEN_GRAPH, "http://a.example/p.jpg")],
    ),
    "og:image by name": ('<meta name="OG:Image" content="/p.jpg">', [expect("/p.jpg", FoundBy.OPEN_GRAPH)]),
    "og:image that is no address": (
        """<meta property="og:image" content="/a.jpg"><meta property="og:image" content="{{ p }}">
        <meta property="og:image:width" content="5"><meta property="og:image" content="">""",
        [expect("/a.jpg", FoundBy.OPEN_GRAPH)],
    ),
    "twitter:image": (
        """<meta name="twitter:image" content="/p.jpg"><meta name="twitter:image:alt" content="A">
        <meta property="twitter:image:src" content="/q.jpg">""",
        [expect("/p.jpg", FoundBy.TWITTER), expect("/q.jpg", FoundBy.TWITTER, alt="A")],
    ),
    "the same picture in both": (
        '<meta property="og:image" content="/p.jpg">'
        '<meta name="twitter:image" content="/p.jpg"><img src="/p.jpg" alt="A">',
        [expect("/p.jpg", FoundBy.OPEN_GRAPH, alt="A")],
    ),
    "JSON-LD, a string": (
        ld('{"@type": "Movie", "name": "M", "image": "/p.jpg"}'),
        [expect("/p.jpg", FoundBy.JSON_LD, caption="M")],
    ),
    "JSON-LD, a list": (
        ld('[{"@type": "Article", "image": ["/a.jpg", {"@type": "ImageObject", "url": "/b.jpg", "width": 200}]}]'),
        [expect("/a.jpg", FoundBy.JSON_LD), expect("/b.jpg", FoundBy.JSON_LD, declared_width=200)],
    ),
    "JSON-LD, an ImageObject": (
        ld(
            """{"@type": "ImageObject", "contentUrl": "/p.jpg",
            "url": "/page", "caption": "C", "thumbnailUrl": "/t.jpg",
            "width": {"@type": "QuantitativeValue", "value": 200}, "height": "300px"}"""
        ),
        [expect("/p.jpg", FoundBy.JSON_LD, "/t.jpg", caption="C", declared_width=200, declared_height=300)],
    ),
    "JSON-LD, Yoast's graph": (
        ld(
            """{"@context": "https://schema.org", "@graph": [
            {"@type": "WebPage", "@id": "/p/", "primaryImageOfPage": {"@id": "/p/#primaryimage"},
             "thumbnailUrl": "/u/p.jpg"},
            {"@type": "ImageObject", "@id": "/p/#primaryimage", "url": "/u/p.jpg", "contentUrl": "/u/p.jpg",
             "width": 1000, "height": 1500, "caption": "Poster"}]}"""
        ),
        [expect("/u/p.jpg", FoundBy.JSON_LD, declared_width=1000, declared_height=1500, caption="Poster")],
    ),
    "JSON-LD, a reference that is an address": (
        ld('{"image": {"@id": "/p.jpg"}}'),
        [expect("/p.jpg", FoundBy.JSON_LD)],
    ),
    "JSON-LD, deep inside": (
        ld('{"mainEntity": {"itemListElement": [{"item": {"name": "N", "image": "/p.jpg"}}]}}'),
        [expect("/p.jpg", FoundBy.JSON_LD, caption="N")],
    ),
    "JSON-LD, of a video": (
        ld('{"@type": "VideoObject", "thumbnailUrl": ["/t.jpg"]}'),
        [expect("/t.jpg", FoundBy.JSON_LD)],
    ),
    "JSON-LD in comments": (
        ld('\n<!--\n{"image": "/a.jpg"}\n-->\n') + ld('//<![CDATA[\n{"image": "/b.jpg"}\n//]]>'),
        [expect("/a.jpg", FoundBy.JSON_LD), expect("/b.jpg", FoundBy.JSON_LD)],
    ),
    "JSON-LD, trailing commas and line breaks": (
        ld('{"name": "a\nb", "image": ["/p.jpg",],};'),
        [expect("/p.jpg", FoundBy.JSON_LD, caption="a b")],
    ),
    "JSON-LD, escaped": (ld("{&quot;image&quot;: &quot;/p.jpg&quot;}"), [expect("/p.jpg", FoundBy.JSON_LD)]),
    "JSON-LD, a broken block between": (
        ld('{"image": "/a.jpg"') + ld('{"image": "/b.jpg"}') + ld("") + ld("7"),
        [expect("/b.jpg", FoundBy.JSON_LD)],
    ),
    "JSON-LD, things that are no images": (
        ld('{"image": [null, 7, {"width": "x"}, {}], "thumbnailUrl": {"a": 1}}'),
        [],
    ),
    "JSON-LD, a reference back to the film": (
        ld('{"@id": "#m", "@type": "Movie", "name": "M", "url": "/film", "image": {"@id": "#m"}}'),
        [],
    ),
    "JSON-LD, a gallery": (
        ld('{"image": [' + ", ".join(f'"/{n}.jpg"' for n in range(50)) + "]}"),
        [expect(f"/{n}.jpg", FoundBy.JSON_LD) for n in range(50)],
    ),
    "other scripts": ('<script type="application/json">{"image": "/a.jpg"}</script><script>"image"</script>', []),
    "microdata": (
        """<div itemscope itemtype="https://schema.org/Movie"><meta itemprop="image" content="/a.jpg">
        <link itemprop="thumbnailUrl" href="/b.jpg"><img itemprop="image" src="/c.jpg" alt="C">
        <a itemprop="image" href="/d.jpg">D</a></div>""",
        [
            expect("/a.jpg", FoundBy.MICRODATA),
            expect("/b.jpg", FoundBy.MICRODATA),
            expect("/c.jpg", FoundBy.MICRODATA, alt="C"),
            expect("/d.jpg", FoundBy.MICRODATA, title="D"),
        ],
    ),
    "microdata, an ImageObject": (
        """<div itemprop="image" itemscope itemtype="https://schema.org/ImageObject">
        <meta itemprop="url" content="/p.jpg">
        </div><div itemscope itemtype="https://schema.org/Movie"><meta itemprop="url" content="/film"></div>""",
        [expect("/p.jpg", FoundBy.MICRODATA)],
    ),
}


@pytest.mark.parametrize(("html", "candidates"), IMAGES.values(), ids=IMAGES.keys())
def test_metadata_offers(html: str, candidates: list[Candidate]) -> None:
    assert list(read(html).candidates) == candidates


FILMS: dict[str, tuple[str, list[Film]]] = {
    "JSON-LD": (
        ld(
            """{"@context": "http://schema.org", "@type": "Movie", "name": "Stalker", "datePublished": "1979-05-25",
            "genre": ["Drama", "Science fiction"], "director": [{"@type": "Person", "name": "Andrei Tarkovsky"}],
            "sameAs": ["https://www.wikidata.org/wiki/Q208383", "tt0079944"]}"""
        ),
        [
            Film(
                "Movie",
                "Stalker",
                1979,
                ("Drama", "Science fiction"),
                ("Andrei Tarkovsky",),
                ("https://www.wikidata.org/wiki/Q208383",),
            )
        ],
    ),
    "JSON-LD, strings and character references": (
        ld('{"@type": "schema:Movie", "name": "Schindler&apos;s List", "genre": "Drama", "director": "S. S."}'),
        [Film("Movie", "Schindler's List", None, ("Drama",), ("S. S.",))],
    ),
    "JSON-LD, a series": (
        ld('{"@type": ["CreativeWork", "http://schema.org/TVSeries"], "name": {"@value": "N"}, "startDate": 1990}'),
        [Film("TVSeries", "N", 1990)],
    ),
    "JSON-LD, a director by reference": (
        ld(
            """{"@graph": [{"@type": "Movie", "name": "M", "director": {"@id": "#d"}, "dateCreated": "Jan 2, 2003"},
            {"@id": "#d", "@type": "Person", "name": "D"}]}"""
        ),
        [Film("Movie", "M", 2003, (), ("D",))],
    ),
    "JSON-LD, no film": (ld('{"@type": "Article", "name": "A"}') + ld('{"@type": "Movie"}') + ld('{"@type": 7}'), []),
    "JSON-LD, nonsense": (
        ld(
            '{"@type": "Movie", "name": ["", "M"], "director": '
            '[null, 7, {}], "datePublished": {"a": []}, "genre": [[]]}'
        ),
        [Film("Movie", "M")],
    ),
    "microdata": (
        """<div itemscope itemtype="http://schema.org/Movie"><h1 itemprop="name">The <b>Film</b></h1>
        <time itemprop="datePublished" datetime="1985-07-03">July</time><span itemprop="genre">Comedy</span>
        <div itemprop="director" itemscope itemtype="http://schema.org/Person"><span itemprop="name">R. Z.</span></div>
        <div itemprop="actor" itemscope><span itemprop="name">Nobody</span></div>
        <a itemprop="sameAs" href="https://w.example/Q1">W</a></div><span itemprop="name">outside</span>""",
        [Film("Movie", "The Film", 1985, ("Comedy",), ("R. Z.",), ("https://w.example/Q1",))],
    ),
    "microdata, a list of films": (
        """<ul><li itemscope itemtype="https://schema.org/Movie"><meta itemprop="name" content="A"></li>
        <li itemscope itemtype="https://schema.org/TVSeries"><span itemprop="name">B</span></li></ul>""",
        [Film("Movie", "A"), Film("TVSeries", "B")],
    ),
    "the same film twice": (
        ld('{"@type": "Movie", "name": "A"}')
        + "<p itemscope itemtype=https://schema.org/Movie><b itemprop=name>A</b></p>",
        [Film("Movie", "A")],
    ),
}


@pytest.mark.parametrize(("html", "films"), FILMS.values(), ids=FILMS.keys())
def test_films(html: str, films: list[Film]) -> None:
    assert list(read(html).films) == films


def test_title_is_of_the_page_else_of_open_graph() -> None:
    assert read("<title> A\n b </title><svg><title>icon</title></svg>").title == "A b"
    assert read(og(title=" A  b ")).title == "A b"
    assert read("<p>x").title == ""
