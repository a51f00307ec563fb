"""Bytes from disks, from servers that behave and from servers that do not, and from pipes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from dumps import RangeServer

from wikidump import source, web
from wikidump.source import LocalFile, RemoteFile, SourceError, StandardInput, open_source

DATA = bytes(n * n % 251 for n in range(700_000))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    monkeypatch.setattr(web, "FIRST_WAIT", 0.01)
    server = RangeServer()
    server["/dump"] = DATA
    yield server
    server.close()


def read(file: source.Source, start: int, end: int) -> bytes:
    data = b""
    for block in file.blocks(start, end):
        data += block
        if start + len(data) >= end:
            break
    return data[: end - start]


@pytest.mark.parametrize(("start", "end"), [(0, 10), (0, 700_000), (699_999, 700_000), (123_456, 654_321)])
def test_any_part_of_a_file_and_of_a_url(tmp_path: Path, server: RangeServer, start: int, end: int) -> None:
    (tmp_path / "dump").write_bytes(DATA)
    local, remote = open_source(str(tmp_path / "dump")), open_source(f"{server.url}/dump")
    assert local.size == remote.size == len(DATA)
    assert read(local, start, end) == read(remote, start, end) == DATA[start:end]


def test_a_url_is_asked_for_no_more_than_is_read(server: RangeServer) -> None:
    remote = RemoteFile(f"{server.url}/dump")
    read(remote, 1000, 2000)
    assert server.asked[1:] == [("/dump", 1000, 1999)]


def test_beyond_the_end_of_the_part_it_goes_on(server: RangeServer) -> None:
    assert b"".join(RemoteFile(f"{server.url}/dump").blocks(5, 1000)) == DATA[5:]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server: RangeServer) -> None:
    remote = RemoteFile(f"{server.url}/dump")
    server.hang_up = [100_000, 0, 50_000]
    assert read(remote, 1000, 600_000) == DATA[1000:600_000]
    assert [first for _, first, _ in server.asked[1:]] == [1000, 101_000, 101_000, 151_000]


def test_a_server_that_only_breaks_off(server: RangeServer) -> None:
    remote = RemoteFile(f"{server.url}/dump")
    server.hang_up = [0] * 20
    with pytest.raises(SourceError, match="breaks off at byte 1,000"):
        read(remote, 1000, 2000)


def test_retry_after_is_obeyed(server: RangeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    remote = RemoteFile(f"{server.url}/dump")
    server.refuse = [(503, {"Retry-After": "7"}), (429, {}), (500, {})]
    original = web.fetch
    monkeypatch.setattr(source, "fetch", lambda *a, **k: original(*a, **k, pause=slept.append))
    assert read(remote, 0, 10) == DATA[:10]
    assert slept == [7, 0.02, 0.04]


def test_a_server_that_wants_to_be_left_alone(server: RangeServer) -> None:
    remote = RemoteFile(f"{server.url}/dump")
    server.refuse = [(429, {"Retry-After": "86400"})]
    with pytest.raises(SourceError, match="come back in 86400 s"):
        read(remote, 0, 10)


@pytest.mark.parametrize(("path", "message"), [("/none", "404"), ("/dump", "no byte ranges; download the file first")])
def test_one_line_for_what_cannot_be(server: RangeServer, path: str, message: str) -> None:
    server.ranges = False
    with pytest.raises(SourceError, match=message):
        open_source(server.url + path)


def test_no_server_at_all(server: RangeServer) -> None:
    server.close()
    with pytest.raises(SourceError, match="6 times"):
        open_source(f"{server.url}/dump")


def test_a_file_replaced_on_the_server(server: RangeServer) -> None:
    remote = RemoteFile(f"{server.url}/dump")
    server.etag = '"2"'
    with pytest.raises(SourceError, match="replaced while it was read"):
        read(remote, 0, 10)


def test_an_empty_url(server: RangeServer) -> None:
    server["/empty"] = b""
    assert b"".join(open_source(f"{server.url}/empty").blocks(0, 10)) == b""


def test_who_we_are(server: RangeServer) -> None:
    open_source(f"{server.url}/dump", "me@example.org")
    assert all(agent.startswith("posterbot-wikidump/") and "(+me@example.org)" in agent for agent in server.agents)


@pytest.mark.parametrize("url", ["https://dumps.wikimedia.org/x.bz2", "http://10.0.0.1/x", "http://localhost.org/x"])
def test_no_contact_no_request(url: str) -> None:
    with pytest.raises(web.ContactError, match="OPERATOR_CONTACT"):
        open_source(url, " ")


def test_the_stamp_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(DATA)
    stamp = LocalFile(str(path)).stamp
    path.touch()
    assert LocalFile(str(path)).stamp == stamp
    path.write_bytes(DATA[:-1] + b"x")
    assert LocalFile(str(path)).stamp != stamp


def test_what_is_looked_at_in_a_pipe_is_not_lost() -> None:
    pipe = StandardInput(io.BytesIO(DATA))
    assert next(pipe.blocks(0, 10)) == DATA[: source.BLOCK]
    assert b"".join(pipe.blocks(0, pipe.size)) == DATA


@pytest.mark.parametrize(
    ("header", "seconds"), [("5", 5), ("", None), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)]
)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert web.retry_after(header) == seconds
