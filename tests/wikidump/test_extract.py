from __future__ import annotations

import bz2
import html
import json
import pickle
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import wikitextparser
from hypothesis import given
from hypothesis import strategies as st

from wikidump import extract, template
from wikidump.extract import Extractor
from wikidump.filename import image_name
from wikidump.page import Page
from wikidump.rows import Row
from wikidump.template import without_comments

BOX = "{{Infobox film\n| name = Alien\n| image = Alien poster.jpg\n| director = [[Ridley Scott]]\n}}\n"


def page(text: str, title: str = "Alien (film)", namespace: int = 0, redirect: str | None = None) -> Page:
    return Page(23487440, namespace, title, redirect, 99, text)


def rows(text: str, wiki: str = "enwiki", kinds: tuple[str, ...] = ("film",), **more: object) -> list[Row]:
    return list(Extractor(wiki, kinds, **more).rows(page(text)))  # type: ignore[arg-type]


def test_a_row_has_the_facts_of_the_page() -> None:
    text = """{{short description|1979 film}}
{{Infobox film
| image = File:alien_poster.jpg <!-- keep -->
| director = [[Ridley Scott]]
| released = {{Film date|1979|05|25|US}}
| country = {{ubl|United Kingdom|United States}}
| language = English
}}
'''''Alien''''' is…
* {{IMDb title|0078748}}
[[Category:1979 horror films]]
"""
    (row,) = Extractor("enwiki", dump_date="20260801").rows(page(text))
    assert row.as_dict() == {
        "wiki": "enwiki",
        "page_id": 23487440,
        "title": "Alien (film)",
        "rev_id": 99,
        "template": "Infobox film",
        "kind": "film",
        "image_name": "Alien poster.jpg",
        "image_status": "ok",
        "url": "https://upload.wikimedia.org/wikipedia/en/e/e8/Alien_poster.jpg",
        "repository": None,
        "licence": None,
        "year": 1979,
        "directors": ["Ridley Scott"],
        "countries": ["United Kingdom", "United States"],
        "languages": ["English"],
        "genres": ["Horror"],
        "imdb_id": "tt0078748",
        "dump_date": "20260801",
    }
    assert row.as_dict().keys() == asdict(row).keys()
    json.dumps(row.as_dict())


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("{{Infobox film|image=A.jpg}}", "ok"),
        ("{{Infobox film|image=}}", "empty"),
        ("{{Infobox film|name=A}}", "absent"),
        ("{{Infobox film}}", "absent"),
        ("{{Infobox film|image=https://example.org/a.jpg}}", "url"),
        ("{{Infobox film|image=A.webm}}", "not_image"),
        ("{{Infobox film|image={{x}}}}", "unparsed"),
        ("{{Infobox film|image=A.jpg\n\n== Plot ==\n", "ok"),
        ("{{Infobox film|name=A\n\n== Plot ==\n|image=A.jpg}}", "unparsed"),
    ],
)
def test_a_film_without_an_image_has_a_row_that_says_why(text: str, status: str) -> None:
    (row,) = rows(text)
    assert row.image_status == status
    assert (row.url is not None) == (status == "ok")


def test_pitfall_5_award_ceremonies_and_series_are_no_films() -> None:
    for name in (
        "Infobox film awards",
        "Infobox Film festival",
        "Infobox film series",
        "Infobox film or theatre festival",
    ):
        assert not rows(f"{{{{{name}|image=A.jpg}}}}")
        assert not Extractor("enwiki").may_match(f"{{{{{name}|image=A.jpg}}}}".encode())


