"""Which film a picture shows, from what pages and lists say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from film_world import (
    claim,
    confidence_of,
    conflicts_of,
    everything,
    film_of,
    imdb,
    listed,
    movie,
    names,
    page,
    record,
    seen,
    sha256_of,
    shown,
    tmdb,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import Outcome
from posterbot.catalogue.schema_films import film_mentions, film_titles, films
from posterbot.films.link import link
from posterbot.films.noting import note_sightings

SOLARIS = movie("Solaris", 1972, by="Andrei Tarkovsky", genre="science fiction film")
REMAKE = movie("Solaris", 2002, by="Steven Soderbergh")


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty catalogue, to be copied."""
    file = tmp_path_factory.mktemp("films") / "empty.db"
    open_catalogue(f"sqlite:///{file}").dispose()
    return file


@pytest.fixture
def here(empty: Path, tmp_path: Path) -> Iterator[Engine]:
    """As ``engine``, on SQLite: for what is the same on any database."""
    yield from opened(empty, tmp_path / "catalogue.db")


def opened(empty: Path, file: Path) -> Iterator[Engine]:
    shutil.copy(empty, file)
    engine = open_catalogue(f"sqlite:///{file}")
    try:
        yield engine
    finally:
        engine.dispose()


def test_ids_titles_and_words_come_together_on_any_database(engine: Engine) -> None:
    record(
        engine,
        seen("a", page("solaris", movie("Solaris", 1972, imdb(69293), genre="Science Fiction")), "json_ld"),
        seen("b", page("soljaris", movie("Солярис", 1972, imdb(69293), genre="Drama")), "open_graph"),
        listed("c", claim("Solaris (1972 film)", imdb_id="tt0069293", genres=("sci-fi",))),
        seen("d", page("gallery"), alt="Poster of Solaris (1972)"),
        seen("e", page("remake", REMAKE), alt="Solaris (2002) movie poster"),
        seen("f", page("nothing"), alt="a still"),
    )
    done = link(engine)
    assert (done.sightings, done.films, done.images, done.conflicts) == (6, 2, 5, 0)
    assert {name: film_of(engine, name) for name in "abcdef"} == {
        **dict.fromkeys("abcd", "Solaris 1972 tt0069293"),
        "e": "Solaris 2002",
        "f": None,
    }
    with engine.connect() as connection:
        genres = dict(tuple(row) for row in connection.execute(select(films.c.year, films.c.genres)))
        assert genres == {1972: ["Sci-Fi"], 2002: []}  # a list is believed before pages
        assert set(connection.scalars(select(film_titles.c.key))) == {"solaris", "солярис"}
    assert confidence_of(engine, "c") > confidence_of(engine, "a") > confidence_of(engine, "e")
    before = everything(engine)
    again = link(engine)
    assert again.rows == again.sightings == 0
    assert everything(engine) == before


def test_only_what_is_new_is_read(engine: Engine) -> None:
    record(engine, seen("a", page("1", SOLARIS), "json_ld"))
    assert link(engine).sightings == 1
    record(engine, seen("a", page("2", SOLARIS), "json_ld"), seen("b", page("2", SOLARIS), "json_ld"))
    done = link(engine)
    assert (done.sightings, done.changed.new, done.links, done.films) == (2, 0, 1, 1)


# --- Which pictures of a page ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found_by", "words", "shows"),
    [
        ("json_ld", {}, True),
        ("json_ld", {"caption": "Solaris"}, True),
        ("json_ld", {"caption": "The Film Archive"}, False),
        ("open_graph", {"alt": "Kris looks out of the window"}, False),
        ("open_graph", {"alt": "Solaris, official trailer"}, True),
        ("img", {"alt": "Solaris poster"}, True),
        ("img", {"alt": "poster", "caption": "Solaris"}, True),
        ("img", {"alt": "Solaris (1972)"}, True),
        ("img", {"alt": "Solaris (1973)"}, False),
        ("img", {"alt": "Solaris II"}, False),
        ("img", {"alt": "Stalker", "caption": "Solaris"}, False),
        ("img", {"alt": "Andrei Tarkovsky's Solaris"}, False),
        ("img", {"alt": "Solaris by Andrei Tarkovsky"}, True),
        ("img", {}, False),
        ("img", {"alt": "logo"}, False),
    ],
)
def test_a_page_of_one_film(here: Engine, found_by: str, words: dict[str, str], shows: bool) -> None:
    record(here, seen("a", page("1", SOLARIS), found_by, **words), seen("b", page("1", SOLARIS), "json_ld"))
    link(here)
    assert film_of(here, "b") == "Solaris 1972"
    assert (film_of(here, "a") == "Solaris 1972") is shows


