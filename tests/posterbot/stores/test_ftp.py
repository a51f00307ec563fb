"""The store on FTP: the standard client against pyftpdlib, plain and with TLS, whole and with what breaks."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from contract import PATH, Contract
from ftp_server import ALL_RIGHTS, PASSWORD, USER, FtpServer, self_signed
from scrapy.settings import Settings

from posterbot.stores.ftp import FtpStore
from posterbot.stores.opening import open_store
from posterbot.stores.store import StoreError, UnavailableError

LARGE = bytes(range(256)) * 8_000


class Impatient(FtpStore):
    connect_seconds = 0.5
    read_seconds = 0.5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FtpServer]:
    with FtpServer(tmp_path / "shown") as server:
        yield server


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    return tmp_path / "shown"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@contextlib.contextmanager
def opened(server: FtpServer, folder: str = "/images") -> Iterator[FtpStore]:
    store = Impatient(server.url + folder)
    yield store
    store.close()


class TestFtpStore(Contract):
    facts = False

    @pytest.fixture(params=["ftp", "ftps", "without MLSD"])
    def store(
        self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[FtpStore]:
        certificate = None
        if request.param == "ftps":
            certificate = self_signed(tmp_path)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        without = ("MLST", "MLSD") if request.param == "without MLSD" else ()
        with FtpServer(tmp_path / "shown", certificate, without=without) as server:
            store = FtpStore(f"{server.url}/some/folder")
            yield store
            store.close()


# --- What breaks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["426 Connection closed; transfer aborted.", "226 Transfer complete.", None])
def test_half_an_upload_is_never_seen(server: FtpServer, shown: Path, verdict: str | None) -> None:
    with opened(server) as store:
        server.cut, server.verdict = 100_000, verdict
        with pytest.raises(UnavailableError, match="ftp://crawler@127"):
            store.put_if_absent(PATH, LARGE)
        assert store.stat(PATH) is None
        assert list(store.list()) == []
        server.cut = None
        assert store.put_if_absent(PATH, LARGE)
        assert store.get(PATH) == LARGE
        assert files(shown) == [f"images/{PATH}"]  # and what was left of the first is gone


def test_damage_underway(tmp_path: Path, shown: Path) -> None:
    with FtpServer(shown, hashing=True) as server, opened(server) as store:
        server.damage = lambda piece: bytes(byte ^ 1 for byte in piece)
        with pytest.raises(UnavailableError, match="not what was sent"):
            store.put_if_absent(PATH, b"bytes")
        server.damage = None
        assert store.put_if_absent(PATH, b"bytes")
        assert server.commands.count("XSHA256") == 2
        assert files(shown) == [f"images/{PATH}"]


def test_a_server_that_loses_bytes(server: FtpServer, shown: Path) -> None:
    server.damage = lambda piece: piece[:-1]
    with opened(server) as store:
        with pytest.raises(UnavailableError, match="not what was sent"):
            store.put_if_absent(PATH, b"bytes")
        assert files(shown) == []


def test_a_disk_that_gets_full(server: FtpServer, shown: Path) -> None:
    server.cut, server.verdict = 100_000, "552 Exceeded storage allocation."
    with opened(server) as store:
        with pytest.raises(StoreError, match=r"552 .*; make room there"):
            store.put_if_absent(PATH, bytes(16_000_000))  # more than buffers on the way hold
        assert files(shown) == []


def test_a_file_that_comes_short(server: FtpServer) -> None:
    with opened(server) as store:
        store.put_if_absent("x.jpg", b"bytes")
        server.replies["MLST"] = "250-Listing:\r\n type=file;size=6; /images/x.jpg\r\n250 End."
        with pytest.raises(UnavailableError, match=r"of x\.jpg came 5 of 6 bytes"):
            store.get("x.jpg")


def test_after_a_refused_transfer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may say two things: that it refuses, and that nothing came over the connection made for it."""
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with FtpServer(tmp_path / "shown", certificate) as server, opened(server) as store:
        server.replies["STOR"] = "550 Not today."
        with pytest.raises(StoreError, match="550 Not today"):
            store.put_if_absent("x.jpg", b"x")
        server.replies.clear()
        assert store.put_if_absent("x.jpg", b"x")
        assert store.get("x.jpg") == b"x"


def test_a_folder_that_is_gone(server: FtpServer, shown: Path) -> None:
    with opened(server) as store:
        store.put_if_absent("aa/x.jpg", b"x")
        (shown / "images" / "aa" / "x.jpg").unlink()
        (shown / "images" / "aa").rmdir()
        with pytest.raises(UnavailableError, match="may be gone"):
            store.put_if_absent("aa/y.jpg", b"x")
        assert store.put_if_absent("aa/y.jpg", b"x")


