"""What is forgotten is gone: rows, bytes, small pictures; and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from forget_world import FAUST, A, B, C, World, bytes_of, path_of, sha256_of
from sqlalchemy import Engine, func, select, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.image_patterns import count_patterns
from posterbot.catalogue.schema import (
    candidates,
    film_statements,
    images,
    pages,
    runs,
    sources,
)
from posterbot.catalogue.tombstones import laid
from posterbot.frontier.tombstones import image_tombstone, tombstones_of
from posterbot.stores import patient
from posterbot.stores.local import LocalStore
from posterbot.stores.store import UnavailableError
from posterbot.upkeep import forget as steps
from posterbot.upkeep import forget_erase
from posterbot.upkeep.forget_rows import read_wanted

SECRET = "https://images.example/secret.jpg"


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    world = World(engine, tmp_path / "w")
    world.fill()
    return world


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """As ``world``, on SQLite: for what is the same on any database."""
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    world = World(engine, tmp_path / "w")
    world.fill()
    yield world
    engine.dispose()


def refused(world: World, *urls: str) -> set[str]:
    """Those of ``urls`` that a crawl must not ask for."""
    with world.engine.connect() as connection:
        return {url for url in urls if laid(connection, tombstones_of(url))}


def count(world: World, table: Any, *conditions: Any) -> int:
    with world.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


# --- what goes, and what stays --------------------------------------------------------------------------------------


def test_an_image_by_its_hash(world: World) -> None:
    found = world.find(sha256s=[sha256_of("secret").upper()])
    assert (len(found.images), found.sightings, len(found.pages), found.elsewhere) == (1, 2, 0, 0)
    assert found.bytes == len(bytes_of("secret"))
    done = world.forget(sha256s=[sha256_of("secret")])
    assert (done.objects, done.sheets, done.lost_sheets) == (1, 1, 0)
    assert world.names(SECRET, sha256_of("secret")) == set()
    assert world.images() == {"shared", "other", "third", "faust"}
    assert count(world, images) == 4
    assert count(world, pages) == 4
    assert count(world, candidates) == 5
    with world.engine.connect() as connection:
        assert laid(connection, [image_tombstone(sha256_of("secret"))])
    assert refused(world, SECRET, "https://images.example/third.jpg") == {SECRET}


def test_an_image_by_its_url_is_forgotten_wherever_it_was_seen(world: World) -> None:
    found = world.find(urls=["http://images.example:80/shared.jpg?utm_source=x#top"])
    assert (len(found.images), found.sightings, found.elsewhere) == (1, 2, 1)
    world.forget(urls=["http://images.example:80/shared.jpg?utm_source=x#top"])
    assert world.names("shared.jpg", sha256_of("shared")) == set()
    assert world.images() == {"secret", "other", "third", "faust"}
    assert refused(world, "https://mirror.example/shared.jpg") == {"https://mirror.example/shared.jpg"}


def test_a_page(world: World) -> None:
    found = world.find(urls=[A.url])
    assert (len(found.images), found.sightings, len(found.pages), found.elsewhere) == (2, 4, 1, 1)
    world.forget(urls=[A.url])
    assert world.names(A.url, "Page A", SECRET, "shared", sha256_of("shared")) == set()
    assert world.images() == {"other", "third", "faust"}
    assert refused(world, A.url, SECRET, B.url) == {A.url, SECRET}
    smaller = "https://x.example/o.jpg"  # of the same picture as an image on B
    assert not refused(world, smaller)
    assert count(world, film_statements, film_statements.c.name == "Metropolis") == 1  # what page B states
    with world.engine.connect() as connection:
        assert connection.scalar(select(candidates.c.alternatives).where(candidates.c.url.like("%other%"))) == [smaller]
    world.forget(urls=["https://images.example/other.jpg"])
    assert refused(world, smaller)


def test_a_host(world: World) -> None:
    found = world.find(hosts=["A.example"])
    assert (len(found.images), len(found.pages), found.elsewhere) == (2, 1, 1)
    world.forget(hosts=["A.example"])
    assert world.names("a.example", SECRET, "shared") == set()
    assert world.images() == {"other", "third", "faust"}
    assert refused(world, "http://a.example:81/anything", B.url) == {"http://a.example:81/anything"}
    found = world.find(hosts=["images.example"])
    assert (len(found.images), len(found.pages), found.elsewhere) == (2, 0, 0)
    world.forget(hosts=["images.example"])
    assert world.names("images.example") == set()
    assert world.images() == {"faust"}
    assert count(world, sources, sources.c.name == "images.example") == 0


def test_what_the_gates_have_learned_of_a_host(world: World) -> None:
    with world.engine.begin() as connection:
        count_patterns(connection, [{("images.example", "rule", "/secret/{n}.jpg"): (3, 1)}])
    world.forget(hosts=["images.example"])
    assert world.names("images.example", "/secret/") == set()
    assert count(world, sources, sources.c.name == "images.example") == 0


def test_a_port_of_a_host(here: World) -> None:
    assert not here.find(hosts=["images.example:8080"]).images
    assert len(here.find(hosts=["images.example:443"]).images) == 4
    here.forget(hosts=["images.example:8080"])
    urls = "http://images.example:8080/x", "http://images.example/x", "https://images.example/x"
    assert refused(here, *urls) == {urls[0]}


def test_where_a_redirect_led(world: World) -> None:
    with world.engine.begin() as connection:
        moved = update(candidates).where(candidates.c.url.like("%third%"))
        connection.execute(moved.values(final_url="https://cdn_1.example/9.jpg"))
    assert len(world.find(urls=["https://cdn_1.example/9.jpg"]).images) == 1
    assert not world.find(hosts=["cdnx1.example"]).images
    world.forget(hosts=["cdn_1.example"])
    assert world.images() == {"secret", "shared", "other", "faust"}
    assert world.names("cdn_1", "third.jpg") == set()


@pytest.mark.parametrize("film", [" faust\t", "FAUST", "tt0016847"])
def test_a_film_of_a_list(world: World, film: str) -> None:
    world.forget(films=[film])
    assert world.names("Faust", "faust.jpg", sha256_of("faust")) == set()
    assert world.images() == {"secret", "shared", "other", "third"}
    article = f"https://wiki.example/wiki/{FAUST.title}"
    assert refused(world, article) == {article}


@pytest.mark.parametrize("film", ["nosferatu", "tt0013442"])
def test_a_film_of_a_page(world: World, film: str) -> None:
    world.forget(films=[film])
    assert world.names("Nosferatu", "tt0013442", C.url, "third.jpg") == set()
    assert world.images() == {"secret", "shared", "other", "faust"}


@pytest.mark.parametrize("film", ["tt001344", "Nosfer", "tt00134421"])
def test_no_film(here: World, film: str) -> None:
    before = here.dump()
    done = here.forget(films=[film])
    assert (done.objects, done.sheets) == (0, 0)
    assert here.dump() == before


def test_a_film_among_others_loses_its_name_only(world: World) -> None:
    """Of a page that states two films nobody knows which its pictures show; and of none of them is it the only one."""
    world.forget(films=["Metropolis"])
    assert world.names("Metropolis", A.url) == set()
    assert world.images() == {"other", "third", "faust"}
    with world.engine.connect() as connection:
        of_b = select(film_statements.c.name).join(pages).where(pages.c.url == B.url).order_by(film_statements.c.id)
        assert list(connection.scalars(of_b)) == ["", "M"]


def test_nothing_is_deleted_that_was_not_asked_for(world: World) -> None:
    before = world.dump()
    done = world.forget(urls=["https://nobody.example/x.jpg"], sha256s=["0" * 64], films=["No Such Film"])
    assert (done.objects, done.sheets) == (0, 0)
    left = [pair for pair in world.dump() if not pair[0].startswith("tombstones.")]
    assert left == before
    assert world.images() == {"secret", "shared", "other", "third", "faust"}
    assert refused(world, "https://nobody.example/x.jpg")


def test_sqlite_overwrites_what_was_deleted(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = here.engine.url.database
    assert SECRET.encode() in Path(file).read_bytes() + Path(f"{file}-wal").read_bytes()
    assert here.forget(urls=[SECRET]).log_cleared
    assert SECRET.encode() not in Path(file).read_bytes()
    assert not Path(f"{file}-wal").read_bytes()
    monkeypatch.setattr(forget_erase, "_BUSY_MS", 20)
    with here.engine.connect() as reader:  # as a crawl would
        reader.execute(select(images)).all()
        assert not here.forget(hosts=["c.example"]).log_cleared


def test_what_a_run_was_asked_for(world: World) -> None:
    given = {"start": f"{A.url}, {B.url}", "labels": "poster"}
    with world.engine.begin() as connection:
        connection.execute(update(runs).values(arguments=given, job=json.dumps({"start": given["start"]})))
    world.forget(urls=[C.url])
    with world.engine.connect() as connection:
        assert connection.execute(select(runs.c.arguments)).scalar_one() == given
    world.forget(hosts=["a.example"])
    with world.engine.connect() as connection:
        assert connection.execute(select(runs.c.arguments, runs.c.job)).one() == (
            {"start": B.url, "labels": "poster"},
            None,
        )


# --- bytes ----------------------------------------------------------------------------------------------------------


def test_all_that_a_store_has_of_it(here: World) -> None:
    path, sha256 = path_of("secret"), sha256_of("secret")
    for place in (path, f"dropped/{path}", f"lost+found/{path}", f"lost+found/dropped/{path}"):
        here.store.put_if_absent(place, b"x")
    here.store.put_if_absent("lost+found/aa/other.jpg", b"x")
    with here.engine.begin() as connection:
        of_it = update(images).where(images.c.sha256 == sha256)
        connection.execute(of_it.values(dropped_path=f"dropped/{path}", dropped_bytes=1))
    assert here.forget(sha256s=[sha256]).objects == 5
    assert here.names(sha256) == set()
    assert here.store.stat("lost+found/aa/other.jpg")


def test_an_orphan_by_its_hash(here: World) -> None:
    here.store.put_if_absent(f"ab/cd/{'abcd' * 16}.png", b"x")
    assert here.forget(sha256s=["abcd" * 16]).objects == 1


def test_several_stores(here: World, tmp_path: Path) -> None:
    second = LocalStore(str(tmp_path / "second"))
    second.put_if_absent(path_of("third"), b"x")
    found = here.find(urls=[C.url])
    done = steps.forget(here.engine, found, [here.store, second], here.folder / "spool", here.reports)
    assert done.objects == 2
    assert list(second.list()) == []


def test_where_no_object_is_the_store_is_the_wrong_one(here: World, tmp_path: Path) -> None:
    before = here.dump()
    wrong = LocalStore(str(tmp_path / "wrong"))
    for last in (False, True):
        found = here.find(urls=[C.url])
        if last:
            steps.forget(here.engine, found, [wrong], tmp_path / "none", here.reports)  # they are gone already
            break
        with pytest.raises(steps.ElsewhereError, match=r"none of the images is in .*wrong: give --store"):
            steps.forget(here.engine, found, [wrong], tmp_path / "none", here.reports)
        assert [pair for pair in here.dump() if not pair[0].startswith("tombstones.")] == before
    assert here.names(C.url) == set()


def test_a_store_that_is_away(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient, "BACKOFF_SECONDS", 0.001)
    answers = iter([UnavailableError("busy")] * 3)
    delete = here.store.delete

    def busy(path: str) -> bool:
        for error in answers:
            raise error
        return delete(path)

    monkeypatch.setattr(here.store, "delete", busy)
    assert here.forget(urls=[C.url]).objects == 1
    answers = iter([UnavailableError("busy")] * 300)
    with pytest.raises(UnavailableError):
        here.forget(urls=[B.url])
    assert B.url in dict.fromkeys(text for _, text in here.texts())
    answers = iter([])
    here.forget(urls=[B.url])
    assert here.names(B.url) == set()


def test_contact_sheets(here: World) -> None:
    first, second = here.sheet(1), here.sheet(2)
    second.parent.mkdir()
    second.write_text("of a run that never saw it")
    before = first.read_text()
    (first.parent / ".kept.html.17").write_text(before)
    here.forget(urls=[SECRET])
    after = first.read_text()
    assert (before.count("<figure"), after.count("<figure")) == (5, 4)
    assert second.read_text() == "of a run that never saw it"
    assert [file.name for file in first.parent.iterdir()] == ["kept.html"]


def test_a_contact_sheet_that_cannot_be_made_again_is_deleted(here: World) -> None:
    nobodys = here.sheet(77)  # of a run that is not in this catalogue
    nobodys.parent.mkdir()
    nobodys.touch()
    done = here.forget(urls=[SECRET])
    assert (done.sheets, done.lost_sheets, nobodys.exists()) == (1, 1, False)


# --- interrupted ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("wanted", [{"hosts": ["a.example"]}, {"urls": [A.url]}])
def test_interrupted_at_each_step_and_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, list[str]], when: str
) -> None:
    for step in (
        "delete_objects",
        "empty_sheets",
        "erase_traces",
        "erase_rows",
        "_erase_images",
        "_erase_pages",
        "erase_hosts",
        "write_sheets",
    ):
        original: Callable[..., Any] = getattr(steps, step)

        def die(*arguments: Any, original: Callable[..., Any] = original) -> None:
            if when == "after":
                original(*arguments)
            raise KeyboardInterrupt

        found = world.find(**wanted)
        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(steps, step, die)
            steps.forget(world.engine, found, [world.store], world.folder / "spool", world.reports)
        assert refused(world, A.url, SECRET) == {A.url, SECRET}
    assert world.images() == {"other", "third", "faust"}
    world.forget(**wanted)
    assert world.names("a.example", SECRET, "shared", sha256_of("secret"), sha256_of("shared"), "Page A") <= (
        {"sources.name"} if "urls" in wanted else set()
    )
    assert world.sheet(1).read_text().count("<figure") == 3


# --- what a person may type -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"urls": ["images.example/x.jpg"]}, "is no URL"),
        ({"urls": ["http://["]}, "is no URL"),
        ({"hosts": ["http://x.example/"]}, "is no host"),
        ({"sha256s": ["abc"]}, "is no sha256"),
        ({"films": ["  "]}, "title is empty"),
    ],
)
def test_what_cannot_be_meant(wanted: dict[str, list[str]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_wanted(**wanted)
    assert read_wanted(films=["TT0016847", " É "]).imdb_ids == {"tt0016847"}
    assert read_wanted(films=[" É "]).titles == {"é"}