def test_pitfall_7_header_and_parts_of_an_animated_film() -> None:
    header = "{{Infobox animanga/Header|image=A.png|genre=Fantasy}}"
    film = "{{Infobox animanga/Video|type=film|director=[[B C]]|released=1988}}"
    series = "{{Infobox animanga/Video|type=tv series|director=D E}}"
    (row,) = rows(header + film + "{{Infobox animanga/Footer}}")
    assert (row.image_name, row.template) == ("A.png", "Infobox animanga/Header")
    assert (row.year, row.directors, row.genres) == (1988, ("B C",), ("Fantasy",))
    assert not rows(header + series)
    assert not rows(header + film + film)
    assert not rows(header + "{{Infobox animanga/Print|type=manga}}" + film)
    assert len(rows("{{Infobox animanga/Header|image=A.png}}{{Infobox animanga/Movie|監督=B}}", "jawiki")) == 1


def test_pitfall_7_a_box_within_a_box_and_two_boxes_on_a_page() -> None:
    inner = "{{Infobox album\n|cover=B.jpg}}"
    film = "{{Infobox film|image=A.jpg|module=%s}}" % inner  # noqa: UP031
    assert [(row.kind, row.image_name) for row in rows(film)] == [("film", "A.jpg")]
    both = rows(film + "{{IMDb title|0078748}}", kinds=("film", "album"))
    assert [(row.kind, row.image_name) for row in both] == [("film", "A.jpg"), ("album", "B.jpg")]
    assert [row.imdb_id for row in both] == ["tt0078748", None]
    person = "{{Infobox person|image=P.jpg|module={{Infobox film|embed=yes|image=A.jpg}}}}"
    assert [row.image_name for row in rows(person)] == ["A.jpg"]
    assert [row.image_name for row in rows(BOX + BOX.replace("Alien p", "P"))] == ["Alien poster.jpg", "Poster.jpg"]


@pytest.mark.parametrize(
    "text",
    [
        f"<!-- {BOX} -->",
        f"<!-- never closed {BOX}",
        f"<nowiki>{BOX}</nowiki>",
        f"<pre>\n{BOX}</pre>",
        f'<ref name="a">{BOX}</ref>',
        "{{{Infobox film|image=A.jpg}}}",
        "[[Template:Infobox film]]",
        "{{Infobox film",
        "{{:Infobox film|image=A.jpg}}",
        "",
    ],
)
def test_what_only_looks_like_a_box(text: str) -> None:
    assert not [row for row in rows(text) if row.image_status != "unparsed"]


@pytest.mark.parametrize(
    "before", ["<!-- c -->", "<nowiki>x</nowiki>", "<ref/>", "<ref>", "<pre", "{{x|", "[[", "{", "x<!-- c"]
)
def test_what_stands_before_a_box_does_not_hide_it(before: str) -> None:
    found = rows(before + "\n" + BOX)
    assert [row.image_name for row in found] == ([] if before == "x<!-- c" else ["Alien poster.jpg"])


def test_only_articles_have_rows() -> None:
    extractor = Extractor("enwiki")
    assert not list(extractor.rows(page(BOX, namespace=2)))
    assert not list(extractor.rows(page(BOX, namespace=10)))
    assert not list(extractor.rows(page(BOX, redirect="Aliens")))