def test_closed_sessions_are_opened_again(server: FtpServer) -> None:
    with opened(server) as store, ThreadPoolExecutor(3) as pool:
        barrier = threading.Barrier(3)

        def put(number: int) -> bool:
            barrier.wait()
            return store.put_if_absent(f"{number}.jpg", b"x" * number)

        assert all(pool.map(put, [1, 2, 3]))
        assert server.drop_sessions() == server.commands.count("PASS")
        assert all(pool.map(put, [4, 5, 6]))
        assert [found.size for found in store.list()] == [1, 2, 3, 4, 5, 6]
        server.replies["MLST"] = "421 Too long nothing was said."
        with pytest.raises(UnavailableError, match="421 Too long"):
            store.stat("1.jpg")
        server.replies.clear()
        assert store.get("1.jpg") == b"x"


def test_sessions_are_kept(server: FtpServer) -> None:
    with opened(server) as store:
        for number in range(10):
            store.put_if_absent(f"aa/{number}.jpg", b"x")
        assert server.commands.count("PASS") == 1
        assert server.commands.count("MKD") == 2  # /images, /images/aa


def test_many_writers(server: FtpServer, shown: Path) -> None:
    data = {f"{number % 5}/{number % 7}/{number}.jpg": bytes([number]) * 3000 for number in range(60)}
    with opened(server) as store, opened(server) as other, ThreadPoolExecutor(8) as pool:
        puts = [pool.submit(kept.put_if_absent, path, data[path]) for path in data for kept in (store, other)]
        assert sum(put.result() for put in puts) >= 60
        assert {found.path: store.get(found.path) for found in store.list()} == data
    assert len(files(shown)) == 60


def test_a_server_that_does_not_replace(server: FtpServer, shown: Path) -> None:
    """Somebody writes the same between our look and our renaming."""
    with opened(server) as store:
        store.check()
        server.replies["RNTO"] = "553 File exists."
        with pytest.raises(StoreError, match="553 File exists"):
            store.put_if_absent("a.jpg", b"x")
        del server.replies["RNTO"]
        assert store.put_if_absent("a.jpg", b"x")
        assert files(shown) == ["images/a.jpg"]


def test_what_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = Impatient(f"ftp://127.0.0.1:{silent.getsockname()[1]}/x")
        with pytest.raises(UnavailableError, match=r"timed out; if it stays so, see IMAGES_STORE and FEED_STORAGE"):
            store.put_if_absent(PATH, b"x")


def test_nobody_there() -> None:
    with pytest.raises(UnavailableError, match=r"ftp://anonymous@127\.0\.0\.1:9/x: .*refused"):
        FtpStore("ftp://127.0.0.1:9/x").check()


# --- Settings ---------------------------------------------------------------------------------------------------------


def test_names_and_settings(server: FtpServer, shown: Path) -> None:
    settings = Settings({"FTP_USER": USER, "FTP_PASSWORD": PASSWORD, "FEED_STORAGE_FTP_ACTIVE": "True"})
    store = open_store(f"ftp://{server.place}/a%20b/", settings)
    assert store.name == f"ftp://{USER}@{server.place}/a%20b" == FtpStore(server.url + "/a b").name
    store.check()
    assert files(shown) == []
    store.put_if_absent("x.jpg", b"x")
    assert files(shown) == ["a b/x.jpg"]
    assert not {"PASV", "EPSV"} & set(server.commands)
    assert {"PORT", "EPRT"} & set(server.commands)
    store.close()
    assert FtpStore("FTP://Host.example").name == "ftp://anonymous@host.example"


@pytest.mark.parametrize(
    "uri", ["ftp://", "ftp:///x", "ftp://h:port/x", "ftp://h/a#b", "ftp://h/../x", "ftps://h/a//b"]
)
def test_no_place(uri: str) -> None:
    with pytest.raises(StoreError, match=r"IMAGES_STORE: ftps?://"):
        FtpStore(uri)


def test_passwords_are_not_told() -> None:
    with pytest.raises(StoreError) as told:
        FtpStore("ftp://me:secret@h:port/x")
    assert "secret" not in str(told.value)
    assert "secret" not in FtpStore("ftp://me:secret@h/x").name


def test_check_leaves_nothing(server: FtpServer, shown: Path) -> None:
    with opened(server) as store:
        store.check()
    assert [path.name for path in shown.rglob("*")] == ["images"]


def test_wrong_password(server: FtpServer) -> None:
    with pytest.raises(StoreError, match=r"does not let 'crawler' in \(530 .*\); set FTP_USER and FTP_PASSWORD$"):
        FtpStore(server.url.replace(PASSWORD, "guessed")).check()
    server.replies["PASS"] = "530 Sorry, the maximum number of clients (5) is connected."
    with pytest.raises(UnavailableError, match="maximum number"):
        FtpStore(server.url).check()


