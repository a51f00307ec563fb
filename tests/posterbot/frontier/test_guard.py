"""Addresses that are not public, by every way a page or a name server might lead there: no connection is even tried."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from conftest import Answer, Site, encode, picture
from crawling import crawl
from scrapy.resolver import CachingHostnameResolver, HostResolution
from sqlalchemy import select
from twisted.internet.address import IPv4Address, IPv6Address

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import pages
from posterbot.frontier.addresses import Allowed
from posterbot.frontier.guard import Guard, PrivateAddress, named_of

ROOT = Path(__file__).parents[3]
PUBLIC = "127.0.1.1"
"""Stands for a public address: the crawls here allow it."""
PRIVATE = "127.0.9.9"

# What each name leads to, look-up by look-up; the last answer holds.
NAMES: dict[str, list[list[str]]] = {
    "public.test": [[PUBLIC]],
    "private.test": [[PRIVATE]],
    "rebinding.test": [[PUBLIC], [PRIVATE]],
    "mixed.test": [[PUBLIC, PRIVATE]],
    "private-first.test": [[PRIVATE, PUBLIC]],
    "mixed-too.test": [[PUBLIC, PRIVATE]],
    "private-first-too.test": [[PRIVATE, PUBLIC]],
    "all-private.test": [[PRIVATE, "::1", "0.0.0.0"]],
    "six.test": [["::1"]],
    "mapped.test": [["::ffff:127.0.9.9"]],
    "any.test": [["0.0.0.0"]],
    "any-six.test": [["::"]],
    "recovering.test": [[PRIVATE]] * 4 + [[PUBLIC]],
}


class Names(CachingHostnameResolver):
    """Twisted's resolver but for ``NAMES``. A crawl takes it from the setting DNS_RESOLVER."""

    def resolveHostName(self, resolutionReceiver: Any, hostName: str, portNumber: int = 0, *more: Any) -> Any:  # noqa: N802, N803
        name = hostName.rstrip(".")
        if name not in NAMES:
            return super().resolveHostName(resolutionReceiver, hostName, portNumber, *more)
        resolutionReceiver.resolutionBegan(HostResolution(hostName))
        for address in NAMES[name].pop(0) if len(NAMES[name]) > 1 else NAMES[name][0]:
            kind = IPv6Address if ":" in address else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolutionReceiver


SPELLED = """
    http://127.0.9.9:PORT/ http://127.1:PORT/ http://127.2313:PORT/ http://127.0.2313:PORT/ http://2130708745:PORT/
    http://0x7f000909:PORT/ http://0x7f.0.9.9:PORT/ http://0X7F.0x909:PORT/ http://0177.0.011.011:PORT/
    http://017700004411:PORT/ http://0177.0x0.9.011:PORT/ http://000000177.0.9.9:PORT/
    http://0:PORT/ http://0.0.0.0:PORT/ http://127.0.9.9.:PORT/ http://localhost:PORT/ http://LOCALHOST:PORT/
    http://localhost.:PORT/ http://a.localhost:PORT/
    http://[::1]:PORT/ http://[::]:PORT/ http://[0:0:0:0:0:0:0:1]:PORT/ http://[::ffff:127.0.9.9]:PORT/
    http://[::ffff:7f00:909]:PORT/ http://[0:0:0:0:0:FFFF:7F00:0909]:PORT/ http://[::127.0.9.9]:PORT/ http://[::1%lo]:PORT/
    http://[::1%25lo]:PORT/ http://[fe80::1%25lo]:PORT/
    http://good.test@127.0.9.9:PORT/ http://good.test:80@127.0.9.9:PORT/ http://127.0.9.9:PORT@127.0.9.9:PORT/
    http://①②⑦.⓪.⑨.⑨:PORT/ http://１２７.0.9.9:PORT/ http://127。0。9。9:PORT/ http://127.0.9.9:PORT#@good.test/
    http://127.0.9.9:PORT?@good.test/ http://127.0.9.9:PORT/../@good.test https://127.0.9.9:PORT/ http://127.0.9.9:0PORT/
    http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/
"""
"""Addresses of this machine: as the C library reads them, as Unicode reads them, and beside what looks like another."""

NOBODYS = """
    http://127%2E0%2E9%2E9:PORT/ http://%31%32%37.0.9.9:PORT/ http://127.0.9.9%00.good.test:PORT/
    http://127.0.9.9%0d%0a.good.test:PORT/ http://127.0.9.9\\@good.test:PORT/ http://good.test\\@127.0.9.9:PORT/
    http://127.0.0.1.9.9:PORT/ http://127.0.9.256:PORT/ http://[127.0.9.9]:PORT/ http://127.0.9.9:PORT:80/
    http://user@private.test:PORT/
"""
"""What others might take for such an address: here it is none."""

