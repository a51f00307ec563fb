from __future__ import annotations

import pytest

from wikidump.extract import Extractor
from wikidump.licence import licence_of, settle
from wikidump.page import Page
from wikidump.rows import FilePage, Row

COMMONS = "https://upload.wikimedia.org/wikipedia/commons/"


def file_page(
    text: str, title: str = "File:Alien.jpg", redirect: str | None = None, wiki: str = "enwiki"
) -> FilePage | None:
    return Extractor(wiki).file_page(Page(1, 6, title, redirect, 1, text))


def row(name: str | None = "Alien.jpg", status: str = "ok", wiki: str = "enwiki") -> Row:
    text = "{{Infobox film|image=%s}}" % (name or "")
    made = next(Extractor(wiki, templates=["Infobox film"]).rows(Page(1, 0, "Alien", None, 1, text)))
    assert made.image_status == status
    return made


@pytest.mark.parametrize(
    ("tags", "licence", "nonfree"),
    [
        (["Non-free poster"], "non-free", True),
        (["Non-free use rationale poster", "Non-free poster"], "non-free", True),
        (["Information", "Non-free video cover"], "non-free", True),
        (["Movie poster", "Cc-by-sa-3.0"], "non-free", True),
        (["Несвободный файл/Постер"], "non-free", True),
        (["Locandina"], "non-free", True),
        (["Capa de filme"], "non-free", True),
        (["PD-US-not renewed"], "Public domain", False),
        (["Cc-by-sa-4.0"], "CC BY-SA 4.0", False),
        (["Cc-by-3.0"], "CC BY 3.0", False),
        (["CC-zero"], "CC0", False),
        (["GFDL", "Cc-by-sa-3.0"], "CC BY-SA 3.0", False),
        (["Information"], None, False),
        ([], None, False),
    ],
)
def test_licence_of_tags(tags: list[str], licence: str | None, nonfree: bool) -> None:
    assert licence_of(tags) == (licence, nonfree)


def test_page_of_a_file() -> None:
    text = "== Summary ==\n{{Non-free use rationale poster|Article=Alien (film)|Use=Infobox}}\n{{Non-free poster|1979}}"
    assert file_page(text, "File:Alien poster.jpg") == FilePage("Alien poster.jpg", "non-free", True)
    assert file_page("{{self|GFDL|cc-by-sa-4.0}}") == FilePage("Alien.jpg", "CC BY-SA 4.0", False)
    assert file_page("{{Unknown tag|x}}", "Fichier:alien.jpg", wiki="frwiki") == FilePage("Alien.jpg", None, False)
    assert file_page("A picture of mine.") == FilePage("Alien.jpg", None, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[Category:Featured pictures]]",
        "{{FeaturedPicture|Alien}}\n[[Category:Films|Alien]]",
        "== Assessment ==\n{{FPC}}\n",
    ],
)
def test_a_note_on_a_file_of_commons_is_no_page_of_a_file(text: str) -> None:
    assert file_page(text) is None


def test_other_pages_are_no_pages_of_files() -> None:
    assert Extractor("enwiki").file_page(Page(1, 0, "Alien", None, 1, "{{Non-free poster}}")) is None


def test_a_file_with_a_page_is_local() -> None:
    settled = settle(row(), {"Alien.jpg": FilePage("Alien.jpg", "non-free", True)})
    assert (settled.repository, settled.licence) == ("local", "non-free")
    assert settled.url == "https://upload.wikimedia.org/wikipedia/en/a/ae/Alien.jpg"


def test_a_file_without_a_page_is_on_commons() -> None:
    settled = settle(row(), {})
    assert (settled.repository, settled.licence, settled.url) == ("commons", None, COMMONS + "a/ae/Alien.jpg")


def test_a_moved_file_is_followed() -> None:
    moved = file_page("#REDIRECT [[File:Alien poster.jpg]]", redirect="File:Alien poster.jpg")
    assert moved == FilePage("Alien.jpg", None, False, target="Alien poster.jpg")
    new = FilePage("Alien poster.jpg", "non-free", True)
    settled = settle(row(), {"Alien.jpg": moved, "Alien poster.jpg": new})
    assert (settled.image_name, settled.repository, settled.licence) == ("Alien poster.jpg", "local", "non-free")
    assert settled.url is not None
    assert settled.url.endswith("/Alien_poster.jpg")
    assert settle(row(), {"Alien.jpg": moved}).repository == "commons"


def test_a_file_moved_in_a_circle_ends() -> None:
    one = FilePage("Alien.jpg", None, False, target="B.jpg")
    two = FilePage("B.jpg", None, False, target="Alien.jpg")
    assert settle(row(), {"Alien.jpg": one, "B.jpg": two}).repository == "commons"


def test_rows_without_an_image_stay_as_they_are() -> None:
    empty = row("", "empty")
    assert settle(empty, {}) is empty


def test_a_poster_on_the_english_wikipedia_stays_there() -> None:
    text = "{{Infobox film|poster-op-enwp=Alien.jpg}}"
    (dutch,) = Extractor("nlwiki").rows(Page(1, 0, "Alien", None, 1, text))
    assert settle(dutch, {}) is dutch
