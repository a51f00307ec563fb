"""By its hash it is known again, however it is written; and nothing else is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.rows import url_key
from posterbot.catalogue.schema import tombstones
from posterbot.catalogue.tombstones import HOST, IMAGE, URL, any_tombstones, forgotten, laid, lay_tombstones
from posterbot.frontier.tombstones import (
    host_of,
    host_tombstone,
    image_tombstone,
    read_host,
    tombstone,
    tombstones_of,
    url_tombstone,
)

FILM = "https://site.example/film/1?a=1&b=%C3%A9"


@pytest.mark.parametrize(
    "url",
    [
        "http://site.example/film/1?a=1&b=%C3%A9",
        "https://SITE.example:443/film/1?a=1&b=%C3%A9",
        "https://site.example./film/1?a=1&b=%C3%A9",
        "https://site.example/film/1?b=%c3%a9&a=1",
        "https://site.example/film/1?a=1&b=é",
        "https://site.example/x/../film/1?a=1&b=é#poster",
        "https://site.example/film/1;jsessionid=0123456789ABCDEF?a=1&utm_source=mail&b=%C3%A9",
    ],
)
def test_other_spellings(url: str) -> None:
    assert url_tombstone(url) == url_tombstone(FILM)


@pytest.mark.parametrize(
    "url",
    [
        "https://site.example/film/2?a=1&b=%C3%A9",
        "https://site.example/Film/1?a=1&b=%C3%A9",
        "https://site.example:8443/film/1?a=1&b=%C3%A9",
        "https://www.site.example/film/1?a=1&b=%C3%A9",
        "https://site.example/film/1?a=1",
        "https://site.example/film/1",
    ],
)
def test_other_urls(url: str) -> None:
    assert url_tombstone(url) != url_tombstone(FILM)


def test_a_url_of_which_the_catalogue_has_the_beginning() -> None:
    url = "https://site.example/" + "é" * 3000
    assert url_key(url) != url
    assert url_tombstone(url) == url_tombstone(url_key(url)) != url_tombstone(url + "é")


@given(st.text() | st.builds("http://{}/{}".format, st.text(), st.text(max_size=20)))
def test_any_text(text: str) -> None:
    assert len(url_tombstone(text)) == 32
    assert url_tombstone(text) in tombstones_of(text)
    assert url_tombstone(url_key(text)) == url_tombstone(text)


def test_kinds_are_apart() -> None:
    assert len({tombstone(kind, "x") for kind in (URL, HOST, IMAGE)}) == 3
    assert image_tombstone("AB" * 32) == image_tombstone("ab" * 32)


def test_hosts() -> None:
    hashes = tombstones_of("http://a.example:8080/x")
    assert {host_tombstone(("a.example", None)), host_tombstone(("a.example", 8080))} < hashes
    assert host_tombstone(("a.example", 443)) in tombstones_of("https://a.example/x")
    assert host_tombstone(("a.example", None)) not in tombstones_of("https://b.a.example/x")
    assert host_of("https://[::1]/x") == ("::1", 443)
    assert [host_of(url) for url in ("file:///x", "x", "http://[", "http:///x", "http://x:70000/")] == [None] * 5


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("A.example", ("a.example", None)),
        (" a.example:8080 ", ("a.example", 8080)),
        ("::1", ("::1", None)),
        ("[::1]:80", ("::1", 80)),
        ("bücher.example", ("xn--bcher-kva.example", None)),
    ],
)
def test_a_host_as_people_write_it(text: str, host: tuple[str, int | None]) -> None:
    assert read_host(text) == host


@pytest.mark.parametrize("text", ["", "http://a.example/", "a.example/x", "a b", "a:b", "u@a.example", "a?b", "a#b"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        read_host(text)


def test_in_the_catalogue(catalogue_url: str) -> None:
    engine = open_catalogue(catalogue_url)
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    assert recorder.call(any_tombstones, None).result() is False
    hashes = [tombstone(URL, str(number)) for number in range(1200)]
    for _ in range(2):
        with engine.begin() as connection:
            lay_tombstones(connection, URL, hashes[:1100])
            lay_tombstones(connection, HOST, [])
    assert recorder.call(any_tombstones, None).result() is True
    asked = [recorder.call(forgotten, each) for each in (hashes[1090:1095], hashes[1100:], (), set(hashes))]
    assert [future.result() for future in asked] == [True, False, False, True]
    recorder.close("finished")
    with engine.connect() as connection:
        assert laid(connection, hashes) == set(hashes[:1100])
        assert {len(bytes(row.hash)) for row in connection.execute(tombstones.select())} == {32}
    engine.dispose()