NAMED = """
    http://private.test:PORT/ http://PRIVATE.test.:PORT/ http://all-private.test:PORT/
    http://six.test:PORT/ http://mapped.test:PORT/ http://any.test:PORT/ http://any-six.test:PORT/
    http://ⓟrivate.test:PORT/ https://private.test:PORT/
"""
"""Names that lead to it."""


class Server(ThreadingHTTPServer):
    """Answers on all addresses of this machine, and notes on which it was connected to.

    ``/to/URL`` redirects to URL.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.connections: list[str] = []
        """The addresses that were connected to."""
        self.requests: list[str] = []
        try:
            self.address_family = socket.AF_INET6
            super().__init__(("::", 0), _Handler, bind_and_activate=False)
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            self.server_bind()
        except OSError:  # a machine without IPv6
            self.address_family = socket.AF_INET
            super().__init__(("0.0.0.0", 0), _Handler, bind_and_activate=False)
            self.server_bind()
        self.server_activate()
        self.port = self.server_address[1]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.connections.append(request.getsockname()[0].removeprefix("::ffff:"))
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # TLS is not spoken here

    def here(self, urls: str) -> list[str]:
        return urls.replace("PORT", str(self.port)).split()

    def moved(self, urls: Sequence[str]) -> list[str]:
        return [f"http://{PUBLIC}:{self.port}/to/{quote(url, safe='')}" for url in urls]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.send_response(302 if self.path.startswith("/to/") else 200)
        if self.path.startswith("/to/"):
            self.send_header("Location", unquote(self.path[4:]).encode().decode("latin-1"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@dataclass
class Outcome:
    of: dict[str, Any]
    """URL → status, or name of an error."""
    closed: list[str]
    states: dict[str, list[int]]
    """Host → failures in a row, bytes, requests."""


def ask(urls: Sequence[str], **settings: object) -> Outcome:
    """Ask for all, in a process with its own resolver: through the gate and the handler, on uvloop."""
    plan = {
        "settings": {
            "ALLOWED_PRIVATE_HOSTS": PUBLIC,
            "DNS_RESOLVER": "test_guard.Names",
            "DNSCACHE_ENABLED": False,
            "HOST_FAILURES": 1,
            "HOST_BACKOFF": 100,
            "DOWNLOAD_DELAY": 0,
            "RETRY_ENABLED": False,
            "DOWNLOAD_TIMEOUT": 5,
            "CONCURRENT_REQUESTS": 16,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
            **settings,
        },
        "urls": urls,
        "meta": {},
    }
    paths = [ROOT, ROOT / "tests", ROOT / "tests/posterbot"]
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("polite_crawl.py")],
        input=json.dumps(plan),
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["outcomes"].keys() == set(urls), "each is answered"
    return Outcome(said["outcomes"], said["once_closed"], said["states"])


@dataclass
class Refused:
    """What came of all tricks at once, with a resolver that knows of IPv6."""

    server: Server
    outcome: Outcome

    def of(self, urls: Sequence[str]) -> list[Any]:
        return [self.outcome.of[url] for url in urls]


def numbered(name: str, server: Server) -> list[str]:
    return [f"http://{name}:{server.port}/{number}" for number in range(5)]


@pytest.fixture(scope="module")
def refused() -> Iterator[Refused]:
    with serving() as server:
        tricks = server.here(SPELLED) + server.here(NAMED)
        repeated = numbered("rebinding.test", server) + numbered("recovering.test", server)
        twice = server.moved(server.moved([f"http://{PRIVATE}:{server.port}/"]))
        yield Refused(server, ask(tricks + server.moved(tricks + server.here(NOBODYS)) + twice + repeated))


def test_no_trick_leads_to_a_connection(refused: Refused) -> None:
    """By links, by redirects, by names that lead elsewhere the second time."""
    assert set(refused.server.connections) == {PUBLIC}


@pytest.mark.parametrize("trick", [*SPELLED.split(), *NAMED.split()])
def test_the_trick_is_refused(refused: Refused, trick: str) -> None:
    (url,) = refused.server.here(trick)
    assert refused.of([url, *refused.server.moved([url])]) == ["PrivateAddress"] * 2


@pytest.mark.parametrize("trick", NOBODYS.split())
def test_what_is_such_an_address_only_to_others(refused: Refused, trick: str) -> None:
    assert refused.of(refused.server.moved(refused.server.here(trick)))[0] in {
        "PrivateAddress",
        "ValueError",
        "CannotResolveHostError",
        302,  # not followed
    }


def test_a_redirect_behind_a_redirect(refused: Refused) -> None:
    assert refused.of(refused.server.moved(refused.server.moved([f"http://{PRIVATE}:{refused.server.port}/"]))) == [
        "PrivateAddress"
    ]


def test_a_name_that_leads_elsewhere_the_second_time(refused: Refused) -> None:
    """Each request is a connection of its own here, and each look-up counts for the one that follows it."""
    assert refused.of(numbered("rebinding.test", refused.server)) == [200] + ["PrivateAddress"] * 4


def test_a_refusal_is_no_failure_of_the_host(refused: Refused) -> None:
    """A single failure would close it for longer than anybody waits."""
    assert refused.of(numbered("recovering.test", refused.server)) == ["PrivateAddress"] * 4 + [200]
    assert refused.outcome.states["recovering.test"][0] == 0
    assert not refused.outcome.closed


def test_of_several_addresses_the_public_one_is_taken(server: Server) -> None:
    here = server.here("http://mixed.test:PORT/ http://private-first.test:PORT/")
    # Also where it does not answer: nothing listens there on this port.
    with socket.create_server((PRIVATE, 0)) as private:
        port = private.getsockname()[1]
        silent = [f"http://mixed-too.test:{port}/", f"http://private-first-too.test:{port}/"]
        outcome = ask(here + silent)
        private.settimeout(0)
        with pytest.raises(BlockingIOError):
            private.accept()
    assert outcome.of == dict.fromkeys(here, 200) | dict.fromkeys(silent, "PrivateAddress")
    assert server.connections == [PUBLIC] * 2


def test_with_scrapys_own_resolver(server: Server) -> None:
    urls = server.here(SPELLED)
    assert ask(urls, DNS_RESOLVER="scrapy.resolver.CachingThreadedResolver").of == dict.fromkeys(urls, "PrivateAddress")
    assert server.connections == []


def test_without_the_guard_all_this_leads_there(server: Server) -> None:
    """The tricks do work: what is refused above is refused by the guard, and can be allowed."""
    urls = server.here(SPELLED) + server.here(NAMED) + numbered("rebinding.test", server)
    outcome = ask(urls, ALLOWED_PRIVATE_HOSTS="0.0.0.0/0, ::/0", HOST_FAILURES=0)
    reached = [url for url in urls if outcome.of[url] == 200]
    assert len(reached) >= 40, outcome.of
    assert set(server.connections) >= {PUBLIC, PRIVATE, "127.0.0.1", "::1"}


def test_names_may_be_allowed(server: Server) -> None:
    urls = server.here("http://private.test:PORT/ http://all-private.test:PORT/ http://127.0.9.9:PORT/")
    outcome = ask(urls, ALLOWED_PRIVATE_HOSTS="private.test")
    assert [outcome.of[url] for url in urls] == [200, "PrivateAddress", "PrivateAddress"]
    assert server.connections == [PRIVATE]


def test_the_socket_itself_is_asked_before_anything_is_sent(server: Server) -> None:
    """Should no endpoint pass the door any more, as after some change in Twisted."""
    urls = server.here("http://private.test:PORT/ https://private.test:PORT/")
    outcome = ask(urls, DOWNLOAD_HANDLERS=dict.fromkeys(("http", "https"), "test_guard.Doorless"))
    assert outcome.of == dict.fromkeys(urls, "PrivateAddress")
    assert server.connections == [PRIVATE] * 2, "connected, and let go"
    assert server.requests == []


def Doorless(crawler: Any) -> Any:  # noqa: N802  # stands for a class
    from posterbot.frontier import guard
    from posterbot.frontier.handler import PoliteHandler

    guard._Door = lambda reactor, check: reactor  # type: ignore[assignment, misc]
    return PoliteHandler(crawler)


Doorless.from_crawler = Doorless  # type: ignore[attr-defined]


def test_a_proxy_is_not_asked_for_what_spells_a_private_address(server: Server) -> None:
    """Names are the proxy's to look up: nobody here sees where they lead."""
    urls = server.here(SPELLED)
    asked = "http://private.test/"
    outcome = ask(
        [*urls, asked], DOWNLOADER_MIDDLEWARES={"test_guard.Proxied": 760}, PROXY=f"http://{PUBLIC}:{server.port}"
    )
    assert outcome.of == dict.fromkeys(urls, "PrivateAddress") | {asked: 200}
    assert server.connections == [PUBLIC]


