from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from posterbot.sample.server import ALIASES, REDIRECTS, REFUSALS, SITE, WRONG_TYPES, SampleSite


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with SampleSite() as site:
        yield site.start()


def ask(base: str, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_serves_every_file_with_its_type(base: str) -> None:
    for file in SITE.rglob("*.*"):
        if file.is_file():
            path = "/" + file.relative_to(SITE).as_posix()
            response, body = ask(base, path)
            assert response.status == 200, path
            kind = response.headers["Content-Type"].partition(";")[0]
            expected = {".jpg": "image/jpeg", ".png": "image/png", ".html": "text/html"}.get(file.suffix)
            assert expected is None or kind == WRONG_TYPES.get(path, expected), path
            if file.suffix not in {".html", ".txt", ".xml"}:
                assert body == file.read_bytes(), path


def test_special_answers(base: str) -> None:
    for path, (status, location) in REDIRECTS.items():
        response, _ = ask(base, path)
        assert (response.status, response.headers["Location"]) == (status, location)
    for path, status in REFUSALS.items():
        assert ask(base, path)[0].status == status
    for path, target in ALIASES.items():
        assert ask(base, path)[1] == ask(base, target)[1]
    response, _ = ask(base, "/posters/house-of-ash.jpg")
    assert response.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py",
        "/posters/../../server.py",
        "/%2e%2e/server.py",
        "/..%2fserver.py",
        "/posters/..%5c..%5cserver.py",
        "//etc/passwd",
        "/./index.html",
        "/posters",
        "/nothing.html",
        "/%00",
    ],
)
def test_refuses_what_is_not_in_the_folder(base: str, path: str) -> None:
    assert ask(base, path)[0].status == 404


def test_index_head_query_and_revalidation(base: str) -> None:
    assert ask(base, "/")[1] == ask(base, "/index.html?a=b")[1]
    whole, body = ask(base, "/posters/perihelion.jpg?w=1")
    head, nothing = ask(base, "/posters/perihelion.jpg", "HEAD")
    assert (int(head.headers["Content-Length"]), nothing) == (len(body), b"")
    again, nothing = ask(base, "/posters/perihelion.jpg", **{"If-None-Match": whole.headers["ETag"]})
    assert (again.status, nothing) == (304, b"")


def test_one_connection_serves_many_requests(base: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
    for path, status in (
        ("/", 200),
        ("/programme", 301),
        ("/media/broken.jpg", 500),
        ("/lost", 404),
        ("/style.css", 200),
    ):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.status == status
    connection.close()


def test_pages_name_the_host_they_are_served_from(base: str) -> None:
    host = urlsplit(base).netloc.encode()
    for path in ("/films/footlights.html", "/robots.txt", "/sitemap.xml", "/films/the-zurich-file.html"):
        body = ask(base, path)[1]
        assert host in body
        assert b"sample.invalid" not in body


def test_starts_fast_on_a_given_port_and_closes() -> None:
    began = time.perf_counter()
    site = SampleSite()
    address = site.start()
    assert time.perf_counter() - began < 0.1 * 5  # five times the aim: test machines are busy
    assert site.start() == address
    port = urlsplit(address).port or 0
    site.close()
    site.close()
    with SampleSite(port) as second:
        assert second.start() == address
        with pytest.raises(OSError, match="in use"):
            SampleSite(port).start()
    with pytest.raises(ConnectionRefusedError):
        ask(address, "/")


def test_importing_the_server_imports_no_pillow_and_no_numpy() -> None:
    code = "import sys, posterbot.sample.server; print({'PIL', 'numpy', 'scrapy'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
