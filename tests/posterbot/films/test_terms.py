"""What sources allow."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from film_world import page, record, seen
from sqlalchemy import Engine

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.terms import (
    UNKNOWN,
    SourceError,
    Terms,
    domains_of,
    effective_terms,
    list_terms,
    set_terms,
    terms_of,
)
from posterbot.cli_terms import terms


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """On SQLite; for what changes nothing."""
    engine = open_catalogue(f"sqlite:///{tmp_path_factory.mktemp('terms')}/catalogue.db")
    yield engine
    engine.dispose()


def run(engine: Engine, *arguments: str) -> Result:
    return CliRunner().invoke(terms, [*arguments, "--catalogue", engine.url.render_as_string(hide_password=False)])


def test_terms_of_a_domain_hold_for_what_is_below_it(engine: Engine) -> None:
    set_terms(engine, "Example.ORG.", {"ml_allowed": True, "max_age_days": 30})
    set_terms(engine, "https://images.example.org:8080/x", {"ml_allowed": False, "attribution": "Anna"})
    effective = effective_terms(engine)
    assert effective("example.org") == Terms(ml_allowed=True, max_age_days=30)
    assert effective("images.example.org") == Terms(ml_allowed=False, attribution="Anna", max_age_days=30)
    assert effective("a.images.example.org").ml_allowed is False
    assert effective("other.example.org").ml_allowed is True
    assert effective("notexample.org") == effective("org") == effective("10.0.0.1") == effective("") == UNKNOWN
    set_terms(engine, "images.example.org", {"ml_allowed": None})
    assert effective_terms(engine)("images.example.org").ml_allowed is True


def test_what_a_person_records_goes_before_what_is_shipped(engine: Engine) -> None:
    effective = effective_terms(engine)
    tmdb = effective("image.tmdb.org")
    assert (tmdb.ml_allowed, tmdb.redistributable, tmdb.max_age_days) == (False, None, 180)
    assert tmdb.attribution
    assert tmdb.terms_url
    assert effective("www.imdb.com") == effective("m.media-amazon.com")
    assert effective("www.imdb.com").ml_allowed is effective("www.imdb.com").redistributable is False
    assert effective("tmdb.org") == UNKNOWN
    set_terms(engine, "image.tmdb.org", {"ml_allowed": True})
    assert effective_terms(engine)("image.tmdb.org").ml_allowed is True
    assert effective_terms(engine)("image.tmdb.org").max_age_days == 180
    set_terms(engine, "imdb.com", {"redistributable": True})
    assert effective_terms(engine)("www.imdb.com").redistributable is True


def test_sources_are_listed_with_their_images(engine: Engine) -> None:
    record(engine, seen("a", page("1")), seen("b", page("1")), seen("c", page("1"), url="https://other.example/c.jpg"))
    set_terms(engine, "nobody.example", {"terms_url": "https://nobody.example/terms"})
    found = [(one.source, one.images) for one in list_terms(engine)]
    assert found == [("images.example", 2), ("other.example", 1), ("nobody.example", 0)]
    assert terms_of(engine, "images.example").images == 2


@pytest.mark.parametrize("name", ["", " ", "a b", "http://", "-" * 300, "http://[::1", "ex\x00ample"])
def test_what_is_no_source_is_said(empty: Engine, name: str) -> None:
    with pytest.raises(SourceError) as error:
        set_terms(empty, name, {"ml_allowed": True})
    assert "\n" not in str(error.value)
    assert list(list_terms(empty)) == []


def test_domains() -> None:
    assert list(domains_of("a.b.example.org")) == ["a.b.example.org", "b.example.org", "example.org"]
    assert list(domains_of("127.0.0.1")) == ["127.0.0.1"]
    assert list(domains_of("file:///a.b.c/list.csv")) == ["file:///a.b.c/list.csv"]
    assert len(list(domains_of("." * 1000))) < 2


def test_the_command(engine: Engine) -> None:
    assert run(engine).output == "no images were seen yet\n"
    record(engine, seen("a", page("1")))
    assert [line.split() for line in run(engine).output.splitlines()[1:]] == [
        ["images.example", "1", "unknown", "unknown"]
    ]
    given = ("--ml-allowed", "yes", "--redistributable", "no", "--max-age-days", "90", "--attribution", "Foto: Ä")
    done = run(engine, "images.example", *given, "--terms-url", "https://images.example/terms")
    assert done.exit_code == 0, done.output
    assert "attribution      Foto: Ä" in done.output
    shown = json.loads(run(engine, "images.example", "--json").output)
    assert (
        shown["own"]
        == shown["effective"]
        == {
            "ml_allowed": True,
            "redistributable": False,
            "attribution": "Foto: Ä",
            "max_age_days": 90,
            "terms_url": "https://images.example/terms",
        }
    )
    run(engine, "images.example", "--max-age-days", "unknown", "--attribution", "", "--ml-allowed", "unknown")
    left = json.loads(run(engine, "images.example", "--json").output)["own"]
    assert [left[name] for name in ("ml_allowed", "attribution", "max_age_days")] == [None, None, None]
    assert left["redistributable"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ("--ml-allowed", "yes"),
        ("a b", "--ml-allowed", "yes"),
        ("example.org", "--ml-allowed", "maybe"),
        ("example.org", "--max-age-days", "0"),
        ("example.org", "--max-age-days", "١"),
        ("example.org", "--terms-url", "example.org/terms"),
        ("example.org", "--terms-url", "https://[x"),
        ("example.org", "--attribution", "a\nb"),
    ],
)
def test_wrong_usage(empty: Engine, arguments: tuple[str, ...]) -> None:
    done = run(empty, *arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert list(list_terms(empty)) == []