class Proxied:
    """Downloader middleware: what ``http_proxy`` in the environment would do."""

    def __init__(self, proxy: str) -> None:
        self.proxy = proxy

    @classmethod
    def from_crawler(cls, crawler: Any) -> Proxied:
        return cls(crawler.settings["PROXY"])

    def process_request(self, request: Any) -> None:
        request.meta["proxy"] = self.proxy


# --- What a person asked for in so many words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "named"),
    [
        ("http://127.0.0.1:8000/films", {("127.0.0.1", 8000)}),
        ("http://127.0.0.1/, https://[::1]/a", {("127.0.0.1", 80), ("::1", 443)}),
        ("http://LocalHost:81/", {("localhost", 81)}),
        ("http://10.0.0.7:80/,https://example.org/", {("10.0.0.7", 80)}),
        ("https://intranet.example/", set()),  # leads wherever its owner likes
        ("sample", {("127.0.0.1", None)}),
        ("pages.txt", set()),
        ("", set()),
    ],
)
def test_what_counts_as_named(start: str, named: set[Any]) -> None:
    assert named_of(start) == named


def test_what_was_named_is_that_host_and_port_only() -> None:
    guard = Guard(Allowed(), named_of("http://127.0.0.1:8000/,http://localhost:81/,http://10.0.0.7/,http://[::1]:82"))
    for host, port, address in [
        ("127.0.0.1", 8000, "127.0.0.1"),
        ("localhost", 81, "127.0.0.1"),
        ("localhost", 81, "::1"),
        ("10.0.0.7", 80, "10.0.0.7"),
        ("10.0.0.7", 80, "::ffff:10.0.0.7"),
        ("::1", 82, "::1"),
    ]:
        guard.check(host, port, address)
    for host, port, address in [
        ("127.0.0.1", 8001, "127.0.0.1"),
        ("127.0.0.2", 8000, "127.0.0.2"),
        ("evil.example", 8000, "127.0.0.1"),
        ("localhost", 81, "127.0.0.2"),
        ("localhost", 8000, "127.0.0.1"),
        ("10.0.0.7", 443, "10.0.0.7"),
        ("10.0.0.7", 80, "127.0.0.1"),
    ]:
        with pytest.raises(PrivateAddress, match=f"ALLOWED_PRIVATE_HOSTS={host}"):
            guard.check(host, port, address)