def test_a_page_of_several_films_names_only_what_its_words_name(here: Engine) -> None:
    both = page("list", SOLARIS, movie("Stalker", 1979), REMAKE)
    record(
        here,
        seen("a", both, alt="Stalker movie poster"),
        seen("b", both, alt="Solaris"),
        seen("c", both, alt="Solaris (2002)"),
        seen("d", both, "open_graph"),
        seen("e", both, "json_ld", caption="Stalker"),
        seen("f", both, alt="", caption="Our films"),
    )
    link(here)
    found = {name: film_of(here, name) for name in "abcdef"}
    assert found == {"a": "Stalker 1979", "b": None, "c": "Solaris 2002", "d": None, "e": "Stalker 1979", "f": None}


def test_a_film_stated_twice_on_a_page_is_one(here: Engine) -> None:
    twice = page("1", SOLARIS, movie("SOLARIS", 1972, imdb(69293)))
    record(here, seen("a", twice, "json_ld"))
    link(here)
    assert film_of(here, "a") == "Solaris 1972 tt0069293"


def test_ids_in_addresses(here: Engine) -> None:
    record(
        here,
        seen("a", page("https://x.example/title/tt0069293/", title="Solaris (1972) - X"), "open_graph"),
        seen("b", page("gallery"), url="https://cdn.example/tt0069293.jpg"),
        seen("c", page("https://www.themoviedb.org/movie/593-solaris", movie("Solaris", 1972)), "json_ld"),
        seen(
            "d", page("other", movie("Solaris", 1972, imdb(69293), "https://www.themoviedb.org/movie/593")), "json_ld"
        ),
    )
    link(here)
    assert {film_of(here, name) for name in "abcd"} == {"Solaris 1972 tt0069293 593"}


def test_games_and_albums_are_no_films(here: Engine) -> None:
    record(here, listed("a", claim("Solaris", 1986, kind="video_game")), listed("b", claim("Solaris", 1986)))
    link(here)
    assert (film_of(here, "a"), film_of(here, "b")) == (None, "Solaris 1986")


# --- Which film -----------------------------------------------------------------------------------------------------


def test_two_films_with_one_title_stay_two(here: Engine) -> None:
    record(
        here,
        seen("a", page("1", SOLARIS), "json_ld"),
        seen("b", page("2", REMAKE), "json_ld"),
        seen("c", page("3"), alt="Solaris"),
        seen("d", page("4", movie("Solaris")), "json_ld"),
        seen("e", page("5", movie("Solaris", by="Soderbergh")), "json_ld"),
    )
    link(here)
    found = {name: film_of(here, name) for name in "abcde"}
    assert found == {"a": "Solaris 1972", "b": "Solaris 2002", "c": None, "d": None, "e": "Solaris 2002"}


def test_a_title_alone_means_the_only_film_until_there_is_another(here: Engine) -> None:
    record(here, seen("a", page("1", SOLARIS), "json_ld"), seen("b", page("2"), alt="Solaris poster"))
    link(here)
    assert film_of(here, "b") == "Solaris 1972"
    assert confidence_of(here, "b") < 0.5 < confidence_of(here, "a")
    record(here, seen("c", page("3", REMAKE), "json_ld"))
    assert link(here).links == 2
    assert film_of(here, "b") is None


def test_words_without_a_year_make_no_film_until_somebody_states_it(here: Engine) -> None:
    record(here, seen("a", page("1"), alt="Solaris poster"))
    assert link(here).films == 0
    record(here, seen("b", page("2", SOLARIS), "json_ld"))
    link(here)
    assert film_of(here, "a") == "Solaris 1972"


def test_the_same_title_and_year_with_other_ids_or_directors_is_another_film(here: Engine) -> None:
    record(
        here,
        seen("a", page("1", movie("Hamlet", 1990, imdb(1))), "json_ld"),
        seen("b", page("2", movie("Hamlet", 1990, imdb(2))), "json_ld"),
        seen("c", page("3", movie("Hamlet", 1990)), "json_ld"),
        seen("d", page("4", movie("Faust", 2000, by="Anna Amend")), "json_ld"),
        seen("e", page("5", movie("Faust", 2000, by="Berta Bohm")), "json_ld"),
        seen("f", page("6", movie("Faust", 2000, by="B. Bohm")), "json_ld"),
        seen("g", page("7", movie("Faust", 2000)), "json_ld"),
        seen("h", page("8", movie("Faust", 2000, kind="TVSeries")), "json_ld"),
    )
    assert link(here).films == 4
    found = shown(here)
    assert found[sha256_of("a")] != found[sha256_of("b")]
    assert film_of(here, "c") is film_of(here, "g") is film_of(here, "h") is None
    assert names(here) != {}
    with here.connect() as connection:
        of = dict(tuple(row) for row in connection.execute(select(film_mentions.c.digest, film_mentions.c.film_id)))
        assert len(set(of.values()) - {None}) == 4
    assert found[sha256_of("e")].keys() == found[sha256_of("f")].keys()


