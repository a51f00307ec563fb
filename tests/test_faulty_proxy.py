"""The proxy that does harm: what it passes on is unchanged, and each kind of harm is what it is said to be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from faulty_proxy import KINDS, SLOW_SECONDS, FaultyProxy
from google_emulator import GoogleEmulator

BODY = bytes(range(256)) * 40


class Upstream:
    """Answers with the body that it got; ``got`` lists host, path and what was read of the body."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, bytes]] = []
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                upstream.got.append((self.headers["Host"], self.path, body))
                self.send_response(200)
                self.send_header("X-Two", "a")
                self.send_header("X-Two", "b")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[FaultyProxy]:
    with FaultyProxy(upstream.url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultyProxy) -> Iterator[HTTPConnection]:
    client = HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    yield client
    client.close()


def put(client: HTTPConnection, path: str = "/a%20b?c=d") -> tuple[HTTPResponse, bytes]:
    client.request("PUT", path, BODY)
    answer = client.getresponse()
    return answer, answer.read()


def test_all_is_passed_on_over_one_connection(proxy: FaultyProxy, upstream: Upstream, client: HTTPConnection) -> None:
    answer, body = put(client)
    assert (answer.status, body) == (200, BODY)
    assert answer.headers.get_all("X-Two") == ["a", "b"]
    kept = client.sock
    client.request("PUT", "/chunks", iter([b"ab", b"cd"]), encode_chunked=True)
    assert client.getresponse().read() == b"abcd"
    assert client.sock is kept
    host = proxy.url.removeprefix("http://")
    assert upstream.got == [(host, "/a%20b?c=d", BODY), (host, "/chunks", b"abcd")]
    assert proxy.requests == [("PUT", "/a%20b?c=d"), ("PUT", "/chunks")]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(upstream: Upstream, kind: str) -> None:
    with FaultyProxy(upstream.url, rate=1.0, kinds=[kind]) as proxy:
        client = HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
        began = time.monotonic()
        try:
            answer, body = put(client)
            ended = f"{answer.status}"
            if kind == "slow":
                assert body == BODY
                assert time.monotonic() - began >= SLOW_SECONDS
        except ConnectionResetError:
            ended = "reset"
        except HTTPException as error:
            ended = type(error).__name__
        client.close()
    read = [len(body) for _, _, body in upstream.got]
    whole = len(BODY)
    assert (ended, read) == {
        "429": ("429", []),
        "500": ("500", []),
        "503": ("503", []),
        "reset": ("reset", []),
        "half_upload": ("reset", [whole // 2]),
        "lost_answer": ("reset", [whole]),
        "slow": ("200", [whole]),
        "cut_answer": ("IncompleteRead", [whole]),
    }[kind]
    assert proxy.faults == {kind: 1}


def test_faults_follow_from_the_seed(upstream: Upstream) -> None:
    def statuses(seed: int) -> list[int]:
        with FaultyProxy(upstream.url, rate=0.3, seed=seed, kinds=("429", "500", "503")) as proxy:
            client = HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
            met = [put(client)[0].status for _ in range(40)]
            client.close()
        assert sum(proxy.faults.values()) == sum(status != 200 for status in met)
        return met

    first = statuses(0)
    assert first == statuses(0)
    assert first != statuses(1)
    assert 5 <= sum(status != 200 for status in first) <= 20


def test_vanishing_and_coming_back(proxy: FaultyProxy, upstream: Upstream, client: HTTPConnection) -> None:
    put(client)
    proxy.vanish()
    for _ in range(2):  # the connection that was open, and a new one
        with pytest.raises((ConnectionError, HTTPException)):
            put(client)
        client.close()
    proxy.back()
    assert put(client)[0].status == 200
    assert len(upstream.got) == 2


def test_hanging(proxy: FaultyProxy, upstream: Upstream) -> None:
    proxy.hang()
    hasty = HTTPConnection(proxy.url.removeprefix("http://"), timeout=0.2)
    with pytest.raises(TimeoutError):
        put(hasty, "/hasty")
    hasty.close()
    patient = HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    patient.request("PUT", "/patient", BODY)
    proxy.back()
    assert patient.getresponse().read() == BODY
    patient.close()
    assert [path for _, path, _ in upstream.got] == ["/patient"]


def test_preconditions_of_google() -> None:
    def upload(client: HTTPConnection, query: str, text: bytes) -> int:
        client.request("POST", f"/upload/storage/v1/b/bucket/o?uploadType=media&name=a/%C3%A9.jpg{query}", text)
        answer = client.getresponse()
        answer.read()
        return answer.status

    def at_once(text: bytes) -> int:
        client = HTTPConnection(proxy.url.removeprefix("http://"), timeout=30)
        try:
            return upload(client, "&ifGenerationMatch=0", text)
        finally:
            client.close()

    with GoogleEmulator() as emulator, FaultyProxy(emulator.url, preconditions=True) as proxy:
        emulator.create_bucket("bucket")
        met: list[int] = []
        threads = [threading.Thread(target=lambda: met.append(at_once(b"x"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(met) == [200] + [412] * 7
        client = HTTPConnection(proxy.url.removeprefix("http://"), timeout=30)
        assert upload(client, "", b"y") == 200  # who does not ask for it gets what it sends
        client.close()
