from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from wikidump.extract import Extractor
from wikidump.filmbox import Parameters
from wikidump.page import Page
from wikidump.rows import Row
from wikidump.wikis import KINDS, all_wikis, prefix_pattern, wiki_named

# The film boxes of the languages with the most films, and the parameters their articles use.
FILMS = {
    "enwiki": "{{Infobox film|image=A.jpg|director=B C|released={{Film date|1979|5|25}}|country=D|language=E F}}",
    "itwiki": "{{Film|immagine=A.jpg|regista=[[B C]]|annouscita=1979|paese=D|lingua=E F|genere=Horror}}",
    "dewiki": "{{Infobox Film|Bild=A.jpg|Regie=[[B C]]|Erscheinungsjahr=1979|Produktionsland=D|Originalsprache=E F}}",
    "frwiki": "{{Infobox Cinéma (film)|image=A.jpg|réalisation=[[B C]]|sortie=1979|pays=D|langue=E F}}",
    "ruwiki": "{{Фильм|Изображение=A.jpg|Режиссёр=[[B C]]|Год=1979|Страна=D|Язык=E F}}",
    "eswiki": "{{Ficha de película|imagen=A.jpg|dirección=[[B C]]|año=1979|país=D|idioma=E F}}",
    "ptwiki": "{{Info/Filme|imagem=A.jpg|direção=[[B C]]|ano=1979|país=D|idioma=E F}}",
    "plwiki": "{{Film infobox|grafika=A.jpg|reżyseria=[[B C]]|data_premiery=1 maja 1979|kraj produkcji=D|język=E F}}",
    "jawiki": "{{Infobox Film|画像=A.jpg|監督=[[B C]]|公開=1979年5月1日|製作国=D|言語=E F}}",
    "nlwiki": "{{Infobox film|afbeelding=A.jpg|regie=[[B C]]|première=1979|land=D|taal=E F}}",
    "ukwiki": "{{Фільм|зображення=A.jpg|режисер=[[B C]]|рік=1979|країна=D|мова=E F}}",
    "svwiki": "{{Filmfakta|bild=A.jpg|regi=[[B C]]|premiär=1979|land=D|språk=E F}}",
    "kowiki": "{{영화 정보|그림=A.jpg|감독=[[B C]]|개봉=1979년|국가=D|언어=E F}}",
    "idwiki": "{{Infobox Film|image=A.jpg|director=[[B C]]|released=1979|country=D|language=E F}}",
    "cawiki": "{{Infotaula pel·lícula|imatge=A.jpg|direcció=[[B C]]|estrena=1979|país=D|idioma=E F}}",
    "trwiki": "{{Film bilgi kutusu|resim=A.jpg|yönetmen=[[B C]]|çıkış_tarihi=1979|ülke=D|dil=E F}}",
    "arwiki": "{{معلومات فيلم|صورة=A.jpg|مخرج=[[B C]]|تاريخ الصدور=١٩٧٩|البلد=D|اللغة=E F}}",
    "huwiki": "{{Film infobox|kép=A.jpg|rendező=[[B C]]|bemutató=1979|ország=D|nyelv=E F}}",
    "cswiki": "{{Infobox - film|obrázek=A.jpg|režie=[[B C]]|premiéra=1979|země=D|jazyk=E F}}",
    "bgwiki": "{{Филм|Картинка=A.jpg|Режисура=[[B C]]|Премиера=1979|Страна=D|Език=E F}}",
    "hiwiki": "{{ज्ञानसन्दूक फ़िल्म|चित्र=A.jpg|निर्देशक=B C|प्रदर्शन तिथि=१९७९|देश=D|भाषा=E F}}",
}  # fmt: skip


def rows(text: str, wiki: str = "enwiki", kinds: tuple[str, ...] = ("film",)) -> list[Row]:
    return list(Extractor(wiki, kinds).rows(Page(1, 0, "Title", None, 2, text)))


@pytest.mark.parametrize("wiki", FILMS)
def test_a_film_box_of_each_language(wiki: str) -> None:
    text = FILMS[wiki].replace("=D", "=Denmark")
    (row,) = rows(text, wiki)
    assert (row.wiki, row.kind, row.image_name, row.image_status) == (wiki, "film", "A.jpg", "ok")
    assert (row.year, row.directors, row.countries, row.languages) == (1979, ("B C",), ("Denmark",), ("E F",))
    assert unicodedata.normalize("NFC", row.template) in wiki_named(wiki).boxes


@pytest.mark.parametrize("wiki", FILMS)
def test_a_title_in_lower_case_with_underscores_is_the_same_box(wiki: str) -> None:
    name, bar, rest = FILMS[wiki].removeprefix("{{").partition("|")
    other = "{{ " + (name[0].lower() + name[1:]).replace(" ", "_") + "\n" + bar + rest
    assert len(rows(other, wiki)) == 1
    assert Extractor(wiki).may_match(other.encode())


def test_generic_names_are_film_boxes_only_on_their_own_wiki() -> None:
    assert rows("{{Film|immagine=A.jpg}}", "itwiki")
    assert not rows("{{Film|immagine=A.jpg}}", "enwiki")
    assert not rows("{{Filme|imaxe=A.jpg}}", "ptwiki")


