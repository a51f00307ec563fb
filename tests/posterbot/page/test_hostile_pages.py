"""A corpus of pages made to harm whoever reads them: each is read in a second, without an error, in bounded memory."""

from __future__ import annotations

import codecs
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scrapy.http import HtmlResponse
from test_page_limits import assert_sane

from posterbot.page import PageContent, read_page
from posterbot.page.bounds import MAX_ATTRIBUTES, MAX_TAGS, bounded, parse_html

ROOT = Path(__file__).parents[3]
PAGE = "https://films.example/page"
LARGEST = 10 * 1024 * 1024
"""Bytes of a page: the setting DOWNLOAD_MAXSIZE."""
SECONDS = 1.0
PATIENCE = 3
"""How much longer it may take on a busy machine."""
MEMORY = 300 * 1024 * 1024
"""Bytes beyond what a process takes that has read a page of one line. A page of LARGEST bytes is held four times over,
as bytes, as text, for the parser and in the tree."""

Make = Callable[[], bytes]


def times(piece: bytes, count: int, end: bytes = b"") -> Make:
    return lambda: (piece * count)[: LARGEST - len(end)] + end


def counted(piece: str, count: int, before: str = "", after: str = "") -> Make:
    """``piece`` with ``count`` numbers in place of its ``#``."""
    return lambda: (before + "".join(piece.replace("#", str(n)) for n in range(count)) + after).encode()[:LARGEST]


def nested() -> Iterator[tuple[str, Make]]:
    tags = "div p a b font table ul li h1 figure picture noscript svg template object select button form iframe span em"
    for tag in tags.split():
        yield f"{tag} in {tag}", times(f"<{tag}>x".encode(), 100_000)
    for tags in (
        "b i u",
        "table tr td",
        "a b a",
        "ul li p",
        "figure figcaption",
        "svg foreignObject div",
        "p table h1",
    ):
        piece = "".join(f"<{tag} itemscope itemprop=name>" for tag in tags.split())
        yield f"{tags} in each other", times(piece.encode(), 50_000)
        yield f"{tags} in each other, closed", times(piece.encode(), 30_000, b"</a></b></p></table>" * 10_000)
    yield "mismatched", times(b"<b><i></b></i><p></b>", 100_000)
    yield "a million divs", times(b"<div>", 2_000_000)


