"""A film that is forgotten leaves no title, no id and no link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from forget_world import METROPOLIS, A, C, World, path_of, sha256_of
from sqlalchemy import Engine, func, select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Film, Page
from posterbot.catalogue.schema_films import (
    film_conflicts,
    film_ids,
    film_mentions,
    film_sightings,
    film_titles,
    films,
    image_films,
)
from posterbot.films.importing import import_table
from posterbot.films.link import link
from posterbot.similarity.index import index_file

OF_FILMS = (films, film_ids, film_titles, film_mentions, film_sightings, image_films, film_conflicts)
TABLE = "imdb_id,title,year\ntt0017136,Metropolis,1927\ntt0017136,Метрополис,1927\ntt0013442,Nosferatu,1922\n"


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    world = World(engine, tmp_path / "w")
    world.fill()
    # Their words name the films; one picture shows two of them.
    of_nosferatu = Page("https://c.example/film/3", 200, "Page C", films=C.films)
    of_m = Page("https://e.example/m", 200, films=(Film("Movie", "M", 1931),))
    gallery = Page("https://d.example/gallery", 200, "Gallery", films=(METROPOLIS, Film("Movie", "Orlacs Hände", 1924)))
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    recorder.together(
        [
            world.seen("third", of_nosferatu, alt="Nosferatu"),
            world.seen("secret", A, alt="Metropolis"),
            world.seen("other", gallery, alt="Metropolis"),
            world.seen("other", of_m, alt="M"),
        ]
    )
    recorder.close("finished")
    table = tmp_path / "films.csv"
    table.write_text(TABLE)
    import_table(engine, table)
    return world


def count(world: World, table: object) -> int:
    with world.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def titles(world: World) -> set[str]:
    with world.engine.connect() as connection:
        return set(connection.scalars(select(films.c.title)))


def places(world: World, *words: str) -> set[str]:
    return {name for name in world.names(*words) if name.partition(".")[0] in {table.name for table in OF_FILMS}}


def test_a_film_by_its_title_goes_under_all_its_names(world: World) -> None:
    assert titles(world) == {"Metropolis", "Nosferatu", "Faust", "M"}
    assert places(world, "Метрополис", "Metropolis", "tt0017136")
    world.forget(films=["METROPOLIS"])
    assert places(world, "Метрополис", "Metropolis", "tt0017136") == set()
    assert titles(world) == {"Nosferatu", "Faust", "M"}
    # The picture that also shows another film stays, and shows that.
    link(world.engine)
    assert titles(world) == {"Nosferatu", "Faust", "M"}
    assert places(world, "Метрополис", "Metropolis", "tt0017136") == set()
    with world.engine.connect() as connection:
        asked = select(films.c.title).join(image_films, image_films.c.film_id == films.c.id)
        assert sorted(connection.scalars(asked)) == ["Faust", "M", "Nosferatu"]


def test_a_film_by_its_id(world: World) -> None:
    world.forget(films=["tt0013442"])
    assert places(world, "Nosferatu", "tt0013442") == set()
    assert titles(world) == {"Metropolis", "Faust", "M"}


def test_what_was_said_on_a_page_goes_with_it_and_what_a_table_says_stays(world: World) -> None:
    before = count(world, film_mentions)
    world.forget(urls=["https://e.example/m"], hosts=["wiki.example"])
    assert titles(world) == {"Metropolis", "Nosferatu"}
    assert count(world, film_mentions) < before
    assert places(world, "Faust", "tt0016847") == set()
    link(world.engine)
    assert titles(world) == {"Metropolis", "Nosferatu"}


def test_an_image_goes_with_its_links_and_conflicts(world: World) -> None:
    assert count(world, film_conflicts) > 0
    world.forget(sha256s=[sha256_of("other")])
    assert count(world, film_conflicts) == 0
    assert path_of("other") not in {text for _, text in world.texts()}
    assert titles(world) == {"Metropolis", "Nosferatu", "Faust"}


def test_the_index_of_embeddings_goes(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = index_file(world.engine)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"embeddings")
    world.forget(films=["Metropolis"])
    assert not file.exists()
