from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.films.genres import CANONICAL, MAX_GENRE, MAX_GENRES, read_genres
from posterbot.films.ids import Ids, ids_in_address, ids_of_links, read_imdb, read_tmdb, read_wikidata


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("https://www.imdb.com/title/tt0017136/", Ids("tt0017136")),
        ("http://m.imdb.com/title/tt0017136?ref_=x", Ids("tt0017136")),
        ("https://www.imdb.com/de/title/tt17136", Ids("tt0017136")),
        ("https://www.imdb.com/title/tt10872600/reviews", Ids("tt10872600")),
        ("https://www.themoviedb.org/movie/19-metropolis?language=de", Ids(tmdb="19")),
        ("https://www.themoviedb.org/de-DE/movie/19", Ids(tmdb="19")),
        ("https://themoviedb.org/tv/1399-game-of-thrones/season/1", Ids(tmdb="tv/1399")),
        ("https://www.wikidata.org/wiki/Q151599", Ids(wikidata="Q151599")),
        ("http://www.wikidata.org/entity/Q151599", Ids(wikidata="Q151599")),
        ("https://www.imdb.com/name/nm0000485/", Ids()),
        ("https://www.imdb.com/title/tt0000000/", Ids()),
        ("https://www.imdb.com/title/tt\u0661\u0662\u0663\u0664\u0665\u0666\u0667/", Ids()),
        ("https://www.imdb.com@evil.example/title/tt0017136/", Ids()),
        ("https://evil.example/?u=https://www.imdb.com/title/tt0017136/", Ids()),
        ("https://imdb.com.evil.example/title/tt0017136/", Ids()),
        ("https://notimdb.com/title/tt0017136/", Ids()),
        ("javascript://www.imdb.com/title/tt0017136/", Ids()),
        ("https://[imdb.com/title/tt0017136/", Ids()),
        ("https://www.themoviedb.org/person/19", Ids()),
        ("https://www.wikidata.org/wiki/Property:P345", Ids()),
        ("https://www.wikidata.org/wiki/Q0", Ids()),
        ("https://www.imdb.com/title/" + "x" * 10_000_000, Ids()),
    ],
)
def test_ids_in_links(url: str, ids: Ids) -> None:
    assert ids_of_links([url]) == ids


def test_links_to_two_films_name_none() -> None:
    links = ["https://www.imdb.com/title/tt0017136/", "https://www.imdb.com/title/tt0017137/"]
    assert ids_of_links([*links, "https://www.themoviedb.org/movie/19"]) == Ids(tmdb="19")
    assert ids_of_links([links[0], "http://imdb.com/title/tt17136"]) == Ids("tt0017136")


@pytest.mark.parametrize(
    ("url", "imdb"),
    [
        ("https://x.example/posters/tt0017136.jpg", "tt0017136"),
        ("https://x.example/tt0017136_large/tt0017136-1.jpg", "tt0017136"),
        ("https://x.example/tt0017136/tt0017137.jpg", None),
        ("https://x.example/p.jpg?film=tt0017136", None),
        ("https://x.example/btt0017136.jpg", None),
        ("https://x.example/matt1234.jpg", None),
    ],
)
def test_ids_in_addresses(url: str, imdb: str | None) -> None:
    assert ids_in_address(url) == Ids(imdb)


@pytest.mark.parametrize("value", ["tt0017136", "0017136", "17136", " tt0017136 "])
def test_ids_of_imdb(value: str) -> None:
    assert read_imdb(value) == "tt0017136"


@pytest.mark.parametrize("value", ["", "tt", "tt0", "nm0000485", "tt12345678901", "12e4", "tt17136x", "-1", "٣"])
def test_no_ids_of_imdb(value: str) -> None:
    assert read_imdb(value) is None


def test_ids_of_tmdb_and_wikidata() -> None:
    assert [read_tmdb(value) for value in ("19", "19.0", "movie/19", "tv/1399", "0", "x")] == [
        "19", "19", "19", "tv/1399", None, None,
    ]  # fmt: skip
    assert read_wikidata("q151599") == read_wikidata("http://www.wikidata.org/entity/Q151599") == "Q151599"
    assert read_wikidata("P345") is None


@given(st.text(max_size=200))
def test_any_text_is_an_address_without_harm(text: str) -> None:
    for url in (text, f"https://www.imdb.com/title/{text}", f"https://{text}.themoviedb.org/movie/1"):
        ids_of_links([url])
        ids_in_address(url)
    read_imdb(text), read_tmdb(text), read_wikidata(text)


@pytest.mark.parametrize(
    ("texts", "genres"),
    [
        (["science fiction film"], ("Sci-Fi",)),
        (["Sci-Fi", "Science Fiction", "SF", "science-fiction"], ("Sci-Fi",)),
        (["Sci-Fi & Fantasy"], ("Fantasy", "Sci-Fi")),
        (["Action & Adventure"], ("Action", "Adventure")),
        (["Drama, Comedy"], ("Comedy", "Drama")),
        (["romantic comedy film"], ("Comedy", "Romance")),
        (["film noir"], ("Film-Noir",)),
        (["Drame", "Comédie"], ("Comedy", "Drama")),
        (["Heimatfilm"], ("Heimatfilm",)),
        (["TV Movie", "N/A", "", "(no genres listed)", "123"], ()),
        (["<b>Drama</b>", "x" * 100], ()),
        (["spy\x00 \x1bfilm\n"], ("Spy film",)),
    ],
)
def test_genres_in_one_spelling(texts: list[str], genres: tuple[str, ...]) -> None:
    assert read_genres(texts) == genres


def test_the_spelling_of_imdb_stays() -> None:
    assert read_genres(CANONICAL[:MAX_GENRES]) == CANONICAL[:MAX_GENRES]
    for name in CANONICAL:
        assert read_genres([name]) == (name,)


@given(st.lists(st.text(max_size=80), max_size=40))
def test_any_genres_are_bounded_and_read_again_the_same(texts: list[str]) -> None:
    found = read_genres(texts)
    assert len(found) <= MAX_GENRES
    assert all(0 < len(genre) <= MAX_GENRE + 1 and genre.isprintable() for genre in found)
    assert list(found) == sorted(found)