def test_years_may_differ_by_one_where_a_list_says_so(here: Engine) -> None:
    record(
        here,
        seen("a", page("1", movie("Stalker", 1979)), "json_ld"),
        seen("b", page("2", movie("Stalker", 1980)), "json_ld"),
        listed("c", claim("Metropolis", 1926)),
        seen("d", page("3", movie("Metropolis", 1927)), "json_ld"),
        seen("e", page("4", movie("Faust", 1926, imdb(16847))), "json_ld"),
        listed("f", claim("Faust", 1925)),
        listed("g", claim("Faust", 1924)),
        listed("h", claim("Nosferatu", 1922, imdb_id="tt0013442")),
        seen("i", page("5", movie("Nosferatu", 1921)), "json_ld"),
    )
    link(here)
    assert (film_of(here, "a"), film_of(here, "b")) == ("Stalker 1979", "Stalker 1980")
    assert film_of(here, "c") == film_of(here, "d")
    assert confidence_of(here, "c") < confidence_of(here, "d")
    assert film_of(here, "f") == film_of(here, "e") != film_of(here, "g")
    assert film_of(here, "i") == film_of(here, "h")


def test_films_that_turn_out_to_be_one_are_merged_into_the_older(engine: Engine) -> None:
    record(engine, seen("a", page("1", movie("Solaris", 1972)), "json_ld"))
    link(engine)
    record(engine, seen("b", page("2", movie("Солярис", 1972, imdb(69293))), "json_ld"))
    done = link(engine)
    assert (done.films, done.conflicts) == (2, 0)
    record(engine, seen("c", page("3", movie("Solaris", 1972, imdb(69293))), "json_ld"))
    done = link(engine)
    assert (done.films, done.changed.merged) == (1, 1)
    assert {film_of(engine, name) for name in "abc"} == {"Solaris 1972 tt0069293"}
    with engine.connect() as connection:
        assert list(connection.scalars(select(films.c.id))) == [1]
    assert conflicts_of(engine) == [("merged", "film 2, Солярис (1972), is this one")]
    assert link(engine).rows == 0


# --- What contradicts -----------------------------------------------------------------------------------------------


def test_an_image_of_two_films_is_a_conflict(here: Engine) -> None:
    record(
        here,
        seen("a", page("1", SOLARIS), "json_ld"),
        seen("a", page("2", movie("Stalker", 1979)), "json_ld"),
        seen("b", page("1", SOLARIS), "json_ld"),
    )
    assert link(here).conflicts == 1
    assert [kind for kind, _ in conflicts_of(here)] == ["image"]
    assert len(shown(here)[sha256_of("a")]) == 2
    before = everything(here)
    record(here, seen("c", page("3", SOLARIS), "json_ld"))
    link(here)
    assert everything(here)["film_conflicts"] == before["film_conflicts"]


def test_a_picture_of_many_films_shows_none(here: Engine) -> None:
    record(here, *(seen("logo", page(str(n), movie(f"Film number {n}", 1950 + n)), "open_graph") for n in range(6)))
    link(here)
    assert film_of(here, "logo") is None


def test_an_id_of_films_that_do_not_fit_is_nobodys(here: Engine) -> None:
    wrong = imdb(1)
    record(
        here,
        seen("a", page("1", movie("Solaris", 1972, wrong)), "json_ld"),
        seen("b", page("2", movie("Barbie", 2023, wrong)), "json_ld"),
        seen("c", page("3"), url="https://cdn.example/tt0000001.jpg"),
    )
    link(here)
    assert (film_of(here, "a"), film_of(here, "b"), film_of(here, "c")) == ("Solaris 1972", "Barbie 2023", None)
    assert conflicts_of(here) == [("facts", "imdb tt0000001 is said to be Barbie (2023) and Solaris (1972)")]


def test_one_wrong_link_among_many_takes_no_id_away(here: Engine) -> None:
    right = [movie(title, 1972, imdb(69293)) for title in ("Solaris", "Солярис", "Soljaris", "Solyaris")]
    record(
        here,
        *(seen(f"a{n}", page(f"1{n}", stated), "json_ld") for n, stated in enumerate(right)),
        seen("b", page("2", movie("Barbie", 2023, imdb(69293))), "json_ld"),
    )
    link(here)
    assert film_of(here, "b") == "Barbie 2023"
    assert "tt0069293" in (film_of(here, "a0") or "")
    assert [kind for kind, _ in conflicts_of(here)] == ["facts"]


