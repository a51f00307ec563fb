"""A proxy between a client and an emulator that does to requests what networks and clouds do to them."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import re
import select
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import parse_qs, quote, unquote, urlsplit

KINDS = ("429", "500", "503", "reset", "half_upload", "lost_answer", "slow", "cut_answer")
"""What may happen to a request:

- ``429``, ``500``, ``503``: that is the answer; upstream sees nothing.
- ``reset``: the connection is reset; upstream sees nothing.
- ``half_upload``: upstream gets half of the body, then both connections are cut.
- ``lost_answer``: upstream does it all, then the client's connection is reset.
- ``slow``: the answer takes SLOW_SECONDS longer.
- ``cut_answer``: half of the answer's body comes (without one, not even its status), then the connection is closed.
"""
SLOW_SECONDS = 0.3

_SHOWN = {"429": "Too Many Requests", "500": "Internal Server Error", "503": "Service Unavailable"}
_PIECES = 8
_UPSTREAM_SECONDS = 60
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "expect"}
_ON, _GONE, _HANGING, _CLOSED = range(4)


class _ResetError(Exception):
    """The client's connection is to be reset."""


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    head: bytes
    """As it goes upstream, with the empty line."""
    body: bytes
    """As it came: chunked, if it was."""
    last: bool
    """The client does not want the connection any longer."""


@dataclass(frozen=True)
class _Answer:
    head: bytes
    body: bytes