@pytest.fixture
def secret() -> Iterator[Site]:
    """A server that nobody asked for."""
    site = Site()
    site.page("/admin", "<title>keys</title>")
    site.image("/poster.jpg", encode(picture()))
    yield site
    site.close()


def moved(url: str) -> Answer:
    return Answer(status=302, headers={"Location": url})


@pytest.fixture
def other() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def test_pages_images_lists_and_robots_txt(site: Site, other: Site, secret: Site, tmp_path: Path) -> None:
    """Two sites that were named, and a list, lead to a server that was not."""
    disguised = secret.url.replace("127.0.0.1", "2130706433")
    site.page(
        "/",
        f"<a href='{secret.url}/admin'>a</a><a href=/go>b</a><a href=/stay>c</a><a href='{secret.url}/again'>d</a>"
        f"<img src='{secret.url}/poster.jpg'><img src=/moved.jpg><img src=/mine.jpg><img src='{disguised}/poster.jpg'>",
    )
    site.page("/stay", f"<base href='{secret.url}/'><img src=based.jpg><a href=based>a</a>")
    site["/go"], site["/moved.jpg"] = moved(f"{secret.url}/moved"), moved(f"{secret.url}/poster.jpg")
    site.image("/mine.jpg", encode(picture()))
    other["/robots.txt"] = moved(f"{secret.url}/robots.txt")
    rows = tmp_path / "list.txt"
    rows.write_text(f"{secret.url}/listed.jpg\n{secret.url}/listed\n")
    arguments = (f"start={site.url}/,{other.url}/", f"urls={rows}", "threshold=0.0001")
    words = [word for argument in arguments for word in ("-a", argument)]
    done = crawl(tmp_path, *words, ALLOWED_PRIVATE_HOSTS="", OPERATOR_CONTACT="x")
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    assert secret.asked == []
    assert set(site.asked) >= {"/", "/go", "/stay", "/moved.jpg", "/mine.jpg"}
    assert "/" not in other.asked
    reasons = {sighting.url: sighting.reason for sighting in done.sightings()}
    assert reasons.pop(f"{site.url}/mine.jpg") == "relevant"
    assert reasons == dict.fromkeys(
        [
            f"{site.url}/moved.jpg",
            f"{disguised}/poster.jpg",
            *(f"{secret.url}/{name}.jpg" for name in ("poster", "based", "listed")),
        ],
        "private_address",
    )
    engine = open_catalogue(done.catalogue, must_exist=True)
    with engine.connect() as connection:
        found = dict(connection.execute(select(pages.c.url, pages.c.reason).where(pages.c.reason.is_not(None))).all())
    engine.dispose()
    lost = [
        f"{other.url}/",
        *(f"{secret.url}/{name}" for name in ("admin", "again", "based", "listed", "moved")),
    ]
    assert found == dict.fromkeys(lost, "private_address")


def test_the_sample_site_needs_no_permission(tmp_path: Path) -> None:
    done = crawl(tmp_path, "-a", "start=sample", ALLOWED_PRIVATE_HOSTS="", CLOSESPIDER_ITEMCOUNT=3)
    assert done.code == 0, done.output
    assert "relevant" in done.reasons().values()
