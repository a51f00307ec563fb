from __future__ import annotations

import gzip
import json
import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wikidump.filename import image_name, original_url
from wikidump.title import clean_title, upper_first


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Alien poster.jpg", "Alien poster.jpg"),
        ("  Alien_movie__poster.JPG ", "Alien movie poster.JPG"),
        ("alien.png", "Alien.png"),
        ("File:Alien.jpg", "Alien.jpg"),
        ("Image: alien.jpg", "Alien.jpg"),
        (":file:Alien.jpg", "Alien.jpg"),
        ("Datei:Alien.jpg", "Alien.jpg"),
        ("Fichier : Alien.jpg", "Alien.jpg"),
        ("Файл:Чужой.jpg", "Чужой.jpg"),
        ("изображение:Чужой.jpg", "Чужой.jpg"),
        ("ファイル:エイリアン.jpg", "エイリアン.jpg"),
        ("画像:A.jpg", "A.jpg"),
        ("ملف:A.jpg", "A.jpg"),
        ("파일:A.jpg", "A.jpg"),
        ("Tập tin:A.jpg", "A.jpg"),
        ("Tập_tin:A.jpg", "A.jpg"),
        ("Alien.jpg <!-- the British one -->", "Alien.jpg"),
        ("<!-- see talk -->\nAlien.jpg", "Alien.jpg"),
        ("Alien.jpg<ref>{{cite web|url=x.jpg}}</ref>", "Alien.jpg"),
        ("Alien.jpg|250px|alt=x", "Alien.jpg"),
        ("Alien.jpg {{!}} 250px", "Alien.jpg"),
        ("Alien.jpg 250px", "Alien.jpg"),
        ("Rosemary's &amp; Baby&#39;s &quot;x&quot;.jpg", "Rosemary's & Baby's \"x\".jpg"),
        ("''Alien.jpg''", "Alien.jpg"),
        ("\"Crocodile\" Dundee.jpg", "\"Crocodile\" Dundee.jpg"),
        ("Alien&nbsp;3.jpg", "Alien 3.jpg"),
        ("\u200eAlien.jpg\u200e", "Alien.jpg"),
        ("Cafe\u0301.jpg", "Café.jpg"),
        ("100% Wolf.jpg", "100% Wolf.jpg"),
        ("Mr. No.jpg", "Mr. No.jpg"),
        ("{{nowrap|Alien.jpg}}", "Alien.jpg"),
        ("{{Border|[[File:Alien.jpg|200px]]}}", "Alien.jpg"),
        ("{{switcher|[[File:A.jpg|x]]|one|[[File:B.jpg|x]]|two}}", "A.jpg"),
        ("<center>[[File:Alien.jpg|200px]]</center>", "Alien.jpg"),
        ("A.jpg<br />B.jpg", "A.jpg"),
        ("A.jpg, B.jpg", "A.jpg"),
        ("Good, bad.jpg", "Good, bad.jpg"),
        ("[[Alien.jpg|thumb]]", "Alien.jpg"),
        ("[[File:Alien.jpg|250px", "Alien.jpg"),
        ("[[:File:Alien.jpg]]", "Alien.jpg"),
        ("<noinclude>Alien.jpg</noinclude>", "Alien.jpg"),
    ],
)  # fmt: skip
def test_forms_of_a_value(value: str, name: str) -> None:
    assert image_name(value, "enwiki") == (name, "ok")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("[[File:a.png|250px|alt]]", "A.png"),
        ("[[Archivo:a.png|thumb|[[Star]] in {{lang|es|x}}]]", "A.png"),
        ("[[Grafika:a.png]] and [[Plik:b.png]]", "A.png"),
        ("[[Film]] [[Файл:a.png|мини]]", "A.png"),
        ("[[File:a.png{{!}}250px]]", "A.png"),
        ("<gallery>\n\nFile:a.png|one\nb.png|two\n</gallery>", "A.png"),
        ("<gallery mode=packed>a.png</gallery>", "A.png"),
        ("{{CSS image crop|Image=a.png|bSize=300|cWidth=200}}", "A.png"),
        ("{{multiple image|width=1.5|image1=a.png|image2=b.png}}", "A.png"),
        ("{{a|{{b|x={{c|1=a.png}}}}}}", "A.png"),
        ("A%20b%C3%A9.png", "A bé.png"),
        ("File:A%26b.png", "A&b.png"),
    ],
)
def test_pitfall_8_links_galleries_and_templates(value: str, name: str) -> None:
    assert image_name(value, "enwiki") == (name, "ok")


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (None, "absent"),
        ("", "empty"),
        (" \n", "empty"),
        ("<!-- poster.jpg -->", "empty"),
        ("<!-- never closed poster.jpg", "empty"),
        ("<br />", "empty"),
        ("N/A", "empty"),
        ("—", "empty"),
        ("No image.svg", "empty"),
        ("File:No_image_available.svg", "empty"),
        ("Replace this image male.svg", "empty"),
        ("Film poster placeholder.png", "empty"),
        ("http://example.org/a.jpg", "url"),
        ("[https://www.google.com/url?sa=i a.jpg]", "url"),
        ("//upload.wikimedia.org/wikipedia/en/a/ab/A.jpg", "url"),
        ("www.example.org/a.jpg", "url"),
        ("example.com/a.jpg", "url"),
        ("File:https://example.org/a.jpg", "url"),
        ("The film's poster", "not_image"),
        ("300px", "not_image"),
        ("[[Cinema]]", "not_image"),
        ("File:", "empty"),
        ("[[File:|250px]]", "empty"),
        ("[[]]", "unparsed"),
        ("{{PAGENAME}}", "unparsed"),
        ("{{#if:x|y}}", "unparsed"),
        ("A[b].jpg", "unparsed"),
        ("A<b.jpg", "unparsed"),
        ("posters/a.jpg", "unparsed"),
        ("Batman: Part 2.jpg", "unparsed"),
        ("A%FF.jpg", "unparsed"),
        ("A%0A.jpg", "unparsed"),
        ("A\ud800.jpg", "unparsed"),
        ("x" * 300 + ".jpg", "unparsed"),
    ],
)
def test_values_that_name_no_picture(value: str | None, status: str) -> None:
    assert image_name(value, "enwiki") == (None, status)


