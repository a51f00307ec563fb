from __future__ import annotations

import gzip
import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.films.titles import (
    MAX_KEY,
    MAX_TITLE,
    Titled,
    begins_with_title,
    is_telling,
    names_film,
    people_words,
    read_text,
    split_title,
    title_key,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Amélie", "AMELIE"),
        ("The Thing", "Thing, The"),
        ("The Thing", "thing"),
        ("Les Misérables", "Misérables, Les"),
        ("E.T. the Extra-Terrestrial", "ET: The Extra-Terrestrial"),
        ("M*A*S*H", "MASH"),
        ("Schindler's List", "Schindler\u2019s list"),
        ("Face/Off", "Face Off"),
        ("Fast & Furious", "Fast and Furious"),
        ("Rocky II", "Rocky 2"),
        ("The Godfather: Part III", "The Godfather Part 3"),
        ("Œdipus Ægir", "oedipus aegir"),
        ("Große Freiheit", "GROSSE FREIHEIT"),
        ("Ёлки", "Елки"),
        ("Søstre łódź", "sostre lodz"),
        ("ＡＫＩＲＡ", "Akira"),
        ("WALL·E", "Wall-E"),
        ("a\u200bb\u00adc", "abc"),
        ("  Solaris \n ", "Solaris"),
    ],
)
def test_spellings_of_one_title_have_one_key(one: str, other: str) -> None:
    assert title_key(one) == title_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rocky", "Rocky II"),
        ("Rocky II", "Rocky III"),
        ("Malcolm X", "Malcolm"),
        ("Die Hard", "Hard"),
        ("La La Land", "La Land"),
        ("V", "5"),
        ("がけ", "かけ"),  # a mark that is a letter of its own
        ("आग", "अग"),
        ("$", "???"),
        ("Alien", "Aliens"),
        ("2001", "2010"),
        ("x" * 300, "x" * 301),
    ],
)
def test_different_titles_have_different_keys(one: str, other: str) -> None:
    assert title_key(one) != title_key(other)


def test_a_title_of_signs_and_an_article_alone_are_titles() -> None:
    assert title_key("$") == "$"
    assert title_key("???") == "???"
    assert title_key("A") == "a"
    assert title_key("The The") == "the"
    assert title_key("") == title_key(" \t") == ""


@given(st.text(max_size=400))
def test_any_text_has_a_bounded_key_that_is_its_own_key(text: str) -> None:
    key = title_key(text)
    assert len(key) <= MAX_KEY
    assert "\0" not in key
    key.encode()
    assert len(split_title(text).title) <= MAX_TITLE
    read_text(text)
    begins_with_title(text)
    assert not names_film("", text, None)


def test_surrogates_and_huge_texts_are_titles_like_any() -> None:
    assert title_key("\ud800Solaris") == "solaris"
    assert len(title_key("ab " * 4_000_000)) <= MAX_KEY
    assert read_text("ab " * 4_000_000) is None


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Solaris (1972 film)", "Solaris", 1972),
        ("Solaris (film, 1972)", "Solaris", 1972),
        ("Solaris (1972)", "Solaris", 1972),
        ("Solaris [1972]", "Solaris", 1972),
        ("Solaris (1972) (film)", "Solaris", 1972),
        ("M (film)", "M", None),
        ("Fargo (TV series)", "Fargo", None),
        ("Fargo (2014–)", "Fargo", 2014),
        ("Der Untergang (Film)", "Der Untergang", None),
        ("Сталкер (фильм, 1979)", "Сталкер", 1979),
        ("Hamlet (2000 American film)", "Hamlet", 2000),
        ("Birds of Prey (and the Fantabulous Emancipation)", "Birds of Prey (and the Fantabulous Emancipation)", None),
        ("(500) Days of Summer", "(500) Days of Summer", None),
        ("1917", "1917", None),
        ("Blade Runner 2049", "Blade Runner 2049", None),
        ("Film (1965)", "Film", 1965),
        ("(1972)", "(1972)", None),
        ("Odd (3999)", "Odd (3999)", None),
    ],
)
def test_what_tells_titles_apart_is_no_part_of_them(text: str, title: str, year: int | None) -> None:
    assert split_title(text) == Titled(title, year)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Poster of Gallows Creek (1967)", Titled("Gallows Creek", 1967)),
        ("Solaris (1972) poster", Titled("Solaris", 1972)),
        ("Solaris movie poster", Titled("Solaris")),
        ("Movie poster: Metropolis", Titled("Metropolis")),
        ("Official poster for Dune (2021)", Titled("Dune", 2021)),
        ("Affiche de Playtime (1967)", Titled("Playtime", 1967)),
        ("Poster Boy", Titled("Poster Boy")),
        ("A still", None),
        ("DVD cover", None),
        ("poster", None),
        ("Home", None),
        ("", None),
        ("x" * 151, None),
    ],
)
def test_words_beside_a_picture_name_a_title_or_nothing(text: str, expected: Titled | None) -> None:
    assert read_text(text) == expected


def test_words_name_a_film_if_they_say_nothing_else() -> None:
    assert names_film("Poster of Rocky (1976)", "Rocky", 1976)
    assert names_film("rocky", "Rocky", 1976)
    assert names_film("Solaris by Andrei Tarkovsky", "Solaris", 1972, people_words(["Andrei Tarkovsky"]))
    assert not names_film("Rocky II poster", "Rocky", 1976)
    assert not names_film("Rocky Balboa", "Rocky", 1976)
    assert not names_film("Solaris (2002)", "Solaris", 1972)
    assert not names_film("a still", "Solaris", 1972)


def test_words_that_every_picture_has_tell_nothing() -> None:
    assert not is_telling("Movie poster")
    assert not is_telling("…")
    assert is_telling("Solaris poster")


def test_a_pages_title_may_begin_with_a_film() -> None:
    assert begins_with_title("Solaris (1972) – Film Archive") == Titled("Solaris", 1972)
    assert begins_with_title("Home – Film Archive (since 1972)") is None
    assert begins_with_title("Films of 1972") is None


def test_a_real_list_and_the_articles_it_links_have_the_same_keys(real_data: Path) -> None:
    with gzip.open(real_data / "wiki/prust-urls/movies-1940s.json.gz", "rt") as file:
        films = [film for film in json.load(file) if film["href"] and "#" not in film["href"]]
    articles = [split_title(unquote(film["href"]).replace("_", " ")) for film in films]
    pairs = list(zip(films, articles, strict=True))
    same = [title_key(film["title"]) == title_key(article.title) for film, article in pairs]
    assert sum(same) / len(same) > 0.99
    years = [abs(film["year"] - article.year) for film, article in pairs if article.year]
    assert len(years) > 200
    assert sum(years) / len(years) < 0.05
