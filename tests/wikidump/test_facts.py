from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wikidump import categories, facts, imdb


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("{{Film date|1999|5|1|Cannes|2000|1|1}}", 1999),
        ("{{Film date|df=y|2018|12|14|PK}}", 2018),
        ("May 2, 1979", 1979),
        ("1979-05-02", 1979),
        ("''[[1920 (film)|1]]'': {{Start date|2008|9|12}}", 2008),
        ("[[2001 in film|2001]]", 2001),
        ("<!-- 1950 -->1951<ref>1949</ref>", 1951),
        ("١٩٧٩", 1979),
        ("१९७९", 1979),
        ("2001年4月5日", 2001),
        ("TBA", None),
        ("120 minutes, 35000 m, 12019", None),
        ("", None),
    ],
)
def test_year(value: str, year: int | None) -> None:
    assert facts.year(value) == year


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("[[Ridley Scott]]", ("Ridley Scott",)),
        ("[[John Smith (director)|John Smith]]", ("John Smith",)),
        ("[[John Smith (director)]]", ("John Smith",)),
        ("Joel Coen<br />Ethan Coen", ("Joel Coen", "Ethan Coen")),
        ("Joel Coen and Ethan Coen", ("Joel Coen", "Ethan Coen")),
        ("{{Plainlist|\n* [[A B]]\n* C D (uncredited)\n}}", ("A B", "C D")),
        ("{{ubl|[[A B]]|C D<ref>x</ref>}}", ("A B", "C D")),
        ("{{unbulleted list|A B|{{nowrap|C D}}}}", ("A B", "C D")),
        ("* A B\n* C D", ("A B", "C D")),
        ("{{ill|A B|fr}}, {{sortname|C|D}}", ("A B", "C D")),
        ("{{flagicon|US}} United States", ("United States",)),
        ("{{flag|France}}, {{Film US}}, {{GER}}", ("France", "US", "GER")),
        ("[[File:Flag.svg|20px]] [[Italy]]", ("Italy",)),
        ("宮崎駿、高畑勲", ("宮崎駿", "高畑勲")),
        ("Régis & Hélène Dupont et Jean", ("Régis", "Hélène Dupont", "Jean")),
        ("Sandy Anderson", ("Sandy Anderson",)),
        ("English, French, English", ("English", "French")),
        ("'''A''' &amp; ''B C''", ("B C",)),
        ("[https://example.org A B]", ("A B",)),
        ("Marcel·lí A · B C", ("Marcel·lí A", "B C")),
        ("1999", ()),
        ("", ()),
    ],
)
def test_names(value: str, names: tuple[str, ...]) -> None:
    assert facts.names(value) == names


@given(st.text("{}[]|=<>!-&;ab ,\n'*", max_size=60))
def test_any_value_gives_names_without_markup(value: str) -> None:
    facts.year(value)
    for name in facts.names(value):
        assert name == name.strip()
        assert "\n" not in name


def test_a_value_nested_deeply_raises_nothing() -> None:
    assert facts.names("{{a|" * 1000 + "B C" + "}}" * 1000) == ()


def test_categories_in_their_languages() -> None:
    text = (
        "[[Category:1979 films]]\n[[Catégorie:Film_dramatique|A]] [[ kategorie : X ]] [[:Category:Y]] [[Alien]] [[Q:Z]]"
    )
    assert categories.categories(text)[:3] == ["1979 films", "Film dramatique", "X"]
    assert "Z" not in categories.categories(text)