class FaultyProxy:
    """HTTP/1.1 on loopback, with connections kept alive. Which request meets which fault follows from ``seed``.

    Attributes:
        url: of the proxy.
        rate: share of requests that meet a fault, 0 to 1; may be changed at any time.
        requests: method and path (with its query) of all that arrived, in order.
        answers: how often upstream answered a method with a status, whether that reached the client or not.
        faults: how often each kind was done.
        tamper: changes bodies of answers, None to leave them.
        tamper_request: changes bodies of requests, and keeps their length; None to leave them.

    Args:
        upstream: URL of what is behind it; whatever the client sends arrives there unchanged, its Host header too.
        rate: see above.
        seed: with the number of a request it decides that request's fault.
        kinds: of KINDS, those that may happen.
        preconditions: see to it that uploads to Google Cloud Storage with ``ifGenerationMatch=0`` get a 412 if there is
            an object, which its emulator does not.
    """

    def __init__(
        self,
        upstream: str,
        *,
        rate: float = 0.0,
        seed: int = 0,
        kinds: Sequence[str] = KINDS,
        preconditions: bool = False,
    ) -> None:
        address = urlsplit(upstream)
        self._upstream = (address.hostname or "127.0.0.1", address.port or 80)
        self._seed, self._kinds, self._preconditions = seed, tuple(kinds), preconditions
        self.rate = rate
        self.requests: list[tuple[str, str]] = []
        self.faults: Counter[str] = Counter()
        self.answers: Counter[tuple[str, int]] = Counter()
        self.tamper: Callable[[bytes], bytes] | None = None
        self.tamper_request: Callable[[bytes], bytes] | None = None
        self._names: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()
        self._clients: set[socket.socket] = set()
        self._state = _ON
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self) -> FaultyProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def vanish(self) -> None:
        """Nobody is there: open connections are cut, new ones are reset."""
        self._be(_GONE)
        self._cut_all()

    def hang(self) -> None:
        """Take connections and requests, and answer nothing. Who gives up meanwhile was never heard."""
        self._be(_HANGING)

    def back(self) -> None:
        """As it was before ``vanish`` or ``hang``."""
        self._be(_ON)

    def close(self) -> None:
        """Cut all connections, and stop."""
        self._be(_CLOSED)
        with contextlib.suppress(OSError):  # wakes the thread that accepts
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self._cut_all()

    def _be(self, state: int) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _cut_all(self) -> None:
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            with contextlib.suppress(OSError):  # wakes the thread that serves it, which closes it
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while self._state != _CLOSED:
            try:
                client, _ = self._listener.accept()
            except OSError:
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._clients.add(client)
            if self._state in {_GONE, _CLOSED}:
                self._drop(client, reset=True)
            else:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _drop(self, client: socket.socket, reset: bool) -> None:
        with self._lock:
            self._clients.discard(client)
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    def _serve(self, client: socket.socket) -> None:
        reset = True
        try:
            with client.makefile("rb") as file:
                while (request := _read_request(client, file)) is not None and self._waited(client):
                    if not self._handle(client, request) or request.last:
                        break
            reset = False
        except (_ResetError, OSError, ValueError, http.client.HTTPException):
            pass  # on purpose; or the client, or upstream, is gone
        finally:
            self._drop(client, reset)

    def _waited(self, client: socket.socket) -> bool:
        """Hang as long as that is asked for; whether there still is something to do after."""
        if self._state == _ON:
            return True
        with self._changed:
            self._changed.wait_for(lambda: self._state != _HANGING)
        gave_up = select.select([client], [], [], 0)[0] and not client.recv(1, socket.MSG_PEEK)
        return self._state == _ON and not gave_up

    def _handle(self, client: socket.socket, request: _Request) -> bool:
        """Answer, or do what else befalls the request; False if the connection is to be closed after it."""
        fault = self._fault(request)
        if fault == "reset":
            raise _ResetError
        if fault in _SHOWN:
            _send(client, _refusal(request, fault))
            return True
        name = _absent_name(request) if self._preconditions else None
        with self._names[name] if name else contextlib.nullcontext():
            if name and self._exists(name):
                answer = _json_error(412, "Precondition Failed", "conditionNotMet")
            elif fault == "half_upload":
                self._send_half(request)
                raise _ResetError
            else:
                answer = self._ask(request)
        if fault in {"half_upload", "lost_answer"}:
            raise _ResetError
        if fault == "cut_answer":
            half = answer.head + answer.body[: len(answer.body) // 2]
            client.sendall(half if answer.body else answer.head[: len("HTTP/1.1")])
            return False
        _send(client, answer, SLOW_SECONDS if fault == "slow" else 0.0)
        return True

    def _fault(self, request: _Request) -> str | None:
        with self._lock:
            number = len(self.requests)
            self.requests.append((request.method, request.path))
            dice = random.Random(f"{self._seed}/{number}")
            if dice.random() >= self.rate:
                return None
            fault = dice.choice(self._kinds)
            self.faults[fault] += 1
        return fault

    def _ask(self, request: _Request) -> _Answer:
        with socket.create_connection(self._upstream, _UPSTREAM_SECONDS) as upstream:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before the end
                body = self.tamper_request(request.body) if self.tamper_request else request.body
                upstream.sendall(request.head + body)
            response = http.client.HTTPResponse(upstream, method=request.method)
            response.begin()
            body = response.read()
        with self._lock:
            self.answers[request.method, response.status] += 1
        if self.tamper is not None:
            body = self.tamper(body)
        lines = [f"HTTP/1.1 {response.status} {response.reason}"]
        without_body = request.method == "HEAD" or response.status in {204, 304}
        dropped = {"connection", "keep-alive", "transfer-encoding"} | (set() if without_body else {"content-length"})
        lines += [f"{name}: {value}" for name, value in response.getheaders() if name.lower() not in dropped]
        if not without_body:
            lines.append(f"Content-Length: {len(body)}")
        return _Answer("\r\n".join([*lines, "", ""]).encode("latin-1"), body)

    def _send_half(self, request: _Request) -> None:
        """Back when upstream is done with it, so that what comes next finds what it has made of that."""
        half = request.head + request.body[: len(request.body) // 2]
        if not request.body:
            half = request.head[: len(request.head) // 2]
        with socket.create_connection(self._upstream, 2.0) as upstream, contextlib.suppress(OSError):
            upstream.sendall(half)
            upstream.shutdown(socket.SHUT_WR)
            while upstream.recv(65_536):
                pass

    def _exists(self, name: str) -> bool:
        bucket, _, path = name.partition("/")
        asked = http.client.HTTPConnection(*self._upstream, timeout=_UPSTREAM_SECONDS)
        try:
            asked.request("GET", f"/storage/v1/b/{bucket}/o/{quote(path, safe='')}")
            return asked.getresponse().status == 200
        finally:
            asked.close()


def _read_request(client: socket.socket, file: BinaryIO) -> _Request | None:
    """The next request, all of it; None where the client has left."""
    start = file.readline(65_536)
    if not start.endswith(b"\n"):
        return None
    method, path, _ = start.decode("latin-1").split(" ", 2)
    kept, headers = [start], {}
    while (line := file.readline(65_536)) not in {b"\r\n", b"\n", b""}:
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
        if name.lower() not in _HOP_BY_HOP:
            kept.append(line)
    if headers.get("expect", "").lower() == "100-continue":
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = _read_body(file, headers)
    head = b"".join([*kept, b"Connection: close\r\n\r\n"])
    last = headers.get("connection", "").lower() == "close"
    return None if body is None else _Request(method, path, head, body, last)


def _read_body(file: BinaryIO, headers: dict[str, str]) -> bytes | None:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        length = int(headers.get("content-length", 0))
        body = file.read(length)
        return body if len(body) == length else None
    pieces = []
    while True:
        line = file.readline()
        size = int(line.split(b";")[0], 16)
        pieces += [line, file.read(size)]
        if size == 0:
            break
        pieces.append(file.readline())
    while (line := file.readline()) not in {b"\r\n", b"\n", b""}:
        pieces.append(line)
    return b"".join([*pieces, line])


def _absent_name(request: _Request) -> str | None:
    """``bucket/object`` of an upload that is only wanted if there is no such object."""
    address = urlsplit(request.path)
    query = parse_qs(address.query)
    found = re.fullmatch(r"/upload/storage/v1/b/([^/]+)/o", address.path)
    if request.method != "POST" or found is None or query.get("ifGenerationMatch") != ["0"]:
        return None
    if "name" in query:
        return f"{unquote(found[1])}/{query['name'][0]}"
    # The metadata is the first thing in braces, whether it is a part of the body or all of it.
    text = request.body[request.body.index(b"{") :].split(b"\r\n--")[0].decode()
    return f"{unquote(found[1])}/{json.JSONDecoder().raw_decode(text)[0]['name']}"


def _json_error(status: int, reason: str, code: str) -> _Answer:
    said = {"code": status, "message": reason, "errors": [{"message": reason, "domain": "global", "reason": code}]}
    return _whole(status, reason, "application/json; charset=UTF-8", json.dumps({"error": said}).encode())


def _refusal(request: _Request, kind: str) -> _Answer:
    if re.match(r"/(upload/|download/)?storage/v1/", request.path):
        return _json_error(int(kind), _SHOWN[kind], "backendError")
    code = "InternalError" if kind == "500" else "SlowDown"
    xml = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{_SHOWN[kind]}</Message></Error>'
    return _whole(int(kind), _SHOWN[kind], "application/xml", b"" if request.method == "HEAD" else xml.encode())


def _whole(status: int, reason: str, media_type: str, body: bytes) -> _Answer:
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return _Answer(head.encode(), body)


def _send(client: socket.socket, answer: _Answer, seconds: float = 0.0) -> None:
    whole = answer.head + answer.body
    size = len(whole) if not seconds else max(1, -(-len(whole) // _PIECES))
    for begin in range(0, len(whole), size):
        if seconds:
            time.sleep(seconds / _PIECES)
        client.sendall(whole[begin : begin + size])
