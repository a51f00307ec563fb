"""Who gets in, and what is never said."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from serve_http import Client
from serve_world import TOKEN, World
from sqlalchemy import func, select

from posterbot.catalogue.schema import policies

PAGES = [
    "/",
    "/quality",
    "/duplicates",
    "/export",
    "/crawl/live",
    "/crawl/preview?threshold=0.5&label=poster",
    "/nothing",
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"), 6)
    yield world
    world.close()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[Client]:
    with world.served(hosts=("crawler.example",)) as address:
        yield Client(address)


def policies_of(world: World) -> int:
    with world.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(policies)) or 0


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_without_the_token(client: Client, path: str) -> None:
    for cookie in ("", f"posterbot-{client.port}=wrong", f"posterbot-1={TOKEN}", f"posterbot-{client.port}={TOKEN}x"):
        said = client.ask(path, Cookie=cookie)
        assert said.status == 401
        assert "?token=" in said.text
        assert 'name="csrf" content=""' in said.text
        assert "poster " not in said.text
    assert client.ask("/?token=wrong").status == 401
    assert client.ask(f"/?token={TOKEN}", "POST", b"").status == 401, "a token in the URL is for the first look only"


def test_the_token_becomes_a_cookie_and_leaves_the_address(client: Client) -> None:
    said = client.ask(f"/quality?a=1&token={TOKEN}&b=%20")
    assert said.status == 303
    assert said.headers["location"] == "/quality?a=1&b=+"
    cookie = said.headers["set-cookie"]
    assert cookie.startswith(f"posterbot-{client.port}={TOKEN};")
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert client.ask(f"//evil.example/?token={TOKEN}").headers["location"].startswith("/evil.example")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "10.0.0.1", "[::2]"]
)
def test_a_name_that_was_made_to_point_here_is_refused(client: Client, host: str) -> None:
    assert client.get("/", Host=host).status in (400, 421)
    assert client.ask(f"/?token={TOKEN}", Host=host).status in (400, 421), "not even with the token"
    assert client.ask("/static/style.css", Host=host).status in (400, 421)


def test_names_of_this_server_are_taken(client: Client) -> None:
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]", "crawler.example"):
        assert client.get("/", Host=f"{name}:{client.port}").status == 200


def test_two_hosts_in_one_request_are_refused(client: Client) -> None:
    with socket.create_connection(("127.0.0.1", client.port), 10) as connection:
        connection.sendall(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\nHost: evil.example\r\n"
            f"Cookie: {client.cookie['Cookie']}\r\nConnection: close\r\n\r\n".encode()
        )
        assert connection.recv(100).split()[1] == b"400"


def test_what_changes_something_comes_from_our_own_pages(client: Client, world: World) -> None:
    before = policies_of(world)
    wish = {"label": "poster", "threshold": "0.7", "past": "yes"}
    refused = [
        client.post("/crawl/policy", wish, csrf=""),
        client.post("/crawl/policy", wish, csrf="0" * 64),
        client.post("/crawl/policy", wish, Origin="https://evil.example"),
        client.post("/crawl/policy", wish, Origin="null"),
        client.post("/crawl/policy", wish, Origin=f"http://127.0.0.1:{(client.port or 0) + 1}"),
        client.post("/crawl/policy", wish, Sec_Fetch_Site="cross-site"),
        client.post("/crawl/policy", wish, Sec_Fetch_Site="same-site"),
        client.post("/crawl/policy", wish, Cookie=""),
        client.post("/crawl/policy", wish, Content_Type="text/plain"),
        client.get("/crawl/policy?label=poster&threshold=0.7&past=yes"),
        client.ask("/crawl/policy", "PUT", b"", **client.cookie),
    ]
    assert [said.status for said in refused] == [403, 403, 403, 403, 403, 403, 403, 401, 415, 405, 405]
    assert policies_of(world) == before
    assert client.post("/crawl/policy", wish).status == 200
    assert policies_of(world) == before + 1


def test_a_form_of_any_size_or_kind_is_an_answer(client: Client) -> None:
    assert client.post("/crawl/policy", {"label": "x" * 2_000_000}).status == 413
    assert client.post("/crawl/policy", {"label": ["x"] * 3000}).status == 400
    form = client.cookie | client.origin | {"Content_Type": "application/x-www-form-urlencoded"}
    for body in (b"", b"\xff\xfe", b"csrf=%ff%fe", b"&&&===", b"csrf"):
        assert client.ask("/crawl/policy", "POST", body, **form).status in (400, 403)


@pytest.mark.parametrize("path", [*PAGES, "/static/style.css", "/static/nothing.css", "/?run=0", "/?run=99"])
def test_every_answer_has_its_headers(client: Client, path: str) -> None:
    for said in (client.get(path), client.ask(path), client.get(path, Host="evil.example"), client.post(path, {})):
        policy = said.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert said.headers["x-content-type-options"] == "nosniff"
        assert said.headers["referrer-policy"] == "same-origin"
        assert "server" not in said.headers
        assert "access-control-allow-origin" not in said.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%00",
        "/image/../../catalogue.db",
        "/image/..%2f..%2fcatalogue.db",
        "/image/" + "A" * 64,
        "/image/" + "0" * 63,
        "/image/" + "0" * 64 + "%0a",
        "/thumbnails/..%2f" + "0" * 64 + ".jpg",
        "/thumbnails/" + "g" * 64 + ".jpg",
    ],
)
def test_paths_lead_nowhere(client: Client, path: str) -> None:
    said = client.get(path)
    assert said.status in (400, 404)
    assert "import" not in said.text
    assert "root:" not in said.text


def test_what_goes_wrong_is_told_in_the_terminal_and_not_on_the_page(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("a secret of the program")

    with world.served(clock=broken) as address:
        said = Client(address).get("/")
        asked = Client(address).get("/", Accept="application/json")
    assert said.status == asked.status == 500
    assert "secret" not in said.text + asked.text
    assert "Traceback" not in said.text + asked.text
    assert said.headers["content-security-policy"]
    assert "a secret of the program" in caplog.text


def test_a_catalogue_that_is_gone_is_one_line(tmp_path: Path) -> None:
    world = World(tmp_path, 1)
    with world.served() as address:
        with world.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE runs RENAME TO gone")
        said = Client(address).get("/", Accept="application/json")
    world.close()
    assert said.status == 503
    assert "Traceback" not in said.text
    assert len(said.text.splitlines()) == 1


HOSTILE = [
    "", "%00", "%ff%fe", "%ED%A0%80", "'; DROP TABLE runs; --", "../../etc/passwd", "9" * 400, "-1", "1e309", "NaN",
    "%D9%A3", "<script>alert(1)</script>", "x" * 5000, "a=b", "(" * 300, "{{ 7 * 7 }}", "%0d%0aSet-Cookie: a=b", "true",
]  # fmt: skip
ASKED = {
    "/": ["run", "said"],
    "/crawl/live": ["run"],
    "/crawl/preview": ["run", "label", "labels", "threshold"],
    "/duplicates": ["kind"],
    "/export": ["format", "out", "where", "size", "fit", "split"],
    "/export/preview": ["format", "out", "where", "size", "fit", "split"],
}


@pytest.mark.parametrize("path", ASKED)
def test_whatever_is_asked_the_answer_is_none_of_a_program(client: Client, world: World, path: str) -> None:
    before = policies_of(world)
    good = {"format": "csv", "out": "x", "threshold": "0.5", "label": "poster"}
    for name in ASKED[path]:
        for value in HOSTILE:
            rest = "&".join(f"{key}={word}" for key, word in good.items() if key != name)
            said = client.get(f"{path}?{name}={value.replace(' ', '+')}&{rest}")
            assert said.status in (200, 400, 404), (name, value, said.text)
            assert "Traceback" not in said.text
            if said.headers["content-type"].startswith("text/html"):
                assert "<script>alert" not in said.text
            else:
                assert said.headers["content-type"] == "application/json"
            assert "set-cookie" not in said.headers
    assert policies_of(world) == before