def test_a_film_or_a_document_is_named_but_is_no_picture() -> None:
    assert image_name("Trip to the Moon.webm", "enwiki") == ("Trip to the Moon.webm", "not_image")
    assert image_name("File:Programme.PDF", "enwiki") == ("Programme.PDF", "not_image")


def test_a_poster_that_is_called_like_its_film_is_no_placeholder() -> None:
    for name in ("Missing poster.jpg", "Blank.jpg", "Unknown.jpg", "No.jpg", "X.png", "Null.jpg"):
        assert image_name(name) == (name, "ok")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ß.jpg", "ß.jpg"),
        ("ŉ.jpg", "ŉ.jpg"),
        ("ǆ.jpg", "ǅ.jpg"),
        ("éa.jpg", "Éa.jpg"),
        ("ფილმი.jpg", "ფილმი.jpg"),
        ("𐐨.jpg", "𐐀.jpg"),
        ("1a.jpg", "1a.jpg"),
        ("", ""),
    ],
)
def test_pitfall_9_the_first_letter_as_mediawiki_capitalises_it(text: str, expected: str) -> None:
    assert upper_first(text) == expected


def test_the_first_letter_in_turkish() -> None:
    assert image_name("izmir.jpg", "trwiki") == ("İzmir.jpg", "ok")
    assert image_name("izmir.jpg", "enwiki") == ("Izmir.jpg", "ok")


def test_pitfall_2_entities_in_a_name_are_resolved_once() -> None:
    assert image_name("A &amp;amp; b.jpg") == ("A &amp; b.jpg", "ok")


@given(st.text(max_size=60))
def test_a_title_is_clean_and_cleaning_it_again_changes_nothing(text: str) -> None:
    title = clean_title(text.replace("&", ""))
    assert title == clean_title(title)
    assert title == title.strip(" ")
    assert "_" not in title
    assert "  " not in title
    assert unicodedata.is_normalized("NFC", title)


pieces = st.sampled_from(
    ["{{", "}}", "[[", "]]", "|", "File:", "a.jpg", "<gallery>", "</gallery>", "<ref", "<!--", "-->", "%20", "%FF",
     "&amp;", "http://", "\n", "<br>", "=", " ", "''", "&#xD800;", "&#0;"]
)  # fmt: skip


@given(st.lists(pieces | st.text(max_size=3), max_size=40).map("".join))
def test_any_value_gives_a_status_and_a_name_only_with_ok(value: str) -> None:
    name, status = image_name(value, "enwiki")
    assert status in {"ok", "empty", "url", "not_image", "unparsed"}
    assert (name is not None) >= (status == "ok")
    if name is not None:
        assert image_name(name, "enwiki") == (name, status)
        assert original_url(name, "en").isascii()


def test_a_value_nested_deeply_or_very_long_raises_nothing() -> None:
    assert image_name("{{a|" * 1500 + "x.jpg" + "}}" * 1500)[1] in {"unparsed", "empty"}
    assert image_name("[[" * 1_000_000)[1] == "unparsed"


def test_the_url_of_an_original() -> None:
    assert original_url("Example.jpg", "commons") == "https://upload.wikimedia.org/wikipedia/commons/a/a9/Example.jpg"
    assert original_url("A b's (c), d!.jpg", "en").endswith("/A_b%27s_%28c%29%2C_d%21.jpg")
    assert original_url("A/~b.jpg", "en").endswith("/A%2F~b.jpg")


def test_urls_equal_the_real_ones(real_data: Path) -> None:
    checked = 0
    for path in sorted((real_data / "wiki/prust-urls").glob("*.json.gz")):
        for film in json.loads(gzip.decompress(path.read_bytes())):
            if url := film.get("thumbnail"):
                match = re.match(
                    r"(https://upload\.wikimedia\.org/wikipedia/(en|commons)/)(?:thumb/)?(./../([^/]+))", url
                )
                assert match is not None
                name, _ = image_name(unquote(match[4]), "enwiki")
                assert original_url(name or unquote(match[4]), match[2]) == match[1] + match[3]
                assert name is not None, url
                checked += 1
    assert checked == 20_853


def test_names_in_real_values(real_data: Path) -> None:
    films = json.loads((real_data / "wiki/chauncyf-2018-films/infobox.json").read_text())
    values = [film["image"] for film in films.values() if film and film.get("image")]
    assert len(values) == 241
    for value in values:
        plain = value.removeprefix("File:").replace("_", " ").strip()
        assert image_name(value, "enwiki") == (plain[0].upper() + plain[1:], "ok")
