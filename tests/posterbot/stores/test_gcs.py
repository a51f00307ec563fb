"""Google Cloud Storage: Google's client against the emulator, a proxy that does harm, and answers only Google gives."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import google_crc32c
import pytest
from contract import PATH, Contract
from faulty_proxy import KINDS, FaultyProxy
from google_emulator import GoogleEmulator

from posterbot.stores.gcs import GoogleStore
from posterbot.stores.opening import open_store
from posterbot.stores.store import NotStoredError, StoreError, UnavailableError, object_path

_NUMBERS = count()


@pytest.fixture(scope="module")
def emulator() -> Iterator[GoogleEmulator]:
    with GoogleEmulator() as emulator:
        yield emulator


@pytest.fixture
def proxy(emulator: GoogleEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    with FaultyProxy(emulator.url, preconditions=True) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        yield proxy


@pytest.fixture
def bucket(emulator: GoogleEmulator) -> str:
    return emulator.create_bucket(f"bucket-{next(_NUMBERS)}")


@pytest.fixture
def store(proxy: FaultyProxy, bucket: str) -> Iterator[GoogleStore]:
    store = GoogleStore(f"gs://{bucket}/some/prefix")
    yield store
    store.close()


def said_of(emulator: GoogleEmulator, bucket: str, name: str) -> dict[str, Any]:
    """What the bucket knows of an object, empty if there is none."""
    asked = HTTPConnection(*emulator.url.removeprefix("http://").split(":"))
    asked.request("GET", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}")
    said = asked.getresponse().read()
    asked.close()
    return json.loads(said) if said else {}


class TestGoogleStore(Contract):
    @pytest.fixture
    def store(self, store: GoogleStore) -> GoogleStore:
        return store


def test_an_upload_is_one_request(
    proxy: FaultyProxy, emulator: GoogleEmulator, bucket: str, store: GoogleStore
) -> None:
    assert store.put_if_absent(PATH, bytes(2_000_000), "image/png", {"url": "http://a.example/ü"})
    assert len(proxy.requests) == 1
    said = said_of(emulator, bucket, f"some/prefix/{PATH}")
    assert said["contentType"] == "image/png"
    assert said["cacheControl"] == "max-age=172800"
    assert said["metadata"] == {"url": "http://a.example/ü"}


@pytest.mark.parametrize(("after", "prefix"), [("", ""), ("/", ""), ("/a", "a/"), ("/a/b/", "a/b/")])
def test_prefixes(proxy: FaultyProxy, emulator: GoogleEmulator, bucket: str, after: str, prefix: str) -> None:
    store = open_store(f"gs://{bucket}{after}", {"GCS_PROJECT_ID": "", "IMAGES_STORE_GCS_ACL": ""})
    assert store.name == f"gs://{bucket}{after}".rstrip("/")
    store.put_if_absent(PATH, b"x")
    assert said_of(emulator, bucket, prefix + PATH)["size"] == "1"
    assert [found.path for found in store.list()] == [PATH]


def test_what_is_not_ours_is_not_listed(proxy: FaultyProxy, bucket: str, store: GoogleStore) -> None:
    for name in ("some/prefix/", "some/prefix/.posterbot-x", "some/prefixed.jpg", "other/x.jpg"):
        store._bucket.blob(name).upload_from_string(b"")
    store.put_if_absent(PATH, b"x")
    assert [found.path for found in store.list()] == [PATH]


def test_facts_that_do_not_fit_are_left_out(store: GoogleStore) -> None:
    store.put_if_absent(PATH, b"x", facts={"alt": "ü" * 4090, "page": "p" * 20, "label": "\ud800"})
    found = store.stat(PATH)
    assert found is not None
    assert found.facts == {"alt": "ü" * 4090, "label": "?"}


def test_md5(store: GoogleStore) -> None:
    store.put_if_absent(PATH, b"x")
    expected = "9dd4e461268c8034f5c8564e155c67a6"
    assert [found.md5 for found in (store.stat(PATH), *store.list()) if found] == [expected] * 2


def test_all_threads_keep_their_connection(store: GoogleStore, caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(store.threads) as threads:
        assert all(threads.map(lambda number: store.put_if_absent(f"a/{number}.jpg", b"x"), range(64)))
    assert not caplog.records


# Faults


def patiently(call: Callable[[], Any]) -> Any:
    """As those do who use stores."""
    for attempt in range(20):
        try:
            return call()
        except UnavailableError:
            time.sleep(0.01 * attempt)
    raise AssertionError("20 times in vain")


def test_under_faults_all_is_stored_once_and_right(
    emulator: GoogleEmulator, proxy: FaultyProxy, store: GoogleStore, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.rate = 0.2
    images = {object_path(f"{number:064x}", "jpg"): os.urandom(500 + 300 * number) for number in range(100)}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda image: patiently(lambda: store.put_if_absent(*image)), images.items()))
        met = Counter(proxy.faults)
        assert proxy.answers["POST", 200] == len(images)  # nothing was written again
        got = dict(zip(images, threads.map(lambda path: patiently(lambda: store.get(path)), images), strict=True))
    assert got == images
    proxy.rate = 0.0
    assert {found.path: found.size for found in store.list()} == {path: len(data) for path, data in images.items()}
    assert set(met) == set(KINDS)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "slow"])
def test_each_fault_may_pass(proxy: FaultyProxy, store: GoogleStore, kind: str) -> None:
    store.put_if_absent("a/there.jpg", bytes(1000))
    proxy._kinds, proxy.rate = (kind,), 1.0
    for call in (
        lambda: store.put_if_absent(PATH, b"x" * 1000),
        lambda: store.get("a/there.jpg"),
        lambda: store.stat("a/there.jpg"),
        lambda: list(store.list()),
        lambda: store.delete("a/there.jpg"),
        store.check,
    ):
        with pytest.raises(UnavailableError, match=f"^{store.name}: [^\n]+$"):
            call()


@pytest.mark.parametrize("harm", ["hang", "vanish"])
def test_a_bucket_that_does_not_answer(
    proxy: FaultyProxy, bucket: str, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.setattr(GoogleStore, "timeout", (0.2, 0.2))
    store = GoogleStore(f"gs://{bucket}")
    store.put_if_absent("a/there.jpg", b"x")
    getattr(proxy, harm)()
    began = time.monotonic()
    for call in (
        lambda: store.put_if_absent(PATH, b"x" * 100_000),
        lambda: store.get("a/there.jpg"),
        lambda: store.stat("a/there.jpg"),
        lambda: list(store.list()),
        lambda: store.delete("a/there.jpg"),
        store.check,
    ):
        with pytest.raises(UnavailableError):
            call()
    assert time.monotonic() - began < 10
    proxy.back()
    assert store.put_if_absent(PATH, b"x")
    assert store.get("a/there.jpg") == b"x"
    store.close()


def test_damaged_on_its_way(proxy: FaultyProxy, store: GoogleStore) -> None:
    proxy.tamper_request = lambda body: body.replace(b"PIXELS", b"PIXELZ")
    with pytest.raises(UnavailableError, match="400 Provided CRC32C"):
        store.put_if_absent(PATH, b"PIXELS")
    assert store.stat(PATH) is None
    proxy.tamper_request = None
    assert store.put_if_absent(PATH, b"PIXELS")
    proxy.tamper = lambda body: body.replace(b"PIXELS", b"PIXELZ")
    with pytest.raises(UnavailableError, match=store.name):
        store.get(PATH)


def test_damaged_where_it_is(proxy: FaultyProxy, store: GoogleStore) -> None:
    proxy.tamper = lambda body: body.replace(b'"crc32c": "', b'"crc32c": "x')
    with pytest.raises(UnavailableError, match=f"{PATH} arrived damaged"):
        store.put_if_absent(PATH, b"x")
    assert [method for method, _ in proxy.requests] == ["POST", "DELETE"]
    assert "generation=" in proxy.requests[1][1]
    assert store.stat(PATH) is None


def test_an_answer_that_is_none_of_googles(proxy: FaultyProxy, store: GoogleStore) -> None:
    proxy.tamper = lambda body: b"<html>Please sign in to this network</html>"
    with pytest.raises(UnavailableError, match="none of Google's"):
        store.put_if_absent(PATH, b"x")
    proxy.tamper = None
    assert store.get(PATH) == b"x"


# What somebody has to mend


@pytest.mark.parametrize("uri", ["gs://", "gs:///a", "gs://Bucket/a", "gs://b/a", "gs://bu cket/a", "gs://bucket?x"])
def test_no_bucket(uri: str) -> None:
    with pytest.raises(StoreError, match=r"^IMAGES_STORE: .* no name of a bucket; set it to gs://bucket"):
        GoogleStore(uri)


@pytest.mark.parametrize("prefix", ["..", "a/../b", "a//b", "./a"])
def test_a_prefix_that_leads_elsewhere(prefix: str) -> None:
    with pytest.raises(StoreError, match=f"^IMAGES_STORE: gs://bucket/{prefix}: a prefix has no"):
        GoogleStore(f"gs://bucket/{prefix}")


def test_acl(proxy: FaultyProxy, bucket: str) -> None:
    with pytest.raises(StoreError, match=r"^IMAGES_STORE_GCS_ACL: no predefined ACL is 'every.*; set one of .*publicR"):
        open_store(f"gs://{bucket}", {"IMAGES_STORE_GCS_ACL": "everyone"})
    store = open_store(f"gs://{bucket}", {"IMAGES_STORE_GCS_ACL": "publicRead"})
    store.put_if_absent(PATH, b"x")
    assert "predefinedAcl=publicRead" in proxy.requests[-1][1]


def test_missing_bucket(proxy: FaultyProxy) -> None:
    store = GoogleStore("gs://no-such-bucket")
    for call in (store.check, lambda: store.put_if_absent(PATH, b"x"), lambda: list(store.list())):
        with pytest.raises(StoreError, match=r"^IMAGES_STORE: gs://no-such-bucket: there is no such bucket; create it"):
            call()


@pytest.mark.parametrize("permission", ["create", "get"])
def test_missing_permission(proxy: FaultyProxy, store: GoogleStore, permission: str) -> None:
    proxy.tamper = lambda body: body.replace(f'"storage.objects.{permission}", '.encode(), b"")
    with pytest.raises(StoreError, match=f"^IMAGES_STORE: .*no permission storage.objects.{permission}; .*objectUser"):
        store.check()


@pytest.mark.parametrize("permission", ["list", "delete"])
def test_missing_permission_of_some_commands(
    proxy: FaultyProxy, store: GoogleStore, caplog: pytest.LogCaptureFixture, permission: str
) -> None:
    proxy.tamper = lambda body: body.replace(f', "storage.objects.{permission}"'.encode(), b"")
    store.check()
    assert [record.getMessage().partition("permission ")[2][: 16 + len(permission)] for record in caplog.records] == [
        f"storage.objects.{permission}"
    ]


@pytest.mark.parametrize("check", ["true", "false"])
def test_no_credentials(tmp_path: Path, check: str) -> None:
    """A machine that is none of Google's says so in one line, and asks only once, or not at all, whether it is one."""
    program = """
import logging
from posterbot.stores.opening import open_store
logging.basicConfig()
try:
    open_store("gs://bucket/prefix", {"GCS_PROJECT_ID": "project"})
except ValueError as error:
    print(error)
"""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "GCE_", "STORAGE_"))}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        env |= {"HOME": str(tmp_path), "GCE_METADATA_IP": address, "GCE_METADATA_TIMEOUT": "1", "NO_GCE_CHECK": check}
        done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60)
        silent.settimeout(0)
        asked = 0
        with contextlib.suppress(BlockingIOError):
            while silent.accept():
                asked += 1
    assert asked == (check == "false")
    assert done.stderr == ""
    assert done.stdout == (
        "IMAGES_STORE: gs://bucket/prefix: cannot use the credentials (there are none); "
        "set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account\n"
    )


