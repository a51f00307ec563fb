"""What a crawl refuses: other protocols than the web's, certificates that do not hold, consoles open to others."""

from __future__ import annotations

import datetime
import ipaddress
import re
import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import Answer, Site, encode, picture
from crawling import ROOT, Crawl, command, crawl, environment
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from scrapy.exceptions import DownloadFailedError
from scrapy.settings import Settings
from scrapy.utils.project import get_project_settings
from sqlalchemy import select
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import pages
from posterbot.frontier.guard import is_tls_failure
from posterbot.safety import SafetyAddon, check_consoles

SCHEMES = ["file:///etc/hostname", "data:text/html,<a href=/never>", "ftp://127.0.0.1/a.jpg", "s3://bucket/a.jpg"]


def failed_pages(done: Crawl) -> dict[str, str]:
    engine = open_catalogue(done.catalogue, must_exist=True)
    with engine.connect() as connection:
        found = connection.execute(select(pages.c.url, pages.c.reason).where(pages.c.reason.is_not(None))).all()
    engine.dispose()
    return {row.url: row.reason for row in found}


# --- Only the web ---------------------------------------------------------------------------------------------------


def test_nothing_but_http_and_https_has_a_handler() -> None:
    handlers = get_project_settings().getwithbase("DOWNLOAD_HANDLERS")
    assert {scheme for scheme, handler in handlers.items() if handler} == {"http", "https"}


def test_no_page_leads_to_another_protocol(site: Site, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(encode(picture()))
    schemes = [*SCHEMES, secret.as_uri()]
    site.page(
        "/",
        "".join(f"<a href='{url}'>a</a><img src='{url}'><iframe src='{url}'></iframe>" for url in schemes)
        + "".join(f"<a href=/to/{number}>a</a><img src=/to/{number}.jpg>" for number in range(len(schemes)))
        + "<a href=/based>a</a>",
    )
    site.page("/based", f"<base href='{tmp_path.as_uri()}/'><img src=secret.jpg><a href=secret.html>a</a>")
    for number, url in enumerate(schemes):
        site[f"/to/{number}"] = site[f"/to/{number}.jpg"] = Answer(status=302, headers={"Location": url})
    rows = tmp_path / "list.txt"
    rows.write_text("\n".join(schemes))
    words = ["-a", f"start={site.url}/", "-a", f"urls={rows}", "-a", "threshold=0.0001"]
    done = crawl(tmp_path, *words)
    assert done.code == 0, done.output
    expected = {f"{site.url}/to/{number}.jpg": "http_other" for number in range(len(schemes))}  # the redirect itself
    expected |= dict.fromkeys(schemes, "bad_url")
    expected[f"{site.url}/secret.jpg"] = "http_404"  # a <base> of ours is none
    assert {sighting.url: sighting.reason for sighting in done.sightings()} == expected
    assert failed_pages(done) == {f"{site.url}/to/{number}": "http_other" for number in range(len(schemes))} | {
        f"{site.url}/secret.html": "http_404"
    }


# --- TLS --------------------------------------------------------------------------------------------------------------


_NOBODY = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Nobody")])


class Certificates:
    """An authority, and what it signs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test")])
        self.authority = folder / "authority.pem"
        builder = self._builder(self._name, self._key, 10, subject=self._name).add_extension(
            x509.BasicConstraints(True, None), True
        )
        self.authority.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    @staticmethod
    def _builder(
        issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int, subject: x509.Name | None = None
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return x509.CertificateBuilder(
            issuer,
            subject or _NOBODY,
            key.public_key(),
            x509.random_serial_number(),
            now - datetime.timedelta(days=20),
            now + datetime.timedelta(days=days),
        )

    def of(self, address: str, *, days: int = 10, signed: bool = True) -> ssl.SSLContext:
        """A server's context; ``days`` until its certificate runs out."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(self._name if signed else _NOBODY, key, days)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = builder.add_extension(names, True).sign(self._key if signed else key, hashes.SHA256())
        file = self._folder / f"{certificate.serial_number}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        found = self.path == "/"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>secure</title>" if found else b"")

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the crawler hung up


@contextmanager
def https(context: ssl.SSLContext) -> Iterator[tuple[str, list[str]]]:
    """URL of a page, and what was asked for."""
    with _Server(("127.0.0.1", 0), _Page) as server:
        server.asked = asked = []  # type: ignore[attr-defined]
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}/", asked
        server.shutdown()


def test_certificates_must_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    with (
        https(certificates.of("127.0.0.1")) as (good, of_good),
        https(certificates.of("127.0.0.1", signed=False)) as (self_signed, of_self_signed),
        https(certificates.of("127.0.0.2")) as (anothers, of_anothers),
        https(certificates.of("127.0.0.1", days=-1)) as (expired, of_expired),
    ):
        done = crawl(tmp_path, "-a", f"start={good},{self_signed},{anothers},{expired}")
    assert done.code == 0, done.output
    assert failed_pages(done) == dict.fromkeys([self_signed, anothers, expired], "tls_failed")
    assert {"/robots.txt", "/"} <= set(of_good)
    assert of_self_signed == of_anothers == of_expired == [], "not a word was said to them"


