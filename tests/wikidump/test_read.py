"""Pages out of bytes: every form a dump writes them in, wherever the bytes are cut."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from dumps import END, SITEINFO, film, other, page, some_pages, xml
from hypothesis import given
from hypothesis import strategies as st

from wikidump import read
from wikidump.page import Page
from wikidump.read import Seen, pages, parse, unescape


def find(raw: bytes, start: int) -> int:
    return raw.find(b"{{Infobox film", start)


def found(text: Iterable[bytes | None], seen: Seen | None = None) -> list[Page]:
    return list(pages(text, find, seen or Seen()))


def one(raw: str) -> Page:
    result = parse(raw.encode())
    assert result is not None
    return result


PAGES = some_pages(4)
DATA = xml(PAGES)


@given(cuts=st.sets(st.integers(1, len(DATA) - 1), max_size=12))
def test_the_same_pages_wherever_the_text_is_cut(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(DATA)]
    seen = Seen()
    result = found([DATA[a:b] for a, b in pairwise(edges)], seen)
    assert [each.title for each in result] == ["Film 2", "Film 5", "Film 8", "Film 11"]
    assert (seen.pages, seen.text_bytes, seen.cut, seen.finished) == (12, len(DATA), False, True)


@given(cut=st.integers(1, len(DATA) - 1), size=st.integers(1, 50))
def test_a_page_belongs_to_the_part_where_it_begins(cut: int, size: int) -> None:
    first, second = Seen(), Seen()
    rest = [DATA[at : at + size * 100] for at in range(cut, len(DATA), size * 100)]
    titles = [each.title for each in found([DATA[:cut], None, *rest], first) + found(rest, second)]
    assert titles == ["Film 2", "Film 5", "Film 8", "Film 11"]
    assert first.pages + second.pages == 12
    assert not second.cut


def test_a_page() -> None:
    assert found([xml([film(7)])]) == [
        Page(7, 0, "Film 7", None, 1007, "{{Infobox film\n| name = F\n| image = F 7.jpg\n}}\nA film.")
    ]


def test_files_always_and_templates_only_if_they_redirect() -> None:
    texts = [
        page("File:A.jpg", "{{Non-free poster}}", 6),
        page("Template:Infobox film", "a box", 10),
        page("Template:Movie box", "#REDIRECT [[Template:Infobox film]]", 10, redirect="Template:Infobox film"),
        page("Other film", "#REDIRECT [[Film]]", redirect="Film"),
        page("File talk:A.jpg", "{{Infobox film}}", 7),
    ]
    result = found([xml(texts)])
    assert [(each.title, each.redirect) for each in result] == [
        ("File:A.jpg", None),
        ("Template:Movie box", "Template:Infobox film"),
        ("File talk:A.jpg", None),
    ]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<page xmlns='x'>\n<title>T</title><id>3</id><revision><id>4</id><text>a</text></revision></page>", "a"),
        ("<page><title>T</title><id>3</id><revision><id>4</id><text/></revision></page>", ""),
        ("<page><title>T</title><id>3</id><revision><id>4</id><text bytes='0' /></revision></page>", ""),
        ('<page><title>T</title><id>3</id><revision><id>4</id><text deleted="deleted" /></revision></page>', ""),
        ("<page><title>T</title><id>3</id><revision><id>4</id></revision></page>", ""),
        ("<page><title>T</title><id>3</id><revision><id> 4 </id><contributor><id>9</id></contributor>"
         "<origin>4</origin><text xml:space='preserve'>a\n</text></revision></page>", "a\n"),
        ("<page><title>T</title><id>3</id><revision><id>2</id><text>old</text></revision>"
         "<revision><id>4</id><text>new</text></revision></page>", "new"),
    ],
)  # fmt: skip
def test_forms_of_a_page(raw: str, text: str) -> None:
    assert one(raw) == Page(3, 0, "T", None, 4, text)


@pytest.mark.parametrize(
    "tag", ['<redirect title="A &amp; &quot;B&quot;" />', '<redirect title="A &amp; &quot;B&quot;"></redirect>']
)
def test_forms_of_a_redirect(tag: str) -> None:
    assert one(f"<page><title>T</title><ns>0</ns><id>3</id>{tag}</page>").redirect == 'A & "B"'


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("&amp;lt;!-- &amp;amp;", "&lt;!-- &amp;"),
        ("&lt;ref name=&quot;x&quot;&gt;&#039;&apos;", "<ref name=\"x\">''"),
        ("&#38;lt; &#x26;gt; &amp;#39;", "&lt; &gt; &#39;"),
        ("&#xD800;&#0;&#x110000;&#128512;", "���😀"),
        ("a & b &c; &", "a & b &c; &"),
    ],
)
def test_entities_are_resolved_once(raw: str, text: str) -> None:
    assert unescape(raw) == text


def test_bytes_that_are_no_utf8() -> None:
    result = parse(
        b"<page><title>\xff</title><ns>0</ns><id>1</id><revision><id>1</id><text>\xc3</text></revision></page>"
    )
    assert result is not None
    assert (result.title, result.text) == ("�", "�")


@pytest.mark.parametrize("size", [100, 1000, 2900])
def test_a_page_over_the_cap_is_left_out_and_counted(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(read, "MAX_PAGE", 3000)
    long = page("Long & wide", "{{Infobox film}}" + "x" * 3000)
    data = xml([film(1), long, film(2), film(3)])
    seen = Seen()
    result = found([data[at : at + size] for at in range(0, len(data), size)], seen)
    assert [each.title for each in result] == ["Film 1", "Film 2", "Film 3"]
    assert (seen.skipped, seen.titles) == (1, ["Long & wide"])


def test_a_page_over_the_cap_at_the_end_of_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MAX_PAGE", 3000)
    data = xml([film(1), page("Long", "x" * 9000), film(2)])
    cut = data.index(b"xxxx") + 100
    rest = [data[at : at + 500] for at in range(cut, len(data), 500)]
    first, second = Seen(), Seen()
    assert [each.title for each in found([data[:cut], None, *rest], first)] == ["Film 1"]
    assert [each.title for each in found(rest, second)] == ["Film 2"]
    assert (first.skipped, second.skipped) == (1, 0)


def test_a_page_without_a_title_is_counted() -> None:
    seen = Seen()
    assert found([b"<page><ns>0</ns>{{Infobox film</page>" + film(1).encode()], seen)[0].title == "Film 1"
    assert (seen.skipped, seen.titles) == (1, ["?"])


def test_a_hole_in_the_text_joins_no_pages() -> None:
    data = film(1).encode()
    seen = Seen()
    result = found([data[: data.index(b"F 1")] + film(2).encode()], seen)
    assert [each.title for each in result] == ["Film 2"]


@pytest.mark.parametrize(
    ("text", "cut"), [(film(1)[:-20], True), (film(1), False), (film(1) + END, False), ("", False)]
)
def test_a_text_that_ends_within_a_page(text: str, cut: bool) -> None:
    seen = Seen()
    found([(SITEINFO + other(2) + text).encode()], seen)
    assert seen.cut is cut


def test_bare_pages_of_old_schemas() -> None:
    raw = "<page><title>T</title><id>3</id><revision><id>4</id><text>{{Infobox film}}</text></revision></page>"
    seen = Seen()
    assert [each.namespace for each in found([(raw * 2).encode()], seen)] == [0, 0]
    assert seen.pages == 2
