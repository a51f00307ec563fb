"""Hostile pages: whatever the bytes, the result is sane and bounded."""

from __future__ import annotations

import json
import re

import parsel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_markup import PAGE, expect, read

from posterbot.page import FoundBy, PageContent, read_page
from posterbot.page.candidates import MAX_ALTERNATIVES, MAX_CANDIDATES
from posterbot.page.links import MAX_LINKS, MAX_PATH, MAX_TEXT
from posterbot.page.urls import MAX_URL_LENGTH

PATH = re.compile(r"[\w:-]+(\.[\w:-]+){0,3}(/[\w:-]+(\.[\w:-]+){0,3})*")
ABSOLUTE = re.compile(r"https?://[a-z0-9.:\[\]_-]+(?:[/?][!-~]*)?")


def assert_sane(content: PageContent) -> None:
    urls = [url for candidate in content.candidates for url in (candidate.url, *candidate.alternatives)]
    assert len(urls) == len(set(urls)), "an address belongs to one picture"
    for url in [*urls, *(link.url for link in content.links)]:
        assert ABSOLUTE.fullmatch(url)
        assert "#" not in url
        assert len(url) <= MAX_URL_LENGTH
    assert [link.position for link in content.links] == list(range(len(content.links)))
    for link in content.links:
        assert PATH.fullmatch(link.path)
        assert len(link.path) <= MAX_PATH
        assert link.text == " ".join(link.text.split())
        assert len(link.text) <= MAX_TEXT
    for candidate in content.candidates:
        assert len(candidate.caption) <= 200
        for side in (candidate.declared_width, candidate.declared_height):
            assert side is None or side > 0


TAGS = (
    "a area img picture source noscript figure figcaption h1 p div svg image video meta link script style base li title"
)
ATTRIBUTES = "src href srcset data-src data-srcset style alt width content itemprop itemscope itemtype property rel as"
VALUES = [
    *(
        "/a.jpg",
        "/b.png",
        "/a-200x300.jpg",
        "c",
        "http://[",
        "//",
        "#",
        "data:image/gif;base64,AA",
        "http://a b/",
        "?w=300",
    ),
    *(
        "/a.jpg 300w, /b.png 2x",
        "background:url(/a.jpg)",
        "og:image",
        "image",
        "name",
        "http://schema.org/Movie",
        "next",
    ),
    *(
        "application/ld+json",
        "nofollow",
        "300",
        "99999999999",
        "{{ a }}",
        "\x00",
        "ü ",
        "mailto:x",
        "image_src preload",
    ),
]
attribute = st.tuples(st.sampled_from(ATTRIBUTES.split()), st.sampled_from(VALUES) | st.text(max_size=12)).map(
    lambda pair: f' {pair[0]}="{pair[1]}"'
)
opening = st.builds(
    lambda tag, given: f"<{tag}{''.join(given)}>", st.sampled_from(TAGS.split()), st.lists(attribute, max_size=4)
)
closing = st.sampled_from(TAGS.split()).map("</{}>".format)
text = st.sampled_from(
    ['{"@type":"Movie","name":"M","image":"/a.jpg"}', "a { background: url(/a.jpg) }", "words", "<!--", "-->"]
)
soup = st.lists(opening | closing | text, max_size=30).map("".join)


@settings(max_examples=300, deadline=None)
@given(soup)
def test_any_markup_is_read(html: str) -> None:
    assert_sane(read(html))


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text())
def test_any_text_is_read(html: str, address: str) -> None:
    assert_sane(read(html))
    assert_sane(read("<img src='{0}' srcset='{0}'><a href='{0}'>".format(address.replace("'", ""))))


@settings(max_examples=100, deadline=None)
@given(st.binary(), st.sampled_from(["utf-8", "latin-1", "shift_jis"]))
def test_any_bytes_are_read(body: bytes, encoding: str) -> None:
    selector = parsel.Selector(
        body=b"<html><img alt='" + body + b"' src='/" + body + b"'>" + body, encoding=encoding, type="html"
    )
    assert_sane(read_page(selector, PAGE))


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "@type",
                        "@id",
                        "@graph",
                        "image",
                        "name",
                        "url",
                        "contentUrl",
                        "width",
                        "director",
                        "datePublished",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read(document: object) -> None:
    assert_sane(read(f"<script type=application/ld+json>{json.dumps(document)}</script>"))


def test_many_images_and_links() -> None:
    count = 4 * MAX_CANDIDATES
    html = "<h1>All</h1>" + "".join(f"<a href=/f/{n}><img src=/p/{n}.jpg></a>" for n in range(count))
    content = read(html)
    assert len(content.candidates) == MAX_CANDIDATES
    assert len(content.links) == MAX_LINKS
    assert {candidate.caption for candidate in content.candidates} == {"All"}


def test_many_images_of_one_picture() -> None:
    (candidate,) = read("".join(f"<img src=/p-{n}x900.jpg>" for n in range(100, 9000))).candidates
    assert len(candidate.alternatives) == MAX_ALTERNATIVES


@pytest.mark.parametrize(
    "tag", ["div", "figure", "a href=/full.jpg", "picture", "p itemprop=name itemscope", "h2", "noscript", "li"]
)
def test_deep_nesting(tag: str) -> None:
    # The parser itself gives up at some depth; what stands before is read, and nothing is raised.
    content = read("<img src=/a.jpg>" + f"<{tag}>x" * 5_000 + "<img src=/b.jpg>")
    assert content.candidates[0] == expect("/a.jpg", FoundBy.IMG)


@pytest.mark.parametrize(
    "document", ["[" * 100_000, '{"image":' * 900 + '"/a.jpg"' + "}" * 900, "1" * 100_000, '{"width": 1e999}']
)
def test_hostile_json(document: str) -> None:
    assert read(f"<script type=application/ld+json>{document}</script><img src=/b.jpg>").candidates[-1] == expect(
        "/b.jpg", FoundBy.IMG
    )


@pytest.mark.parametrize("attribute", ["srcset", "style", "src", "data-src", "width", "alt", "itemprop", "data-widths"])
@pytest.mark.parametrize("piece", [",", "a ", "url(", "1", "(", " ", "\\", "image "])
def test_long_attributes(attribute: str, piece: str) -> None:
    assert_sane(read(f"<img {attribute}='{piece * 100_000}'>"))
