"""The store on S3: the real client against moto, a proxy with faults, and endpoints that answer as S3 does."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.loaders import create_loader
from contract import PATH, Contract
from faulty_proxy import FaultyProxy
from ftp_server import self_signed
from hypothesis import given
from hypothesis import strategies as st
from s3_server import KEYS, S3Server
from scrapy.settings import Settings

from posterbot.stores.opening import open_store
from posterbot.stores.s3 import S3Store
from posterbot.stores.s3_metadata import METADATA_BYTES, from_metadata, to_metadata
from posterbot.stores.store import StoreError, UnavailableError

PLACE = "s3://bucket/posters"
LOADER = create_loader()
"""botocore's descriptions of services, read once: that takes longer than a test."""


class Impatient(S3Store):
    connect_seconds = 2.0
    read_seconds = 0.4


class Endpoint:
    """What S3 does, in memory, as a server that can be told what to do otherwise.

    Attributes:
        objects: path (with the bucket) → its bytes.
        refusals: method → status and XML or headers that all requests of that method get.
        condition: what it says to If-None-Match: "412" if there is an object, "ignored", or a status and code.
        etag: of bytes.
        arriving: what bytes become underway.
        checks_md5: it compares what arrived with Content-MD5.
        headers: of all requests that arrived, in order.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self.refusals: dict[str, tuple[int, str, dict[str, str]]] = {}
        self.condition = "412"
        self.etag: Callable[[bytes], str] = lambda data: hashlib.md5(data).hexdigest()
        self.arriving: Callable[[bytes], bytes] = bytes
        self.checks_md5 = False
        self.headers: list[dict[str, str]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                data = endpoint.arriving(self.rfile.read(int(self.headers["Content-Length"])))
                md5 = base64.b64encode(hashlib.md5(data).digest()).decode()
                if endpoint.checks_md5 and self.headers["Content-MD5"] != md5:
                    return self.say(400, error("BadDigest"))
                asked = "If-None-Match" in self.headers
                if asked and endpoint.condition == "412" and self.path in endpoint.objects:
                    return self.say(412, error("PreconditionFailed"))
                if asked and endpoint.condition not in {"412", "ignored"}:
                    status, code = endpoint.condition.split()
                    return self.say(int(status), error(code))
                if not self.is_refused():
                    endpoint.objects[self.path] = data
                    self.say(200, headers={"ETag": f'"{endpoint.etag(data)}"'})
                return None

            def do_GET(self) -> None:
                if not self.is_refused():
                    data = endpoint.objects.get(self.path)
                    self.say(404, error("NoSuchKey")) if data is None else self.say(200, data)

            def do_HEAD(self) -> None:
                if not self.is_refused():
                    is_bucket = self.path.count("/") == 1
                    data = endpoint.objects.get(self.path)
                    etag = {} if data is None else {"ETag": f'"{endpoint.etag(data)}"'}
                    self.say(404 if data is None and not is_bucket else 200, headers=etag)

            def do_DELETE(self) -> None:
                if not self.is_refused():
                    endpoint.objects.pop(self.path, None)
                    self.say(204)

            def is_refused(self) -> bool:
                status, body, headers = endpoint.refusals.get(self.command, (0, "", {}))
                if status:
                    self.say(status, body.encode(), headers)
                return bool(status)

            def say(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
                endpoint.headers.append(dict(self.headers))
                self.send_response_only(status)
                for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who refuses a certificate leaves
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def store(self, **settings: object) -> S3Store:
        return Impatient.from_settings(PLACE, {**KEYS, "AWS_ENDPOINT_URL": self.url, **settings})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def error(code: str, message: str = "As S3 says it.", more: str = "") -> bytes:
    xml = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}<RequestId>4442587FB7D0A2F9</RequestId></Error>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}'.encode()


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("botocore.session.create_loader", lambda *_: LOADER)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


def open_s3(uri: str, url: str, kind: type[S3Store] = S3Store) -> S3Store:
    return kind.from_settings(uri, {**KEYS, "AWS_ENDPOINT_URL": url})


class TestS3Store(Contract):
    @pytest.fixture
    def store(self, server: S3Server) -> Iterator[S3Store]:
        store = open_s3(f"s3://{server.create_bucket()}/some/prefix", server.url)
        yield store
        store.close()


def test_two_prefixes_and_the_whole_bucket(server: S3Server) -> None:
    bucket = server.create_bucket()
    whole, one, other = (open_s3(f"s3://{bucket}{prefix}", server.url) for prefix in ("/", "/one/", "/other"))
    one.put_if_absent("a.jpg", b"1")
    assert other.stat("a.jpg") is None
    assert (whole.name, one.name) == (f"s3://{bucket}", f"s3://{bucket}/one")
    assert [found.path for found in whole.list()] == ["one/a.jpg"]
    whole.check()
    whole.put_if_absent(".posterbot-check-1", b"left by somebody who may not delete")
    assert [found.path for found in whole.list()] == ["one/a.jpg"]


def test_more_than_a_page_of_names(server: S3Server) -> None:
    store = open_s3(f"s3://{server.create_bucket()}/p", server.url)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.put_if_absent(f"{number:04}", b""), range(1005)))
    assert [found.path for found in store.list()] == [f"{number:04}" for number in range(1005)]


def test_md5(server: S3Server) -> None:
    store = open_s3(f"s3://{server.create_bucket()}", server.url)
    store.put_if_absent(PATH, b"bytes")
    md5 = hashlib.md5(b"bytes").hexdigest()
    assert store.stat(PATH).md5 == md5  # type: ignore[union-attr]
    assert [found.md5 for found in store.list()] == [md5]
    # Who has seen nothing arrive does not know what ETags are in this place.
    assert [found.md5 for found in open_s3(store.name, server.url).list()] == [None]


@pytest.mark.parametrize(
    "uri", ["s3://", "s3:///prefix", "s3://b", "s3://bu cket/x", "s3://bucket/../x", "s3://bucket/a//b"]
)
def test_no_bucket_or_prefix(uri: str) -> None:
    with pytest.raises(StoreError, match="IMAGES_STORE: s3://"):
        open_s3(uri, "http://127.0.0.1:9")


# --- Faults -----------------------------------------------------------------------------------------------------------


def patiently(call: Callable[[], object]) -> object:
    for _ in range(50):
        try:
            return call()
        except UnavailableError:
            continue
    raise AssertionError("it never worked")


def test_faults_lose_and_damage_nothing(server: S3Server) -> None:
    bucket = server.create_bucket()
    data = {f"aa/{number:03}.jpg": bytes([number]) * (1000 + number) for number in range(100)}
    with FaultyProxy(server.url, rate=0.3, seed=3) as proxy:
        store = open_s3(f"s3://{bucket}/p", proxy.url)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda path: patiently(lambda: store.put_if_absent(path, data[path])), data))
            read = dict(zip(data, pool.map(lambda path: patiently(lambda: store.get(path)), data), strict=True))
        assert len(proxy.faults) == 8
        assert read == data
        # 200 calls, 30 % of which are made again and again; nothing else is asked for.
        assert 220 < len(proxy.requests) < 350
    straight = open_s3(f"s3://{bucket}/p", server.url)
    assert {found.path: found.size for found in straight.list()} == {path: len(d) for path, d in data.items()}
    assert all(straight.get(path) == data[path] for path in data)


def test_what_is_stored_is_not_sent_again(server: S3Server) -> None:
    with FaultyProxy(server.url) as proxy:
        store = open_s3(f"s3://{server.create_bucket()}", proxy.url)
        assert [store.put_if_absent(PATH, b"x") for _ in range(3)] == [True, False, False]
        assert [method for method, _ in proxy.requests] == ["PUT"] * 3  # one request each, and no retries


def test_hanging_and_vanishing(server: S3Server) -> None:
    with FaultyProxy(server.url) as proxy:
        store = open_s3(f"s3://{server.create_bucket()}", proxy.url, Impatient)
        for disaster in (proxy.hang, proxy.vanish):
            disaster()
            with pytest.raises(UnavailableError, match=r"AWS_ENDPOINT_URL$"):
                store.put_if_absent(PATH, b"x")
            with pytest.raises(UnavailableError):
                store.check()
            proxy.back()
        assert store.put_if_absent(PATH, b"x")
        assert store.get(PATH) == b"x"
        store.close()


def test_nobody_there() -> None:
    store = open_s3(PLACE, "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match=r"s3://bucket/posters: .*http://127.0.0.1:9.*AWS_ENDPOINT_URL"):
        store.check()


# --- Endpoints that are not quite Amazon's ----------------------------------------------------------------------------


@pytest.mark.parametrize("condition", ["501 NotImplemented", "400 InvalidArgument", "400 InvalidRequest"])
def test_endpoint_without_conditions(endpoint: Endpoint, condition: str) -> None:
    endpoint.condition = condition
    store = endpoint.store()
    assert [store.put_if_absent(PATH, data) for data in (b"first", b"second")] == [True, False]
    assert store.get(PATH) == b"first"
    asked = len(endpoint.headers)
    assert store.put_if_absent("other.jpg", b"x")
    assert len(endpoint.headers) - asked == 2  # found out once: HEAD, PUT


def test_endpoint_that_ignores_conditions(endpoint: Endpoint) -> None:
    endpoint.condition = "ignored"
    store = endpoint.store()
    store.check()
    assert endpoint.objects == {}
    assert [store.put_if_absent(PATH, data) for data in (b"first", b"second")] == [True, False]
    assert store.get(PATH) == b"first"


def test_etags_that_are_no_md5(endpoint: Endpoint) -> None:
    endpoint.etag = lambda data: hashlib.blake2b(data, digest_size=16).hexdigest()
    store = endpoint.store()
    assert store.put_if_absent(PATH, b"x")
    assert store.stat(PATH).md5 is None  # type: ignore[union-attr]


def test_damage_underway_is_seen_and_taken_back(endpoint: Endpoint) -> None:
    endpoint.arriving = lambda data: data[:-1] + b"?"
    store = endpoint.store()
    with pytest.raises(UnavailableError, match="not what was sent"):
        store.put_if_absent(PATH, b"bytes")
    assert endpoint.objects == {}
    endpoint.arriving = bytes
    assert store.put_if_absent(PATH, b"bytes")


def test_the_server_is_told_what_to_expect(endpoint: Endpoint) -> None:
    endpoint.checks_md5 = True
    store = endpoint.store()
    assert store.put_if_absent("other.jpg", b"bytes")
    endpoint.arriving = lambda data: data[:-1] + b"?"
    with pytest.raises(UnavailableError, match="BadDigest"):
        store.put_if_absent(PATH, b"bytes")
    assert len(endpoint.objects) == 1


# --- Settings ---------------------------------------------------------------------------------------------------------

DENIED = (403, error("AccessDenied", "Access Denied").decode(), {})


@pytest.mark.parametrize(
    ("status", "code", "more", "line"),
    [
        (403, "InvalidAccessKeyId", "", r"not known there; set AWS_ACCESS_KEY_ID$"),
        (403, "SignatureDoesNotMatch", "", r"set AWS_SECRET_ACCESS_KEY$"),
        (400, "ExpiredToken", "", r"set AWS_SESSION_TOKEN$"),
        (404, "NoSuchBucket", "", r"no such bucket; make it, or set IMAGES_STORE"),
        (403, "AccessDenied", "", r"may not write \(s3:PutObject\); .*AWS_ACCESS_KEY_ID"),
        (400, "AccessControlListNotSupported", "", r"set IMAGES_STORE_S3_ACL to nothing"),
        (400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>", r"eu-west-3; set AWS_REGION_NAME$"),
        (400, "IllegalLocationConstraintException", "", r"another region; set AWS_REGION_NAME$"),
        (403, "RequestTimeTooSkewed", "", r"clock is off by 120 minutes; set it$"),
        (507, "XMinioStorageFull", "", r"no room is left there"),
        (400, "InvalidArgument", "", r"InvalidArgument: As S3 says it; see IMAGES_STORE and the AWS_… settings$"),
    ],
)
def test_what_somebody_has_to_mend(endpoint: Endpoint, status: int, code: str, more: str, line: str) -> None:
    date = {"Date": formatdate(time.time() + 7200, usegmt=True)}
    endpoint.refusals["PUT"] = (status, error(code, more=more).decode(), date)
    endpoint.refusals["HEAD"] = (status, "", date)  # as S3: no body
    if code == "InvalidArgument":
        endpoint.refusals.pop("HEAD")
    with pytest.raises(StoreError) as told:
        endpoint.store().check()
    assert re.search(line, str(told.value)), str(told.value)
    assert str(told.value).startswith("IMAGES_STORE: s3://bucket/posters: ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (503, "SlowDown"),
        (500, "InternalError"),
        (429, "TooManyRequests"),
        (409, "ConditionalRequestConflict"),
        (400, "RequestTimeout"),
        (400, "BadDigest"),
        (400, "Throttling"),
    ],
)
def test_what_may_pass(endpoint: Endpoint, status: int, code: str) -> None:
    endpoint.refusals["PUT"] = (status, error(code).decode(), {})
    store = endpoint.store()
    with pytest.raises(UnavailableError, match=f"s3://bucket/posters: {code}: As S3 says it$"):
        store.put_if_absent(PATH, b"x")
    assert len(endpoint.headers) == 1  # who calls tries again, nobody else
    endpoint.refusals.clear()
    assert store.put_if_absent(PATH, b"x")


def test_answers_that_are_not_of_s3(endpoint: Endpoint) -> None:
    endpoint.refusals["PUT"] = (403, "<html><p>Please log in to the hotel's WLAN</html>", {})
    with pytest.raises((UnavailableError, StoreError), match="AWS_"):
        endpoint.store().put_if_absent(PATH, b"x")


def test_missing_bucket_of_moto(server: S3Server) -> None:
    for path in ("/prefix", ""):
        with pytest.raises(StoreError, match=r"IMAGES_STORE: s3://nowhere.*no such bucket"):
            open_s3(f"s3://nowhere{path}", server.url).check()


def test_who_may_not_read(endpoint: Endpoint) -> None:
    endpoint.refusals["GET"] = DENIED
    with pytest.raises(StoreError, match=r"may not read \(s3:GetObject\)"):
        endpoint.store().check()
    assert endpoint.objects == {}


def test_who_may_not_delete_nor_list(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    endpoint.refusals["DELETE"] = DENIED
    with caplog.at_level(logging.WARNING):
        endpoint.store().check()
    assert re.search(r"may not delete \(s3:DeleteObject\).*\.posterbot-check-\w+ was left there", caplog.text)
    assert len(endpoint.objects) == 1
    caplog.clear()
    endpoint.refusals = {"HEAD": (403, "", {})}  # without s3:ListBucket this is S3's answer for what is not there
    with caplog.at_level(logging.WARNING):
        endpoint.store().check()
    assert "may not be listed" in caplog.text


@pytest.mark.parametrize(
    ("acl", "sent"),
    [({}, None), ({"IMAGES_STORE_S3_ACL": ""}, None), ({"IMAGES_STORE_S3_ACL": "public-read"}, "public-read")],
)
def test_acl(endpoint: Endpoint, acl: dict[str, str], sent: str | None) -> None:
    endpoint.store(**acl).put_if_absent(PATH, b"x")
    assert endpoint.headers[-1].get("x-amz-acl") == sent


def test_scrapys_settings(endpoint: Endpoint) -> None:
    settings = Settings({**KEYS, "AWS_ENDPOINT_URL": endpoint.url, "AWS_SESSION_TOKEN": "token"})
    store = open_store(PLACE, settings)
    store.put_if_absent(PATH, b"x")
    sent = endpoint.headers[-1]
    assert sent["X-Amz-Security-Token"] == "token"
    assert "Credential=tests/" in sent["Authorization"]
    assert "/us-east-1/s3/" in sent["Authorization"]
    assert not {name.lower() for name in sent} & {"expect", "x-amz-sdk-checksum-algorithm", "content-encoding"}


@pytest.mark.parametrize(("given", "scheme"), [("0", "http"), ("False", "http"), (False, "http"), ("1", "https")])
def test_flags_of_an_environment(given: object, scheme: str) -> None:
    store = S3Store.from_settings(PLACE, {**KEYS, "AWS_USE_SSL": given, "AWS_ENDPOINT_URL": ""})
    assert store._client.meta.endpoint_url.partition(":")[0] == scheme


def test_certificates(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    endpoint = Endpoint(context)
    with pytest.raises(StoreError, match=r"CERTIFICATE_VERIFY_FAILED.*set AWS_VERIFY to a file"):
        endpoint.store().check()
    endpoint.store(AWS_VERIFY=str(certificate)).check()
    with pytest.warns(Warning, match="Unverified"):
        endpoint.store(AWS_VERIFY="0").check()
    with pytest.raises(StoreError, match="AWS_VERIFY: there is no file"):
        endpoint.store(AWS_VERIFY="/no/such.pem")
    endpoint.close()


def test_no_tls_there(endpoint: Endpoint) -> None:
    with pytest.raises(StoreError, match="there is no TLS: set AWS_ENDPOINT_URL to http"):
        endpoint.store(AWS_ENDPOINT_URL=endpoint.url.replace("http", "https")).check()


def test_no_keys(endpoint: Endpoint) -> None:
    with pytest.raises(StoreError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        endpoint.store(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY="").check()
    with pytest.raises(StoreError, match="AWS_"):
        endpoint.store(AWS_SECRET_ACCESS_KEY=None)
    with pytest.raises(StoreError, match=r"nowhere.*AWS_"):
        endpoint.store(AWS_ENDPOINT_URL="nowhere")


def test_no_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "posterbot.stores.s3")
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.delitem(sys.modules, "botocore.session")
    with pytest.raises(StoreError, match=r"IMAGES_STORE: s3:// needs botocore: pip install 'posterbot\[s3\]'"):
        open_store(PLACE, {})


# --- Metadata ---------------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.text("abc-", min_size=1, max_size=9), st.text(max_size=40), max_size=3))
def test_facts_come_back(facts: dict[str, str]) -> None:
    metadata = to_metadata(facts)
    assert all(value.isascii() and value.isprintable() and value == value.strip() for value in metadata.values())
    assert from_metadata({"Metadata": metadata}) == facts


def test_what_is_plain_can_be_read() -> None:
    facts = {"url": "http://a.example/%C3%A4 b?c=d&e", "empty": "", "tricky": "UTF-8''%20"}
    metadata = to_metadata(facts)
    assert metadata["url"] == facts["url"]
    assert from_metadata({"Metadata": metadata}) == facts


@pytest.mark.parametrize("letter", ["x", "ß", "漢", "%"])
def test_too_long(letter: str) -> None:
    facts = {"url": "http://a.example/" + letter * 5000, "page": "http://a.example/" + letter * 300, "label": "poster"}
    metadata = to_metadata(facts)
    size = sum(len(name) + len(value) for name, value in metadata.items())
    assert METADATA_BYTES - 30 < size <= METADATA_BYTES
    back = from_metadata({"Metadata": metadata})
    assert back["label"] == "poster"
    assert back["url"].endswith("…")
    assert facts["url"].startswith(back["url"][:-1])