def test_an_id_that_two_films_share_is_nobodys(here: Engine) -> None:
    shared = tmdb(593)
    record(
        here,
        seen("a", page("1", movie("Solaris", 1972, imdb(1), shared)), "json_ld"),
        seen("b", page("2", movie("Solaris", 2002, imdb(2), shared)), "json_ld"),
        seen("c", page("3", movie("Solaris", None, shared)), "json_ld"),
    )
    link(here)
    assert (film_of(here, "a"), film_of(here, "b")) == ("Solaris 1972 tt0000001", "Solaris 2002 tt0000002")
    assert film_of(here, "c") is None
    assert conflicts_of(here) == [("id", "tmdb 593 is said to be imdb tt0000001 and imdb tt0000002")]


def test_hostile_texts_are_stored_and_told(engine: Engine) -> None:
    name = "\x1b[31m=cmd|'/c calc'!A1\u202e<script>\ud800" + "x" * 100_000
    record(engine, seen("a", page("1", movie(name, 1999, "https://www.imdb.com/title/tt0000001/")), "json_ld"))
    link(engine)
    assert all(title.isprintable() and len(title) < 400 for title in names(engine).values())
    assert film_of(engine, "a") is not None


# --- Any order, any pieces ------------------------------------------------------------------------------------------

TITLES = ("Solaris", "Solyaris", "Faust")
statements = st.builds(
    lambda title, year, links, by: movie(title, year, *links, by=by),
    st.sampled_from(TITLES),
    st.sampled_from([None, 1971, 1972, 1980]),
    st.sampled_from([(), (), (imdb(1),), (imdb(2),), (tmdb(7),), (imdb(1), tmdb(7)), (imdb(2), tmdb(7)), (tmdb(8),)]),
    st.sampled_from(["", "", "Anna Amend", "Berta Bohm"]),
)
claims = st.builds(
    lambda title, year, number: claim(title, year, imdb_id=f"tt{number:07d}" if number else None),
    st.sampled_from(TITLES),
    st.sampled_from([None, 1971, 1973]),
    st.sampled_from([0, 1, 2]),
)
words = st.builds(
    lambda title, year: f"{title} ({year})" if year else title, st.sampled_from(TITLES), st.sampled_from([None, 1972])
)


@st.composite
def worlds(draw: st.DrawFn) -> list[Outcome]:
    said = draw(st.lists(st.one_of(statements, claims, words), min_size=2, max_size=7))
    outcomes = []
    for number, one in enumerate(said):
        if isinstance(one, str):
            outcomes.append(seen(f"p{number}", page(f"{number}"), alt=one))
        elif hasattr(one, "wiki"):
            outcomes.append(listed(f"p{number}", one))
        else:
            outcomes.append(seen(f"p{number}", page(f"{number}", one), "json_ld"))
    return outcomes


def parts(engine: Engine) -> dict[str, frozenset[str]]:
    """Which images are of one film, and how sure that is; whatever the films' numbers are."""
    return {sha256: frozenset(f"{film} {how:.3f}" for film, how in of.items()) for sha256, of in shown(engine).items()}


def linked(empty: Path, file: Path, *pieces: list[Outcome]) -> tuple[object, ...]:
    """What is found out of these, seen and linked piece by piece."""
    for engine in opened(empty, file):
        for piece in filter(None, pieces):
            record(engine, *piece)
            link(engine)
        assert link(engine).rows == 0
        told = [(kind, detail) for kind, detail in conflicts_of(engine) if kind != "merged"]
        return parts(engine), sorted(names(engine).values()), told
    raise AssertionError


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds(), data=st.data())
def test_neither_order_nor_pieces_matter(
    world: list[Outcome], data: st.DataObject, empty: Path, tmp_path: Path
) -> None:
    order = data.draw(st.permutations(world))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=3)))
    pieces = [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    expected = linked(empty, tmp_path / "one.db", world)
    assert linked(empty, tmp_path / "other.db", *pieces) == expected


def test_what_was_interrupted_goes_on(here: Engine) -> None:
    record(here, *(seen(f"p{n}", page(str(n), movie(f"Film {n}", 1950 + n)), "json_ld") for n in range(5)))
    note_sightings(here, lambda number: None)
    done = link(here)
    assert (done.sightings, done.films, done.images) == (0, 5, 5)