@pytest.mark.parametrize("text", [None, "", "{}", "no JSON"])
def test_no_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    key = tmp_path / "key.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    if text is not None:
        key.write_text(text)
    with pytest.raises(
        StoreError, match=r"^IMAGES_STORE: .* the credentials .*key.json.*; set GOOGLE_APPLICATION_CRED"
    ):
        GoogleStore("gs://bucket")


# What only Google itself answers


class Google:
    """Gives access tokens and, to all else, the answers that it is told to give, in order; the last one for ever."""

    def __init__(self) -> None:
        self.token: tuple[int, object] = (200, {"access_token": "first", "expires_in": 3600})
        self.answers: list[tuple[int, object]] = [(200, {})]
        self.asked: list[tuple[str, str, bytes]] = []
        """Path, Authorization and body."""
        self.pause = 0.0
        """Seconds between two pieces of a body that it reads."""
        google = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = b""
                while left := int(self.headers.get("Content-Length", 0)) - len(body):
                    body += self.rfile.read(min(left, 65_536))
                    time.sleep(google.pause)
                if self.path == "/token":
                    status, said = google.token
                else:
                    google.asked.append((self.path, self.headers.get("Authorization", ""), body))
                    status, said = google.answers[0] if len(google.answers) == 1 else google.answers.pop(0)
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_DELETE = do_POST  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def private_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return rsa.generate_private_key(65537, 2048).private_bytes(*form).decode()