def many() -> Iterator[tuple[str, Make]]:
    for tag in (
        "<a href=/#>",
        "<a href=/#.jpg><img src=/#s.jpg></a>",
        "<a href=//h#.example/>",
        "<img src=/#.jpg>",
        "<img src='/# .jpg' alt=# title=# width=# height=#>",
        "<img data-src=/#.jpg src=/b.gif><noscript><img src=/#.jpg></noscript>",
        "<img src=/p-#x900.jpg>",
        "<img src=/same.jpg?w=#>",
        "<img srcset='/#.jpg 1x, /#b.jpg 2x'>",
        "<picture><source srcset=/#.webp><img src=/#.jpg></picture>",
        "<div style='background:url(/#.jpg)'>",
        "<td background=/#.jpg>",
        "<meta property=og:image content=/#.jpg>",
        "<meta property=og:image:width content=#>",
        "<link rel=image_src href=/#.jpg>",
        "<link rel=preload as=image imagesrcset='/#.jpg 1x'>",
        "<div itemscope itemtype=http://schema.org/Movie><i itemprop=name>#</i><img itemprop=image src=/#.jpg></div>",
        "<figure><img src=/#.jpg><figcaption>#</figcaption></figure>",
        "<h1>#</h1><img src=/#.jpg>",
        "<video poster=/#.jpg>",
        "<iframe src=/#>",
        "<base href=/#/>",
        "<meta http-equiv=refresh content='0;url=/#'>",
        "<title>#</title>",
        "<area href=/#.jpg>",
        "<object data=/#.png>",
        "<svg><image xlink:href=/#.png /></svg>",
        '<script type=application/ld+json>{"@type":"Movie","name":"#","image":"/#.jpg"}</script>',
        "<i a#=1>",
        "<i#>",
    ):
        yield f"many {tag}", counted(tag, 6_000)
    for tag in ("<a href=/#.jpg><img src=/#s.jpg></a>", "<img src=/#.jpg>", "<a href=/#>", "<i a#=1>"):
        yield f"more {tag}", counted(tag, 400_000)
    for name, piece in {
        "br": b"<br>",
        "comments": b"<!---->",
        "short comments": b"<!-->",
        "open tags": b"<",
        "open closing tags": b"</",
        "closing tags": b"</a>",
        "closing tags of nothing": b"</p></br>",
        "declarations": b"<!x>",
        "marks": b"<!",
        "instructions": b"<?x?>",
        "sections": b"<![CDATA[x]]>",
        "doctypes": b"<!DOCTYPE html>",
        "ends": b">",
        "unclosed attributes": b"<a b='",
        "bodies": b"<body a=1><html b=2><head>",
        "scripts": b"<script>",
        "closed scripts": b"<script></script>",
        "styles": b"<style>a{}</style>",
        "plaintexts": b"<plaintext>",
        "frames": b"<frameset><frame src=/a>",
    }.items():
        yield name, times(piece, 2_000_000 // len(piece))


def attributes() -> Iterator[tuple[str, Make]]:
    yield "a million attributes", counted(" a#=1", 1_000_000, "<img src=/a.jpg", ">")
    yield "a million of one name", times(b" a=1", 1_000_000)
    yield "a million without values", counted(" a#", 1_000_000, "<img src=/a.jpg", ">")
    yield "a million without an end", counted(" a#='#'", 700_000, "<img src=/a.jpg")
    yield "a million slashes", lambda: b"<img" + b"/a" * 1_000_000 + b">"
    yield "a million equals signs", lambda: b"<img " + b"=" * 5_000_000 + b">"
    yield "a million quotes", lambda: b"<img " + b"a=\"b'c'\"" * 1_000_000 + b">"
    rich = b"<i " + b"".join(b"a%d=1 " % n for n in range(2_000)) + b">"
    yield "thousands of attributes each", times(rich, 700)
    yield "two hundred each", times(b"<i " + b"".join(b"a%d " % n for n in range(199)) + b">", 10_000)
    names = "alt title src srcset style href data-src data-srcset data-bg data-image width itemprop class content id"
    for name in names.split():
        for filling in (b"x", b"/a.jpg ", b"&amp;", b"url(/a.jpg),", b",", b"\\"):
            yield (
                f"{filling!r} again and again in {name}",
                lambda name=name, filling=filling: (  # type: ignore[misc]
                    f"<img {name}='".encode() + (filling * 1_000_000)[:1_000_000] + b"'><a href='/next'>"
                ),
            )
    yield "ten megabytes of alt", lambda: b"<img src=/a.jpg alt='" + b"x " * 5_000_000 + b"'>"
    yield "a data URI of ten megabytes", lambda: b"<img src='data:image/png;base64," + b"QUFB" * 2_500_000 + b"'>"


def text() -> Iterator[tuple[str, Make]]:
    for name, piece in {
        "entities": b"&amp;",
        "entities of all sorts": b"&lt;&eacute;&#65;&#x41;&notit;",
        "unknown entities": b"&x;",
        "entities without an end": b"&#",
        "the largest number": b"&#99999999999999999999;",
        "surrogates by number": b"&#xD800;&#xDFFF;",
        "nulls by number": b"&#0;",
        "zeros": b"\0",
        "nulls in tags": b"<im\0g s\0rc=/a\0.jpg>",
        "nulls and letters": b"a\0",
        "control characters": bytes(range(1, 32)),
        "line ends": b"\r\n",
        "spaces": b" \t",
        "bytes of no encoding": b"\xff\xfe\xfd",
        "bytes cut off": b"\xe2\x82",
        "overlong bytes": b"\xc0\xaf\xe0\x80\xaf",
        "surrogates as bytes": b"\xed\xa0\x80\xed\xb0\x80",
        "marks of order": b"\xef\xbb\xbf",
        "words": b"<h1>word ",
    }.items():
        yield name, times(piece, 2_000_000 // len(piece))
    yield "an entity of megabytes", lambda: b"&" + b"a" * 9_000_000 + b";"
    yield (
        "billion laughs",
        lambda: (
            b"<!DOCTYPE a [<!ENTITY b0 'ha'>"
            + b"".join(b"<!ENTITY b%d '%s'>" % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 12))
            + b"]><p>&b11;<img src='&b11;'>"
        ),
    )
    yield (
        "external entities",
        lambda: b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><h1>&x;</h1><img src=a.jpg>",
    )
    for opening in (
        b"<!--",
        b"<!-- -",
        b"<script>",
        b"<style>",
        b"<title>",
        b"<textarea>",
        b"<![CDATA[",
        b"<?",
        b"<a b='",
    ):
        for filling in (b"x", b"-", b"<", b"<!--", b"-- >", b"</", b"<script"):
            yield (
                f"{opening!r} without an end, of {filling!r}",
                lambda opening=opening, filling=filling: b"<img src=/a.jpg>" + opening + (filling * 500_000)[:500_000],  # type: ignore[misc]
            )


def encodings() -> Iterator[tuple[str, Make]]:
    page = "<title>Ä €</title><img src=/ä.jpg alt='日本 \U0001f3ac'><a href=/ö>x</a>" * 200
    for said in (
        "utf-8",
        "utf-16",
        "utf-16be",
        "utf-32",
        "utf-7",
        "shift_jis",
        "gb18030",
        "iso-2022-jp",
        "latin-1",
        "x",
    ):
        head = f"<meta charset={said}><meta http-equiv=content-type content='text/html;charset={said}'>"
        for spoken in ("utf-8", "utf-16", "utf-16-be", "utf-32", "utf-7", "gb18030"):
            yield f"{spoken} that says {said}", lambda head=head, spoken=spoken: (head + page).encode(spoken)  # type: ignore[misc]
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        yield f"{mark!r} before UTF-8", lambda mark=mark: mark + page.encode()  # type: ignore[misc]
        yield f"{mark!r} before megabytes", lambda mark=mark: mark + b"<img src=/a.jpg>" * 300_000  # type: ignore[misc]
    yield (
        "mixed",
        lambda: b"".join(page.encode(name) for name in ("utf-8", "utf-16-le", "cp1251", "utf-32-be")[:2]) * 20,
    )
    yield "a charset without an end", lambda: b"<meta charset=" + b"x" * 1_000_000 + b">" + page.encode()
    yield "UTF-7 tags", lambda: b"<meta charset=utf-7>+ADw-img src=/a.jpg+AD4-" * 10_000
    yield "escapes of ISO 2022", lambda: b"<meta charset=iso-2022-jp>" + b"\x1b$B\x1b(B\x1b(J" * 300_000


def addresses() -> Iterator[tuple[str, Make]]:
    long = "x" * 5_000
    for name, base in {
        "base of itself": "?",
        "base up and up": "../" * 2_000,
        "base of slashes": "/" * 500_000,
        "base of dots": "./" * 500_000,
        "base of data": "data:text/html,<base href=/>",
        "base of nothing": "",
        "base of javascript": "javascript:a",
        "base without a host": "http://",
        "base with a bracket": "http://[",
        "base of a wrong port": "http://a:99999999/",
        "long base": f"/{long}/",
    }.items():
        page = f"<base href='{base}'><img src=a.jpg><img src='{'../' * 1_000}b.jpg'><a href='?'>"
        yield name, (page + "<base href=a/>" * 10_000).encode
    for name, piece in {
        "hosts that are none": "<a href='http://#..%zz/'>",
        "hosts of other alphabets": "<a href='http://ä#.example/'>",
        "hosts of many labels": "<a href='http://" + "a." * 500 + "#/'>",
        "paths of dots": "<a href='" + "../" * 300 + "#'>",
        "escapes": "<a href='/%#%2F%%25" + "%zz" * 100 + "'>",
        "long queries": "<img src='/a.jpg?#&" + "a=b&" * 500 + "'>",
        "ports": "<a href='http://a.example:#/'>",
        "backslashes": "<a href='\\\\a#\\b'>",
        "brackets": "<img src='http://[::#]/a.jpg'>",
        "unfilled templates": "<img src='/{{a#}}.jpg' data-src='/{width}/#.jpg' data-widths='[" + "1," * 300 + "1]'>",
    }.items():
        yield name, counted(piece, 8_000)


def places_of_links() -> Iterator[tuple[str, Make]]:
    yield "a link at each depth", counted("<div class='a# b c'><a href=/#>x</a>", 10_000)
    deep = "<div class='aaaaaaaaaa bbbbbbbbbb'>" * 2_000
    yield "links far down", counted("<p><a href=/#>x</a></p>", 15_000, deep)
    yield "a class of megabytes", lambda: b"<div class='" + b"c" * 9_000_000 + b"'><a class=d href=/a>x</a></div>"
    yield "thousands of classes each", counted(f"<div class='{'k# ' * 400}'><a href=/#>x</a></div>", 2_000)
    words = "w " * 190
    svg = "".join("<svg>" + f"<a href=/{n}-#><g>{words}" * 40 + "</svg>" for n in range(5))
    yield "links in each other", counted(svg, 50)
    yield "pictures with many words in links", counted(f"<a href=/#><img alt='{words}' src=/#.jpg></a>", 4_000)


def srcsets_and_css() -> Iterator[tuple[str, Make]]:
    yield "100,000 files in a srcset", counted("/#.jpg #w, ", 100_000, "<img srcset='", "'>")
    yield (
        "64 files in each of thousands",
        times(b"<img srcset='" + b",".join(b"/%d.jpg %dw" % (n, n) for n in range(1, 65)) + b"'>", 9_000),
    )
    for piece in ("(", "(,", "a (", "1x ", ",,", "a 1w 1x,", "data:,,"):
        yield f"srcset of {piece!r}", lambda piece=piece: f"<img srcset='{piece * 500_000}'>".encode()  # type: ignore[misc]
    yield "100,000 addresses in CSS", counted("a{background:url(/#.jpg)}", 100_000, "<style>", "</style>")
    yield "ten style sheets", lambda: (b"<style>" + b"a{background:url(/a.jpg)}" * 40_000 + b"</style>") * 10
    yield "sheets without an address", times(b"<style>" + b"a{b:c}" * 150_000 + b"</style>", 11)
    yield "an image-set of 100,000", counted("url(/#.jpg) 1x,", 100_000, "<i style='background:image-set(", ")'>")
    for piece in (
        "/*",
        "url(",
        "url('",
        "\\",
        "\\61 ",
        "{",
        "(",
        '"',
        "--a:url(b)",
        "image-set(",
        "@import 'a';",
        "a:",
    ):
        yield f"CSS of {piece!r}", lambda piece=piece: f"<style>a{{{piece * 300_000}</style><img src=/a.jpg>".encode()  # type: ignore[misc]


def json_ld() -> Iterator[tuple[str, Make]]:
    def script(body: str) -> Make:
        return lambda: f"<script type=application/ld+json>{body}</script><img src=/a.jpg>".encode()[:LARGEST]

    movie = {"@type": "Movie", "name": "M", "image": "/a.jpg"}
    many_movies = [{**movie, "@id": f"#{n}", "director": {"@id": f"#{n + 1}"}} for n in range(8_000)]
    yield "lists in lists", script("[" * 400_000 + "]" * 400_000)
    yield "things in things", script('{"image":' * 100_000 + "1" + "}" * 100_000)
    yield "five megabytes", script(json.dumps([movie] * 100_000))
    yield "one megabyte", script(json.dumps([movie] * 18_000))
    yield (
        "ten scripts",
        lambda: b"".join(
            f"<script type=application/ld+json>{json.dumps([movie] * 18_000)}</script>".encode() for _ in range(10)
        ),
    )
    yield (
        "a thing that is itself",
        script(json.dumps({**movie, "@id": "#a", "image": {"@id": "#a"}, "director": {"@id": "#a"}})),
    )
    yield (
        "two things that are each other",
        script(
            json.dumps(
                [
                    {"@id": "#a", "image": {"@id": "#b"}, "name": "a"},
                    {"@id": "#b", "image": {"@id": "#a"}, "name": {"@id": "#a"}},
                ]
            )
        ),
    )
    yield "a ring of things", script(json.dumps(many_movies))
    yield "a wide thing", script(json.dumps({**movie, **{f"k{n}": n for n in range(50_000)}}))
    yield "many types", script(json.dumps({**movie, "@type": ["Movie"] * 100_000}))
    yield "many images", script(json.dumps({**movie, "image": [f"/{n}.jpg" for n in range(50_000)]}))
    yield "images in images", script('{"@type":"ImageObject","image":' * 15_000 + "0" + "}" * 15_000)
    yield "one name", script(json.dumps({**movie, "name": "x" * 900_000}))
    yield "entities in names", script(json.dumps({**movie, "name": "&amp;" * 150_000}))
    yield (
        "surrogates",
        script('{"@type":"Movie","name":"\\ud800 \\udfff","image":"/\\ud83c.jpg","sameAs":"http://\\udc00/"}'),
    )
    yield "nulls", script('{"@type":"Movie","name":"a\\u0000b","image":"/a\\u0000.jpg"}')
    yield (
        "large numbers",
        script('{"@type":"ImageObject","url":"/a.jpg","width":1e999,"height":-1e-999,"name":' + "9" * 4_000 + "}"),
    )
    yield "numbers of megabytes", script('{"width":' + "9" * 900_000 + "}")
    yield "trailing commas", script('{"@type":"Movie",' + "[1,],\n" * 50_000 + "}")
    yield "commas and spaces", script("[" + ", " * 300_000 + "]")
    yield "comments around", script("/*" * 200_000 + "*/" * 200_000)
    yield "no JSON", script("<p>" * 200_000)
    yield "NaN", script('{"@type":"Movie","name":NaN,"image":[NaN,Infinity,null,true,{}]}')


NOISE = (
    "<a href='/#'> <img src=/#.jpg> <img srcset='/#.jpg 2x, <div style='background:url(/#.jpg <script <!-- --> </a> "
    "</div> </script> <noscript> </noscript> <picture> <source srcset=/#.jpg> </picture> <table> <tr> <td> <svg> "
    "<figure> <figcaption> </figure> <h1> </h1> <title> <base href=/#/> <template> & &amp; &#x0; \" ' > < = / \\ "
    "itemscope itemprop=name <meta property=og:image content=/# ]]> <![CDATA[ <?php \0 \ufffe ä 日"
)


def noise() -> Iterator[tuple[str, Make]]:
    """Pieces of markup in any order."""
    pieces = NOISE.split(" ")
    for seed in range(40):

        def make(seed: int = seed) -> bytes:
            dice = random.Random(seed)
            chosen = "".join(dice.choice(pieces).replace("#", str(dice.randrange(9_999))) for _ in range(20_000))
            body = bytearray(chosen.encode())
            for _ in range(dice.choice([0, 0, 500])):
                body[dice.randrange(len(body))] = dice.randrange(256)
            return bytes(body)

        yield f"noise {seed}", make


KINDS = (nested, many, attributes, text, encodings, addresses, places_of_links, srcsets_and_css, json_ld, noise)
CORPUS = [(name, make) for kind in KINDS for name, make in kind()]


def read(body: bytes) -> PageContent:
    """As the spider reads a response."""
    response = HtmlResponse(PAGE, body=body, headers={"Content-Type": "text/html"})
    return read_page(parse_html(response.text), response.url)


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 200
    names = {name for name, _ in CORPUS}
    assert len(names) == len(CORPUS)
    assert names >= LARGE


@pytest.mark.parametrize("make", [make for _, make in CORPUS], ids=[name for name, _ in CORPUS])
def test_a_hostile_page(make: Make) -> None:
    body = make()
    assert len(body) <= LARGEST
    began = time.thread_time()
    content = read(body)
    taken = time.thread_time() - began
    assert taken < SECONDS * PATIENCE
    assert_sane(content)


LARGE = {
    *("a million divs", "more <i a#=1>", "a million attributes", "a million without an end", "two hundred each"),
    *("ten megabytes of alt", "an entity of megabytes", "billion laughs", "ten scripts", "ten style sheets"),
}


def test_memory_is_bounded() -> None:
    """The largest, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__], capture_output=True, text=True, timeout=110, cwd=ROOT, env={"PYTHONPATH": PATHS}
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MEMORY


PATHS = ":".join(map(str, (ROOT, ROOT / "tests", ROOT / "tests/posterbot", ROOT / "tests/posterbot/page")))


# --- Real pages come out as they are ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [
        "<p>a</p>",
        '<a href="a>b" title=\'c " d\' e>f</a>',
        "<script>if (a < b && c<d) { e = '<b f g h>' }</script><i>",
        "<!-- <a b c> --><b>",
        "<a b=>c</a><br/><img / src=a />",
        "1 < 2 <3",
        "<a b='",
        "",
    ],
)
def test_markup_within_the_limits_is_not_touched(page: str) -> None:
    assert bounded(page) is page
    assert bounded((page + "<p>'>") * 50) == (page + "<p>'>") * 50


def test_what_is_beyond_the_limits_is_left_out() -> None:
    rich = "<img src=/a.jpg " + " ".join(f"a{n}='> {n}'" for n in range(300)) + "><img src=/b.jpg>"
    assert bounded(rich).count("='>") == MAX_ATTRIBUTES - 1
    assert [candidate.url for candidate in read(rich.encode()).candidates] == [
        "https://films.example/a.jpg",
        "https://films.example/b.jpg",
    ]
    assert bounded("<p>x" * (MAX_TAGS + 5)) == "<p>x" * MAX_TAGS
    assert bounded("<!-- -->" * (MAX_TAGS + 5) + "<img src=/a.jpg>") == "<!-- -->" * MAX_TAGS


if __name__ == "__main__":
    read(b"<p>one line</p>")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, make in CORPUS:
        if name in LARGE:
            read(make())
    sys.stdout.write(str((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024))