def test_every_language_of_the_reference_is_in_the_table(real_data: Path) -> None:
    """Each film template of the list is known, and its redirects. Some rows of the list are about other templates."""
    no_box = (
        "IMDb",
        "Imdb",
        "stub",
        "اسٹب",
        "قاعدة بيانات",
        "ڈیٹا بیس",
        "آرکائیو",
        "Internet Archive",
        "Film date",
        "DVD",
    )
    no_film = ("Tabel", "Tatort", "TV ", "مسلسل", "ٹی وی")
    languages = set()
    for each in json.loads((real_data / "wiki/dbpedia_infobox_templates.json").read_text()):
        if each["cls"] == "Film" and not any(word in each["template"] for word in (*no_box, *no_film)):
            known = wiki_named(f"{each['lang']}wiki").boxes
            for title in (each["template"], *each["redirects"]):
                assert known[unicodedata.normalize("NFC", title)][1] == "film", (each["lang"], title)
            languages.add(each["lang"])
    assert len(languages) == 37


def test_prefixes_of_files_are_those_of_the_wikis(real_data: Path) -> None:
    names = json.loads((real_data / "wiki/namespaces.json").read_text())
    for code in all_wikis():
        for name in (names[code]["file"], *names[code]["file_aliases"]):
            assert prefix_pattern("file").match(f"{name}:A.jpg"), (code, name)
        spaces = wiki_named(f"{code}wiki").template_namespace
        assert names[code]["template"].lower() in spaces or code == "zh", code


def test_a_title_stands_for_one_box_in_each_wiki() -> None:
    for code, table in all_wikis().items():
        titles = [
            title
            for kind in (*KINDS, "header", "part")
            for name, redirects in table.get(kind, {}).items()
            for title in (name, *redirects)
        ]
        assert len(titles) == len(set(titles)), code


def test_parameters_in_any_case_and_numbered() -> None:
    box = Parameters(
        wiki_named("eswiki"), {"Dirección": "A B", "dirección2": "C D", "dirección 3": "E F", "AÑO": "1979"}
    )
    assert box.names("director") == ("A B", "C D", "E F")
    assert box.year() == 1979


def test_the_first_parameter_that_is_not_blank_counts() -> None:
    wiki = wiki_named("jawiki")
    assert Parameters(wiki, {"画像": "", "image": "A.jpg"}).image().name == "A.jpg"
    assert Parameters(wiki, {"画像": "B.jpg", "image": "A.jpg"}).image().name == "B.jpg"
    german = wiki_named("dewiki")
    assert Parameters(german, {"Bild": "A.jpg", "BILD": ""}).image().name == "A.jpg"
    assert Parameters(german, {"Bild": "", "BILD": "A.jpg"}).image().name == "A.jpg"
    assert Parameters(wiki, {"画像": " "}).image().status == "empty"
    assert Parameters(wiki, {"image size": "A.jpg"}).image().status == "absent"


def test_a_dutch_poster_lies_on_the_english_wikipedia() -> None:
    (row,) = rows("{{Infobox film|afbeelding=Actor.jpg|poster-op-enwp=Alien poster.jpg}}", "nlwiki")
    assert (row.image_name, row.image_status, row.repository) == ("Alien poster.jpg", "ok", "enwiki")
    assert row.url is not None
    assert row.url.startswith("https://upload.wikimedia.org/wikipedia/en/")


@pytest.mark.parametrize(
    ("wiki", "released", "repository"),
    [("enwiki", "1979", "en"), ("enwiki", "1915", "commons"), ("enwiki", "", "en"), ("eswiki", "1979", "commons")],
)
def test_where_a_file_is_guessed_to_lie(wiki: str, released: str, repository: str) -> None:
    name = "Infobox film" if wiki == "enwiki" else "Ficha de película"
    (row,) = rows(f"{{{{{name}|image=A.jpg|released={released}}}}}", wiki)
    assert row.repository is None
    assert row.url is not None
    assert f"/wikipedia/{repository}/" in row.url


@pytest.mark.parametrize(
    ("kind", "wiki", "text"),
    [
        ("television", "enwiki", "{{Infobox television|image=A.jpg}}"),
        ("video_game", "enwiki", "{{Infobox VG|image=A.jpg}}"),
        ("book", "enwiki", "{{infobox book|image=A.jpg}}"),
        ("album", "enwiki", "{{Infobox album|cover=A.jpg}}"),
        ("television", "dewiki", "{{Infobox Fernsehsendung|Bild=A.jpg}}"),
        ("video_game", "svwiki", "{{Datorspelsfakta|bild=A.jpg}}"),
        ("book", "itwiki", "{{Libro|immagine=A.jpg}}"),
        ("album", "itwiki", "{{Album|copertina=A.jpg}}"),
        ("television", "ukwiki", "{{Картка:Телебачення|зображення=A.jpg}}"),
    ],
)
def test_other_kinds_are_found_only_when_asked_for(kind: str, wiki: str, text: str) -> None:
    assert not rows(text, wiki)
    (row,) = rows(text, wiki, ("film", kind))
    assert (row.kind, row.image_name) == (kind, "A.jpg")