SPELLINGS = [
    "{{Infobox film|", "{{infobox film\n|", "{{ Infobox_film |", "{{Infobox  film}}", "{{\n\nInfobox film\n\n|",
    "{{Infobox film<!-- c -->|", "{{<!-- c -->Infobox film|", "{{Infobox <!-- c -->film|", "{{Template:Infobox film|",
    "{{template: infobox film|", "{{TEMPLATE:Infobox film|", "{{Infobox&nbsp;film|", "{{Infobox\u00a0film|",
    "{{Infobox Film|", "{{Infobox Movie|", "{{Infobox movie\t|", "{{_Infobox film_|",
    "{{Infobox film <!-- never closed",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_page_in_xml_is_not_missed(spelling: str) -> None:
    extractor = Extractor("enwiki")
    raw = f"<page><text>{html.escape('== x ==' + spelling, quote=False)}</text></page>".encode()
    assert extractor.may_match(raw)
    assert raw[extractor.find(raw) :].startswith(b"{{")


def test_find_goes_from_place_to_place() -> None:
    extractor = Extractor("enwiki")
    raw = b"<page>{{x}}</page><page>{{Infobox film|a}}</page><page>{{y}}</page><page>{{infobox_film}}</page>"
    first = extractor.find(raw)
    second = extractor.find(raw, first + 1)
    assert [raw[at : at + 14] for at in (first, second)] == [b"{{Infobox film", b"{{infobox_film"]
    assert extractor.find(raw, second + 1) == -1
    assert not extractor.may_match(b"<page>{{Infobox person}} Infobox film }}</page>")


@given(st.sampled_from(["enwiki", "ruwiki", "jawiki", "trwiki"]), st.data())
def test_every_page_with_rows_may_match(wiki: str, data: st.DataObject) -> None:
    extractor = Extractor(wiki, ("film", "album"))
    title = data.draw(st.sampled_from(sorted(extractor._wiki.boxes)))
    title = data.draw(
        st.sampled_from([title, title[0].lower() + title[1:], title.replace(" ", "_"), title.replace(" ", "  ")])
    )
    gaps = st.sampled_from(["", " ", "\n", "<!-- c -->", "_", "&nbsp;"])
    text = "{{" + data.draw(gaps) + title + data.draw(gaps) + "|x=y}}"
    if list(extractor.rows(page(text))):
        assert extractor.may_match(html.escape(text, quote=False).encode())


def test_redirects_of_the_dump_are_honoured() -> None:
    text = "{{Cinebox|image=A.jpg}}"
    assert not rows(text)
    (row,) = rows(text, redirects={"Cinebox": "Infobox film"})
    assert row.template == "Infobox film"
    (row,) = rows(text, redirects={"cinebox": "Template:Infobox_Film"})
    assert row.template == "Infobox film"
    assert len(rows(text, redirects={"Cinebox": "Filmbox", "Filmbox": "Infobox film"})) == 1
    assert not rows(text, redirects={"Cinebox": "Filmbox", "Filmbox": "Cinebox"})
    assert Extractor("enwiki", redirects={"Cinebox": "Infobox film"}).may_match(b"{{cinebox|image=A.jpg}}")


def test_redirects_of_templates_are_read() -> None:
    extractor = Extractor("frwiki")
    text = "#REDIRECTION [[Modèle:Infobox Cinéma (film)]]"
    expected = ("Infobox Long métrage", "Infobox Cinéma (film)")
    assert (
        extractor.template_redirect(page(text, "Modèle:Infobox Long métrage", 10, "Modèle:Infobox Cinéma (film)"))
        == expected
    )
    assert extractor.template_redirect(page(text, "Modèle:Infobox Long métrage", 10)) == expected
    assert extractor.template_redirect(page("{{Infobox}}", "Modèle:Infobox Long métrage", 10)) is None
    assert extractor.template_redirect(page(text, "Alien", 0, "Aliens")) is None


def test_further_templates_count_as_the_first_kind() -> None:
    (row,) = rows("{{cinema  box|image=A.jpg}}", templates=["Cinema box"])
    assert (row.kind, row.template) == ("film", "Cinema box")


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind 'opera': there are film, television"):
        Extractor("enwiki", ("opera",))
    with pytest.raises(ValueError, match="no kind given"):
        Extractor("enwiki", ())


def test_a_wiki_that_is_not_in_the_table_has_english_boxes() -> None:
    assert rows(BOX, "xxwiki")[0].url == "https://upload.wikimedia.org/wikipedia/xx/e/e8/Alien_poster.jpg"


def test_a_worker_process_can_be_given_an_extractor() -> None:
    extractor = pickle.loads(pickle.dumps(Extractor("ruwiki", ("film", "book"), redirects={"А": "Фильм"})))
    assert len(list(extractor.rows(page("{{А|изображение=A.jpg}}")))) == 1


def test_a_hundred_thousand_boxes_that_are_never_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each character is read for at most one box, however many begin."""
    passed = 0
    real = extract.box_at

    def counted(text: str, start: int, title_of: object) -> tuple[list[template.Template], int]:
        nonlocal passed
        found, end = real(text, start, title_of)  # type: ignore[arg-type]
        passed += end - start
        return found, end

    monkeypatch.setattr(extract, "box_at", counted)
    for shape in ("{{Infobox film|", "{{Infobox film|x\n==", "{{Infobox film|[[", "{{Infobox film}}"):
        text = shape * 3000
        passed = 0
        assert len(Extractor("enwiki")._find_boxes(text)) == 3000
        assert passed <= len(text) + 3000


pieces = st.sampled_from(
    ["{{Infobox film", "{{", "}}", "|image=", "A.jpg", "|", "=", "[[", "]]", "<!--", "-->", "<ref>", "</ref>", "\n==",
     "<nowiki>", "</nowiki>", "{", "\n", "Template:", "[[Category:1979 films]]", "{{IMDb title|", "&nbsp;"]
)  # fmt: skip


@given(st.lists(pieces | st.text(max_size=3), max_size=50).map("".join))
def test_any_text_gives_rows_and_raises_nothing(text: str) -> None:
    extractor = Extractor("enwiki", ("film", "album"))
    found = list(extractor.rows(page(text)))
    for row in found:
        assert row.image_status in {"ok", "empty", "absent", "url", "not_image", "unparsed"}
        json.dumps(row.as_dict())
    if found:
        assert extractor.may_match(html.escape(text, quote=False).encode(errors="surrogatepass"))
    extractor.file_page(page(text, "File:A.jpg", 6))
    extractor.template_redirect(page(text, "Template:A", 10))


def real_pages(raw: bytes) -> Iterator[tuple[bytes, Page]]:
    for match in re.finditer(rb"<page>.*?</page>", raw, re.DOTALL):
        title = re.search(rb"<title>(.*?)</title>", match[0])
        namespace = re.search(rb"<ns>(\d+)</ns>", match[0])
        text = re.search(rb"<text[^>]*>(.*?)</text>", match[0], re.DOTALL)
        if title and namespace and text:
            plain = html.unescape(text[1].decode()) if b"&" in text[1] else text[1].decode()
            yield match[0], Page(1, int(namespace[1]), html.unescape(title[1].decode()), None, 1, plain)


def image_by_oracle(text: str) -> str | None:
    for each in wikitextparser.parse(text).templates:
        if without_comments(each.name).strip() == "Infobox film":
            argument = each.get_arg("image")
            return without_comments(argument.value).strip() if argument else None
    raise AssertionError("no box")


def test_real_pages_of_a_dump(real_data: Path) -> None:
    raw = bz2.decompress((real_data / "wiki/multistream/realpages-multistream.xml.bz2").read_bytes())
    extractor = Extractor("enwiki")
    found = []
    for xml, each in real_pages(raw):
        here = list(extractor.rows(each))
        assert not here or extractor.may_match(xml), each.title
        if here:
            (row,) = here
            expected = image_by_oracle(each.text)
            assert (row.image_name, row.image_status) == image_name(expected, "enwiki"), each.title
            found.append(row)
    assert Counter(row.image_status for row in found) == {"ok": 56, "empty": 9, "absent": 1}
    assert sum(row.imdb_id is not None for row in found) >= 60
    assert sum(row.year is not None for row in found) >= 65
    assert all(row.directors for row in found)


def test_real_pages_of_a_parser_of_infoboxes(real_data: Path) -> None:
    images = {}
    for path in sorted((real_data / "wiki/infobox-parser").glob("*.txt")):
        for row in rows(path.read_text()):
            assert row.image_name == image_name(image_by_oracle(path.read_text()))[0]
            images[path.stem] = row.image_name
    assert images.keys() == {"hairspray", "the-lego-batman-movie"}
    assert all(images.values())