@pytest.mark.parametrize(
    ("wiki", "category", "genres"),
    [
        ("enwiki", "1999 American romantic comedy films", ("Comedy", "Romance")),
        ("enwiki", "British comedy-drama films", ("Comedy", "Drama")),
        ("enwiki", "1970s science fiction horror films", ("Horror", "Sci-Fi")),
        ("enwiki", "American Western (genre) films", ("Western",)),
        ("enwiki", "World War II films", ("War",)),
        ("enwiki", "Warner Bros. films", ()),
        ("enwiki", "Films about war", ()),
        ("enwiki", "Films directed by Action Jackson", ()),
        ("enwiki", "American drama actors", ()),
        ("enwiki", "Scottish films", ()),
        ("frwiki", "Film dramatique américain", ("Drama",)),
        ("frwiki", "Comédie française", ()),
        ("frwiki", "Film de science-fiction", ("Sci-Fi",)),
        ("dewiki", "Filmdrama", ("Drama",)),
        ("dewiki", "Horrorfilm", ("Horror",)),
        ("eswiki", "Películas de terror de España", ("Horror",)),
        ("ruwiki", "Фильмы-драмы США", ("Drama",)),
        ("ruwiki", "Комедийные фильмы", ("Comedy",)),
        ("jawiki", "日本のホラー映画", ("Horror",)),
        ("plwiki", "Polskie filmy wojenne", ("War",)),
        ("itwiki", "Film d'azione", ("Action",)),
    ],
)
def test_genres(wiki: str, category: str, genres: tuple[str, ...]) -> None:
    assert categories.genres([category], wiki) == genres


def test_genres_of_a_genre_parameter() -> None:
    assert categories.genres([], "itwiki", ["Drammatico", "[[Commedia]]"]) == ("Comedy", "Drama")
    assert categories.genres([], "enwiki", ["War"]) == ("War",)


@pytest.mark.parametrize(
    ("wiki", "category", "year"),
    [
        ("enwiki", "1979 films", 1979),
        ("enwiki", "1979 drama films", 1979),
        ("enwiki", "Films set in 1979", None),
        ("enwiki", "1979 births", None),
        ("eswiki", "Películas de 1979", 1979),
        ("frwiki", "Film sorti en 1979", 1979),
        ("itwiki", "Film del 1979", 1979),
        ("plwiki", "Amerykańskie filmy z 1979 roku", 1979),
        ("ruwiki", "Фильмы 1979 года", 1979),
        ("jawiki", "1979年の映画", 1979),
        ("eswiki", "Películas ambientadas en 1944", None),
    ],
)
def test_year_of_a_category(wiki: str, category: str, year: int | None) -> None:
    assert categories.year_of([category], wiki) == year


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("tt0078748", "tt0078748"),
        ("0078748", "tt0078748"),
        ("78748", "tt0078748"),
        ("https://www.imdb.com/title/tt10078748/", "tt10078748"),
        ("nm0000631", None),
        ("", None),
    ],
)
def test_imdb_id_of_a_parameter(value: str, expected: str | None) -> None:
    assert imdb.imdb_id(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* {{IMDb title|0078748|Alien}}", "tt0078748"),
        ("* {{IMDb title|id=tt0078748|title=Alien}}", "tt0078748"),
        ("{{imdb title | title=Alien | id = 0078748 }}", "tt0078748"),
        ("{{Imdb_title|0078748/}}", "tt0078748"),
        ("{{IMDb name|0000631}} {{IMDb title|0078748}}", "tt0078748"),
        ("{{IMDb title|0078748}} {{IMDb title|0090605}}", "tt0078748"),
        ("{{IMDb|tt0078748}}", "tt0078748"),
        ("{{Imdb titre|id=0078748}}", "tt0078748"),
        ("{{IMDb título|0078748}}", "tt0078748"),
        ("{{Imdb-elokuva|id=0078748}}", "tt0078748"),
        ("<!-- {{IMDb title|0078748}} -->{{IMDb title|0090605}}", "tt0090605"),
        ("[https://www.imdb.com/title/tt0078748/ Alien]", "tt0078748"),
        ("{{IMDb title}}", None),
        ("{{IMDb company|0078748}}", None),
        ("", None),
    ],
)
def test_imdb_id_of_a_page(text: str, expected: str | None) -> None:
    assert imdb.imdb_id_of_page(text) == expected