@pytest.mark.parametrize(
    ("right", "line"),
    [
        ("m", r"the folder /images/\S+ cannot be made \(550 .*\); let the user make folders there"),
        ("w", r"550 .*; let 'crawler' read, write, rename and delete there, or set FTP_USER"),
        ("f", r"550 .*; let 'crawler' read, write, rename and delete there, or set FTP_USER"),
        ("r", r"550 .*; let 'crawler' read"),
    ],
)
def test_missing_rights(tmp_path: Path, shown: Path, right: str, line: str) -> None:
    with FtpServer(shown, rights=ALL_RIGHTS.replace(right, "")) as server, opened(server) as store:
        with pytest.raises(StoreError, match=f"^IMAGES_STORE: .*{line}"):
            store.check()
        assert all(".part" not in name for name in files(shown)) or right == "d"


def test_who_may_not_delete(tmp_path: Path, shown: Path, caplog: pytest.LogCaptureFixture) -> None:
    with FtpServer(shown, rights=ALL_RIGHTS.replace("d", "")) as server, opened(server) as store:
        store.check()
        assert "was left there, and nothing can be forgotten or repaired" in caplog.text
        assert list(store.list()) == []


@pytest.mark.parametrize(
    ("command", "reply", "line"),
    [
        ("STOR", "552 Exceeded storage allocation.", "552 .*; make room there"),
        ("STOR", "452 Insufficient storage space.", "452 .*; make room there"),
        ("STOR", "550 No space left on device.", "550 .*; make room there"),
        ("RNFR", "502 Not implemented.", "502 .*; the server cannot do what is needed"),
        ("EPSV", "502 No.", ""),
    ],
)
def test_what_somebody_has_to_mend(server: FtpServer, command: str, reply: str, line: str) -> None:
    server.replies[command] = reply
    if command == "EPSV":
        server.replies["PASV"] = reply
        line = r"takes no data connections \(502 No\.\); set FEED_STORAGE_FTP_ACTIVE to True"
    with opened(server) as store, pytest.raises(StoreError, match=f"^IMAGES_STORE: .*{line}"):
        store.check()


def test_no_active_mode(server: FtpServer) -> None:
    server.replies.update(PORT="500 Illegal PORT command.", EPRT="500 Illegal EPRT command.")
    with pytest.raises(StoreError, match="set FEED_STORAGE_FTP_ACTIVE to False"):
        FtpStore.from_settings(server.url, {"FEED_STORAGE_FTP_ACTIVE": "1"}).check()


@pytest.mark.parametrize("reply", ["450 Busy.", "451 Local error.", "425 Cannot open data connection."])
def test_what_may_pass(server: FtpServer, reply: str) -> None:
    server.replies["STOR"] = reply
    with opened(server) as store:
        with pytest.raises(UnavailableError, match=reply[:3]):
            store.put_if_absent(PATH, b"x")
        server.replies.clear()
        assert store.put_if_absent(PATH, b"x")


def test_certificates(tmp_path: Path, server: FtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path)
    with FtpServer(tmp_path / "secure", certificate) as secure:
        with pytest.raises(StoreError, match=r"CERTIFICATE_VERIFY_FAILED.*; set SSL_CERT_FILE to a file with the CA"):
            FtpStore(secure.url).check()
        assert secure.commands[-1] == "AUTH"  # no password was sent
        with pytest.raises(StoreError, match=r"TLS required.*set IMAGES_STORE to ftps://"):
            FtpStore(secure.url.replace("ftps", "ftp")).check()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        store = FtpStore(secure.url)
        store.check()
        assert {"PBSZ", "PROT"} <= set(secure.commands)
        store.close()
    with pytest.raises(StoreError, match=r"offers no TLS \(500 .*\); ftp:// goes without"):
        FtpStore(server.url.replace("ftp", "ftps", 1)).check()


def test_a_folder_that_cannot_be_read(server: FtpServer, shown: Path) -> None:
    with opened(server) as store:
        store.put_if_absent("aa/x.jpg", b"x")
        assert [found.path for found in store.list()] == ["aa/x.jpg"]
        (shown / "images" / "bb").mkdir()
        (shown / "images" / "link").symlink_to("nowhere")
        assert [found.path for found in store.list()] == ["aa/x.jpg"]


def test_names_that_are_not_utf8(server: FtpServer, shown: Path) -> None:
    with opened(server) as store:
        store.put_if_absent("aa/x.jpg", b"x")
        (shown / "images" / "aa").rename(shown / "images" / "b\udce4")
        with pytest.raises((StoreError, UnavailableError)):
            list(store.list())