def test_what_is_a_tls_failure() -> None:
    failed = DownloadFailedError("…")
    failed.__cause__ = ResponseFailed([Failure(OSError()), Failure(SSL.Error([("SSL routines", "", "failed")]))])  # type: ignore[no-untyped-call]
    assert is_tls_failure(failed)
    failed.__cause__ = ResponseFailed([Failure(OSError())])  # type: ignore[no-untyped-call]
    assert not is_tls_failure(failed)
    assert is_tls_failure(SSL.Error())
    assert not is_tls_failure(ConnectionResetError())
    endless = OSError()
    endless.__cause__ = endless
    assert not is_tls_failure(endless)


# --- Consoles ---------------------------------------------------------------------------------------------------------


def settings(**given: object) -> Settings:
    found = get_project_settings()
    for name, value in given.items():
        found.set(name, value)
    return found


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", None, "192.168.0.7", "10.0.0.1", "example.org", "localhost.example"]
)
def test_a_console_for_others_is_refused(host: str | None) -> None:
    with pytest.raises(ValueError, match=r"^TELNETCONSOLE_HOST=[^\n]*CONSOLE_MAY_BE_PUBLIC=True$"):
        check_consoles(settings(TELNETCONSOLE_HOST=host))
    with pytest.raises(ValueError, match="TELNETCONSOLE_HOST"):
        SafetyAddon().update_settings(settings(TELNETCONSOLE_HOST=host))
    check_consoles(settings(TELNETCONSOLE_HOST=host, CONSOLE_MAY_BE_PUBLIC="True"))
    check_consoles(settings(TELNETCONSOLE_HOST=host, TELNETCONSOLE_ENABLED="False"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_a_console_for_this_machine_is_not(host: str) -> None:
    check_consoles(settings(TELNETCONSOLE_HOST=host, TELNETCONSOLE_PASSWORD="secret"))


@pytest.mark.parametrize("password", ["", " "])
def test_an_empty_password_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="TELNETCONSOLE_PASSWORD is empty"):
        check_consoles(settings(TELNETCONSOLE_PASSWORD=password))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"TELNETCONSOLE_HOST": "0.0.0.0"}, "TELNETCONSOLE_HOST=0.0.0.0"),
        ({"TELNETCONSOLE_PASSWORD": ""}, "TELNETCONSOLE_PASSWORD"),
        ({"ALLOWED_PRIVATE_HOSTS": "10.0.0.0/99"}, "ALLOWED_PRIVATE_HOSTS: '10.0.0.0/99'"),
    ],
)
def test_the_crawl_does_not_start(given: dict[str, str], said: str, tmp_path: Path) -> None:
    done = crawl(tmp_path, "-a", "start=sample", **given)
    assert done.code == 2
    (line,) = done.output.splitlines()
    assert line.startswith(f"scrapy crawl posters: {said}")
    assert not (tmp_path / "catalogue.db").exists()


def test_the_consoles_of_a_crawl_are_for_this_machine(site: Site, tmp_path: Path) -> None:
    """What listens on all addresses listens on 127.0.0.2 as well."""
    reached = threading.Event()
    leave = threading.Event()

    def met() -> None:
        reached.set()
        leave.wait(30)

    site["/"] = Answer(b"<title>hello</title>", met=met)
    words = command(tmp_path, "-a", f"start={site.url}/", LOG_LEVEL="INFO", REMOTE_CONTROL_JOBS_DIR=tmp_path / "jobs")
    with (tmp_path / "log").open("w+") as log:
        running = subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=log, stderr=log)
        try:
            assert reached.wait(60)
            said = (tmp_path / "log").read_text()
            (telnet,) = re.findall(r"Telnet console listening on 127\.0\.0\.1:(\d+)", said)
            (remote,) = re.findall(r"Remote control HTTP server listening on port (\d+)", said)
            for port in map(int, (telnet, remote)):
                socket.create_connection(("127.0.0.1", port), 5).close()
                with pytest.raises(OSError, match="refused"):
                    socket.create_connection(("127.0.0.2", port), 5)
            with socket.create_connection(("127.0.0.1", int(remote)), 5) as asking:
                asking.sendall(b"GET /status HTTP/1.0\r\n\r\n")
                assert b" 401 " in asking.recv(1000)
            assert re.search(r"Telnet Password: [0-9a-f]{16}", said)
            (job,) = (tmp_path / "jobs").iterdir()
            assert stat.S_IMODE(job.stat().st_mode) == 0o600
        finally:
            leave.set()
            running.wait(60)
