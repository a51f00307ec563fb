"""An FTP server for tests, plain or with TLS: pyftpdlib on loopback, on a thread, with what can go wrong on demand."""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import socket
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer as Server

USER, PASSWORD = "crawler", "not-so-secret"
ALL_RIGHTS = "elradfmwMT"
"""As pyftpdlib has them: e is CWD, l lists, r reads, a appends, d deletes, f renames, m makes folders, w writes."""

logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)


class FtpServer:
    """One server and one user, running from the start on.

    Attributes:
        url: of it, with user and password.
        place: ``host:port``.
        commands: all that came, in order.
        replies: command → what is said instead of doing it.
        cut: after how many bytes of an upload its data connection is reset.
        verdict: what is said of an upload that was cut; None to reset the control connection as well.
        damage: what pieces of uploads become underway; None to leave them.

    Args:
        folder: what it shows; is made.
        certificate: file with key and certificate, for TLS.
        rights: of the user.
        without: commands that it does not know.
        hashing: it knows XSHA256.
    """

    def __init__(
        self,
        folder: Path,
        certificate: Path | None = None,
        rights: str = ALL_RIGHTS,
        without: tuple[str, ...] = (),
        hashing: bool = False,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.commands: list[str] = []
        self.replies: dict[str, str] = {}
        self.cut: int | None = None
        self.verdict: str | None = "426 Connection closed; transfer aborted."
        self.damage: Callable[[bytes], bytes] | None = None
        self._sessions: list[Any] = []
        self._stopped = False
        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, PASSWORD, str(folder), perm=rights)
        kind = _kind(self, certificate, authorizer, without, hashing)
        self._server = Server(("127.0.0.1", 0), kind, ioloop=IOLoop())
        self.place = f"127.0.0.1:{self._server.address[1]}"
        self.url = f"{'ftps' if certificate else 'ftp'}://{USER}:{PASSWORD}@{self.place}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> FtpServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def drop_sessions(self) -> int:
        """Close all control connections, as after a while of nothing; gives how many."""
        dropped = 0
        for session in self._sessions:
            try:
                session.socket.shutdown(socket.SHUT_RDWR)
                dropped += 1
            except OSError:
                continue  # gone before
        self._sessions.clear()
        return dropped

    def close(self) -> None:
        """Stop it, and cut all connections."""
        self._stopped = True
        self._thread.join()
        self._server.close_all()

    def _run(self) -> None:
        while not self._stopped:
            self._server.ioloop.loop(0.02, blocking=False)


def _kind(server: FtpServer, certificate: Path | None, authorizer: Any, without: tuple[str, ...], hashing: bool) -> Any:
    """The class of the server's sessions."""
    control, data = (FTPHandler, DTPHandler) if certificate is None else (TLS_FTPHandler, TLS_DTPHandler)

    class Data(data):  # type: ignore[misc, valid-type]
        def handle_read(self) -> None:
            super().handle_read()
            if server.cut is not None and self.tot_bytes_received >= server.cut and not self._closed:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if server.verdict is None:
                    self.cmd_channel.close()
                else:
                    self._resp = (server.verdict, logging.debug)
                    self.close()

        handle_read_event = handle_read

        def enable_receiving(self, *given: Any) -> None:
            super().enable_receiving(*given)
            if server.damage is not None:
                self._data_wrapper = server.damage

    class Control(control):  # type: ignore[misc, valid-type]
        proto_cmds = {name: how for name, how in control.proto_cmds.items() if name not in without}  # noqa: RUF012
        dtp_handler = Data

        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            if hashing:
                self._extra_feats.append("XSHA256 filename")

        def on_connect(self) -> None:
            server._sessions.append(self)

        def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
            server.commands.append(cmd)
            if cmd in server.replies:
                self.respond(server.replies[cmd])
            else:
                super().pre_process_command(line, cmd, arg)

        def ftp_XSHA256(self, path: str) -> None:  # noqa: N802
            self.respond(f"250 {hashlib.sha256(Path(path).read_bytes()).hexdigest().upper()}")

    if hashing:
        Control.proto_cmds["XSHA256"] = {"perm": "r", "auth": True, "arg": True, "help": "Syntax: XSHA256 <SP> path."}
    if certificate is not None:
        Control.certfile = str(certificate)
        Control.tls_control_required = Control.tls_data_required = True
    Control.authorizer = authorizer
    Control.auth_failed_timeout = 0
    return Control


def self_signed(folder: Path) -> Path:
    """A new key and a certificate for 127.0.0.1 that nobody knows, in one file; it is its own CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "certificate.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