@pytest.fixture
def google(private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """With credentials that are taken, as those of production are."""
    google = Google()
    key = {
        "type": "service_account",
        "project_id": "project",
        "private_key": private_key,
        "client_email": "crawler@project.example",
        "token_uri": f"{google.url}/token",
    }
    (tmp_path / "key.json").write_text(json.dumps(key))
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("API_ENDPOINT_OVERRIDE", google.url)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    yield google
    google.close()


WRITTEN = (200, {"crc32c": b64encode(google_crc32c.Checksum(b"x").digest()).decode(), "generation": "1"})


def refusal(status: int, message: str) -> tuple[int, object]:
    return status, {"error": {"code": status, "message": message, "errors": [{"message": message}]}}


def test_uploads_are_authorised(google: Google) -> None:
    google.answers = [WRITTEN]
    store = GoogleStore("gs://bucket")
    assert store.put_if_absent(PATH, b"x")
    assert store.put_if_absent(PATH, b"x")
    assert [authorization for _, authorization, _ in google.asked] == ["Bearer first"] * 2


def test_a_token_that_is_not_taken_any_longer_is_renewed(google: Google) -> None:
    google.answers = [refusal(401, "Invalid Credentials"), WRITTEN]
    store = GoogleStore("gs://bucket")
    store.put_if_absent(PATH, b"x")
    (_, _, first), *_, (_, authorization, last) = google.asked
    assert first == last
    assert authorization == "Bearer first"


def test_wrong_credentials(google: Google) -> None:
    google.token = (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    store = GoogleStore("gs://bucket")
    for call in (store.check, lambda: store.put_if_absent(PATH, b"x"), lambda: store.get(PATH)):
        with pytest.raises(StoreError, match=r"^IMAGES_STORE: .*\(invalid_grant: Invalid JWT S.*GOOGLE_APPLICATION_CR"):
            call()
    google.token, google.answers = (200, {"access_token": "a", "expires_in": 9}), [refusal(401, "Invalid Credentials")]
    with pytest.raises(StoreError, match=r"^IMAGES_STORE: .*not accepted \(Invalid Credentials\); set GOOGLE_APPLICAT"):
        GoogleStore("gs://bucket").put_if_absent(PATH, b"x")


def test_nobody_gives_tokens_at_the_moment(google: Google) -> None:
    google.token = (503, {"error": "unavailable"})
    with pytest.raises(UnavailableError, match=r"^gs://bucket: "):
        GoogleStore("gs://bucket").put_if_absent(PATH, b"x")


def test_not_permitted(google: Google) -> None:
    google.answers = [refusal(403, "crawler@project.example does not have storage.objects.create access")]
    store = GoogleStore("gs://bucket")
    for call in (store.check, lambda: store.put_if_absent(PATH, b"x"), lambda: store.delete(PATH)):
        with pytest.raises(StoreError, match=r"^IMAGES_STORE: .*not permitted \(crawler@.*the role .*objectUser"):
            call()


def test_an_acl_where_there_are_none(google: Google) -> None:
    google.answers = [refusal(400, "Cannot insert legacy ACL when uniform bucket-level access is enabled.")]
    with pytest.raises(StoreError, match=r"^IMAGES_STORE: .*uniform bucket-level.*see IMAGES_STORE_GCS_ACL$"):
        GoogleStore("gs://bucket", acl="publicRead").put_if_absent(PATH, b"x")


def test_a_bucket_that_is_gone_is_no_missing_object(google: Google) -> None:
    store = GoogleStore("gs://bucket")
    google.answers = [refusal(404, "No such object: bucket/x")]
    with pytest.raises(NotStoredError):
        store.get(PATH)
    google.answers = [refusal(404, "The specified bucket does not exist.")]
    for call in (store.get, store.stat, store.delete):
        with pytest.raises(StoreError, match="no such bucket"):
            call(PATH)


def test_a_slow_line_is_none_that_hangs(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GoogleStore, "timeout", (0.2, 20.0))
    google.answers, google.pause = [refusal(412, "conditionNotMet")], 0.02
    assert not GoogleStore("gs://bucket").put_if_absent(PATH, bytes(6_000_000))
